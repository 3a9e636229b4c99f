"""What a store refuses for good: a dead letter each message, and an account that still balances."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest

from ends import HandClock, wait_for
from records import START_MS
from scenewatch.journal.journal import FileJournal
from scenewatch.model.batch import Batch
from scenewatch.model.flags import Place
from scenewatch.model.ledger import NOWHERE, Counts, DeadLetter, Fate, slot
from scenewatch.model.messages import Messages
from scenewatch.model.ports import RecordKind
from scenewatch.store.deadletters import DeadLetters
from scenewatch.store.letterfilter import Which
from scenewatch.store.relational import Database
from scenewatch.worker.refusals import Refusals

CHANNELS = ("temp", "level")
MESSAGES, HISTORY = range(5), 5
"""The positions of the journal below."""


def pair(position):
    return b"sw/brine/w1/vat-%d/telemetry" % position, b"payload %d" % position


@pytest.fixture
def journal(tmp_path):
    with closing(FileJournal(tmp_path / "journal", clock=HandClock(START_MS))) as journal:
        journal.append(Messages.of([pair(p) for p in MESSAGES[:3]], START_MS))
        wait_for(lambda: journal.head == 3)
        journal.append(Messages.of([pair(p) for p in MESSAGES[3:]], START_MS + 1000))
        journal.append_record(RecordKind.HISTORY, b"a batch", START_MS)
        yield journal


@pytest.fixture
def letters(tmp_path):
    with closing(Database(f"sqlite:///{tmp_path / 'rows.sqlite'}")) as database:
        yield DeadLetters(database)


VAT = 7


@pytest.fixture
def moved():
    return []


@pytest.fixture
def refuse(journal, letters, moved):
    return Refusals(
        keep_letters=letters.add,
        messages_at=journal.messages_at,
        names=lambda series: f"brine.w1.vat-1.{CHANNELS[series]}",
        owner_of=lambda _: VAT,
        moved=moved.append,
    )


def batch(*positions, first=0):
    """Both channels of the messages at these positions."""
    n = 2 * len(positions)
    made = Batch.of(np.arange(n) % 2, START_MS + np.arange(n), np.arange(n) * 0.5, position=HISTORY + 1)
    made.first = first
    made.message[:] = np.repeat(positions, 2) - first
    return made


def kept(letters):
    """Without their owner, who is always the same here."""
    found = [kept.letter for kept in letters.dead_letters(100, Which())]
    return {letter.position: replace(letter, owner=NOWHERE) for letter in found}


def test_a_message_of_which_nothing_is_stored_is_dead(refuse, letters):
    assert refuse(batch(1, 4), {2: "too hot", 3: "too hot"}) == Counts(stored=-1, dead=1)
    assert kept(letters) == {4: DeadLetter(4, START_MS + 1000, *pair(4), "the store refused temp, level: too hot")}


def test_what_is_dead_moves_on_its_device_s_account(refuse, letters, moved):
    refuse(batch(1, 4), {0: "no", 2: "no", 3: "no"})
    (shares,) = moved
    assert (shares.slot.tolist(), shares.change.tolist()) == (
        [slot(VAT, Fate.STORED), slot(VAT, Fate.DEAD)],
        [-1, 1],
    )
    assert letters.at(4).letter.owner == VAT


def test_a_message_of_which_some_is_stored_is_not(refuse, letters):
    assert refuse(batch(1, 4), {1: "too high"}) == Counts()
    assert kept(letters) == {
        1: DeadLetter(1, START_MS, *pair(1), "taken without: the store refused level: too high")
    }


def test_what_the_series_had_already_saves_no_message(refuse):
    made = batch(1)
    made.place[0] = Place.DUPLICATE
    assert refuse(made, {1: "too high"}) == Counts(stored=-1, dead=1)


def test_a_message_that_is_tried_again_stays_taken(refuse):
    made = batch(1, first=3)
    made.place[0] = Place.DUPLICATE
    assert refuse(made, {1: "too high"}) == Counts()


def test_history_is_kept_and_is_no_message(refuse, letters):
    made = batch(HISTORY, first=HISTORY)
    assert refuse(made, {0: "too old", 1: "no such name"}) == Counts()
    letter = kept(letters)[HISTORY]
    assert (letter.topic, letter.received_ms) == (b"", START_MS)
    assert letter.reason == "the store refused temp: too old; level: no such name"
    assert json.loads(letter.payload) == [
        {"series": "brine.w1.vat-1.temp", "t": START_MS, "value": 0.0, "flag": 2, "test": 0},
        {"series": "brine.w1.vat-1.level", "t": START_MS + 1, "value": 0.5, "flag": 2, "test": 0},
    ]


def test_messages_are_found_after_batches_were_joined(refuse, letters):
    whole = Batch.concat([batch(0, 1), batch(3, 4, first=3), batch(HISTORY, first=HISTORY)])
    reasons = dict.fromkeys((2, 3, 4, 6, 7, 8), "no")
    assert refuse(whole, reasons) == Counts(stored=-2, dead=2)
    topics = {position: letter.topic for position, letter in kept(letters).items()}
    assert topics == {1: pair(1)[0], 3: pair(3)[0], 4: pair(4)[0], HISTORY: b""}


def test_refused_again_after_a_crash_it_changes_nothing(refuse, letters):
    made, reasons = batch(1, 2), {0: "no", 1: "no", 2: "no"}
    first = refuse(made, reasons)
    before = kept(letters)
    assert refuse(made, reasons) == first
    assert kept(letters) == before


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([0], "taken without: a is no number; taken without: the store refused temp: no"),
        ([0, 1], "the store refused temp, level: no; taken without: a is no number"),
    ],
)
def test_what_the_decoder_refused_before_is_told_with_it(refuse, letters, rows, reason):
    letters.add([DeadLetter(1, START_MS, *pair(1), "taken without: a is no number")])
    refuse(batch(1), dict.fromkeys(rows, "no"))
    assert [letter.reason for letter in kept(letters).values()] == [reason]
    letters.add([DeadLetter(1, START_MS, *pair(1), "taken without: a is no number")])
    assert [letter.reason for letter in kept(letters).values()] == [reason], "put aside again it stays"


def test_many_reasons_make_no_endless_line(refuse, letters):
    made = batch(*[1] * 20)
    refuse(made, {row: f"reason {row}" for row in range(40)})
    assert kept(letters)[1].reason.endswith("temp: reason 4; and 35 more reasons")


def test_a_message_that_cannot_be_read_any_more_is_dead_with_its_readings(refuse, letters, tmp_path):
    [segment] = (tmp_path / "journal").glob("*.seg*")
    whole = segment.read_bytes()
    segment.write_bytes(whole.replace(b"payload 1", b"payload !"))
    assert refuse(batch(1), {0: "no", 1: "no"}) == Counts(stored=-1, dead=1)
    assert [row["t"] for row in json.loads(kept(letters)[1].payload)] == [START_MS, START_MS + 1]
    assert refuse(batch(3), {0: "no", 1: "no"}) == Counts(stored=-1, dead=1)
    assert kept(letters)[3].payload == b"payload 3"
