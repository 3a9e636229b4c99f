"""A message that was here before is told; what was forgotten counts as new, never the other way round."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.decode.identity import BOOTS_KEPT, MOST_HOLES, Identity
from scenewatch.decode.native import NativeDecoder
from scenewatch.model.batch import Batch
from scenewatch.model.decoded import Decoded, boot_name
from scenewatch.model.messages import Messages

VAT = b"sw/brine/w1/vat-1/telemetry"


@pytest.fixture
def judge(vat_registry):
    """Verdicts on messages given as (boot, n), in one batch."""
    decoder = NativeDecoder("sw")
    decoder.grow(vat_registry)
    identity = Identity()

    def verdicts(*named):
        pairs = [(VAT, json.dumps({"t": 1, "b": b, "n": n, "v": {"temp": 1}}).encode()) for b, n in named]
        return identity.duplicates(decoder.decode(Messages.of(pairs, 0), 0)).tolist()

    verdicts.identity = identity
    verdicts.decoder = decoder
    return verdicts


def test_a_number_comes_once_a_boot(judge):
    assert judge(("a", 0), ("a", 1), ("a", 0), ("b", 0), ("b", 0)) == [False, False, True, False, True]


def test_a_late_number_fills_its_hole_once(judge):
    assert judge(("a", 0), ("a", 3)) == [False, False]
    assert judge.identity.missing(1) == 2
    assert judge(("a", 2), ("a", 2), ("a", 1)) == [False, True, False]
    assert judge.identity.missing(1) == 0


def test_what_came_before_we_listened_is_no_gap_and_still_new(judge):
    assert judge(("a", 500)) == [False]
    assert judge.identity.missing(1) == 0
    assert judge(("a", 3), ("a", 3)) == [False, True]
    assert judge.identity.missing(1) == 0


def test_an_earlier_boot_is_remembered_and_the_one_unheard_of_longest_counts_as_new(judge):
    boots = [(f"b{i}", 0) for i in range(BOOTS_KEPT)]
    judge(*boots)
    assert judge(boots[0], ("another", 0)) == [True, False]
    assert judge(boots[0], boots[1]) == [True, False]


def test_a_backlog_of_many_reboots_that_comes_again_is_all_known(judge):
    named = [(f"b{i}", n) for i in range(BOOTS_KEPT) for n in range(3)]
    assert not any(judge(*named))
    assert all(judge(*named))


def test_holes_beyond_the_bound_are_joined_so_that_nothing_new_is_refused(judge):
    numbers = [2 * i for i in range(MOST_HOLES + 50)]
    judge(*[("a", n) for n in numbers])
    assert not any(judge(*[("a", n + 1) for n in numbers[:-1]]))


def test_messages_without_a_number_are_told_by_their_content(judge):
    body = json.dumps({"t": 1, "v": {"temp": 1}}).encode()
    other = json.dumps({"t": 1, "v": {"temp": 2}}).encode()
    decoded = judge.decoder.decode(Messages.of([(VAT, body), (VAT, other), (VAT, body)], 0), 0)
    assert judge.identity.duplicates(decoded).tolist() == [False, False, True]


def one(boot, n):
    """A message of device 7."""
    return Decoded(
        Messages.of([], 0),
        0,
        Batch.of([], [], []),
        device=np.array([7], np.int32),
        boot=np.frombuffer(boot_name(boot), np.uint8).reshape(1, -1),
        n=np.array([n]),
    )


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 12)), max_size=60), st.integers(0, 60))
@settings(deadline=None, max_examples=100)
def test_verdicts_equal_a_plain_set_and_survive_a_restart(named, cut):
    seen: set[tuple[str, int]] = set()
    identity = Identity()
    for i, (boot, n) in enumerate(named):
        if i == cut:
            restored = Identity()
            restored.restore(b"".join(identity.snapshot()))
            identity = restored
        assert identity.duplicates(one(boot, n)).tolist() == [(boot, n) in seen]
        seen.add((boot, n))


@given(st.lists(st.tuples(st.integers(0, BOOTS_KEPT + 3), st.integers(0, 9)), max_size=80))
@settings(deadline=None, max_examples=50)
def test_what_a_device_skipped_is_the_sum_over_the_boots_remembered(named):
    identity, again = Identity(), Identity()
    for boot, n in named:
        identity.duplicates(one(f"b{boot}", n))
    again.restore(b"".join(identity.snapshot()))
    missing = sum(boot.missing for boot in identity._boots.get(7, {}).values())
    for judge in (identity, again):
        assert judge.missing(7) == missing
        assert judge.missing_of_all(9).tolist() == [0, 0, 0, 0, 0, 0, 0, missing, 0]
