"""Which alarms the store does not have as they stand, through all that may happen between record and copy."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from alarm_moves import CLEARED, RAISED, raised
from ends import HandClock
from scenewatch.model.alarm import Hidden
from scenewatch.model.rule import Priority
from scenewatch.store.alarms import ALARM, NOT_MIRRORED, Alarms, after, begun
from scenewatch.store.audit import Audit
from scenewatch.store.mirrored import Mirrored
from scenewatch.store.relational import Database

STANDS = begun(RAISED)
OVER = after(STANDS, CLEARED)
OLDER = """
create table alarm (
    rule text not null, device text not null, raised_at_ms bigint not null, cleared_at_ms bigint,
    state text not null, value double precision, flag smallint not null, priority text not null,
    primary key (rule, device, raised_at_ms)
)
"""


@pytest.fixture
def alarms(database):
    Audit(database, HandClock(0))
    return Alarms(database)


@pytest.fixture
def mirrored(alarms, database):  # noqa: ARG001  # makes the table
    made = Mirrored(database)
    made.begin("one", anew=False)
    return made


def missing(mirrored):
    return mirrored.missing(100)


def test_a_new_alarm_is_missing_until_it_is_marked(alarms, mirrored):
    alarms.record([RAISED])
    assert missing(mirrored) == [STANDS]
    mirrored.mark([STANDS])
    assert missing(mirrored) == []


def test_when_it_clears_it_is_missing_again(alarms, mirrored):
    alarms.record([RAISED])
    mirrored.mark([STANDS])
    alarms.record([CLEARED])
    assert missing(mirrored) == [OVER]
    mirrored.mark([OVER])
    assert missing(mirrored) == []


def test_what_clears_while_its_raising_is_copied_is_copied_again(alarms, mirrored):
    alarms.record([RAISED])
    copied = missing(mirrored)
    alarms.record([CLEARED])
    mirrored.mark(copied)
    assert missing(mirrored) == [OVER]


def test_recorded_or_acknowledged_again_it_is_not_missing(alarms, mirrored):
    alarms.record([RAISED])
    mirrored.mark([STANDS])
    alarms.record([RAISED])
    alarms.acknowledge(RAISED.rule, RAISED.device, RAISED.raised_at_ms, by="li", at_ms=1_500)
    assert missing(mirrored) == []


def test_the_oldest_come_first_and_no_more_than_wanted(alarms, mirrored):
    alarms.record([raised(t) for t in (5, 3, 4)])
    assert [row.raised_at_ms for row in mirrored.missing(2)] == [3, 4]


def test_one_alarm_s_mark_is_not_another_s(alarms, mirrored):
    others = [replace(RAISED, **change) for change in ({"rule": "a.b"}, {"device": "d"}, {"raised_at_ms": 2})]
    alarms.record([RAISED, *others])
    mirrored.mark([STANDS])
    assert STANDS not in missing(mirrored)
    assert len(missing(mirrored)) == 3


@pytest.mark.parametrize(("store", "anew", "expected"), [("one", False, 0), ("two", False, 2), ("one", True, 2)])
def test_another_store_or_a_new_one_has_nothing_yet(alarms, mirrored, database, store, anew, expected):
    rows = alarms.record([RAISED, replace(CLEARED, device="d")])
    mirrored.mark(rows)
    again = Mirrored(database)
    again.begin(store, anew=anew)
    assert len(missing(again)) == expected
    again.mark(missing(again))
    again.begin(store, anew=False)
    assert missing(again) == []


def test_alarms_of_an_older_release_are_missing_and_get_their_type(url):
    database = Database(url)
    with database.writing() as con:
        con.exec_driver_sql(OLDER)
        con.exec_driver_sql("insert into alarm values ('a.b', 'a.s.d', 7, null, 'unacknowledged', 1.5, 1, 'low')")
    Alarms(database)
    mirrored = Mirrored(database)
    mirrored.begin("one", anew=True)
    [row] = missing(mirrored)
    assert (row.raised_at_ms, row.device_type, row.version, row.cause) == (7, "", "", "")
    assert (row.raised_priority, row.hidden, row.latched) == (Priority.LOW, Hidden.NOT, False)
    mirrored.mark([replace(row, device_type="vat")])
    assert Alarms(database).alarms(limit=1)[0].device_type == "vat"
    # the older release, run once more, knows nothing of marks
    with database.writing() as con:
        con.exec_driver_sql("update alarm set cleared_at_ms = 9, state = 'returned_unacknowledged'")
    assert [row.cleared_at_ms for row in missing(mirrored)] == [9]
    database.close()


def test_finding_them_does_not_look_at_all_alarms(file_database):
    Alarms(file_database)
    query = sa.select(ALARM).where(NOT_MIRRORED).order_by(ALARM.c.raised_at_ms).limit(9)
    text = str(query.compile(compile_kwargs={"literal_binds": True}))
    with file_database.reading() as con:
        plan = [row.detail for row in con.exec_driver_sql(f"explain query plan {text}")]
    assert plan == ["SCAN alarm USING INDEX alarm_not_mirrored"]


def test_standing_alarms_are_counted_by_device_and_priority(alarms):
    other = replace(RAISED, rule="brine.vat_silent", priority=Priority.LOW)
    twice = raised(3_000)
    alarms.record([RAISED, twice, other, replace(CLEARED, device="brine.w1.vat-2")])
    alarms.acknowledge(RAISED.rule, RAISED.device, RAISED.raised_at_ms, by="li", at_ms=1_500)
    assert sorted(alarms.standing()) == [(RAISED.device, "high", 2), (RAISED.device, "low", 1)]
