"""The pipeline's thread over a real journal: delivers in order, ticks when it may, and loses nothing at a stop."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from ends import Gate, HandClock, wait_for
from records import START_MS, telemetry, told, topic
from scenewatch.journal.journal import FileJournal
from scenewatch.model.alarm import Step
from scenewatch.model.batch import Batch
from scenewatch.model.event import Event, Result
from scenewatch.model.ledger import Counts
from scenewatch.model.messages import Messages
from scenewatch.model.ports import RecordKind
from scenewatch.pipeline import Pipeline, encode_inventory, encode_limits
from scenewatch.worker import loop as module
from scenewatch.worker.loop import SNAPSHOT_MS, SNAPSHOT_REST, Ends, Loop
from scenewatch.worker.snapshots import Snapshots


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(module, "RETRY_S", 0.005)
    monkeypatch.setattr(module, "TICK_MS", 10)


class Rig:
    """A loop on a journal in a folder. The store takes everything at once unless `stores` is cleared."""

    def __init__(self, folder, scene, devices):
        self.folder, self.scene, self.devices = folder, scene, devices
        self.clock = HandClock(START_MS)
        self.connected = False
        self.stores = True
        self.stored = 0
        self.told = []
        self.tell = Gate(self.told.extend)
        self.kept = []
        self.keep = Gate(lambda events, results: self.kept.extend([*events, *results]))
        self.rules = []
        """Those in force whenever they went on record."""
        self.ruled = Gate(lambda: self.rules.append(self.pipeline.alarms.rules))
        self.journal = FileJournal(folder / "journal", clock=self.clock)
        self.begin()

    def begin(self):
        """Also what a restart does: from the newest snapshot the store is not behind, or from the start."""
        self.batches, self.had = [], []
        self.pipeline = Pipeline([self.scene], "sw")
        self.snapshots = Snapshots(self.folder / "state")
        usable = ((at, data) for at, data in self.snapshots.newest_first() if at <= self.stored)
        if found := next(usable, None):
            self.pipeline.restore(found[1])
        ends = Ends(
            put=self._put,
            tell=self.tell,
            keep=self.keep,
            ruled=self.ruled,
            stored=lambda: self.stored,
            past_damage=lambda position: max(d.end for d in self.journal.damaged if d.first <= position),
            connected=lambda: self.connected,
            had=self.had.append,
        )
        self.loop = Loop(
            chain=self.pipeline, journal=self.journal, clock=self.clock, snapshots=self.snapshots, ends=ends
        )
        self.loop.start()

    def _put(self, batch):
        self.batches.append(batch)
        if self.stores:
            self.stored = batch.position

    def bring_inventory(self):
        self.journal.append_record(RecordKind.INVENTORY, encode_inventory(self.devices), self.clock.ms)

    def listen(self):
        self.journal.append_record(RecordKind.LISTENING, b"", self.clock.ms)
        self.connected = True

    def send(self, at_ms, *pairs):
        self.journal.append(Messages.of(pairs, at_ms))

    def heat(self, *at_ms, temp=95):
        """Readings of vat-1, each a message received when it was measured."""
        for t_ms in at_ms:
            self.send(t_ms, (topic("vat-1"), telemetry(t_ms, temp=temp)))

    def put_position(self):
        return self.batches[-1].position if self.batches else 0

    def caught_up(self, position):
        wait_for(lambda: self.put_position() >= position)

    def saved(self):
        return [at for at, _ in Snapshots(self.folder / "state").newest_first()]

    def close(self):
        self.loop.stop()
        self.journal.close()


@pytest.fixture
def rig(tmp_path, vat_scene, vats):
    made = Rig(tmp_path, vat_scene, vats)
    yield made
    made.close()


def test_what_the_store_has_already_is_derived_again_but_not_handed_on(rig):
    rig.bring_inventory()
    rig.heat(*range(START_MS, START_MS + 5))
    rig.caught_up(6)
    rig.stores = False
    rig.heat(START_MS + 5)
    rig.caught_up(7)
    rig.loop.stop()
    rig.begin()
    rig.heat(START_MS + 6)
    rig.caught_up(8)
    assert [batch.position for batch in rig.batches] == [7, 8]
    assert sum(batch.counts.stored for batch in rig.had) == 5
    assert rig.pipeline.counts == Counts(stored=7, control=1)


def test_every_record_becomes_a_batch_in_order(rig):
    rig.bring_inventory()
    for n in range(5):
        rig.send(START_MS + n, (topic("vat-1"), telemetry(START_MS + n, temp=20)), (topic("vat-2"), b"{"))
    rig.caught_up(11)
    whole = Batch.concat(rig.batches)
    assert whole.counts == Counts(stored=5, dead=5, control=1)
    assert whole.t_ms.tolist() == [START_MS + n for n in range(5)]
    assert rig.loop.failure is None


def test_alarms_are_told_before_their_batch_is_handed_on(rig):
    rig.bring_inventory()
    rig.tell.shut = True
    rig.heat(START_MS, START_MS + 20_000)
    wait_for(lambda: rig.tell.refused >= 3)
    assert rig.put_position() < 3
    rig.tell.shut = False
    rig.caught_up(3)
    assert [(t.rule, t.step) for t in rig.told] == [("brine.vat_hot", Step.RAISED)]


def test_alarms_that_wait_are_said_once_in_the_log(rig, caplog):
    caplog.set_level("INFO")
    rig.bring_inventory()
    rig.tell.shut = True
    rig.heat(START_MS, START_MS + 20_000)
    wait_for(lambda: rig.tell.refused >= 3)
    rig.tell.shut = False
    rig.caught_up(3)
    assert caplog.text.count("alarms wait: the gate is shut") == 1
    assert caplog.text.count("alarms are on record again") == 1


def test_an_alarm_that_could_not_be_told_before_a_stop_is_told_after_it(rig):
    rig.bring_inventory()
    rig.tell.shut = True
    rig.heat(START_MS, START_MS + 20_000)
    wait_for(lambda: rig.tell.refused >= 1)
    rig.loop.stop()
    rig.loop.final_snapshot()
    assert rig.stored < 3
    rig.tell.shut = False
    rig.begin()
    rig.caught_up(3)
    assert [(t.rule, t.at_ms) for t in rig.told] == [("brine.vat_hot", START_MS + 20_000)]


def test_events_and_answers_wait_for_the_database_before_their_batch_is_handed_on(rig, caplog):
    caplog.set_level("INFO")
    rig.bring_inventory()
    rig.keep.shut = True
    rig.send(START_MS, (topic("vat-1", "event"), told(START_MS, "lid_open")))
    rig.send(START_MS, (topic("vat-1", "result"), b'{"id": "c1", "ok": true}'))
    wait_for(lambda: rig.keep.refused >= 3)
    assert rig.put_position() == 1
    rig.keep.shut = False
    rig.caught_up(3)
    assert [(one.position, type(one)) for one in rig.kept] == [(1, Event), (2, Result)]
    assert caplog.text.count("events wait: the gate is shut") == 1


def test_an_event_that_could_not_be_kept_before_a_stop_is_kept_after_it(rig):
    rig.bring_inventory()
    rig.keep.shut = True
    rig.send(START_MS, (topic("vat-1", "event"), told(START_MS, "lid_open")))
    wait_for(lambda: rig.keep.refused >= 1)
    rig.loop.stop()
    rig.loop.final_snapshot()
    rig.keep.shut = False
    rig.begin()
    rig.caught_up(2)
    assert [(one.kind, one.position) for one in rig.kept] == [("lid_open", 1)]


def test_silence_that_could_not_be_told_before_a_stop_is_told_after_it(rig):
    rig.bring_inventory()
    rig.listen()
    rig.caught_up(2)
    rig.tell.shut = True
    rig.clock.ms += 60_000
    wait_for(lambda: rig.tell.refused >= 1)
    rig.loop.stop()
    rig.loop.final_snapshot()
    rig.tell.shut = False
    rig.begin()
    wait_for(lambda: rig.told)
    assert [(t.rule, t.at_ms) for t in rig.told] == [("brine.vat_silent", START_MS + 60_000)] * 2


def test_silence_is_told_while_nothing_comes_and_only_while_it_listens(rig):
    rig.bring_inventory()
    rig.listen()
    rig.connected = False
    rig.caught_up(2)
    rig.clock.ms += 120_000
    rig.send(rig.clock.ms, (topic("gw", "status"), b'{"state": "online"}'))
    rig.caught_up(3)
    told_with_message = len(rig.told)
    rig.connected = True
    rig.clock.ms += 1000
    wait_for(lambda: len(rig.told) == 2)
    assert told_with_message == 2, "what was overdue when a message arrives is raised with it"


def test_silence_told_while_nothing_came_is_told_again_at_its_place_after_a_crash(rig):
    rig.bring_inventory()
    rig.listen()
    rig.caught_up(2)
    rig.clock.ms += 120_000
    wait_for(lambda: len(rig.told) == 2)
    told = [repr(t) for t in rig.told]
    rig.clock.ms += 30_000
    rig.listen()
    rig.heat(rig.clock.ms, temp=20)
    rig.caught_up(5)
    fresh = Pipeline([rig.scene], "sw")
    again = [t for r in rig.journal.read(0, most=100, wait_s=1) for t in fresh.run(r).transitions]
    assert [repr(t) for t in again[:2]] == told
    assert [repr(t) for t in again] == [repr(t) for t in rig.told]


def test_a_deaf_source_raises_nothing(rig):
    rig.bring_inventory()
    rig.listen()
    rig.caught_up(2)
    rig.connected = False
    looked = threading.Event()
    rig.loop._ends = replace(rig.loop._ends, connected=lambda: bool(looked.set()))
    rig.clock.ms += 3_600_000
    assert looked.wait(10)
    rig.loop.stop()
    assert rig.told == []


def limit_of(rules):
    return rules["brine.vat_hot"].when.limit


def test_rules_are_on_record_from_the_start_and_before_a_change_goes_on(rig):
    rig.bring_inventory()
    rig.caught_up(1)
    assert [limit_of(rules) for rules in rig.rules] == [80.0]
    rig.ruled.shut = True
    for limit in (70.0, 60.0):
        rig.journal.append_record(
            RecordKind.LIMITS, encode_limits({"brine.vat_hot": {"limit": limit}}), rig.clock.ms
        )
    wait_for(lambda: rig.ruled.refused > 1)
    assert rig.loop.delivered == 1
    rig.ruled.shut = False
    rig.caught_up(3)
    assert [limit_of(rules) for rules in rig.rules] == [80.0, 70.0, 60.0]


def test_rules_that_could_not_be_put_on_record_are_so_at_the_next_start(rig):
    rig.bring_inventory()
    rig.caught_up(1)
    rig.ruled.shut = True
    rig.journal.append_record(RecordKind.LIMITS, encode_limits({"brine.vat_hot": {"limit": 70.0}}), rig.clock.ms)
    wait_for(lambda: rig.ruled.refused)
    rig.loop.stop()
    assert rig.saved() == []
    rig.ruled.shut = False
    rig.begin()
    rig.caught_up(2)
    assert [limit_of(rules) for rules in rig.rules] == [80.0, 80.0, 70.0]


def test_state_is_saved_when_the_store_is_past_it(rig):
    rig.stores = False
    rig.bring_inventory()
    rig.heat(START_MS)
    rig.caught_up(2)
    rig.clock.ms += SNAPSHOT_MS
    rig.send(rig.clock.ms, (topic("vat-2"), telemetry(rig.clock.ms, temp=20)))
    rig.caught_up(3)
    assert rig.saved() == []
    rig.stored = rig.put_position()
    wait_for(rig.saved)
    assert rig.saved()[0] <= rig.stored


def test_a_state_that_takes_long_to_save_is_saved_less_often(rig, monkeypatch):
    write = rig.snapshots.write

    def slowly(position, pieces):
        rig.clock.ms += 100
        write(position, pieces)

    monkeypatch.setattr(rig.snapshots, "write", slowly)
    rig.bring_inventory()
    rig.clock.ms += SNAPSHOT_MS
    wait_for(lambda: rig.saved() == [1])
    rig.clock.ms += SNAPSHOT_MS
    rig.heat(START_MS)
    rig.caught_up(2)
    rig.clock.ms += SNAPSHOT_REST * 100 - SNAPSHOT_MS - 1000
    rig.heat(START_MS + 1)
    rig.caught_up(3)
    assert rig.saved() == [1]
    rig.clock.ms += 1000
    wait_for(lambda: rig.saved() == [3, 1])


def test_a_disk_that_refuses_the_state_does_not_end_it(rig, caplog):
    caplog.set_level("WARNING")
    blocked = rig.folder / "state" / f"{1:020d}.partial"
    blocked.mkdir()
    rig.bring_inventory()
    rig.clock.ms += SNAPSHOT_MS
    wait_for(lambda: "cannot save the state" in caplog.text)
    blocked.rmdir()
    rig.clock.ms += SNAPSHOT_MS
    wait_for(lambda: rig.saved() == [1])
    assert rig.loop.failure is None


def test_the_last_state_needs_nothing_to_be_derived_again(rig):
    rig.bring_inventory()
    rig.heat(START_MS, START_MS + 20_000)
    rig.caught_up(3)
    rig.loop.stop()
    rig.loop.final_snapshot()
    assert rig.saved()[0] == 3
    rig.begin()
    assert rig.pipeline.position == 3
    assert [t.rule for t in rig.pipeline.alarms.standing()] == ["brine.vat_hot"]


def test_from_any_snapshot_the_same_is_derived(rig):
    rig.bring_inventory()
    times = [START_MS + n * 10_000 for n in range(6)]
    rig.heat(*times[:3])
    rig.caught_up(4)
    rig.loop.stop()
    rig.loop.final_snapshot()
    rig.begin()
    rig.heat(*times[3:])
    rig.heat(START_MS + 70_000, temp=20)
    rig.caught_up(8)
    fresh = Pipeline([rig.scene], "sw")
    transitions = [t for r in rig.journal.read(0, most=100, wait_s=1) for t in fresh.run(r).transitions]
    assert [repr(t) for t in rig.told] == [repr(t) for t in transitions]
    assert fresh.counts == rig.pipeline.counts


def test_an_error_in_a_stage_ends_the_thread_and_is_known(rig, caplog):
    rig.journal.append_record(RecordKind.HISTORY, b"no batch", START_MS)
    wait_for(lambda: rig.loop.failure is not None)
    assert "not a batch" in str(rig.loop.failure)
    assert "the pipeline ended" in caplog.text
    rig.loop.stop()
    rig.loop.final_snapshot()
    assert rig.saved() == []
