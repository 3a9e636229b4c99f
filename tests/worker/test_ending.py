"""A worker's end: in order and whole, or within its time with whatever hangs left to itself."""

from __future__ import annotations

import threading

import pytest

from ends import Gate, HandClock, wait_for
from records import START_MS, telemetry, topic
from scenewatch import app
from scenewatch.worker.ending import Deadline, Ending, aside
from worker_rig import WorkerRig


@pytest.fixture
def rig(vat_scene, tmp_path, monkeypatch):
    """A worker behind its server."""
    made = WorkerRig(tmp_path, vat_scene, HandClock(START_MS), monkeypatch)
    yield made
    made.server.end()
    made._serving.join()
    made.client.close()


@pytest.fixture
def held(monkeypatch):
    """Something that takes until the test is over, for a worker that has little time to end."""
    for name in ("END_S", "FAREWELL_S", "CLOSING_S"):
        monkeypatch.setattr(app, name, getattr(app, name) / 6)
    over = threading.Event()
    yield lambda *_: over.wait()
    over.set()


def receive(rig):
    journal = rig.worker.journal
    journal.append_record(5, b"", START_MS)
    rig.send(START_MS, (topic("vat-1"), telemetry(START_MS, temp=20)))
    return journal.head


def test_all_that_was_received_is_stored_and_the_state_saved(rig):
    head = receive(rig)
    ending = rig.worker.stop()
    assert ending == Ending(head, head, head, ())
    assert str(ending) == f"received to position {head}, derived to {head}, stored to {head}"
    assert next(rig.worker._snapshots.newest_first())[0] == head


def waiting(rig):
    """A message that is received and derived but not stored, whatever the store is doing."""
    worker = rig.worker
    head = worker.journal.append_record(5, b"", START_MS)
    wait_for(lambda: worker.pipeline.position == head)
    return head


def test_a_store_that_hangs_is_left_to_itself(rig, held, monkeypatch):
    before = receive(rig)
    monkeypatch.setattr(rig.worker.store, "write", held)
    head = waiting(rig)
    wait_for(lambda: rig.worker._outbox.depth().batches)
    ending = rig.worker.stop()
    assert ending == Ending(head, head, before, ("store",))
    assert str(ending).endswith(
        "; 1 positions wait in the journal and follow at the next start; did not end in time: store"
    )


@pytest.mark.usefixtures("held")
def test_a_store_that_refuses_ends_in_time_with_the_rest_in_the_journal(rig, monkeypatch):
    before = receive(rig)
    gate = Gate(rig.worker.store.write)
    gate.shut = True
    monkeypatch.setattr(rig.worker.store, "write", gate)
    head = waiting(rig)
    wait_for(lambda: gate.refused)
    assert rig.worker.stop() == Ending(head, head, before, ())


@pytest.mark.parametrize(
    ("part", "end", "name"), [("_source", "stop", "source"), ("_notifier", "close", "pipeline")]
)
def test_a_broker_that_hangs_is_left_to_itself(rig, held, monkeypatch, part, end, name):
    head = receive(rig)
    whole = getattr(rig.worker, part)
    with monkeypatch.context() as patch:
        patch.setattr(whole, end, held)
        assert rig.worker.stop() == Ending(head, head, head, (name,))
    getattr(whole, end)()


def test_a_failed_part_is_not_waited_for(rig, monkeypatch):
    def broken(*_):
        raise AssertionError("broken stage")

    monkeypatch.setattr(rig.worker.pipeline, "run", broken)
    head = rig.worker.journal.append_record(5, b"", START_MS)
    wait_for(lambda: rig.worker.failure is not None)
    deadline = Deadline(app.END_S / 2)
    assert rig.worker.stop().received == head
    assert deadline.left_s() > 0


def test_waits_share_their_time():
    deadline = Deadline(0.05)
    assert deadline.wait(lambda: True)
    assert not deadline.wait(lambda: False, keep_s=0.02)
    assert deadline.left_s() > 0
    assert not deadline.wait(lambda: False)
    assert deadline.left_s() == 0


def test_a_part_that_does_not_end_well_is_named(caplog):
    aside("the part", lambda: 1 / 0).join()
    assert "the part did not end well" in caplog.text
