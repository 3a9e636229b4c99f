"""Alarms on record over a span: those raised in it, those that stood in it, and what they were when raised."""

from dataclasses import replace

import pytest

from alarm_moves import RAISED, raised, then
from scenewatch.model.alarm import Hidden, Step
from scenewatch.model.rule import Priority
from scenewatch.store.alarmhistory import AlarmHistory
from scenewatch.store.alarms import ALARM, Alarms


@pytest.fixture
def history(database):
    alarms = Alarms(database)
    over, hidden, causal = (
        raised(1_000),
        raised(5_000, hidden=Hidden.SHELVED),
        raised(9_000, cause="brine.a brine.w1.gw"),
    )
    alarms.record([over, then(over, Step.CLEARED, 2_000), hidden, causal])
    alarms.record([then(hidden, Step.SHOWN, 6_000), then(causal, Step.REPRIORITISED, 9_500, priority=Priority.LOW)])
    alarms.record(
        [replace(raised(7_000), device="brine.w10.vat-1"), then(causal, Step.HIDDEN, 9_900, hidden=Hidden.SHELVED)]
    )
    return AlarmHistory(database)


def times(found):
    return [alarm.raised_at_ms for alarm in found]


@pytest.mark.parametrize(
    ("span", "raised_at_ms"),
    [
        ((0, 10_000), [1_000, 5_000, 7_000, 9_000]),
        ((1_999, 5_000), [1_000]),
        ((2_000, 5_000), []),
        ((8_000, 9_000), [5_000, 7_000]),
        ((20_000, 30_000), [5_000, 7_000, 9_000]),
    ],
)
def test_those_raised_within_and_those_that_stood_then(history, span, raised_at_ms):
    assert times(history.over(*span)) == raised_at_ms


def test_of_some_sites_alone(history):
    assert times(history.over(0, 10_000, {"brine.w1"})) == [1_000, 5_000, 9_000]
    assert times(history.over(0, 10_000, {"brine.w10"})) == [7_000]
    assert times(history.over(0, 10_000, set())) == []


def test_they_are_told_as_they_were_raised(history):
    over, hidden, _, causal = history.over(0, 10_000)
    assert over == (RAISED.rule, RAISED.device, "high", 1_000, 2_000, False, "")
    assert (hidden.hidden, causal.hidden) == (True, False), "what hides or shows it later is another matter"
    assert (causal.priority, causal.cause) == ("high", "brine.a brine.w1.gw")


def test_rows_of_older_releases_have_the_priority_they_ended_with(history, database):
    with database.writing() as con:
        con.execute(ALARM.update().values(raised_priority="", priority="medium"))
    assert {alarm.priority for alarm in history.over(0, 10_000)} == {"medium"}
