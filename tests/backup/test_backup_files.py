"""A backup as files: whole or not there, put back only where nothing is, and read through before it is believed."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from ends import HandClock
from scenewatch.backup import making, manifest
from scenewatch.backup.making import back_up, must_rest
from scenewatch.backup.restoring import restore
from scenewatch.journal.journal import FileJournal
from scenewatch.journal.look import Look
from scenewatch.model.errors import ConfigurationError, CorruptError, InUseError, RefusedError, TemporaryError
from scenewatch.model.messages import Messages
from scenewatch.model.ports import RecordKind
from scenewatch.settings import load
from scenewatch.store.duck import DuckStore
from scenewatch.store.relational import Database

NOW_MS = 1_800_000_000_000


def nothing_told(_):
    """Nobody watches."""


def settings_in(folder, store="duckdb:r.duckdb", database="sqlite:///rows.sqlite"):
    folder.mkdir(exist_ok=True)
    path = folder / "scenewatch.toml"
    path.write_text(
        f'[store]\nurl = "{store}"\n[database]\nurl = "{database}"\n[journal]\npath = "journal"\n', "utf-8"
    )
    return load(path, {})


@pytest.fixture
def kept(tmp_path):
    """What a worker left: a journal, a database, a store, and a state of the pipeline."""
    settings = settings_in(tmp_path / "first")
    folder = tmp_path / "first"
    Database(settings.database.url).close()
    DuckStore(folder / "r.duckdb").close()
    with closing(FileJournal(settings.journal.path, clock=HandClock(NOW_MS))) as journal:
        journal.identity()
        journal.append(Messages.of([(b"sw/k/s/d/telemetry", b"{}")] * 3, NOW_MS))
    (folder / "journal.state").mkdir()
    (folder / "journal.state" / f"{3:020d}.snapshot").write_bytes(b"state")
    (folder / "journal.state" / "4.snapshot.partial").write_bytes(b"not whole")
    return settings


@pytest.fixture
def made(kept, tmp_path):
    back_up(kept, tmp_path / "backup", HandClock(NOW_MS), nothing_told)
    return tmp_path / "backup"


def test_what_is_put_back_elsewhere_is_the_same(kept, made, tmp_path):
    there = settings_in(tmp_path / "second")
    told = restore(there, made)
    assert told.made_ms == NOW_MS
    assert told.left_out == []
    assert Look(there.journal.path).end == Look(kept.journal.path).end == 3
    assert (there.journal.path / "identity").read_bytes() == (kept.journal.path / "identity").read_bytes()
    assert [p.name for p in (tmp_path / "second" / "journal.state").iterdir()] == [f"{3:020d}.snapshot"]
    Database(there.database.url).close()
    DuckStore(tmp_path / "second" / "r.duckdb").close()
    assert not list(tmp_path.rglob("*.restoring"))


def test_a_database_is_copied_as_of_one_moment_while_it_is_written(kept, tmp_path):
    influx = settings_in(tmp_path / "first", store="influx+http://h:8086/?bucket=b")
    assert must_rest(kept)
    assert not must_rest(influx)
    with closing(sqlite3.connect(tmp_path / "first" / "rows.sqlite", isolation_level=None)) as writer:
        writer.execute("create table t (x integer)")
        writer.execute("begin immediate")
        writer.execute("insert into t values (1)")
        made = back_up(influx, tmp_path / "running", HandClock(NOW_MS), nothing_told)
        writer.execute("commit")
    assert made.left_out == ["InfluxDB: back it up now, by its own command"]
    with closing(sqlite3.connect(tmp_path / "running" / "scenewatch.sqlite")) as copy:
        assert copy.execute("select count(*) from t").fetchall() == [(0,)]


def test_a_journal_that_grows_meanwhile_is_copied_to_its_end(kept, tmp_path, monkeypatch):
    """And what it lets go of meanwhile has been copied before."""
    influx = settings_in(tmp_path / "first", store="influx+http://h:8086/?bucket=b")
    with closing(FileJournal(kept.journal.path, clock=HandClock(NOW_MS))) as journal:
        copy_database = making._copy_sqlite

        def while_it_grows(file, copy):
            done = journal.append_record(RecordKind.LISTENING, b"", NOW_MS)
            assert done == 4
            copy_database(file, copy)

        monkeypatch.setattr(making, "_copy_sqlite", while_it_grows)
        back_up(influx, tmp_path / "backup", HandClock(NOW_MS), nothing_told)
    assert Look(tmp_path / "backup" / "journal").end == 4


def test_a_worker_that_must_rest_is_told_so_and_cannot_start_meanwhile(kept, tmp_path):
    with (
        closing(FileJournal(kept.journal.path, clock=HandClock(NOW_MS))),
        pytest.raises(InUseError, match="is in use by another process: stop it"),
    ):
        back_up(kept, tmp_path / "backup", HandClock(NOW_MS), nothing_told)
    assert not (tmp_path / "backup").exists()

    def tries_to_start(_):
        with pytest.raises(InUseError):
            FileJournal(kept.journal.path, clock=HandClock(NOW_MS))

    back_up(kept, tmp_path / "backup", HandClock(NOW_MS), tries_to_start)


def test_a_folder_that_is_there_is_not_written_into(kept, made):
    before = sorted(made.rglob("*"))
    with pytest.raises(ConfigurationError, match="is there already; name a new folder"):
        back_up(kept, made, HandClock(NOW_MS), nothing_told)
    assert sorted(made.rglob("*")) == before


def test_one_that_fails_leaves_nothing(kept, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(making, "_copy_sqlite", full)
    with pytest.raises(TemporaryError, match=r"cannot be written \(No space left on device\)"):
        back_up(kept, tmp_path / "backup", HandClock(NOW_MS), nothing_told)
    assert [p.name for p in tmp_path.iterdir()] == ["first"]


@pytest.mark.parametrize("url", ["sqlite:///nothing.sqlite", "postgresql+psycopg://u:secret@h/d"])
@pytest.mark.usefixtures("kept")
def test_a_database_elsewhere(tmp_path, url):
    other = settings_in(tmp_path / "first", database=url)
    if url.startswith("sqlite"):
        with pytest.raises(RefusedError, match="there is no database; has a worker run"):
            back_up(other, tmp_path / "backup", HandClock(NOW_MS), nothing_told)
        return
    told = back_up(other, tmp_path / "backup", HandClock(NOW_MS), nothing_told)
    assert told.left_out == ["PostgreSQL: pg_dump it now, before the worker starts again"]
    assert "secret" not in (tmp_path / "backup" / manifest.NAME).read_text()


# --- putting back ------------------------------------------------------------------------------------------

IN_THE_WAY = ["journal/x", "journal.state/x", "journal.outbox/x", "rows.sqlite", "rows.sqlite-wal", "r.duckdb"]


@pytest.mark.parametrize("name", IN_THE_WAY)
def test_nothing_is_overwritten(made, tmp_path, name):
    there = settings_in(tmp_path / "second")
    in_the_way = tmp_path / "second" / name
    in_the_way.parent.mkdir(exist_ok=True)
    in_the_way.write_bytes(b"mine")
    before = sorted((tmp_path / "second").rglob("*"))
    with pytest.raises(ConfigurationError, match="is there; move it away first, nothing is overwritten"):
        restore(there, made)
    assert sorted((tmp_path / "second").rglob("*")) == before
    assert in_the_way.read_bytes() == b"mine"


def test_it_goes_back_to_the_store_it_is_of(made, tmp_path):
    there = settings_in(tmp_path / "second", store="influx+http://h:8086/?bucket=b")
    with pytest.raises(ConfigurationError, match="but the backup is of duckdb:"):
        restore(there, made)


def spoil_byte(made):
    [segment] = (made / "journal").glob("*.segment")
    data = bytearray(segment.read_bytes())
    data[-1] ^= 1
    segment.write_bytes(data)


def lose_file(made):
    (made / "scenewatch.sqlite").unlink()


def spoil_list(made):
    (made / manifest.NAME).write_text("{")


def name_outside(made):
    text = json.loads((made / manifest.NAME).read_text())
    text["files"][0]["path"] = "../../etc/passwd"
    (made / manifest.NAME).write_text(json.dumps(text))


def other_format(made):
    text = json.loads((made / manifest.NAME).read_text())
    (made / manifest.NAME).write_text(json.dumps(text | {"format": 2}))


def no_list(made):
    (made / manifest.NAME).unlink()


SPOILT = {
    spoil_byte: (CorruptError, "is not as it was written; take another backup"),
    lose_file: (CorruptError, "is not as it was written"),
    spoil_list: (CorruptError, "is damaged"),
    name_outside: (CorruptError, "names a file outside of it"),
    other_format: (RefusedError, "is of format 2: use the release that wrote it"),
    no_list: (RefusedError, "is no backup, or one that was not finished"),
}


@pytest.mark.parametrize(
    ("spoil", "error", "line"), [(k, *v) for k, v in SPOILT.items()], ids=lambda x: str(x)[:24]
)
def test_one_that_is_not_whole_is_refused_before_anything_is_written(made, tmp_path, spoil, error, line):
    there = settings_in(tmp_path / "second")
    spoil(made)
    with pytest.raises(error, match=line):
        restore(there, made)
    assert [p.name for p in (tmp_path / "second").iterdir()] == ["scenewatch.toml"]
