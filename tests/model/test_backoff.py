"""When a broker is tried again."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from scenewatch.model.backoff import FIRST_S, LONGEST_S, STABLE_S, Backoff


@given(st.integers(0, 2**32), st.lists(st.floats(0, STABLE_S - 0.001), min_size=1, max_size=20))
def test_delays_double_with_jitter_while_connections_do_not_last(seed, served):
    backoff = Backoff(random.Random(seed))
    for n, served_s in enumerate(served):
        most = min(FIRST_S * 2**n, LONGEST_S)
        assert most / 2 <= backoff.next_s(served_s=served_s) <= most


def test_a_connection_that_lasted_makes_the_next_delay_short_again():
    backoff = Backoff(random.Random(1))
    for _ in range(10):
        backoff.next_s(served_s=0.0)
    assert backoff.next_s(served_s=STABLE_S) <= FIRST_S
    assert backoff.next_s(served_s=1.0) > FIRST_S / 2


def test_two_clients_that_lost_one_broker_do_not_come_back_together():
    delays = {Backoff(random.Random(seed)).next_s(served_s=99.0) for seed in range(50)}
    assert len(delays) == 50
