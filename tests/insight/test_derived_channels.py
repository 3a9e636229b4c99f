"""Derived channels against plain sums over the same readings, however they are cut into batches."""

from itertools import pairwise

import numpy as np
import pytest
from derived_oracle import Oracle
from derived_rig import EVERY, T0, Rig, regular
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.model.errors import CorruptError
from scenewatch.model.flags import Flag
from scenewatch.model.insight import Lasting, LastRun, MeanWhile, Share, Slope, TimeTo
from scenewatch.model.rule import Above, Below, Term
from scenewatch.model.words import hours, minutes

RUNS = Term("power", Above(50.0))
DERIVED = {
    "duty": Share(term=RUNS, over=hours(2), every=minutes(30)),
    "running": MeanWhile(of="power", term=RUNS, over=hours(2), every=minutes(30)),
    "mean_open": MeanWhile(of="power", term=Term("door", Above(0.5)), over=hours(2), every=minutes(30)),
    "still": Lasting(term=Term("power", Below(50.0)), every=minutes(10)),
    "last_run": LastRun(term=RUNS),
    "slope": Slope(of="power", over=hours(1), every=minutes(10)),
    "until": TimeTo(of="power", limit=90.0, over=hours(1), every=minutes(10), sure=2.0),
    "until_low": TimeTo(of="power", limit=10.0, rising=False, over=minutes(20), every=minutes(5)),
}


@pytest.fixture(scope="module")
def rig():
    return Rig(DERIVED)


def test_a_duty_cycle_is_the_share_of_time_above(rig):
    batch = rig.run(regular(300, lambda i: 100.0 if i % 10 < 3 else 0.0))
    values = rig.told([batch], "duty")
    assert [t - T0 for t, _ in values] == [hours(h / 2) for h in range(4, 10)]
    assert [v for _, v in values] == pytest.approx([30.0] * 6, abs=1.0)


def test_a_duty_cycle_is_not_told_while_most_of_its_span_is_unknown(rig):
    samples = [s for s in regular(400, lambda _: 100.0) if not hours(2) < s[1] - T0 < hours(4)]
    assert [t - T0 for t, _ in rig.told([rig.run(samples)], "duty")] == [hours(2), hours(5.5), hours(6), hours(6.5)]


def test_running_power_is_the_mean_while_running(rig):
    batch = rig.run(regular(300, lambda i: 120.0 + i % 2 if i % 10 < 4 else 5.0))
    assert [v for _, v in rig.told([batch], "running")] == pytest.approx([120.5] * 6, abs=0.01)


def test_a_term_on_another_channel_is_taken_as_it_was_before_the_instant(rig):
    samples = regular(300, float, lambda i: float(100 <= i < 102))
    turned = [(d, t, values[::-1]) for d, t, values in samples]
    values = rig.told([rig.run(samples)], "mean_open")
    assert values[0] == (T0 + hours(2), pytest.approx(100.5))
    assert rig.told([rig.run(turned)], "mean_open") == values


def test_minutes_are_counted_from_when_a_term_began_to_hold(rig):
    batch = rig.run(regular(61, lambda i: 0.0 if 15 <= i < 45 else 100.0))
    values = [(t - T0, v) for t, v in rig.told([batch], "still")]
    assert values == [(minutes(m), v) for m, v in ((10, 0), (20, 5), (30, 15), (40, 25), (50, 0), (60, 0))]


def test_a_silence_is_no_time_and_begins_counting_anew(rig):
    samples = [s for s in regular(200, lambda _: 0.0) if not T0 + 30 * EVERY < s[1] < T0 + 60 * EVERY]
    values = dict(rig.told([rig.run(samples)], "still"))
    assert values[T0 + minutes(30)] == 30.0
    assert values[T0 + minutes(60)] == 0.0
    assert values[T0 + minutes(70)] == 10.0


def test_a_run_is_told_when_it_ends_and_only_if_it_is_known_from_its_begin_on(rig):
    """Runs from the first reading to 5, from 10 to 25, from 40 to 60 with a silence in it, from 70 to 75."""
    spans = ((0, 5), (10, 25), (40, 60), (70, 75))
    samples = regular(90, lambda i: 100.0 if any(a <= i < b for a, b in spans) else 0.0)
    samples = [s for s in samples if not T0 + 45 * EVERY < s[1] < T0 + 55 * EVERY]
    assert rig.told([rig.run(samples)], "last_run") == [(T0 + 25 * EVERY, 15.0), (T0 + 75 * EVERY, 5.0)]


def test_a_slope_is_that_of_the_line_whatever_the_offset(rig):
    batch = rig.run(regular(200, lambda i: 1e6 + 0.5 * i))
    values = rig.told([batch], "slope")
    assert values[0][0] == T0 + minutes(30), "half of its hour"
    assert [v for _, v in values] == pytest.approx([30.0] * len(values))


