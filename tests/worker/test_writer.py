"""The store's thread: in order, each batch until it is durable; a store that is away makes the line longer."""

from __future__ import annotations

import numpy as np
import pytest

from ends import Gate, HandClock, wait_for
from records import START_MS
from scenewatch.journal.outbox import Outbox
from scenewatch.ledger.tally import Tally
from scenewatch.model.batch import Batch
from scenewatch.model.errors import CorruptError, TemporaryError
from scenewatch.model.ledger import Counts, DeadLetter
from scenewatch.model.ports import keep_nothing_apart
from scenewatch.store.deadletters import DeadLetters
from scenewatch.store.duck import DuckStore
from scenewatch.store.letterfilter import Which
from scenewatch.store.relational import Database
from scenewatch.store.retries import Retries
from scenewatch.worker import writer as module
from scenewatch.worker.accounts import Accounts
from scenewatch.worker.writer import LONGEST_RETRY_S, TIDY_EVERY, Writer


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", (0.005,))
    monkeypatch.setattr(module, "IDLE_S", 0.01)
    monkeypatch.setattr(module, "GATHER_S", 0.01)


class Rig:
    """A writer between a real outbox and a real store."""

    def __init__(self, folder, memory_readings):
        self.clock = HandClock(START_MS)
        self.outbox = Outbox(folder / "outbox", clock=self.clock, memory_readings=memory_readings)
        self.store = DuckStore(folder / "readings.duckdb")
        self.database = Database(f"sqlite:///{folder / 'rows.sqlite'}")
        self.letters = DeadLetters(self.database)
        self.account = Accounts(Tally(), self.letters, Retries(self.database, self.letters))
        self.account.keep = self.keep = Gate(self.account.keep)
        self.write = Gate(self.store.write)
        self.tidied = []
        self.tidy = Gate(lambda: self.tidied.append(self.clock.ms))
        self.writer = Writer(
            outbox=self.outbox,
            store=self,
            clock=self.clock,
            names="brine.w1.vat-1.{}".format,
            account=self.account,
            keep_apart=keep_nothing_apart,
            tidy=self.tidy,
        )

    def put(self, position, *, dead=()):
        t_ms = START_MS + 1000 * position + np.arange(3)
        batch = Batch.of(np.array([0, 1, 0]), t_ms, np.full(3, float(position)), position=position)
        batch.counts, batch.dead = Counts(stored=1, dead=len(dead)), list(dead)
        self.outbox.put(batch)

    def drained(self):
        return self.outbox.depth().batches == 0

    def values(self):
        return self.store.readings("brine.w1.vat-1.0", 0, 2**62, 10_000).value.tolist()

    def close(self):
        self.writer.stop()
        self.outbox.close()
        self.store.close()
        self.database.close()


@pytest.fixture(params=[1_000_000, 5], ids=["in memory", "on disk"])
def rig(request, tmp_path):
    made = Rig(tmp_path, request.param)
    made.writer.start()
    yield made
    made.close()


def test_batches_reach_the_store_in_order(rig):
    for position in range(1, 9):
        rig.put(position)
    wait_for(rig.drained)
    assert rig.store.position() == 8
    assert rig.store.counts() == Counts(stored=8)
    assert rig.values() == [float(p) for p in range(1, 9) for _ in range(2)]
    assert rig.writer.rows == 24


def test_a_store_that_is_away_only_makes_the_line_longer(rig, caplog):
    rig.put(1)
    wait_for(rig.drained)
    rig.write.shut = True
    for position in range(2, 9):
        rig.put(position)
    wait_for(lambda: rig.write.refused >= 3)
    assert rig.writer.state == "waiting: the gate is shut"
    assert (rig.store.position(), rig.outbox.depth().batches) == (1, 7)
    rig.write.shut = False
    wait_for(rig.drained)
    wait_for(lambda: rig.writer.state == "ok")
    assert rig.values() == [float(p) for p in range(1, 9) for _ in range(2)]
    assert rig.store.counts() == Counts(stored=8)
    assert caplog.text.count("the store does not take batches") == 1


def test_a_store_may_wish_for_a_longer_pause_up_to_a_bound(rig, monkeypatch):
    rig.write.shut = True
    rig.put(1)
    wait_for(lambda: rig.write.refused >= 1)
    pauses, pause = [], rig.writer._stopping.wait
    monkeypatch.setattr(rig.writer._stopping, "wait", lambda span_s: (pauses.append(span_s), pause(0.005))[1])
    wishes, inner = iter([0.0, 7.0, 1e9]), rig.write.behind

    def busy(*arguments):
        for wish in wishes:
            raise TemporaryError("busy", retry_after_s=wish)
        return inner(*arguments)

    rig.write.behind = busy
    rig.write.shut = False
    wait_for(rig.drained)
    assert pauses[-3:] == [0.005, 7.0, LONGEST_RETRY_S]


def test_what_waited_together_is_one_commit(rig):
    rig.write.shut = True
    rig.put(1)
    wait_for(lambda: rig.write.refused >= 1)
    for position in range(2, 5):
        rig.put(position, dead=[DeadLetter(position, START_MS, b"topic", b"payload", "reason")])
    rig.write.shut = False
    taken = []
    inner = rig.write.behind
    rig.write.behind = lambda batch, *rest: (taken.append(batch.position), inner(batch, *rest))[1]
    wait_for(rig.drained)
    assert taken[0] == 1
    assert taken[-1] == 4
    assert rig.store.counts() == Counts(stored=4, dead=3)
    assert [kept.letter.position for kept in rig.letters.dead_letters(10, Which())] == [4, 3, 2]


def test_dead_letters_are_kept_before_their_batch(rig):
    letter = DeadLetter(0, START_MS, b"topic", b"payload", "reason")
    rig.keep.shut = True
    rig.put(1, dead=[letter])
    wait_for(lambda: rig.keep.refused >= 2)
    assert rig.store.position() == 0
    rig.keep.shut = False
    wait_for(rig.drained)
    assert [kept.letter for kept in rig.letters.dead_letters(10, Which())] == [letter]
    assert rig.store.counts() == Counts(stored=1, dead=1)


def test_it_can_be_stopped_while_the_store_is_away(rig):
    rig.write.shut = True
    rig.put(1)
    wait_for(lambda: rig.write.refused >= 1)
    rig.writer.stop()
    assert rig.outbox.depth().batches == 1
    assert rig.writer.failure is None


def test_the_store_is_tidied_now_and_then_also_when_that_fails_at_first(rig, caplog):
    rig.tidy.shut = True
    rig.clock.ms += TIDY_EVERY
    wait_for(lambda: rig.tidy.refused == 1)
    rig.tidy.shut = False
    rig.clock.ms += TIDY_EVERY
    wait_for(lambda: rig.tidied == [rig.clock.ms])
    assert "could not be tidied" in caplog.text


def test_what_cannot_be_mended_by_waiting_ends_it_and_is_known(rig, caplog):
    def broken(*_):
        raise CorruptError("the file is damaged")

    rig.write.behind = broken
    rig.put(1)
    wait_for(lambda: rig.writer.failure is not None)
    assert isinstance(rig.writer.failure, CorruptError)
    assert "the file is damaged" in caplog.text
    assert rig.outbox.depth().batches == 1
