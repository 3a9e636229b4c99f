"""Exported files: what is written is read the same, by whoever reads CSV and Parquet; or there is none at all."""

from __future__ import annotations

import csv
import math

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.export import files
from scenewatch.export.pages import backwards, forwards
from scenewatch.export.tables import EVENTS, READINGS, Series, iso, reading_rows
from scenewatch.model.errors import ConfigurationError, RefusedError, ScenewatchError, TemporaryError
from scenewatch.model.flags import Flag
from scenewatch.model.flags import Test as QualityTest
from scenewatch.model.ports import Readings

T_MS = 1_800_000_000_123
SERIES = Series("brine.w1.vat-1", "temp", "°C")
HOSTILE = ["=1+1", "+1", "-1", "@x", "\t=1", "'=1", 'say "no"', "two\nlines", "a,b", "", "库", "<b>"]


def event(text, lat=None, position=1):
    times = (iso(T_MS), T_MS, iso(T_MS + 1), T_MS + 1)
    return ("brine.w1", "brine.w1.vat-1", "seen", "info", *times, text, lat, None, "", '{"a": "=1"}', position)


def read_parquet(path):
    with duckdb.connect() as con:
        found = con.read_parquet(str(path))
        return dict(zip(found.columns, map(str, found.types), strict=True)), found.fetchall()


def test_readings_have_named_flags_and_times_for_people_and_programs(tmp_path):
    columns = (np.array([T_MS]), np.array([0.1]), np.array([Flag.SUSPECT]), np.array([QualityTest.STUCK]))
    rows = list(reading_rows(SERIES, Readings(*columns, truncated=False)))
    path = tmp_path / "readings.csv"
    assert files.write(path, READINGS, rows) == 1
    assert path.read_text("utf-8").splitlines() == [
        "site,device,channel,unit,time,t_ms,value,flag,test",
        "brine.w1,brine.w1.vat-1,temp,°C,2027-01-15T08:00:00.123Z,1800000000123,0.1,suspect,stuck",
    ]


def test_parquet_has_typed_columns_and_texts_as_they_are(tmp_path):
    path = tmp_path / "events.parquet"
    assert files.write(path, EVENTS, [event(text, 0.1, n) for n, text in enumerate(HOSTILE)]) == len(HOSTILE)
    types, rows = read_parquet(path)
    assert types == {name: str(kind) for name, kind in EVENTS.items()}
    assert [row[8] for row in rows] == HOSTILE
    assert {(row[5], row[9], row[10], row[11], row[12]) for row in rows} == {(T_MS, 0.1, None, "", '{"a": "=1"}')}
    assert {row[4].isoformat() for row in rows} == {"2027-01-15T08:00:00.123000"}


def test_no_text_of_a_csv_file_is_run_by_a_spreadsheet(tmp_path):
    path = tmp_path / "events.csv"
    files.write(path, EVENTS, [event(text) for text in HOSTILE])
    with path.open(encoding="utf-8", newline="") as file:
        told = [row["text"] for row in csv.DictReader(file)]
    assert [text for text in told if text[:1] in ("=", "+", "-", "@", "\t", "\r")] == []
    assert [text.removeprefix("'") if text not in HOSTILE else text for text in told] == HOSTILE


@settings(max_examples=15)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20))
def test_every_number_comes_back_to_its_last_bit(tmp_path_factory, values):
    path = tmp_path_factory.getbasetemp() / "numbers.parquet"
    n = len(values)
    columns = (np.arange(n), np.array(values, np.float64), np.zeros(n, np.uint8) + Flag.GOOD, np.zeros(n, np.uint8))
    files.write(path, READINGS, reading_rows(SERIES, Readings(*columns, truncated=False)))
    back = [row[6] for row in read_parquet(path)[1]]
    assert [math.copysign(1, x) for x in back] == [math.copysign(1, x) for x in values]
    assert back == values


def test_a_file_that_is_not_whole_has_not_its_name(tmp_path):
    def breaks_off():
        yield event("first")
        raise TemporaryError("the store is away")

    for name in ("events.csv", "events.parquet"):
        (tmp_path / name).write_text("of yesterday")
        with pytest.raises(TemporaryError):
            files.write(tmp_path / name, EVENTS, breaks_off())
        assert (tmp_path / name).read_text() == "of yesterday"
    assert len(list(tmp_path.iterdir())) == 2


def test_where_nothing_can_be_written_is_told_before_all_is_read(tmp_path):
    (tmp_path / "folder.csv").mkdir()
    for name, what in {
        "events.xlsx": "must end in .csv or .parquet",
        "folder.csv": "is there and no file",
        "nowhere/events.csv": "there is no folder",
    }.items():
        with pytest.raises(ConfigurationError, match=what):
            files.check(tmp_path / name)
    with pytest.raises(ScenewatchError, match="cannot be written"):
        files.write(tmp_path / "nowhere" / "events.csv", EVENTS, [])


# --- piece by piece ----------------------------------------------------------------------------------------


@settings(max_examples=100)
@given(st.sets(st.integers(-50, 50)), st.integers(1, 7), st.integers(-60, 60), st.integers(-60, 60))
def test_forwards_each_reading_comes_once_in_its_order(times, page, from_ms, to_ms):
    kept = sorted(times)

    def fetch(since, until, limit):
        found = [t for t in kept if since <= t < until]
        t_ms = np.array(found[:limit], np.int64)
        return Readings(t_ms, t_ms * 1.0, t_ms.astype(np.uint8), t_ms.astype(np.uint8), len(found) > limit)

    told = [t for piece in forwards(fetch, from_ms, to_ms, page) for t in piece.t_ms.tolist()]
    assert told == [t for t in kept if from_ms <= t < to_ms]


@settings(max_examples=100)
@given(st.lists(st.integers(0, 12), max_size=40), st.integers(2, 50))
def test_backwards_each_entry_comes_once_however_many_are_of_one_time(times, page):
    kept = sorted(((t, n) for n, t in enumerate(times)), reverse=True)
    asked = []

    def fetch(until, limit):
        asked.append(until)
        return [entry for entry in kept if entry[0] < until][:limit]

    told = []
    try:
        told.extend(backwards(fetch, lambda e: e[0], lambda e: e[1], 100, page))
    except RefusedError:
        assert max(times.count(t) for t in times) >= page  # else nothing stands in the way
    else:
        assert told == kept
    assert len(asked) <= len(kept) + 2
