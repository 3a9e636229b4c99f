"""What lies on this machine: settings, disk, databases of every age, and a port that is taken."""

from __future__ import annotations

import shutil
import socket
import sqlite3
from contextlib import closing
from types import SimpleNamespace

import duckdb
import pytest
from web_server import serving

from ends import HandClock
from ports import free_port
from records import START_MS, telemetry, topic
from scenewatch.doctor import machine
from scenewatch.doctor.clock import clocks
from scenewatch.doctor.database import relational_database
from scenewatch.doctor.duck import embedded_store
from scenewatch.doctor.findings import Verdict
from scenewatch.doctor.machine import disk, versions
from scenewatch.doctor.tables import tables
from scenewatch.doctor.worker import worker
from scenewatch.scenes import SCENES
from scenewatch.store.devices import Inventory
from scenewatch.store.duck import DuckStore
from scenewatch.store.relational import Database
from worker_rig import DEVICES, WorkerRig

DATABASE = '[database]\nurl = "sqlite:///rows.sqlite"'


def test_settings_and_tables(examined, findings):
    subject = examined(1)
    object.__setattr__(subject, "scenes", SCENES)  # the tests' own scene has no simulator
    [well] = findings(tables, subject)[Verdict.OK]
    assert well == f"settings and tables are right: {', '.join(scene.key for scene in SCENES)}"
    others = '[limits."brine.vat_hot"]\nafter_s = 3'
    found = findings(tables, examined(1, more='key_file = "no.key"', others=others))[Verdict.FAILED]
    assert any("no.key" in line for line in found)
    assert any("brine.vat_hot" in line for line in found)


def test_versions(examined, findings, monkeypatch):
    [told] = findings(versions, examined())[Verdict.OK]
    assert "paho-mqtt 2." in told
    monkeypatch.setattr(machine, "PACKAGES", ("scenewatch", "no-such-package"))
    assert findings(versions, examined())[Verdict.FAILED][0].startswith("not installed: no-such-package")


# --- disk --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("free_gib", "verdict", "line"),
    [
        (100, Verdict.OK, "journal.path"),
        (4, Verdict.WARNING, "4.0 GiB free, and the journal may grow by 8.2 GiB -> make room, or lower"),
        (0.5, Verdict.FAILED, "0.5 GiB free: soon nothing can be taken in"),
    ],
)
def test_room_is_measured_against_what_the_journal_may_take(
    examined, findings, monkeypatch, free_gib, verdict, line
):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=round(free_gib * 2**30)))
    assert line in findings(disk, examined())[verdict][0]


def test_the_disk_of_a_folder_that_is_not_made_yet_is_that_above_it(examined, findings):
    assert len(findings(disk, examined())[Verdict.OK]) == 3


# --- databases ---------------------------------------------------------------------------------------------


def test_a_database_that_a_worker_made_is_well(examined, findings, tmp_path):
    with closing(Database(f"sqlite:///{tmp_path}/rows.sqlite")) as database:
        _make_tables(database)
        Inventory(database).upsert(DEVICES)
        [told] = findings(relational_database, examined(others=DATABASE))[Verdict.OK]
    assert told == "its schema is ours; 4 devices; no worker has it open"


def _make_tables(database):
    import scenewatch.app  # noqa: F401, PLC0415  # every table is known once all parts are
    from scenewatch.store.relational import PARTS  # noqa: PLC0415

    for table in PARTS.sorted_tables:
        database.create(table)


def test_what_is_wrong_with_a_database_is_told_and_left_as_it_is(examined, findings, tmp_path):
    subject, file = examined(others=DATABASE), tmp_path / "rows.sqlite"
    [told] = findings(relational_database, subject)[Verdict.FAILED]
    assert "there is no database" in told
    assert not file.exists()

    with closing(Database(f"sqlite:///{file}")) as database:
        _make_tables(database)
        assert findings(relational_database, subject)[Verdict.WARNING][0].startswith("the inventory is empty")

    with closing(sqlite3.connect(file)) as con:
        con.execute("alter table dead_letter drop column tried_record")
        con.commit()
    assert "is of an older release" in findings(relational_database, subject)[Verdict.FAILED][0]

    with closing(sqlite3.connect(file)) as con:
        con.execute("update about set version = 0")
        con.commit()
    [told] = findings(relational_database, subject)[Verdict.FAILED]
    assert told.endswith("is of schema 0, this program knows 1 -> use the release that wrote it")

    file.unlink()
    with closing(sqlite3.connect(file)) as con:
        con.execute("create table theirs (x integer)")
        con.commit()
    before = file.read_bytes()
    [told] = findings(relational_database, subject)[Verdict.FAILED]
    assert told.endswith("is an SQLite file of somebody else's -> give database.url a file of its own")
    assert file.read_bytes() == before

    file.write_bytes(b"something else entirely, and long enough to be looked at" * 20)
    before = file.read_bytes()
    assert "not an SQLite file, or damaged" in findings(relational_database, subject)[Verdict.FAILED][0]
    assert file.read_bytes() == before


