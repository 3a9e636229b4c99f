"""How quiet a device was outside of its windows: by time on a line, counted by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewatch.model.words import Duration
from scenewatch.rehearsal.labels import Label, RaisedAlarm
from scenewatch.rehearsal.outside import DAY_MS, Watched, length, minus, series_entry, union
from scenewatch.rehearsal.score import FaultOutcome

SPANS = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 9)).map(lambda s: (s[0], s[0] + s[1])), max_size=8)


def covered(spans):
    return {t for begin, end in spans for t in range(begin, end)}


@given(SPANS, SPANS)
def test_spans_are_joined_and_cut_as_sets_of_moments_are(some, others):
    assert covered(union(some)) == covered(some)
    assert length(union(some)) == len(covered(some))
    assert covered(minus(union(some), union(others))) == covered(some) - covered(others)


def alarm(raised_day, cleared_day):
    return RaisedAlarm(
        rule="r",
        device="d",
        priority="low",
        raised_at_ms=round(raised_day * DAY_MS),
        cleared_at_ms=None if cleared_day is None else round(cleared_day * DAY_MS),
    )


def window(from_day, to_day, *, detected):
    label = Label(
        kind="window",
        device="d",
        reaches=frozenset({"d"}),
        from_ms=from_day * DAY_MS,
        to_ms=to_day * DAY_MS,
        size=None,
        effect=None,
        findable=True,
        rules=frozenset({"r"}),
        deadline=Duration(DAY_MS),
        tail=Duration(0),
    )
    return FaultOutcome(label, censored=False, detected=detected, rule=None, delay_s=None)


def test_a_month_counts_what_is_raised_outside_and_how_long_it_stands():
    """37 days, of which 7 learn and 6 are windows; alarms stand 1 + 1 + 2 days in the 24 that are left."""
    windows = [window(10, 13, detected=True), window(20, 23, detected=False)]
    alarms = [alarm(9, 11), alarm(12, 14), alarm(35, None)]
    found = series_entry(Watched("d", 0, 37 * DAY_MS, 7 * DAY_MS), windows, alarms)
    assert (found.windows, found.found, found.raised_outside) == (2, 1, 2)
    assert found.raised_outside_a_month == pytest.approx(2 / 24 * 30)
    assert found.outside_in_alarm == pytest.approx(4 / 24)
    assert found.learning_days == 7


def test_where_nothing_is_outside_there_is_no_share():
    found = series_entry(Watched("d", 0, 5 * DAY_MS, 7 * DAY_MS), [], [])
    assert (found.raised_outside_a_month, found.outside_in_alarm) == (None, None)
