"""A real worker on a real store: alarms and figures are there beside the readings, whatever was away meanwhile."""

from __future__ import annotations

import json
from dataclasses import replace

import httpx
import numpy as np
import pytest

from ends import Gate, wait_for
from influx_server import create
from records import START_MS, telemetry, topic
from scenewatch.model.batch import Batch
from scenewatch.model.level import Level
from scenewatch.model.ports import RecordKind
from scenewatch.model.ruleversion import version_of
from scenewatch.store.devices import Inventory
from scenewatch.store.relational import Database
from scenewatch.worker import figures, repeated
from scenewatch.worker.mirror import Mirror
from scenewatch.worker.records import Records
from worker_rig import DEVICES, one_after_another

BUCKET = "records"
ALL_TIME = (0, 2**62)


@pytest.fixture(params=["duck", "influx"])
def store(request):
    """The store's URL, in a place of its own."""
    if request.param == "duck":
        return "duckdb:r.duckdb"
    address = request.getfixturevalue("influxd")
    for suffix in ("", "_1m", "_1d"):
        httpx.post(f"{address}/query", data={"q": f"DROP DATABASE {BUCKET}{suffix}"}).raise_for_status()
        create(address, f"{BUCKET}{suffix}")
    return f"influx+{address}/?bucket={BUCKET}"


@pytest.fixture
def begin(vat_scene, tmp_path, monkeypatch):
    """Begins a worker in the test's folder; again after the one before was closed."""
    monkeypatch.setattr(repeated, "LOOK_S", 0.02)
    monkeypatch.setattr(repeated, "RETRY_S", (0.02,))
    with one_after_another(tmp_path, vat_scene, monkeypatch) as made:
        yield made