def test_what_is_wrong_with_a_duckdb_file_is_told_and_left_as_it_is(examined, findings, tmp_path):
    subject, file = examined(), tmp_path / "r.duckdb"
    assert findings(embedded_store, subject)[Verdict.WARNING][0].endswith("the worker once, it makes the file")
    assert not file.exists()

    DuckStore(file).close()
    assert "is of our schema" in findings(embedded_store, subject)[Verdict.OK][0]

    with duckdb.connect(file) as con:
        con.execute("update state set version = 0")
    [told] = findings(embedded_store, subject)[Verdict.FAILED]
    assert "is of schema 0, this program knows 1 -> use the release that wrote it" in told

    file.unlink()
    with duckdb.connect(file) as con:
        con.execute("create table theirs (x integer)")
    [told] = findings(embedded_store, subject)[Verdict.FAILED]
    assert told.endswith("is a DuckDB file of somebody else's -> give store.url a file of its own")

    file.write_bytes(b"no database")
    assert "cannot be read (" in findings(embedded_store, subject)[Verdict.FAILED][0]
    assert file.read_bytes() == b"no database"


# --- worker and clock --------------------------------------------------------------------------------------


def test_a_port_that_is_taken_by_somebody_else(examined, findings):
    with serving({}) as address:
        [told] = findings(worker, examined(others=_http(address)))[Verdict.FAILED]
    assert told.endswith("no worker (404): the port is in use -> stop that program, or choose another http.port")
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mute.settimeout(5)
        others = f"[http]\nport = {mute.getsockname()[1]}"
        [told] = findings(_impatient, examined(others=others))[Verdict.FAILED]
    assert "speaks no HTTP: the port is in use" in told


def _impatient(subject):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scenewatch.doctor.web.ANSWER_S", 0.2)
        yield from worker(subject)


def _http(address):
    return f"[http]\nport = {address.rpartition(':')[2]}"


def test_nobody_there(examined, findings):
    [told] = findings(worker, examined(others=f"[http]\nport = {free_port()}"))[Verdict.WARNING]
    assert told.startswith("no worker runs: nothing listens at http://127.0.0.1:")
    [told] = findings(worker, examined(others="[http]\nport = 0"))[Verdict.WARNING]
    assert told.startswith("http.port is 0")


def test_a_running_worker_says_how_it_is(examined, findings, vat_scene, tmp_path, monkeypatch):
    rig = WorkerRig(tmp_path, vat_scene, HandClock(START_MS), monkeypatch)
    try:
        rig.send(START_MS, (topic("vat-1"), telemetry(START_MS, b="x", n=0, temp=20)), (topic("vat-1"), b"{"))
        found = findings(worker, examined(others=_http(rig.url)))
        assert "the ledger balances: 2 messages, 0 on their way" in found[Verdict.OK]
        assert found[Verdict.FAILED][0].startswith(f"the worker at {rig.url} says: broker mqtt://")
        assert found[Verdict.WARNING][0].startswith("1 messages could not be taken -> scenewatch dead-letters list")
        elsewhere = examined(others="[http]\nport = 0")
        object.__setattr__(elsewhere, "worker", f"{rig.url}/")
        assert findings(worker, elsewhere)[Verdict.OK] == found[Verdict.OK]
        [open_now] = findings(relational_database, examined(others=DATABASE))[Verdict.OK]
        assert "worked on by " in open_now
    finally:
        rig.close()


def test_a_clock_that_is_wrong(examined, findings):
    dated = {"/ping": (204, {}, None), "/api/health": (200, {}, {})}
    with serving(dated) as address:
        store = f"influx+{address}/?org=o&bucket=b"
        [agrees] = findings(clocks, examined(store=store))[Verdict.OK]
        assert agrees == "this clock and that of the store agree"
        subject = examined(store=store, grafana=address)
        object.__setattr__(subject, "clock", HandClock(subject.clock.now_ms() - 95_000))
        told = findings(clocks, subject)[Verdict.WARNING]
    assert [line.endswith("-> set both by NTP") for line in told] == [True, True]
    assert told[0].startswith("this clock is 9")
    assert " s behind that of the store" in told[0]
    assert findings(clocks, examined())[Verdict.OK][0].startswith("no server was there")
