"""A worker's life without its broker: what it took in is there after a restart, and it says what is wrong."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from ends import wait_for
from influx_server import create
from records import START_MS, telemetry, topic
from scenewatch.app import Worker
from scenewatch.model.errors import ConfigurationError, InUseError, TemporaryError
from scenewatch.model.messages import Messages
from scenewatch.model.ports import RecordKind
from scenewatch.store.devices import Inventory
from scenewatch.store.relational import Database
from worker_rig import DEVICES, one_after_another


@pytest.fixture
def begin(vat_scene, tmp_path, monkeypatch):
    """Begins a worker in the test's folder; again after the one before was closed."""
    with one_after_another(tmp_path, vat_scene, monkeypatch) as made:
        yield made


def heat(rig, *seconds):
    for s in seconds:
        at_ms = START_MS + s * 1000
        rig.send(at_ms, (topic("vat-1"), telemetry(at_ms, b="x", n=s, temp=85)))


def account(rig):
    ledger = rig.get("/api/v1/ledger")
    return {
        "messages": [ledger[key] for key in ("received", "stored", "duplicate", "dead", "pending")],
        "readings": ledger["readings"],
        "alarms": rig.get("/api/v1/alarms")["alarms"],
        "devices": rig.get("/api/v1/devices")["devices"],
    }


def test_a_restart_changes_nothing_that_can_be_seen(begin):
    rig = begin()
    heat(rig, 0, 10, 20)
    rig.send(START_MS, (topic("gw", "status"), b'{"state": "online"}'), (topic("vat-7"), b"{}"))
    before = account(rig)
    assert before["messages"] == [5, 4, 0, 1, 0]
    rig.close()
    again = begin()
    assert account(again) == before
    heat(again, 20, 30)
    assert account(again)["messages"] == [7, 5, 1, 1, 0]


def test_a_worker_on_influxdb_goes_on_after_a_restart(begin, influxd):
    create(influxd, "worker")
    url = f"influx+{influxd}/?bucket=worker"
    rig = begin(store=url)
    heat(rig, 0, 10, 20)
    before = account(rig)
    rig.close()
    again = begin(store=url)
    assert account(again) == before
    heat(again, 20, 30)
    page = again.get("/api/v1/readings", device="brine.w1.vat-1", channel="temp")
    assert [(r["t"] - START_MS, r["value"]) for r in page["readings"]] == [(t * 1000, 85) for t in (0, 10, 20, 30)]
    query = {"db": "worker", "q": "SHOW MEASUREMENTS"}
    [found] = httpx.get(f"{influxd}/query", params=query).json()["results"][0]["series"]
    assert found["values"] == [["vat"]]


def test_without_its_state_it_derives_the_same_from_the_journal(begin, tmp_path):
    rig = begin()
    heat(rig, 0, 10, 20, 20)
    before = account(rig)
    rig.close()
    for path in (tmp_path / "journal.state").iterdir():
        path.unlink()
    again = begin()
    assert account(again) == before


def test_a_damaged_state_is_no_harm(begin, tmp_path, caplog):
    rig = begin()
    heat(rig, 0, 10, 20)
    before = account(rig)
    rig.close()
    for path in (tmp_path / "journal.state").iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    assert account(begin()) == before
    assert "is damaged and is passed over" in caplog.text


def test_a_change_of_the_inventory_takes_effect_while_it_runs(begin):
    rig = begin()
    heat(rig, 0, 10, 20)
    database = Database(rig.settings.database.url)
    newcomer = replace(DEVICES[1], device="vat-3")
    Inventory(database).replace([DEVICES[0], newcomer])
    database.close()
    wait_for(lambda: [d["device"] for d in rig.get("/api/v1/devices")["devices"]] == ["gw", "vat-3"])
    wait_for(lambda: rig.get("/api/v1/alarms")["alarms"][0]["cleared_at"] == START_MS + 20_000)
    rig.send(START_MS, (topic("vat-3"), telemetry(START_MS, temp=1)), (topic("vat-1"), telemetry(START_MS, temp=1)))
    assert rig.get("/api/v1/ledger")["dead"] == 1


