"""What DuckStore does beyond the contract: sorted days, errors of the file, other processes."""

import resource
import subprocess
import sys
import threading
from contextlib import closing, contextmanager

import duckdb
import numpy as np
import pytest

from scenewatch.model.batch import Batch
from scenewatch.model.errors import ConfigurationError, CorruptError, InUseError, TemporaryError
from scenewatch.store.duck import DuckStore

DAY_MS = 86_400_000
HOUR_MS = DAY_MS // 24
FOR_EVER = (0, 10**15)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "readings.duckdb"


@pytest.fixture
def store(path):
    with closing(DuckStore(path)) as store:
        yield store


def name(series):
    return f"drainage.west.manhole{series}.level"


def hourly(days, position, series=3):
    """Each hour of these days, all series at a time."""
    t_ms = np.concatenate([np.arange(d * DAY_MS, (d + 1) * DAY_MS, HOUR_MS) for d in days])
    return Batch.of(
        np.tile(np.arange(series), len(t_ms)),
        np.repeat(t_ms, series),
        np.arange(len(t_ms) * series, dtype=float),
        position=position,
    )


def stored_order(store):
    with store._file.reading() as cursor:
        return cursor.execute("select series, t, value from reading order by rowid").fetchall()


class Unsure:
    """A connection whose commit raises: after it was done, or instead of doing it."""

    def __init__(self, con, *, durable):
        self._con, self._durable = con, durable

    def __getattr__(self, attribute):
        return getattr(self._con, attribute)

    def commit(self):
        if self._durable:
            self._con.commit()
        raise duckdb.FatalException("FATAL Error: could not say whether it is written")


