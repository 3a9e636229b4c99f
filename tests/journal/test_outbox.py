"""Whatever the store does, batches leave the outbox as they came: all, once, in order."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from journal_tools import DEADLINE_S, HandClock, until

from scenewatch.journal.outbox import Depth, Outbox
from scenewatch.model.batch import Batch
from scenewatch.model.errors import InUseError
from scenewatch.model.ledger import Counts, DeadLetter


def batch(n: int, position: int, dead: int = 0) -> Batch:
    made = Batch.of(np.arange(n, dtype=np.int32), np.arange(n), np.full(n, float(position)), position=position)
    made.counts = Counts(stored=n, dead=dead)
    made.dead = [DeadLetter(i, 1, b"t", b"p", "why") for i in range(dead)]
    return made


@pytest.fixture
def outbox(tmp_path):
    made = Outbox(tmp_path / "outbox", clock=HandClock(10**9), memory_readings=10)
    yield made
    made.close()


class AnyOrderOfSteps(RuleBasedStateMachine):
    """Compared with a list, at a bound so small that the disk takes part at every turn."""

    def __init__(self, folder) -> None:
        super().__init__()
        self.outbox = Outbox(folder, clock=HandClock(10**9), memory_readings=10)
        self.model: list[Batch] = []
        self.put_so_far = 0

    @rule(n=st.integers(0, 12), dead=st.integers(0, 2))
    def put(self, n, dead):
        self.put_so_far += 1
        made = batch(n, self.put_so_far, dead)
        self.outbox.put(made)
        self.model.append(made)

    @precondition(lambda self: self.model)
    @rule(times=st.integers(1, 3))
    def get(self, times):
        for _ in range(times):
            assert self.outbox.get(DEADLINE_S).to_bytes() == self.model[0].to_bytes()

    @precondition(lambda self: self.model)
    @rule(most=st.integers(1, 4))
    def drain(self, most):
        for _ in range(min(most, len(self.model))):
            got = self.outbox.get(DEADLINE_S)
            assert got.to_bytes() == self.model.pop(0).to_bytes()
            self.outbox.done(got)

    @precondition(lambda self: not self.model)
    @rule()
    def get_nothing(self):
        assert self.outbox.get(0) is None

    @invariant()
    def depth_is_what_waits(self):
        oldest = self.model[0].position if self.model else None
        assert self.outbox.depth() == Depth(len(self.model), sum(map(len, self.model)), oldest)

    def teardown(self):
        self.outbox.close()


def test_any_order_of_steps_is_first_in_first_out(tmp_path_factory):
    run_state_machine_as_test(
        lambda: AnyOrderOfSteps(tmp_path_factory.mktemp("outbox")),
        settings=settings(deadline=None, max_examples=25, stateful_step_count=30),
    )


def test_beyond_its_bound_it_waits_on_disk_and_later_in_memory_again(outbox, tmp_path):
    for position in (1, 2, 3):
        outbox.put(batch(8, position))
    until(lambda: list((tmp_path / "outbox").glob("*.segment")))
    for position in (1, 2, 3):
        got = outbox.get(DEADLINE_S)
        assert got.position == position
        outbox.done(got)
    fresh = batch(8, 4)
    outbox.put(fresh)
    assert outbox.get(0) is fresh


def test_dead_letters_count_against_memory_too(outbox, tmp_path):
    outbox.put(batch(0, 1, dead=9))
    outbox.put(batch(0, 2, dead=9))
    until(lambda: list((tmp_path / "outbox").glob("*.segment")))


def test_a_waiting_store_is_woken(outbox):
    got = []
    store = threading.Thread(target=lambda: got.append(outbox.get(DEADLINE_S)))
    store.start()
    outbox.put(batch(1, 1))
    store.join(DEADLINE_S)
    assert got[0].position == 1


def test_only_what_was_got_can_be_done(outbox):
    outbox.put(batch(1, 1))
    with pytest.raises(ValueError, match="oldest"):
        outbox.done(batch(1, 1))


def test_leftovers_of_an_earlier_run_are_removed_unless_it_still_runs(tmp_path):
    path = tmp_path / "outbox"
    first = Outbox(path, clock=HandClock(), memory_readings=1)
    for position in range(1, 5):
        first.put(batch(5, position))
    with pytest.raises(InUseError):
        Outbox(path, clock=HandClock())
    first.close()
    assert list(path.glob("*.segment"))
    second = Outbox(path, clock=HandClock())
    assert (second.get(0), list(path.glob("*.segment"))) == (None, [])
    second.close()


def test_two_threads_at_full_speed(outbox):
    count = 400

    def pipeline() -> None:
        for position in range(1, count + 1):
            outbox.put(batch(position % 7, position))

    writer = threading.Thread(target=pipeline)
    writer.start()
    seen = []
    while len(seen) < count:
        got = outbox.get(DEADLINE_S)
        if got is not None:
            seen.append(got.position)
            outbox.done(got)
    writer.join()
    assert seen == list(range(1, count + 1))
    assert outbox.depth() == Depth(0, 0, None)
