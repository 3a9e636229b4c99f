"""Dead letters asked for and tried again, as the table tells it: the same told twice changes nothing."""

from __future__ import annotations

from contextlib import closing

import pytest

from scenewatch.model.ledger import DeadLetter, LetterKind, Tried
from scenewatch.store.deadletters import MOST_AT_ONCE, DeadLetters
from scenewatch.store.letterfilter import LetterState, Which
from scenewatch.store.relational import Database
from scenewatch.store.retries import Retries


@pytest.fixture
def letters(tmp_path):
    with closing(Database(f"sqlite:///{tmp_path / 'rows.sqlite'}")) as database:
        yield DeadLetters(database)


@pytest.fixture
def retries(letters):
    return Retries(letters._database, letters)


def letter(position, reason="not JSON: it", topic=b"sw/kitchen/s001/d/telemetry", payload=b"{"):
    return DeadLetter(position, 1000 + position, topic, payload, reason, owner=position)


def state(letters, position):
    kept = letters.at(position)
    return kept.letter.reason, kept.tries, kept.asked_ms, kept.taken_ms


def test_what_is_asked_for_comes_whole_and_in_order(letters, retries):
    letters.add([letter(n) for n in (3, 1, 2)])
    assert retries.ask(Which(), at_ms=50) == 3
    assert retries.asked(10, 1000) == [letter(1), letter(2), letter(3)]
    assert retries.asked(2, 1000) == [letter(1), letter(2)]
    assert retries.asked(10, 1) == [letter(1)]


def test_what_came_without_a_message_is_not_asked_for(letters, retries):
    letters.add([letter(1), letter(2, topic=b"")])
    assert retries.ask(Which(), at_ms=50) == 1
    assert retries.ask(Which(positions=(2,)), at_ms=50) == 0


def test_taken_it_keeps_its_trace_and_is_asked_for_no_more(letters, retries):
    letters.add([letter(1), letter(2)])
    retries.ask(Which(), at_ms=50)
    for _ in range(2):
        retries.tell([Tried(1, record=9, at_ms=60, reason=None), Tried(2, record=9, at_ms=60, reason="odd")])
        assert state(letters, 1) == ("not JSON: it", 1, None, 60)
        assert state(letters, 2) == ("odd", 1, None, None)
    assert retries.ask(Which(state=LetterState.ALL), at_ms=70) == 2
    assert retries.asked(10, 1000) == [letter(2, "odd")]
    assert (letters.count(), len(letters.dead_letters(9, Which(state=LetterState.TAKEN)))) == (1, 1)


def test_who_asks_after_it_was_begun_is_heard(letters, retries):
    letters.add([letter(1)])
    retries.ask(Which(), at_ms=70)
    retries.tell([Tried(1, record=9, at_ms=60, reason="odd")])
    assert state(letters, 1) == ("odd", 1, 70, None)
    retries.tell([Tried(1, record=12, at_ms=80, reason="odder")])
    retries.tell([Tried(1, record=9, at_ms=60, reason="odd")])  # told late, as after a crash
    assert state(letters, 1) == ("odder", 2, None, None)


def test_reasons_are_counted_by_kind(letters):
    letters.add([letter(1, "not JSON: a"), letter(2, "not JSON: b"), letter(3, "no values")])
    assert [(kind.reason, kind.count, kind.newest_position) for kind in letters.reasons(9)] == [
        ("not JSON", 2, 2),
        ("no values", 1, 3),
    ]
    assert len(letters.reasons(1)) == 1


def test_many_are_looked_through_for_a_few(letters, retries):
    """More than are read at once."""
    odd = MOST_AT_ONCE + 5
    letters.add([letter(n, topic=b"sw/x/y/%d/telemetry" % (n // odd)) for n in range(2 * odd)])
    which = Which(topic="sw/x/y/0/#")
    assert [kept.letter.position for kept in letters.dead_letters(3, which)] == [odd - 1, odd - 2, odd - 3]
    assert retries.ask(which, at_ms=1) == odd
    assert letters.dead_letters(3, Which(topic="sw/x/y/9/telemetry")) == []


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("not JSON: it", LetterKind.DEAD),
        ("taken without: temp is 'hot'", LetterKind.PARTIAL),
        ("the store refused temp: it", LetterKind.REFUSED),
        ("the store refused temp: it; taken without: level", LetterKind.REFUSED),
    ],
)
def test_its_reason_says_what_became_of_the_message(reason, kind):
    assert letter(1, reason).kind is kind
