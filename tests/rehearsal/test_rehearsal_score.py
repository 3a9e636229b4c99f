"""The score's definitions, one by one, and the laws that hold whatever was raised."""

from dataclasses import replace

import pytest
from dead_label import DEAD
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.model.words import hours, minutes
from scenewatch.rehearsal.labels import RaisedAlarm
from scenewatch.rehearsal.score import Run, by_chance, judge

HOUR_MS = hours(1)
RUN = Run(0, hours(1000), devices=10)


def raised(at_h, rule="warm", device="a"):
    return RaisedAlarm(
        rule=rule, device=device, priority="high", raised_at_ms=round(at_h * HOUR_MS), cleared_at_ms=None
    )


def score(labels, alarms):
    return judge(labels, alarms, RUN).score


def test_a_fault_is_found_by_its_first_alarm_in_time():
    found = judge([DEAD], [raised(105), raised(103, "idle")], RUN)
    assert [(f.detected, f.rule, f.delay_s) for f in found.faults] == [(True, "idle", 3 * 3600)]
    assert (found.score.recall, found.score.precision) == (1.0, 1.0)


def test_an_alarm_after_the_deadline_is_too_late_but_not_false():
    late = score([DEAD], [raised(107)])
    assert (late.recall, late.precision, late.false) == (0.0, 1.0, 0)


@pytest.mark.parametrize("at_h", [100, 114])
def test_the_window_has_both_its_ends(at_h):
    assert score([DEAD], [raised(at_h)]).owned == 1


@pytest.mark.parametrize(
    "alarm", [raised(99.99), raised(114.01), raised(105, "other"), raised(105, device="b")], ids=repr
)
def test_what_does_not_fit_is_false(alarm):
    assert score([DEAD], [alarm]).false == 1


def test_an_alarm_belongs_to_the_fault_that_began_last():
    later = replace(DEAD, from_ms=hours(104), to_ms=hours(112))
    found = judge([later, DEAD], [raised(105)], RUN)
    assert found.alarms[0].fault == 0
    assert [f.detected for f in found.faults] == [True, False]


def test_one_repeat_is_allowed_and_no_more():
    alarms = [raised(101), raised(102), raised(103), raised(104, "idle")]
    found = judge([DEAD], alarms, RUN)
    assert [a.repeat for a in found.alarms] == [False, False, True, False]
    assert (found.score.owned, found.score.false, found.score.nuisance) == (3, 1, 1)


def test_alarms_of_small_faults_are_neither_right_nor_wrong():
    small = score([replace(DEAD, findable=False)], [raised(101), raised(500)])
    assert (small.faults, small.owned, small.neutral, small.false) == (0, 0, 1, 1)
    assert small.recall is None


def test_a_fault_too_near_the_end_is_left_out():
    near = replace(DEAD, from_ms=hours(995), to_ms=hours(1000))
    assert score([near], []).faults == 0
    assert score([replace(near, from_ms=hours(994))], []).faults == 1


def test_what_was_raised_while_learning_is_left_out():
    run = Run(hours(200), hours(1000), devices=1)
    found = judge([DEAD], [raised(105)], run)
    assert (found.alarms, found.score.faults) == ((), 0)


def test_a_site_fault_owns_alarms_of_all_its_devices():
    wide = replace(DEAD, reaches=frozenset({"a", "b"}))
    assert score([wide], [raised(101, device="b")]).detected == 1


def test_false_alarms_count_by_device_and_month():
    assert score([], [raised(5), raised(6)]).false_a_device_month == pytest.approx(2 / (10 * 1000 / 720))


def test_an_alarm_every_day_scores_badly_by_any_measure():
    """What fools scores that adjust points."""
    labels = [
        replace(DEAD, from_ms=hours(h), to_ms=hours(h + 10), deadline=minutes(30)) for h in range(0, 960, 120)
    ]
    daily = [raised(h + 7.0) for h in range(0, 1000, 24)]
    assert score(labels, daily).recall == 0.0
    assert score(labels, daily).precision < 0.5


def test_alarms_moved_by_chance_find_little():
    labels = [
        replace(DEAD, device=d, reaches=frozenset({d}), from_ms=hours(100 + 7 * n), to_ms=hours(110 + 7 * n))
        for n, d in enumerate(map(str, range(60)))
    ]
    alarms = [raised(101 + 7 * n, device=d) for n, d in enumerate(map(str, range(60)))]
    assert score(labels, alarms).recall == 1.0
    chance = by_chance(labels, alarms, RUN, seed=4)
    assert chance.recall < 0.15
    assert chance.precision < 0.15
    assert chance.owned + chance.false == len(alarms)


LABELS = st.lists(
    st.builds(
        lambda device, start, length, findable: replace(
            DEAD,
            device=device,
            reaches=frozenset({device}),
            from_ms=hours(start),
            to_ms=hours(start + length),
            findable=findable,
        ),
        st.sampled_from("abc"),
        st.integers(0, 990),
        st.integers(1, 40),
        st.booleans(),
    ),
    max_size=8,
)
ALARMS = st.lists(
    st.builds(raised, st.integers(0, 999), st.sampled_from(["warm", "idle", "other"]), st.sampled_from("abc"))
)


@given(LABELS, ALARMS, st.randoms())
@settings(max_examples=100)
def test_laws(labels, alarms, chance):
    found = judge(labels, alarms, RUN)
    assert len(found.alarms) == len(alarms)
    assert found.score.owned + found.score.false + found.score.neutral == len(alarms)
    for outcome in found.alarms:
        if outcome.fault is not None:
            assert labels[outcome.fault].allows(outcome.alarm)
    for fault in found.faults:
        assert fault.detected == (fault.rule is not None)
        if fault.detected:
            assert 0 <= fault.delay_s <= fault.label.deadline / 1000
    shuffled = list(alarms)
    chance.shuffle(shuffled)
    assert judge(labels, shuffled, RUN) == found


@given(LABELS, ALARMS, st.integers(0, 999))
@settings(max_examples=60)
def test_one_more_alarm_never_finds_less(labels, alarms, at_h):
    assert score(labels, [*alarms, raised(at_h)]).detected >= score(labels, alarms).detected
