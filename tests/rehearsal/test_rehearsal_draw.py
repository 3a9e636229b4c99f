"""Faults as they are drawn: enough of each kind, some too small, never two on a device at a time."""

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.model.words import days
from scenewatch.rehearsal.draw import REST, Wish, draw
from scenewatch.scenes import SCENES, demonstration

SCENE = next(s for s in SCENES if s.key == "kitchen")
DEVICES = demonstration(SCENE).devices(20)
BEGIN = 1_779_033_600_000
MONTH = Wish(a_month=0.5, from_ms=BEGIN, to_ms=BEGIN + days(30))


def test_the_same_seed_draws_the_same_and_another_does_not():
    assert draw(SCENE, DEVICES, MONTH, seed=5) == draw(SCENE, DEVICES, MONTH, seed=5)
    assert draw(SCENE, DEVICES, MONTH, seed=5) != draw(SCENE, DEVICES, MONTH, seed=6)


def test_ten_runs_have_thirty_findable_faults_of_every_kind():
    findable = Counter(
        one.fault.key for seed in range(10) for one in draw(SCENE, DEVICES, MONTH, seed=seed) if one.findable
    )
    assert {f.key for f in SCENE.faults if f.rules} == findable.keys()
    assert min(findable.values()) >= 30, findable


def test_a_share_is_too_small_or_too_short():
    drawn = [one for seed in range(5) for one in draw(SCENE, DEVICES, MONTH, seed=seed)]
    small = [one for one in drawn if not one.findable]
    assert len(small) / len(drawn) >= 0.2
    for one in small:
        short = one.to_ms - one.from_ms < one.fault.minimum
        slight = one.size is not None and one.size < one.fault.sizes.findable
        assert short or slight or not one.fault.rules


def test_only_some_kinds_when_asked_for():
    wish = Wish(a_month=0.5, from_ms=BEGIN, to_ms=BEGIN + days(30), only=frozenset({"door_ajar"}))
    assert {one.fault.key for one in draw(SCENE, DEVICES, wish, seed=1)} == {"door_ajar"}


@given(st.integers(0, 2**32), st.floats(0.05, 2.0))
@settings(max_examples=15)
def test_faults_keep_apart_and_within(seed, a_month):
    wish = Wish(a_month=a_month, from_ms=BEGIN, to_ms=BEGIN + days(30))
    drawn = draw(SCENE, DEVICES[:40], wish, seed=seed)
    assert [one.from_ms for one in drawn] == sorted(one.from_ms for one in drawn)
    for device in DEVICES[:40]:
        for before, one in pairwise([d for d in drawn if device.id in d.reaches]):
            assert one.from_ms - before.to_ms >= 2 * REST
    for one in drawn:
        assert wish.from_ms <= one.from_ms < one.to_ms <= wish.to_ms
        assert one.device.id in one.reaches
        if one.findable:
            assert one.to_ms - one.from_ms >= one.fault.minimum
            assert one.size is None or one.fault.sizes.findable <= one.size <= one.fault.sizes.largest