@contextmanager
def disk_with(free_bytes, path):
    """Files of this process cannot grow beyond what they have and `free_bytes`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(f.stat().st_size for f in path.parent.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + free_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_closed_days_are_rewritten_by_series_and_time(store):
    store.write(hourly([0, 1, 2], 1), name)
    rows = stored_order(store)
    assert store.sort_closed_days(2 * DAY_MS + 1) == 2
    kept = [row for row in rows if row[1] >= 2 * DAY_MS]
    sorted_days = [sorted(row for row in rows if row[1] // DAY_MS == day) for day in (0, 1)]
    assert stored_order(store) == kept + sorted_days[0] + sorted_days[1]


def test_a_day_sent_again_stays_sorted(store):
    store.write(hourly([0, 1], 1), name)
    assert store.sort_closed_days(2 * DAY_MS) == 2
    assert store.write(hourly([0, 1], 2), name) == 0
    assert store.sort_closed_days(2 * DAY_MS) == 0


def test_sorting_goes_day_by_day_and_ends(store):
    store.write(hourly([0, 1, 2], 1), name)
    assert [store.sort_closed_days(9 * DAY_MS, most=2) for _ in range(3)] == [2, 1, 0]


def test_a_late_reading_makes_its_day_unsorted_again_even_after_opening_again(path):
    with closing(DuckStore(path)) as store:
        store.write(hourly([0, 1], 1), name)
        assert store.sort_closed_days(2 * DAY_MS) == 2
        store.write(Batch.of([0], [5], [1.0], position=2), name)
    with closing(DuckStore(path)) as store:
        assert store.sort_closed_days(2 * DAY_MS) == 1
        assert store.readings(name(0), 0, HOUR_MS + 1, 9).t_ms.tolist() == [0, 5, HOUR_MS]
        assert store.count() == 2 * 24 * 3 + 1


def test_sorting_loses_and_doubles_nothing_beside_a_reader(store):
    store.write(hourly(range(5), 1), name)
    done = threading.Event()
    seen = set()

    def read():
        while True:
            seen.add(len(store.readings(name(1), *FOR_EVER, 1000).t_ms))
            if done.is_set():
                return

    reader = threading.Thread(target=read)
    reader.start()
    assert store.sort_closed_days(5 * DAY_MS) == 5
    done.set()
    reader.join()
    assert seen == {5 * 24}
    assert store.count() == 5 * 24 * 3
    assert store.write(hourly(range(5), 2), name) == 0


@pytest.mark.parametrize("durable", [True, False])
def test_after_a_commit_that_raised_the_file_is_asked(store, durable):
    store.write(hourly([0], 1), name)
    store._file._con = Unsure(store._file._con, durable=durable)
    if durable:
        assert store.write(hourly([1], 2, series=4), name) == 24 * 4
    else:
        with pytest.raises(TemporaryError, match="cannot write now"):
            store.write(hourly([1], 2, series=4), name)
        assert (store.position(), store.newest_ms()) == (1, 23 * HOUR_MS)
        assert store.write(hourly([1], 2, series=4), name) == 24 * 4
    assert store.write(hourly([1], 3, series=4), name) == 0
    assert store.count() == 24 * 3 + 24 * 4
    assert store.newest_ms() == 47 * HOUR_MS
    assert store.names() == [name(s) for s in range(4)]


@pytest.mark.parametrize("durable", [True, False])
def test_after_sorting_that_raised_the_day_is_sorted_or_tried_again(store, durable):
    store.write(hourly([0], 1), name)
    store._file._con = Unsure(store._file._con, durable=durable)
    if durable:
        assert store.sort_closed_days(DAY_MS) == 1
    else:
        with pytest.raises(TemporaryError):
            store.sort_closed_days(DAY_MS)
        assert store.sort_closed_days(DAY_MS) == 1
    assert stored_order(store) == sorted(stored_order(store))
    assert store.count() == 24 * 3


def test_a_full_disk_is_told_and_survived(store, path):
    store.write(hourly([0], 1), name)
    big = hourly(range(1, 60), 2, series=40)
    big.value[:] = np.random.default_rng(3).random(len(big))
    with disk_with(20_000, path), pytest.raises(TemporaryError, match="disk is full"):
        store.write(big, name)
    assert store.position() == 1
    assert store.count() == 24 * 3
    assert store.write(big, name) == len(big)
    assert store.position() == 2


def test_a_file_that_cannot_be_opened_again_is_tried_at_the_next_write(store, monkeypatch):
    store.write(hourly([0], 1), name)
    store._file._con = Unsure(store._file._con, durable=False)
    with monkeypatch.context() as patch:
        patch.setattr(duckdb, "connect", lambda *_, **__: (_ for _ in ()).throw(duckdb.IOException("no such luck")))
        for _ in range(2):
            with pytest.raises(TemporaryError, match="no such luck"):
                store.write(hourly([1], 2), name)
        with pytest.raises(TemporaryError, match="not open"):
            store.readings(name(0), *FOR_EVER, 10)
    assert store.write(hourly([1], 2), name) == 24 * 3
    assert store.count() == 2 * 24 * 3


def test_readers_survive_a_file_opened_again(store):
    store.write(hourly([0], 1), name)
    done = threading.Event()
    counts = []

    def read():
        while not (done.is_set() and counts and counts[-1]):
            try:
                counts.append(store.count())
            except TemporaryError:
                counts.append(None)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(5):
        store._file.reopen()
    done.set()
    for reader in readers:
        reader.join()
    assert {24 * 3} <= set(counts) <= {24 * 3, None}
    assert store.count() == 24 * 3


HOLDER = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"


def test_a_file_another_process_holds_is_in_use(path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(InUseError, match="another process"):
            DuckStore(path)
        holder.stdin.close()
    DuckStore(path).close()


def test_a_file_that_is_no_database_is_corrupt(path):
    path.write_bytes(b"no database " * 2000)
    with pytest.raises(CorruptError, match=r"readings\.duckdb"):
        DuckStore(path)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(TemporaryError, match="nowhere"):
        DuckStore(tmp_path / "nowhere" / "readings.duckdb")


def test_a_newer_schema_is_refused(path):
    DuckStore(path).close()
    with closing(duckdb.connect(path)) as con:
        con.execute("update state set version = 99")
    with pytest.raises(ConfigurationError, match="schema 99"):
        DuckStore(path)


def test_small_commits_do_not_fill_the_memory(store):
    """An updated row costs DuckDB 256 KiB a commit until the next checkpoint."""
    for k in range(200):
        store.write(Batch.of([0], [k], [1.0], position=k + 1), name)
    with store._file.reading() as cursor:
        (held,) = cursor.execute("select sum(memory_usage_bytes) from duckdb_memory()").fetchone()
    assert held < 200 * 2**18 / 4


def test_the_marks_may_be_too_high_and_nothing_is_lost(store):
    """What a transaction raised before it failed only costs a look at the table."""
    store._file._con = Unsure(store._file._con, durable=False)
    with pytest.raises(TemporaryError):
        store.write(hourly([7], 1), name)
    assert store.newest_ms() is None
    assert store.write(hourly([3], 1), name) == 24 * 3
    assert store.newest_ms() == (3 * 24 + 23) * HOUR_MS