def test_devices_of_scenes_that_are_not_in_use_are_left_out(begin, caplog):
    rig = begin()
    database = Database(rig.settings.database.url)
    Inventory(database).upsert([replace(DEVICES[0], scene="moon"), replace(DEVICES[0], device="g2", type="rover")])
    database.close()
    wait_for(lambda: "2 devices of the inventory are of scenes or types that are not in use" in caplog.text)
    assert len(rig.get("/api/v1/devices")["devices"]) == len(DEVICES)


def test_a_second_worker_on_the_same_folder_is_refused(begin):
    rig = begin()
    with pytest.raises(InUseError, match="in use"):
        Worker(rig.settings, rig.worker.clock)
    heat(rig, 0)


def test_a_journal_that_lost_what_the_store_has_is_refused(begin, tmp_path):
    rig = begin()
    heat(rig, 0, 10)
    rig.close()
    for path in (tmp_path / "journal").glob("*"):
        path.unlink()
    with pytest.raises(ConfigurationError, match="do not belong together"):
        Worker(rig.settings, rig.worker.clock)


def test_a_failure_is_known_and_makes_it_end(begin, monkeypatch):
    rig = begin()

    def broken(*_):
        raise AssertionError("broken stage")

    monkeypatch.setattr(rig.worker.pipeline, "run", broken)
    rig.worker.journal.append_record(4, b"", START_MS)
    wait_for(lambda: rig.worker.failure is not None)
    assert str(rig.worker.failure) == "broken stage"


def test_a_journal_whose_thread_broke_ends_the_worker_with_its_reason(begin, caplog):
    rig = begin()

    def broken(*_):
        raise RuntimeError("broken disk driver")

    rig.worker.journal._writer.write = broken
    rig.worker.journal.append(Messages.of([(b"t", b"x")], START_MS))
    wait_for(lambda: rig.worker.failure is not None)
    assert str(rig.worker.failure) == "broken disk driver"
    assert "the worker ends: broken disk driver" in [r.getMessage() for r in caplog.records]
    assert "journal: failing" in rig.client.get("/readyz").json()["reasons"]


def test_the_source_and_lost_positions_are_among_the_metrics(begin):
    rig = begin()
    wait_for(lambda: rig.worker._source.stats.refusals)
    rig.worker.pipeline.positions_lost = 3
    text = rig.client.get("/metrics").text
    assert "scenewatch_journal_positions_lost_total 3.0" in text
    assert 'scenewatch_source_events_total{event="refusals"}' in text
    for event in ("reconnects", "sessions_lost", "protocol_errors", "too_long"):
        assert f'scenewatch_source_events_total{{event="{event}"}} 0.0' in text


@pytest.mark.parametrize(
    ("history", "reason"),
    [((0, 10), "history is being written"), ((10, 10), "no live message yet")],
)
def test_it_is_not_ready_before_history_and_live_messages(begin, history, reason):
    rig = begin()
    rig.worker.history = history
    body = rig.client.get("/readyz").json()
    assert body["history"] == {"done": history[0], "of": history[1]}
    assert reason in body["reasons"]


def test_it_is_not_ready_while_the_store_waits(begin, monkeypatch):
    rig = begin()

    def full(*_):
        raise TemporaryError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(rig.worker.store, "write", full)
        rig.worker.journal.append_record(RecordKind.LISTENING, b"", START_MS)
        wait_for(lambda: "store: waiting: the disk is full" in rig.client.get("/readyz").json()["reasons"])
    wait_for(lambda: rig.worker.store.position() == rig.worker.journal.head)


def test_it_is_ready_when_all_is_well(begin):
    rig = begin()
    rig.worker.source_state = "connected"
    answer = rig.client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "history": None, "reasons": []})


def test_how_far_the_summaries_are_is_among_the_metrics_and_outlives_the_worker(begin):
    rig = begin()
    heat(rig, 0, 300)
    rig.worker.clock.ms = START_MS + 300_000
    rig.worker.summaries.stop()
    rig.worker.summaries._stopping.clear()
    while rig.worker.summaries.step():
        pass
    made = 'scenewatch_summarised_until_seconds{level="minute"} 1.80000018e+09'
    assert made in rig.client.get("/metrics").text
    rig.send(START_MS + 300_000, (topic("vat-2"), telemetry(START_MS + 60_000, b="y", n=0, temp=20)))
    rig.close()
    again = begin()
    text = again.client.get("/metrics").text
    assert made in text
    assert "scenewatch_summaries_waiting 1.0" in text
