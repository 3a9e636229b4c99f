"""Readings of several files, forms and orders are one history: the first of two at one place and time counts."""

from __future__ import annotations

import random

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.model.errors import ConfigurationError
from scenewatch.recorded.mapping import Mapping
from scenewatch.recorded.merging import Names, Rows, in_order
from scenewatch.recorded.notes import Notes
from scenewatch.recorded.reading import Reader
from scenewatch.recorded.units import Known

BEGIN_MS = 1_714_521_600_000
KNOWN = {"a": Known("a", "", ""), "b": Known("b", "", "")}
WIDE = Mapping.model_validate(
    {
        "time": {"column": "time", "zone": "UTC"},
        "device": {"column": "device"},
        "channel": [{"key": "a"}, {"key": "b"}],
    }
)


def as_arrays(number, rows):
    """Of one file: (device, channel, time, value) each."""
    columns = [np.array(column) for column in zip(*rows, strict=True)] if rows else [np.empty(0)] * 4
    kinds = (np.int32, np.int32, np.int64, np.float64)
    device, channel, t_ms, value = (c.astype(kind) for c, kind in zip(columns, kinds, strict=True))
    return Rows(number, np.arange(len(rows)), device, channel, t_ms, value)


@settings(deadline=None, max_examples=60)
@given(
    files=st.lists(
        st.lists(
            st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 9), st.integers(0, 2)), max_size=20
        ),
        min_size=1,
        max_size=3,
    ).filter(any)
)
def test_each_place_and_time_has_the_first_value_of_the_first_file(files):
    notes = Notes()
    first, again = {}, 0
    for rows in files:
        for device, channel, t, value in rows:
            again += (t, device, channel) in first
            first.setdefault((t, device, channel), float(value))
    names = Names(("x", "y", "z"), ("a", "b"))
    taken = [as_arrays(number, rows) for number, rows in enumerate(files)]
    found = in_order(
        [f"f{n}" for n in range(len(files))], taken, names, notes, lambda _, rows: [str(r) for r in rows.tolist()]
    )
    places = zip(found.t_ms.tolist(), found.device.tolist(), found.channel.tolist(), strict=True)
    assert list(zip(places, found.value.tolist(), strict=True)) == sorted(first.items())
    told = sum(int(note.en.rpartition(": ")[2].partition(" ")[0]) for note in notes)
    assert told == again


def table(rows, *, shuffled):
    """A table of (time, device, a, b) with that many times, two devices, and holes."""
    chance = random.Random(7)
    found = [
        (BEGIN_MS + n * 60_000, device, round(chance.gauss(0, 5), 3), None if n % 7 == 0 else float(n))
        for n in range(rows)
        for device in ("d1", "d2")
    ]
    if shuffled:
        chance.shuffle(found)
    return found


def write(folder, rows, kind):
    path = folder / f"data.{kind}"
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("CREATE TABLE t (time TIMESTAMP, device VARCHAR, a DOUBLE, b DOUBLE)")
        con.executemany("INSERT INTO t VALUES (make_timestamp(? * 1000), ?, ?, ?)", rows)
        con.execute(f"COPY t TO '{path}' ({'FORMAT parquet' if kind == 'parquet' else 'HEADER'})")  # a path of ours
    return path


def same(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("t_ms", "channel", "value")
    ) and [one.devices[d] for d in one.device.tolist()] == [other.devices[d] for d in other.device.tolist()]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_forms_and_orders_give_the_same_history(tmp_path, kind):
    rows = table(60, shuffled=False)
    plain = Reader(WIDE, KNOWN).read([write(tmp_path, rows, "csv")])
    assert len(plain) == sum(b is not None for *_, b in rows) + len(rows)
    other = tmp_path / "other"
    other.mkdir()
    assert same(plain, Reader(WIDE, KNOWN).read([write(other, table(60, shuffled=True), kind)]))


def test_a_file_that_is_gone_through_by_hand_reads_as_ever(tmp_path):
    path = write(tmp_path, table(60, shuffled=False), "csv")
    plain = Reader(WIDE, KNOWN).read([path])
    path.write_text(path.read_text() + "2024-05-01,d1\n", "utf-8")
    found = Reader(WIDE, KNOWN).read([path])
    assert same(plain, found)
    assert [note.en.rpartition(", left out")[2] for note in found.notes if "fewer" in note.en] == [": 1 (line 122)"]


def test_times_by_their_type_know_their_zone(tmp_path):
    path = tmp_path / "typed.parquet"
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'Asia/Shanghai'")
        con.execute(
            "COPY (SELECT TIMESTAMPTZ '2024-05-01 08:00:00+08' AS time, 'd' AS device, 1 AS a, 2.5 AS b) "
            f"TO '{path}'"
        )
    found = Reader(WIDE, KNOWN).read([path])
    assert (found.t_ms.tolist(), found.value.tolist()) == ([BEGIN_MS, BEGIN_MS], [1.0, 2.5])


def test_a_part_of_the_time_is_cut_out():
    rows = [(0, 0, t, t) for t in range(10)]
    whole = in_order(["f"], [as_arrays(0, rows)], Names(("x",), ("a",)), Notes(), lambda _, __: [])
    assert whole.between(3, 6).t_ms.tolist() == [3, 4, 5]
    assert whole.between(None, None).t_ms.tolist() == list(range(10))
    assert whole.intervals_ms() == [1]


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match=r"away\.csv: cannot be read: No such file"):
        Reader(WIDE, KNOWN).read([tmp_path / "away.csv"])
