"""What DuckStore does with its levels beyond the contract: older files, order of rows, room, other threads."""

import threading
from contextlib import closing

import duckdb
import numpy as np
import pytest

from scenewatch.model.batch import Batch
from scenewatch.model.errors import TemporaryError
from scenewatch.model.level import Level
from scenewatch.store import ducklevels
from scenewatch.store.duck import DuckStore

MINUTE, HOUR, DAY = Level.MINUTE.span_ms, Level.HOUR.span_ms, Level.DAY.span_ms
LEVELS = (Level.MINUTE, Level.HOUR, Level.DAY)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "readings.duckdb"


@pytest.fixture
def store(path):
    with closing(DuckStore(path)) as store:
        yield store


def name(series):
    return f"drainage.west.manhole{series}.level"


def each_minute(begin, minutes, position, series=3):
    t_ms = begin + MINUTE * np.arange(minutes)
    return Batch.of(
        np.tile(np.arange(series), minutes),
        np.repeat(t_ms, series),
        np.arange(minutes * series, dtype=float),
        position=position,
    )


def places(store, table):
    with store._file.reading() as cursor:
        return cursor.table(table).project("series, t").fetchall()


def test_a_file_from_before_there_were_levels_gets_them(path):
    with closing(DuckStore(path)) as store:
        store.write(each_minute(0, 2, 1), name)
    with duckdb.connect(path) as con:
        con.execute("drop table minute; drop table hour; drop table day")
    with closing(DuckStore(path)) as store:
        assert store.summarise(Level.MINUTE, 0, HOUR) == 6
    with closing(DuckStore(path)) as store:
        assert store.summaries(name(1), Level.MINUTE, 0, DAY, 9).high.tolist() == [1.0, 4.0]


def test_the_minutes_of_a_day_that_is_made_lie_by_series(store):
    store.write(each_minute(0, 2 * 1440, 1), name)
    for begin in range(0, 2 * DAY, HOUR):
        store.summarise(Level.MINUTE, begin, begin + HOUR)
    unsorted = places(store, "minute")
    assert unsorted != sorted(unsorted)
    store.summarise(Level.HOUR, 0, 2 * DAY)
    store.summarise(Level.DAY, 0, 2 * DAY)
    assert places(store, "minute") == sorted(unsorted)
    assert store.summarise(Level.DAY, 0, 2 * DAY, devices=["drainage.west.manhole0"]) == 2


def test_the_hours_of_a_month_lie_by_series_once_its_last_day_is_made(store):
    store.write(Batch.of([0, 1] * 70, np.arange(70).repeat(2) * 12 * HOUR, np.ones(140), position=1), name)
    for begin in range(0, 35 * DAY, DAY):
        for level in LEVELS:
            store.summarise(level, begin, begin + DAY)
    found = places(store, "hour")
    assert found[:128] == sorted(t for t in found if t[1] < 32 * DAY)


def test_a_city_too_large_to_be_sorted_stays_as_it_is(store, monkeypatch):
    monkeypatch.setattr(ducklevels, "SORTED_AT_ONCE", 5)
    store.write(each_minute(0, 2, 1), name)
    for begin in (0, MINUTE):
        store.summarise(Level.MINUTE, begin, begin + MINUTE)
    store.summarise(Level.HOUR, 0, DAY)
    store.summarise(Level.DAY, 0, DAY)
    found = places(store, "minute")
    assert len(found) == 6
    assert found != sorted(found)


@pytest.mark.parametrize("rows", [2, 7])
def test_many_series_are_made_in_several_steps(store, monkeypatch, rows):
    monkeypatch.setattr(ducklevels, "ROWS_AT_ONCE", rows)  # of three series: one minute of two, or two minutes
    store.write(each_minute(0, 5, 1), name)
    assert store.summarise(Level.MINUTE, 0, 5 * MINUTE) == 15
    assert len(set(places(store, "minute"))) == 15
    assert store.summarise(Level.MINUTE, 0, 5 * MINUTE, devices=["drainage.west.manhole2"]) == 5


def test_what_was_forgotten_makes_room_for_what_comes(path):
    """The file holds two days at a time, however many have passed."""
    sizes = []
    with closing(DuckStore(path)) as store:
        for day in range(8):
            store.write(each_minute(day * DAY, 1440, day + 1, series=60), name)
            for level in LEVELS:
                store.summarise(level, day * DAY, (day + 1) * DAY)
            store.sort_closed_days((day + 1) * DAY)
            before = dict.fromkeys((Level.READING, Level.MINUTE), (day - 1) * DAY)
            assert store.forget(before) == (2 * 1440 * 60 if day >= 2 else 0)
            with store._file.changing() as con:
                con.execute("checkpoint")
            sizes.append(path.stat().st_size)
        assert store.oldest_ms() == 6 * DAY
        assert len(store.summaries(name(0), Level.DAY, 0, 8 * DAY, 99).t_ms) == 8
    assert max(sizes[4:]) < 1.3 * max(sizes[:4])


def test_levels_are_made_while_the_writer_writes_and_sorts(store):
    """Neither waits for the other for good, and nothing of either is lost."""
    done, failed = threading.Event(), []

    def make():
        try:
            while not done.is_set():
                for level in LEVELS:
                    store.summarise(level, 0, 4 * DAY)
                store.forget({Level.READING: -DAY})
        except TemporaryError as error:
            failed.append(error)

    maker = threading.Thread(target=make)
    maker.start()
    for day in range(4):
        for hour in range(24):
            store.write(each_minute(day * DAY + hour * HOUR, 60, day * 24 + hour + 1), name)
        store.sort_closed_days((day + 1) * DAY)
    done.set()
    maker.join()
    assert not failed
    for level in LEVELS:
        store.summarise(level, 0, 4 * DAY)
    assert store.summaries(name(2), Level.DAY, 0, 4 * DAY, 9).count.tolist() == [1440] * 4


def test_what_was_interrupted_is_undone_and_can_be_made_again(store):
    store.write(each_minute(0, 3, 1), name)
    store.summarise(Level.MINUTE, 0, HOUR)
    before = places(store, "minute")
    with pytest.raises(TemporaryError, match="cannot write now"), store._file.changing() as con:
        con.begin().execute("delete from minute").execute("select from nothing")
    assert places(store, "minute") == before
    store.close()
    with pytest.raises(TemporaryError, match="is not open"):
        store.summarise(Level.MINUTE, 0, HOUR)
    store.write(each_minute(HOUR, 3, 2), name)
    assert store.summarise(Level.MINUTE, 0, 2 * HOUR) == 18
