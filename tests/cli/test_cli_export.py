"""`export` as it is typed: from a worker that runs, beside one, and from the stores that it left."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys

import duckdb
import pytest

from ends import HandClock, wait_for
from records import START_MS, telemetry, topic
from scenewatch import app
from scenewatch.model.place import Device
from scenewatch.model.ruleversion import version_of
from scenewatch.model.scene import Severity
from scenewatch.scenes import SCENES
from scenewatch.store.devices import Inventory
from scenewatch.store.events import EventRow, Events
from scenewatch.store.relational import Database
from worker_rig import WorkerRig

SECONDS_MS = 1000


@pytest.fixture(scope="module")
def fed(vat_scene, tmp_path_factory):
    """Two vats with 40 readings each, an alarm, and three events."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        rig = WorkerRig(tmp_path_factory.mktemp("worker"), vat_scene, HandClock(START_MS), monkeypatch)
        for n in range(20):
            at_ms = START_MS + n * 10 * SECONDS_MS
            for vat in ("vat-1", "vat-2"):
                hot = 85 if vat == "vat-1" and n >= 15 else 20 + n / 10
                rig.send(at_ms, (topic(vat), telemetry(at_ms, b="x", n=n, temp=hot, level=50)))
        wait_for(lambda: rig.get("/api/v1/alarms")["alarms"])
        database = Database(rig.settings.database.url)
        Events(database).record([event(n) for n in range(3)])
        database.close()
        yield rig
        rig.close()


def event(n):
    return EventRow(
        position=1000 + n,
        site="brine.w1",
        device="brine.w1.vat-1",
        device_type="vat",
        kind="stirred",
        at_ms=START_MS + n * 60 * SECONDS_MS,
        received_ms=START_MS + n * 60 * SECONDS_MS,
        level=Severity.INFO,
        text="=by hand",
        data={"n": n},
    )


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def config_of(rig):
    return rig.settings.journal.path.parent / "scenewatch.toml"


def test_all_readings_come_from_the_api_with_their_flags(fed, typed, tmp_path):
    out = tmp_path / "readings.csv"
    status, said, errors = typed("export", "--what", "readings", "--out", out, "--worker", fed.url)
    assert (status, said.decode(), errors) == (0, f"80 readings written to {out}\n", [])
    found = rows(out)
    first = {"site": "brine.w1", "device": "brine.w1.vat-1", "channel": "temp", "unit": "°C"}
    assert found[0] == first | {
        "time": "2027-01-15T08:00:00.000Z",
        "t_ms": str(START_MS),
        "value": "20.0",
        "flag": "good",
        "test": "none",
    }
    assert len({(r["device"], r["channel"], r["t_ms"]) for r in found}) == 80


def test_a_part_of_them_in_parquet(fed, typed, tmp_path):
    out = tmp_path / "part.parquet"
    part = ("--site", "w1", "--device", "vat-2", "--channel", "level")
    span = ("--from", "2027-01-15T08:00:50Z", "--to", "2027-01-15 08:01:30")
    asked = ("export", "--what", "readings", "--out", out, *part, *span, "--worker", fed.url, "--json")
    status, said, _ = typed(*asked)
    assert (status, json.loads(said)) == (0, {"what": "readings", "file": str(out), "rows": 4})
    with duckdb.connect() as con:
        t_ms = con.read_parquet(str(out)).project("t_ms").fetchall()
    assert t_ms == [(START_MS + n * 10_000,) for n in (5, 6, 7, 8)]


@pytest.mark.parametrize("where", ["worker", "stores"])
def test_alarms_and_events_come_the_newest_first(fed, vat_scene, typed, tmp_path, where):
    source = ("--worker", fed.url) if where == "worker" else ("--config", config_of(fed))
    alarms, events = tmp_path / "alarms.csv", tmp_path / "events.csv"
    assert typed("export", "--what", "alarms", "--out", alarms, *source)[0] == 0
    (hot,) = (r for r in rows(alarms) if r["rule"] == "brine.vat_hot")
    assert (hot["device"], hot["value"], hot["raised_ms"]) == ("brine.w1.vat-1", "85.0", str(START_MS + 170_000))
    assert (hot["raised"], hot["acknowledged_by"]) == ("2027-01-15T08:02:50.000Z", "")
    assert (hot["version"], hot["hidden"], hot["cause"]) == (version_of(vat_scene, vat_scene.rules[0]), "", "")
    assert typed("export", "--what", "events", "--out", events, "--device", "vat-1", *source)[0] == 0
    assert [(r["position"], r["text"], json.loads(r["data"])) for r in rows(events)] == [
        (str(1000 + n), "'=by hand", {"n": n}) for n in (2, 1, 0)
    ]
    assert typed("export", "--what", "events", "--out", events, "--site", "w2", *source)[0] == 0
    assert rows(events) == []


def test_beside_a_worker_and_after_it_the_same_readings_come(tmp_path, typed, monkeypatch):
    """Readings are in the worker's own file while it runs: then its API is asked, where the settings say it is."""
    monkeypatch.setattr(app, "LOOK_S", 0.02)
    rig = WorkerRig(tmp_path, SCENES[0], HandClock(START_MS), monkeypatch)
    database = Database(rig.settings.database.url)
    Inventory(database).upsert([Device(scene="kitchen", site="s", device="f", type="fridge")])
    database.close()
    wait_for(lambda: rig.view.registry.number("kitchen.s.f") is not None)
    for n in range(5):
        at_ms = START_MS + n * 30_000
        rig.send(at_ms, (b"sw/kitchen/s/f/telemetry", telemetry(at_ms, air_temp=4 + n / 10)))
    beside, after = tmp_path / "beside.csv", tmp_path / "after.csv"
    asked = ("export", "--what", "readings", "--config", str(config_of(rig)), "--out")
    done = subprocess.run(
        [sys.executable, "-m", "scenewatch", *asked, str(beside)],
        env={**os.environ, "SCENEWATCH_HTTP_PORT": rig.url.rpartition(":")[2]},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    rig.close()
    assert (done.returncode, done.stdout) == (0, f"5 readings written to {beside}\n")
    assert typed(*asked, after)[0] == 0
    assert [r["value"] for r in rows(after)] == ["4.0", "4.1", "4.2", "4.3", "4.4"]
    assert rows(beside) == rows(after)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--out", "r.xlsx"), "must end in .csv or .parquet"),
        (("--out", "r.csv", "--from", "2027-01-02", "--to", "2027-01-01"), "is not behind --from"),
        (("--out", "r.csv", "--from", "17"), "'17' is not a time such as"),
        (("--out", "r.csv", "--worker", "nowhere"), "must begin with http://"),
    ],
)
def test_what_is_typed_wrongly_is_told(typed, arguments, what):
    status, said, errors = typed("export", "--what", "readings", *arguments)
    assert (status, said) == (2, b"")
    assert what in errors[0]


def test_without_worker_and_stores_there_is_nothing_to_export(typed, tmp_path):
    config = tmp_path / "scenewatch.toml"
    config.write_text('[database]\nurl = "sqlite:///rows.sqlite"\n')
    out = tmp_path / "r.csv"
    status, _, errors = typed("export", "--what", "readings", "--out", out, "--config", config)
    assert (status, out.exists()) == (1, False)
    assert "has a worker run with these settings?" in errors[0]
    status, _, errors = typed("export", "--what", "readings", "--out", out, "--worker", "http://127.0.0.1:9")
    assert (status, out.exists()) == (1, False)
    assert "no worker answers" in errors[0]
