"""Alarms recorded once each, whatever is derived again and whatever operators did meanwhile."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarm_moves import CLEARED, RAISED, raised, then
from ends import HandClock
from scenewatch.model.alarm import AlarmState, Hidden, Step
from scenewatch.model.rule import Priority
from scenewatch.store.alarms import AlarmRow, Alarms, after, begun
from scenewatch.store.audit import Audit

STANDS = AlarmRow(
    rule=RAISED.rule,
    device=RAISED.device,
    raised_at_ms=1_000,
    state=AlarmState.UNACKNOWLEDGED,
    value=90.0,
    flag=1,
    priority=Priority.HIGH,
    device_type="vat",
    raised_priority=Priority.HIGH,
    version="0badcafe",
)
OVER = replace(STANDS, cleared_at_ms=2_000, state=AlarmState.RETURNED_UNACKNOWLEDGED)
LI = {"by": "li", "at_ms": 1_500}
IDENTITY = RAISED.identity


def seen(at_ms, by="li"):
    return then(RAISED, Step.ACKNOWLEDGED, at_ms, by=by)


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
    assert alarms.record([replace(RAISED, cause="brine.vat_silent brine.w1.vat-2")]) == [only(alarms)]
    assert only(alarms) == replace(STANDS, cause="brine.vat_silent brine.w1.vat-2")


def test_no_data_has_no_value(alarms):
    alarms.record([replace(RAISED, value=math.nan, flag=9)])
    assert math.isnan(only(alarms).value)


def test_clearing_keeps_what_raised_it(alarms):
    alarms.record([RAISED, CLEARED])
    assert only(alarms) == OVER


def test_an_alarm_known_only_when_cleared_is_recorded(alarms):
    alarms.record([CLEARED])
    assert only(alarms) == replace(OVER, value=4.0)


def test_deriving_the_same_again_changes_nothing(alarms):
    assert alarms.record([]) == []
    assert alarms.record([RAISED]) == [STANDS]
    assert alarms.record([RAISED, CLEARED]) == [OVER]
    assert alarms.record([RAISED]) == []
    assert alarms.record([RAISED, CLEARED, replace(CLEARED, at_ms=9_999)]) == []
    assert only(alarms) == OVER


def test_more_alarms_than_one_query_looks_up_are_known(alarms):
    moves = [raised(n) for n in range(1_201)]
    assert len(alarms.record(moves)) == 1_201
    assert alarms.record(moves) == []


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([then(RAISED, Step.REPRIORITISED, 1_100, priority=Priority.LOW)], {"priority": Priority.LOW}),
        ([then(RAISED, Step.RETURNED, 1_200)], {"returned_at_ms": 1_200}),
        (
            [then(RAISED, Step.RETURNED, 1_200), then(RAISED, Step.CLEARED, 1_900, by="li")],
            {"returned_at_ms": 1_200, "cleared_at_ms": 1_900, "cleared_by": "li"},
        ),
        ([then(RAISED, Step.HIDDEN, 1_100, hidden=Hidden.SHELVED)], {"hidden": Hidden.SHELVED}),
        (
            [then(RAISED, Step.HIDDEN, 1_100, hidden=Hidden.SHELVED), then(RAISED, Step.SHOWN, 1_200)],
            {"hidden": Hidden.NOT},
        ),
        ([seen(1_100)], {"acknowledged_by": "li", "acknowledged_at_ms": 1_100}),
        ([seen(1_100), then(RAISED, Step.AGAIN, 1_300)], {"acknowledged_by": "li", "again_at_ms": 1_300}),
    ],
)
def test_each_step_is_kept(alarms, steps, expected):
    alarms.record([RAISED])
    alarms.record(steps)
    row = only(alarms)
    assert {name: getattr(row, name) for name in expected} == expected
    assert (row.raised_priority, row.value, row.version) == (Priority.HIGH, 90.0, "0badcafe")


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ([seen(1_100)], AlarmState.ACKNOWLEDGED),
        ([seen(1_100), CLEARED], AlarmState.NORMAL),
        ([CLEARED], AlarmState.RETURNED_UNACKNOWLEDGED),
        ([CLEARED, seen(2_100)], AlarmState.NORMAL),
        ([seen(1_100), then(RAISED, Step.AGAIN, 1_300)], AlarmState.UNACKNOWLEDGED),
        ([seen(1_100), then(RAISED, Step.AGAIN, 1_300), seen(1_400)], AlarmState.ACKNOWLEDGED),
        ([seen(1_100), then(RAISED, Step.AGAIN, 1_300), CLEARED], AlarmState.RETURNED_UNACKNOWLEDGED),
        ([then(RAISED, Step.RETURNED, 1_200)], AlarmState.UNACKNOWLEDGED),
        ([then(RAISED, Step.HIDDEN, 1_100, hidden=Hidden.SHELVED)], AlarmState.SHELVED),
        ([then(RAISED, Step.HIDDEN, 1_100, hidden=Hidden.MAINTENANCE)], AlarmState.SUPPRESSED),
        ([then(RAISED, Step.HIDDEN, 1_100, hidden=Hidden.OUT_OF_SERVICE), CLEARED], AlarmState.NORMAL),
        (
            [seen(1_050), then(RAISED, Step.HIDDEN, 1_100, hidden=Hidden.SHELVED), then(RAISED, Step.SHOWN, 1_200)],
            AlarmState.ACKNOWLEDGED,
        ),
    ],
)
def test_the_state_follows_from_the_steps(alarms, steps, state):
    alarms.record([RAISED, *steps])
    assert only(alarms).state is state
    alarms.record([RAISED, *steps])
    assert only(alarms).state is state


def test_an_alarm_raised_while_hidden_is_hidden_from_the_start(alarms):
    alarms.record([replace(RAISED, hidden=Hidden.SHELVED)])
    assert only(alarms).state is AlarmState.SHELVED


@st.composite
def histories(draw):
    """Steps of one alarm as time goes on, of which the last may be its clearing."""
    kinds = [step for step in Step if step not in (Step.RAISED, Step.CLEARED)]
    steps = draw(st.lists(st.sampled_from(kinds), max_size=8))
    moves = [
        then(RAISED, step, 1_000 + n, by=f"op{n}", hidden=draw(st.sampled_from(Hidden)))
        for n, step in enumerate(steps, 1)
    ]
    end = [then(RAISED, Step.CLEARED, 2_000)] if draw(st.booleans()) else []
    late = [seen(3_000)] if draw(st.booleans()) else []
    return [RAISED, *moves, *end, *late]


@settings(deadline=None, max_examples=200)
@given(moves=histories(), data=st.data())
def test_told_again_from_any_step_on_it_ends_the_same(moves, data):
    row = begun(moves[0])
    for move in moves[1:]:
        row = after(row, move)
    again = row
    for move in moves[data.draw(st.integers(0, len(moves))) :]:
        again = after(again, move)
    assert again == row


def test_what_an_operator_acknowledged_stays_so(alarms):
    alarms.record([RAISED])
    known = replace(STANDS, state=AlarmState.ACKNOWLEDGED, acknowledged_by="li", acknowledged_at_ms=1_500)
    assert alarms.acknowledge(*IDENTITY, **LI) == (known, True)
    alarms.record([RAISED])
    assert only(alarms) == known
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
    assert only(alarms) == STANDS
    assert audit.actions(9) == []


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
    rows = [raised(t) for t in (10, 30, 20, 40)]
    alarms.record([*rows, then(rows[1], Step.CLEARED, 50)])

    def found(*states, limit=10, **span):
        asked = alarms.alarms(states, limit=limit, **span) if states else alarms.alarms(limit=limit, **span)
        return [row.raised_at_ms for row in asked]

    assert found() == [40, 30, 20, 10]
    assert found(limit=2) == [40, 30]
    assert found(from_ms=20, to_ms=40) == [30, 20]
    assert found(AlarmState.UNACKNOWLEDGED) == [40, 20, 10]
    assert found(AlarmState.RETURNED_UNACKNOWLEDGED, AlarmState.SHELVED) == [30]