def test_a_time_to_a_limit_runs_out_with_the_trend(rig):
    """From 0 by a half a minute: 90 is passed in the 180th minute."""
    values = dict(rig.told([rig.run(regular(300, lambda i: 0.5 * i))], "until"))
    assert values[T0 + minutes(100)] == pytest.approx(80.0)
    assert values[T0 + minutes(170)] == pytest.approx(10.0)
    assert values[T0 + minutes(190)] == 0.0


def test_what_does_not_move_towards_its_limit_or_hardly_has_all_the_time_there_is(rig):
    chance = np.random.default_rng(5)
    noise = chance.standard_normal(400)
    for value in (lambda i: 60.0 + noise[i], lambda i: 60.0 - 0.01 * i):
        values = rig.told([rig.run(regular(400, value))], "until")
        assert sorted(v for _, v in values)[2] == hours(12) / 60_000, "two of 37 may seem to move, by chance"


def test_failed_and_late_readings_are_not_looked_at(rig):
    samples = regular(300, lambda i: 100.0 if i % 10 < 3 else 0.0)
    late, failed = (0, T0 + 3 * EVERY, [(0, 7.0)]), (0, T0 + 149 * EVERY + 9, [(0, 9e15)])
    spoilt = [*samples[:150], late, failed, *samples[150:]]
    for key in DERIVED:
        assert rig.told([rig.run(spoilt)], key) == rig.told([rig.run(samples)], key)


def test_derived_readings_come_behind_their_message_and_are_checked(rig):
    batch = rig.run(regular(300, lambda _: 100.0))
    derived = np.array([rig.registry.channel_of(s).derived is not None for s in batch.series.tolist()])
    assert (batch.flag[derived] == Flag.GOOD).all()
    assert (np.diff(batch.message) >= 0).all()
    for i in np.flatnonzero(derived).tolist():
        assert batch.t_ms[i] <= batch.t_ms[np.flatnonzero(batch.message == batch.message[i])].max()
        assert derived[i:][batch.message[i:] == batch.message[i]].all()


SAMPLES = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from([1, 1, 1, 2, 7]),
        st.sampled_from([0.0, 20.0, 60.0, 100.0]),
        st.sampled_from([-1.0, 0.0, 0.0, 0.5]),
        st.sampled_from([0.0, 1.0]),
        st.sampled_from(["both", "both", "both", "turned", "power", "door"]),
    ),
    min_size=1,
    max_size=30,
)


def drawn(steps):
    """Messages in time; each lasts for five and may climb, so that spans are filled quickly."""
    t, samples = {0: T0, 1: T0}, []
    for device, step, power, climb, door, what in steps:
        for n in range(5):
            t[device] += step * EVERY
            both = [(0, power + climb * n), (1, door)]
            values = {"both": both, "turned": both[::-1], "power": both[:1], "door": both[1:]}[what]
            samples.append((device, t[device], values))
    return samples


@given(SAMPLES, st.lists(st.integers(0, 300), max_size=6))
@settings(max_examples=40, deadline=None)
def test_any_split_gives_the_same_and_it_is_the_plain_sum(rig, steps, cuts):
    samples = drawn(steps)
    whole = [rig.run(samples)]
    stages, parts = rig.stages(), []
    ends = sorted({min(c, len(samples)) for c in cuts} | {len(samples)})
    for begin, end in pairwise([0, *ends]):
        parts.append(rig.run(samples[begin:end], stages))
        saved = b"".join(stages[0].snapshot())
        stages = (rig.stages()[0], stages[1])
        stages[0].restore(saved)
    for number, device in enumerate(("d1", "d2")):
        oracle = Oracle(samples, number)
        for key, how in DERIVED.items():
            one, expected = rig.told(whole, key, device), oracle.told(how)
            assert rig.told(parts, key, device) == one
            assert [t for t, _ in one] == [t for t, _ in expected], key
            clear = [(was, v) for (_, was), (_, v) in zip(one, expected, strict=True) if not np.isnan(v)]
            assert [was for was, _ in clear] == pytest.approx([v for _, v in clear], rel=1e-6, abs=1e-6), key


def test_a_state_of_other_derived_channels_is_refused(rig):
    (insight, _), (other, _) = rig.stages(), Rig(dict(reversed(DERIVED.items()))).stages()
    with pytest.raises(CorruptError):
        other.restore(b"".join(insight.snapshot()))
    with pytest.raises(CorruptError):
        insight.restore(b"\x90")


def test_a_device_that_comes_later_finds_its_place():
    rig = Rig(DERIVED, devices=1)
    stages = rig.stages()
    rig.run(regular(100, lambda _: 100.0), stages)
    rig.place(2)
    for stage in stages:
        stage.grow(rig.registry)
    batch = rig.run(regular(300, lambda _: 0.0, device=1), stages)
    assert [v for _, v in rig.told([batch], "duty", "d2")] == [0.0] * 6
