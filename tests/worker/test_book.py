"""The alarm book: on record first, then told; twice is once."""

from __future__ import annotations

import math

import pytest

from ends import HandClock
from scenewatch.model.alarm import AlarmState, Step, Transition
from scenewatch.model.errors import TemporaryError
from scenewatch.model.flags import Flag
from scenewatch.store.alarms import Alarms
from scenewatch.store.audit import Audit
from scenewatch.store.relational import Database
from scenewatch.worker.book import Book


class Told:
    """A notifier that remembers."""

    def __init__(self):
        self.transitions = []
        self.acknowledged = []

    def publish(self, transitions):
        self.transitions += transitions

    def acknowledge(self, rule, device, raised_at_ms):
        self.acknowledged.append((rule, device, raised_at_ms))

    def close(self):
        pass


@pytest.fixture
def alarms(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'alarms.sqlite'}")
    Audit(database, HandClock(0))
    yield Alarms(database)
    database.close()


@pytest.fixture
def book(alarms, vat_scene, vat_registry):
    return Book(alarms, vat_registry, {f"brine.{rule.key}": rule for rule in vat_scene.rules})


def hot(step, at_ms, raised_at_ms, device=1):
    return Transition("brine.vat_hot", device, step, at_ms, raised_at_ms, 85.0, Flag.GOOD)


RAISED = hot(Step.RAISED, 1000, 1000)
CLEARED = hot(Step.CLEARED, 5000, 1000)
HOT = ("brine.vat_hot", "brine.w1.vat-1", 1000)
LI = {"by": "li", "at_ms": 3000}
SILENT = Transition("brine.vat_silent", 2, Step.RAISED, 2000, 2000, math.nan, Flag.MISSING)


def rows(book, state="all"):
    return [(a.rule, a.device, a.state, a.raised_at, a.cleared_at) for a in book.alarms(state, 100)]


def test_a_raised_alarm_stands_until_it_is_cleared(book):
    book.tell([RAISED, SILENT])
    assert rows(book, "standing") == [
        ("brine.vat_silent", "brine.w1.vat-2", "unacknowledged", 2000, None),
        ("brine.vat_hot", "brine.w1.vat-1", "unacknowledged", 1000, None),
    ]
    book.tell([CLEARED])
    assert rows(book, "returned_unacknowledged") == [
        ("brine.vat_hot", "brine.w1.vat-1", "returned_unacknowledged", 1000, 5000)
    ]
    assert [a.rule for a in book.alarms("standing", 100)] == ["brine.vat_silent"]


def test_it_shows_priority_value_and_flag_and_no_value_where_there_is_none(book):
    book.tell([RAISED, SILENT])
    shown = [(a.priority, a.value, a.flag) for a in book.alarms("all", 100)]
    assert shown == [("low", None, "missing"), ("high", 85.0, "good")]


def test_what_is_derived_again_changes_nothing(book):
    book.tell([RAISED])
    book.tell([CLEARED])
    before = rows(book)
    book.tell([RAISED])
    assert rows(book) == before
    book.tell([CLEARED])
    assert rows(book) == before


def test_raised_and_cleared_at_once_is_one_alarm(book):
    book.tell([RAISED, CLEARED])
    assert rows(book) == [("brine.vat_hot", "brine.w1.vat-1", "returned_unacknowledged", 1000, 5000)]


def test_alarms_on_record_that_the_engine_does_not_know_are_ended(book):
    book.tell([RAISED, SILENT])
    book.close_strangers([SILENT], now_ms=9000)
    assert rows(book, "standing") == [("brine.vat_silent", "brine.w1.vat-2", "unacknowledged", 2000, None)]
    assert rows(book, "returned_unacknowledged")[0][-1] == 9000
    book.close_strangers([SILENT], now_ms=10_000)
    assert rows(book, "returned_unacknowledged")[0][-1] == 9000


def test_a_stranger_never_ends_before_it_began(book):
    book.tell([RAISED])
    book.close_strangers([], now_ms=10)
    assert rows(book)[0][-2:] == (1000, 1000)


def test_an_acknowledged_stranger_becomes_normal(book):
    book.tell([RAISED])
    book.acknowledge(*HOT, **LI)
    book.close_strangers([], now_ms=9000)
    assert rows(book) == [("brine.vat_hot", "brine.w1.vat-1", AlarmState.NORMAL, 1000, 9000)]


def test_listeners_get_what_was_told_since_they_looked(book):
    assert book.changes(0) == (0, [])
    book.tell([RAISED])
    count, new = book.changes(0)
    assert (count, [a.state for a in new]) == (1, ["unacknowledged"])
    book.tell([CLEARED, SILENT])
    count, new = book.changes(count)
    assert (count, [a.rule for a in new]) == (3, ["brine.vat_hot", "brine.vat_silent"])
    assert book.changes(count) == (3, [])


def test_the_outside_is_told_once_the_book_is_open(book):
    told = Told()
    book.tell([RAISED])
    book.open(told)
    book.tell([CLEARED])
    book.tell([])
    assert told.transitions == [CLEARED]


def test_nobody_is_told_what_is_not_on_record(book, alarms, monkeypatch):
    def away(_):
        raise TemporaryError("the database is away")

    told = Told()
    book.open(told)
    monkeypatch.setattr(alarms, "record", away)
    with pytest.raises(TemporaryError):
        book.tell([RAISED])
    assert told.transitions == []
    assert book.changes(0) == (0, [])


def told_of(view):
    return view.state, view.cleared_at, view.acknowledged_by, view.acknowledged_at


def test_an_acknowledged_alarm_stands_on_with_who_saw_it_and_returns_to_normal(book):
    told = Told()
    book.open(told)
    book.tell([RAISED])
    assert told_of(book.acknowledge(*HOT, **LI)) == ("acknowledged", None, "li", 3000)
    assert told.acknowledged == [("brine.vat_hot", 1, 1000)]
    book.tell([RAISED])  # derived again, as after a crash
    book.tell([CLEARED])
    _, changes = book.changes(0)
    assert [told_of(change) for change in changes] == [
        ("unacknowledged", None, None, None),
        ("acknowledged", None, "li", 3000),
        ("normal", 5000, "li", 3000),
    ]
    assert [told_of(one) for one in book.alarms("all", 9)] == [("normal", 5000, "li", 3000)]


def test_acknowledged_twice_it_is_told_once(book):
    told = Told()
    book.open(told)
    book.tell([RAISED])
    first = book.acknowledge(*HOT, **LI)
    assert book.acknowledge(*HOT, by="wang", at_ms=4000) == first
    assert len(told.acknowledged) == 1
    assert book.changes(0)[0] == 2


def test_what_has_returned_is_acknowledged_on_record_alone(book):
    told = Told()
    book.open(told)
    book.tell([RAISED, CLEARED])
    assert told_of(book.acknowledge(*HOT, **LI)) == ("normal", 5000, "li", 3000)
    assert told.acknowledged == []


def test_there_is_nothing_to_acknowledge_where_nothing_was_raised(book):
    assert book.acknowledge(*HOT, **LI) is None


def test_a_book_that_is_opened_again_knows_what_was_acknowledged(book, alarms, vat_scene, vat_registry):
    book.tell([RAISED, SILENT])
    book.acknowledge(*HOT, **LI)
    again = Book(alarms, vat_registry, {f"brine.{rule.key}": rule for rule in vat_scene.rules})
    told = Told()
    again.open(told)
    assert told.acknowledged == [("brine.vat_hot", 1, 1000)]
    again.tell([CLEARED])
    assert [told_of(change) for change in again.changes(0)[1]] == [("normal", 5000, "li", 3000)]
