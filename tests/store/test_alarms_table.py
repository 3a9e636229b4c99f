"""Alarms recorded once each, whatever is derived again and whatever operators did meanwhile."""

import math
from dataclasses import replace

import pytest

from ends import HandClock
from scenewatch.model.alarm import AlarmState
from scenewatch.model.scene import Priority
from scenewatch.store.alarms import AlarmRow, Alarms
from scenewatch.store.audit import Audit

RAISED = AlarmRow(
    rule="kitchen.cold_room_warm",
    device="kitchen.north.fridge-1",
    raised_at_ms=1_000,
    state=AlarmState.UNACKNOWLEDGED,
    value=7.25,
    flag=1,
    priority=Priority.HIGH,
)
CLEARED = replace(RAISED, cleared_at_ms=2_000, state=AlarmState.RETURNED_UNACKNOWLEDGED, value=4.0)
IDENTITY = (RAISED.rule, RAISED.device, RAISED.raised_at_ms)


LI = {"by": "li", "at_ms": 1_500}


@pytest.fixture
def audit(database):
    return Audit(database, HandClock(0))


@pytest.fixture
def alarms(database, audit):  # noqa: ARG001  # makes the table
    return Alarms(database)


def only(alarms):
    (row,) = alarms.alarms(limit=10)
    return row


def test_an_alarm_comes_back_as_recorded(alarms):
    alarms.record([RAISED])
    assert only(alarms) == RAISED


def test_no_data_has_no_value(alarms):
    alarms.record([replace(RAISED, value=math.nan, flag=9)])
    assert math.isnan(only(alarms).value)


def test_clearing_keeps_what_raised_it(alarms):
    alarms.record([RAISED, CLEARED])
    assert only(alarms) == replace(CLEARED, value=RAISED.value)


def test_an_alarm_known_only_when_cleared_is_recorded(alarms):
    alarms.record([CLEARED])
    assert only(alarms) == CLEARED


def test_deriving_the_same_again_changes_nothing(alarms):
    alarms.record([])
    for _ in range(2):
        alarms.record([RAISED])
        alarms.record([RAISED, CLEARED])
    alarms.record([replace(CLEARED, cleared_at_ms=9_999)])
    assert only(alarms) == replace(CLEARED, value=RAISED.value)


def test_what_an_operator_acknowledged_stays_so(alarms):
    alarms.record([RAISED])
    seen = replace(RAISED, state=AlarmState.ACKNOWLEDGED, acknowledged_by="li", acknowledged_at_ms=1_500)
    assert alarms.acknowledge(*IDENTITY, **LI) == (seen, True)
    alarms.record([RAISED])
    assert only(alarms) == seen
    alarms.record([CLEARED])
    assert (only(alarms).state, only(alarms).cleared_at_ms) == (AlarmState.NORMAL, 2_000)
    alarms.record([RAISED, CLEARED])
    assert only(alarms).state is AlarmState.NORMAL


def test_acknowledging_after_the_return_makes_it_normal(alarms):
    alarms.record([RAISED, CLEARED])
    row, is_news = alarms.acknowledge(*IDENTITY, **LI)
    assert (row.state, row.cleared_at_ms, is_news) == (AlarmState.NORMAL, 2_000, True)


def test_who_was_first_stays_on_record(alarms, audit):
    alarms.record([RAISED])
    first, _ = alarms.acknowledge(*IDENTITY, **LI)
    assert alarms.acknowledge(*IDENTITY, by="wang", at_ms=1_600) == (first, False)
    assert [(a.at_ms, a.by, a.what, a.target) for a in audit.actions(9)] == [
        (1_500, "li", "acknowledge", RAISED.device)
    ]


def test_acknowledging_what_is_not_there_says_so(alarms, audit):
    alarms.record([RAISED])
    assert alarms.acknowledge(RAISED.rule, RAISED.device, 1_001, **LI) is None
    assert only(alarms) == RAISED
    assert audit.actions(9) == []


@pytest.mark.parametrize("state", [AlarmState.SHELVED, AlarmState.SUPPRESSED])
def test_a_shelved_or_suppressed_alarm_stays_so_when_cleared(alarms, state):
    alarms.record([replace(RAISED, state=state), CLEARED])
    assert (only(alarms).state, only(alarms).cleared_at_ms) == (state, 2_000)


def test_alarms_differ_by_rule_device_and_time(alarms):
    rows = [
        RAISED,
        replace(RAISED, rule="kitchen.other"),
        replace(RAISED, device="d"),
        replace(RAISED, raised_at_ms=1),
    ]
    alarms.record(rows)
    assert len(alarms.alarms(limit=10)) == 4


def test_the_newest_come_first_within_span_limit_and_states(alarms):
    rows = [replace(RAISED, raised_at_ms=t) for t in (10, 30, 20, 40)]
    alarms.record([*rows, replace(CLEARED, raised_at_ms=30)])

    def found(*states, limit=10, **span):
        asked = alarms.alarms(states, limit=limit, **span) if states else alarms.alarms(limit=limit, **span)
        return [row.raised_at_ms for row in asked]

    assert found() == [40, 30, 20, 10]
    assert found(limit=2) == [40, 30]
    assert found(from_ms=20, to_ms=40) == [30, 20]
    assert found(AlarmState.UNACKNOWLEDGED) == [40, 20, 10]
    assert found(AlarmState.RETURNED_UNACKNOWLEDGED, AlarmState.SHELVED) == [30]