def measure(rig, temp, *seconds, site="w1", device="vat-1"):
    for s in seconds:
        at_ms = START_MS + s * 1000
        rig.send(at_ms, (topic(device, site=site), telemetry(at_ms, b="x", n=s // 10, temp=temp)))


def recorded(rig, measurement, keep):
    return rig.worker.store.recorded(measurement, keep, *ALL_TIME, 100_000)


def alarms(rig):
    return recorded(rig, "alarm", Level.DAY)


def wait_for_alarms(rig, *standing):
    """Until the store has acknowledged them: InfluxDB shows a point field by field while it takes it."""
    wait_for(lambda: [a.fields.get("standing") for a in alarms(rig)] == list(standing))
    wait_for(lambda: not rig.worker.records._mirror._mirrored.missing(1))


def pass_to(rig, seconds):
    """The clock goes on; the figures of that time are taken."""
    taken = rig.worker.records._figures
    rig.worker.clock.ms = START_MS + seconds * 1000
    wait_for(lambda: taken._told_ms == rig.worker.clock.ms // 10_000 * 10_000 and not taken._waiting)


def test_an_alarm_is_a_point_and_when_it_clears_it_is_told_in_its_place(begin, store, vat_scene):
    rig = begin(store)
    measure(rig, 85.5, 0, 10, 20)
    wait_for_alarms(rig, 1)
    [point] = alarms(rig)
    assert (point.t_ms, point.keep) == (START_MS + 20_000, Level.DAY)
    assert point.tags == {
        "scene": "brine",
        "site": "w1",
        "device": "vat-1",
        "rule": "vat_hot",
        "priority": "high",
        "type": "vat",
    }
    assert point.fields == {
        "standing": 1,
        "cleared_ms": 0,
        "lasted_s": 0.0,
        "value": 85.5,
        "title_en": "Vat hot",
        "title_zh": "Vat hot（中）",
        "advice_en": "Switch the heater off",
        "advice_zh": "Switch the heater off（中）",
        "text_en": "vat-1: Vat hot, 85.5 °C (limit 80 °C)",
        "text_zh": "vat-1：Vat hot（中），85.5 °C（限值 80 °C）",
        "version": version_of(vat_scene, vat_scene.rules[0]),
    }
    measure(rig, 20, 30)
    wait_for_alarms(rig, 0)
    gone = {"standing": 0, "cleared_ms": START_MS + 30_000, "lasted_s": 10.0}
    assert alarms(rig) == [replace(point, fields={**point.fields, **gone})]


def test_figures_are_taken_at_whole_spans_of_the_clock_and_balance(begin, store):
    rig = begin(store)
    measure(rig, 85.5, 0, 10, 20, 20)
    measure(rig, 20, 0, site="w2", device="vat-2")
    rig.send(START_MS, (topic("vat-9"), b"{}"), (b"sw/elsewhere", b""))
    pass_to(rig, 19)
    pass_to(rig, 65)
    [first, second] = recorded(rig, "pipeline", Level.MINUTE)
    assert [(p.t_ms - START_MS, p.tags) for p in (first, second)] == [
        (t, {"worker": "scenewatch-worker"}) for t in (10_000, 60_000)
    ]
    f = second.fields
    assert [f[key] for key in ("received", "stored", "duplicate", "dead", "pending")] == [7, 4, 1, 2, 0]
    assert [f[key] for key in ("devices", "silent", "standing_high", "standing_low")] == [4, 3, 1, 0]
    assert [f[key] for key in ("readings_stored", "outbox_readings", "lag_s", "store_ok", "source_ok")] == [
        4, 0, 0.0, 1, 0,
    ]  # fmt: skip
    assert f["memory_mib"] > 10
    assert f["cpu_s"] > 0
    assert f["flag_possible"] == 0
    ledger = rig.get("/api/v1/ledger")
    assert all(f[key] == ledger[key] for key in ("received", "stored", "duplicate", "dead", "pending"))
    [w1, w2] = recorded(rig, "site", Level.MINUTE)
    assert (w1.t_ms, w1.tags, w2.tags) == (
        START_MS + 60_000,
        {"scene": "brine", "site": "w1"},
        {"scene": "brine", "site": "w2"},
    )
    columns = ("received", "stored", "duplicate", "dead", "pending", "missing", "devices", "silent", "worst")
    assert [w1.fields[key] for key in columns] == [5, 3, 1, 1, 0, 0, 3, 2, 4]
    assert [w2.fields[key] for key in columns] == [1, 1, 0, 0, 0, 0, 1, 1, 4]
    assert (w1.fields["standing_high"], w2.fields["standing_high"]) == (1, 0)


def test_a_site_that_is_heard_tells_its_worst_alarm_and_what_is_missing(begin):
    rig = begin()
    pass_to(rig, 10)
    measure(rig, 85.5, 30, 40, 50, 80)
    measure(rig, 1, 50, site="w2", device="vat-2")
    pass_to(rig, 60)
    [w1, w2] = recorded(rig, "site", Level.MINUTE)
    told = ("silent", "missing", "worst")
    assert [w1.fields[key] for key in told] == [1, 2, 3]
    assert [w2.fields[key] for key in told] == [0, 0, 0]


def test_a_site_whose_devices_are_gone_is_told_no_more(begin):
    rig = begin()
    database = Database(rig.settings.database.url)
    Inventory(database).replace([d for d in DEVICES if d.site == "w1"])
    database.close()
    wait_for(lambda: len(rig.get("/api/v1/devices")["devices"]) == 3)
    pass_to(rig, 60)
    assert [p.tags["site"] for p in recorded(rig, "site", Level.MINUTE)] == ["w1"]
    assert [p.fields["devices"] for p in recorded(rig, "pipeline", Level.MINUTE)] == [3]


def test_what_a_store_that_is_away_misses_is_there_when_it_is_back(begin, store, monkeypatch, caplog):
    caplog.set_level("INFO")
    rig = begin(store)
    gate = Gate(rig.worker.store.record)
    gate.shut = True
    for part in (rig.worker.records._figures, rig.worker.records._mirror):
        monkeypatch.setattr(part._store, "record", gate)
    measure(rig, 85.5, 0, 10, 20)
    for seconds in (10, 20, 30):
        rig.worker.clock.ms = START_MS + seconds * 1000
        wait_for(lambda t=seconds: rig.worker.records._figures._told_ms == START_MS + t * 1000)
    measure(rig, 20, 30)
    wait_for(lambda: gate.refused > 5)
    assert alarms(rig) == recorded(rig, "pipeline", Level.MINUTE) == []
    gate.shut = False
    wait_for(lambda: len(recorded(rig, "pipeline", Level.MINUTE)) == 3)
    wait_for_alarms(rig, 0)
    expected = [
        "the store does not take alarms, they wait: the gate is shut",
        "the store does not take figures, they wait: the gate is shut",
        "the store takes alarms again",
        "the store takes figures again",
    ]
    wait_for(lambda: sorted(m for m in caplog.messages if m.startswith("the store")) == expected)


def test_figures_that_wait_for_an_hour_are_dropped_and_counted(begin, monkeypatch):
    rig = begin()
    gate = Gate(rig.worker.store.record)
    gate.shut = True
    monkeypatch.setattr(rig.worker.store, "record", gate)
    taken = rig.worker.records._figures
    for seconds in (60, 120, 3660, 3670):
        rig.worker.clock.ms = START_MS + seconds * 1000
        wait_for(lambda t=seconds: taken._told_ms == START_MS + t * 1000)
    wait_for(lambda: taken.dropped == 3)
    assert 'scenewatch_records_dropped_total{kind="figures"} 3.0' in rig.client.get("/metrics").text
    gate.shut = False
    wait_for(lambda: len(recorded(rig, "pipeline", Level.MINUTE)) == 3)
    assert [p.t_ms - START_MS for p in recorded(rig, "pipeline", Level.MINUTE)] == [120_000, 3_660_000, 3_670_000]


def test_a_missing_bucket_is_told_once_and_holds_up_nothing_else(begin, influxd, caplog):
    for suffix in ("", "_1m"):
        create(influxd, f"half{suffix}")
    rig = begin(f"influx+{influxd}/?bucket=half")
    measure(rig, 85.5, 0, 10, 20)
    pass_to(rig, 10)
    assert len(recorded(rig, "pipeline", Level.MINUTE)) == 1
    wait_for(lambda: rig.worker.records._parts[2]._step.__self__._tries > 2)
    told = [r.getMessage() for r in caplog.records if "half_1d" in r.getMessage()]
    assert len(told) == 1
    assert "there is no such database or bucket; make it" in told[0]
    create(influxd, "half_1d")
    wait_for(lambda: len(alarms(rig)) == 1)


def test_alarms_of_a_history_are_there_though_it_was_never_live(begin, store):
    rig = begin(store)
    series = rig.worker.pipeline.registry.series_of(1)[0]
    t_ms = START_MS - 10**9 + 10_000 * np.arange(6)
    past = Batch.of(np.full(6, series), t_ms, np.array([20.0, 85, 85, 85, 85, 20]))
    rig.worker.journal.append_record(RecordKind.HISTORY, past.to_bytes(), START_MS)
    wait_for_alarms(rig, 0)
    assert [(a.t_ms, a.fields["lasted_s"]) for a in alarms(rig)] == [(t_ms[3], 20.0)]


def test_killed_between_the_record_and_its_copy_the_copy_is_made_at_the_next_start(begin, store, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Records, "start", lambda _: None)
        rig = begin(store)
        measure(rig, 85.5, 0, 10, 20)
        rig.close()
    again = begin(store)
    wait_for(lambda: len(alarms(again)) == 1)


def test_killed_between_the_copy_and_its_mark_it_is_written_again_and_nothing_changes(begin, store, monkeypatch):
    rig = begin(store)
    gate = Gate(rig.worker.records._mirror._mirrored.mark)
    gate.shut = True
    monkeypatch.setattr(rig.worker.records._mirror._mirrored, "mark", gate)
    measure(rig, 85.5, 0, 10, 20)
    wait_for(lambda: gate.refused > 2)
    before = alarms(rig)
    assert len(before) == 1
    rig.close()
    again = begin(store)
    wait_for(lambda: not again.worker.records._mirror._mirrored.missing(1))
    assert alarms(again) == before


def test_a_new_store_is_given_all_alarms_there_ever_were(begin, tmp_path):
    rig = begin()
    measure(rig, 85.5, 0, 10, 20)
    wait_for(lambda: len(alarms(rig)) == 1)
    rig.close()
    for path in tmp_path.glob("r.duckdb*"):
        path.unlink()
    again = begin()
    wait_for(lambda: len(alarms(again)) == 1)
    again.close()
    other = begin("duckdb:other.duckdb")
    wait_for(lambda: len(alarms(other)) == 1)


def test_what_the_store_refuses_is_counted_told_once_and_holds_up_nothing(begin, influxd, caplog):
    for suffix in ("", "_1m", "_1d"):
        create(influxd, f"refusing{suffix}")
    for line in (f"alarm title_en=1i {START_MS}", f"pipeline lag_s=1i {START_MS}"):
        bucket = f"refusing_{'1d' if line.startswith('alarm') else '1m'}"
        httpx.post(f"{influxd}/write?db={bucket}&precision=ms", content=line).raise_for_status()
    rig = begin(f"influx+{influxd}/?bucket=refusing")
    measure(rig, 85.5, 0, 10, 20)
    pass_to(rig, 10)
    pass_to(rig, 60)
    wait_for(lambda: rig.worker.records.dropped == {"alarms": 1, "events": 0, "figures": 2})
    assert len(recorded(rig, "site", Level.MINUTE)) == 2
    told = [m for m in caplog.messages if "the store refuses" in m]
    assert len(told) == 2
    assert all("field type conflict" in m for m in told)
    measure(rig, 20, 30)
    wait_for(lambda: rig.worker.records.dropped["alarms"] == 2)


def test_what_ends_a_thread_of_the_records_ends_the_worker(begin, monkeypatch, caplog):
    rig = begin()

    def broken(_):
        raise AssertionError("broken mirror")

    monkeypatch.setattr(Mirror, "step", broken)
    monkeypatch.setattr(rig.worker.records._mirror, "_points", None)
    measure(rig, 85.5, 0, 10, 20)
    wait_for(lambda: rig.worker.failure is not None)
    assert "alarms-writer ended" in caplog.text


def test_the_figures_of_a_worker_that_lags_tell_for_how_long(begin, monkeypatch):
    rig = begin()
    gate = Gate(rig.worker.store.write)
    gate.shut = True
    with monkeypatch.context() as patch:
        patch.setattr(rig.worker.store, "write", gate)
        rig.worker.journal.append_record(RecordKind.LISTENING, b"", START_MS)
        pass_to(rig, 40)
        [p] = recorded(rig, "pipeline", Level.MINUTE)
        assert p.fields["lag_s"] == 40.0
        assert p.fields["store_ok"] == 0
    wait_for(lambda: rig.worker.store.position() == rig.worker.journal.head)
    pass_to(rig, 50)
    assert recorded(rig, "pipeline", Level.MINUTE)[-1].fields["lag_s"] == 0.0


def test_records_are_told_to_be_json_numbers(begin):
    """Figures are plain numbers, not those of arrays."""
    rig = begin()
    pass_to(rig, 60)
    points = [*recorded(rig, "pipeline", Level.MINUTE), *recorded(rig, "site", Level.MINUTE)]
    assert {type(value) for p in points for value in p.fields.values()} == {int, float}
    assert json.dumps(points[0].fields)
    assert figures.SITES_EVERY % figures.PIPELINE_EVERY == 0
