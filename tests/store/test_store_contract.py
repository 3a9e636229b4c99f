"""What every store of readings must do; see `ports.Store`."""

import struct
import subprocess
import sys
import tempfile
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import steady_writer
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import STORES, TIMES, TRANSACTIONAL, VALUES

from scenewatch.model.batch import Batch
from scenewatch.model.flags import Flag, Place
from scenewatch.model.flags import Test as SetBy  # pytest takes every Test* for a test
from scenewatch.model.ledger import Counts

ALL_TIME = (-(2**63), 2**63 - 1)
DAY_MS = 86_400_000
ONE_STORED = Counts(stored=1)


@pytest.fixture
def make_store(kind, tmp_path):
    """Opens the same store each time."""
    return lambda: STORES[kind](tmp_path)


def name(series):
    return f"kitchen.north.fridge{series}.temp"


def batch(rows, position, counts=ONE_STORED):
    """Rows of (series, t) and whatever else is given of value, flag, test, place."""
    padded = [(*row, 1.5, Flag.GOOD, SetBy.NONE, Place.NEW)[:6] if len(row) == 2 else row for row in rows]
    series, t_ms, value, flag, test, place = zip(*padded, strict=True) if rows else ((),) * 6
    made = Batch.of(series, t_ms, value, position=position)
    made.flag[:], made.test[:], made.place[:] = flag, test, place
    made.counts = counts
    return made


def bits(value):
    return struct.pack("<d", value)


def contents(store, series=0):
    r = store.readings(name(series), *ALL_TIME, 1_000_000)
    rows = zip(r.t_ms.tolist(), map(bits, r.value.tolist()), r.flag.tolist(), r.test.tolist(), strict=True)
    return list(rows)


def times(readings):
    return readings.t_ms.tolist()


def test_a_new_store_is_empty(make_store):
    with closing(make_store()) as store:
        assert store.position() == 0
        assert store.counts() == Counts()
        assert store.newest_ms() is None
        assert times(store.readings(name(0), *ALL_TIME, 10)) == []


def test_rows_position_and_account_are_there_after_opening_again(make_store):
    with closing(make_store()) as store:
        assert store.write(batch([(0, 10), (1, 20)], 5, Counts(3, 1, 1, 0)), name) == 2
        store.write(batch([(0, 30)], 9, Counts(2, 0, 1, 1)), name)
    with closing(make_store()) as store:
        assert store.position() == 9
        assert store.counts() == Counts(5, 1, 2, 1)
        assert store.newest_ms() == 30
        assert times(store.readings(name(0), *ALL_TIME, 10)) == [10, 30]


def test_a_batch_without_readings_moves_position_and_account(make_store):
    with closing(make_store()) as store:
        assert store.write(batch([], 7, Counts(dead=7)), name) == 0
        assert (store.position(), store.counts()) == (7, Counts(dead=7))
        assert store.newest_ms() is None


def test_a_batch_at_or_before_the_position_changes_nothing(make_store):
    with closing(make_store()) as store:
        store.write(batch([(0, 10)], 5), name)
        assert store.write(batch([(0, 11)], 5), name) == 0
        assert store.write(batch([(0, 12)], 4), name) == 0
        assert times(store.readings(name(0), *ALL_TIME, 10)) == [10]
        assert store.counts() == Counts(stored=1)


@pytest.mark.parametrize("place", [Place.NEW, Place.LATE])
def test_the_first_reading_of_a_place_stays(make_store, place):
    with closing(make_store()) as store:
        assert store.write(batch([(0, 10, 1.0, 1, 0, 0), (0, 10, 2.0, 3, 2, place)], 1), name) == 1
        assert store.write(batch([(0, 10, 3.0, 4, 2, place), (0, 9, 4.0, 1, 0, place)], 2), name) == 1
        assert contents(store) == [(9, bits(4.0), 1, 0), (10, bits(1.0), 1, 0)]


def test_what_is_marked_duplicate_is_left_out(make_store):
    with closing(make_store()) as store:
        assert store.write(batch([(0, 10, 1.0, 1, 0, Place.DUPLICATE)], 1), name) == 0
        assert contents(store) == []


@pytest.mark.parametrize("which", ["earliest", -1, 0, 1_700_000_000_001, "latest"])
def test_times_are_exact(make_store, kind, which):
    t_ms = {"earliest": TIMES[kind][0], "latest": TIMES[kind][1]}.get(which, which)
    with closing(make_store()) as store:
        store.write(batch([(0, t_ms)], 1), name)
        store.write(batch([(0, t_ms)], 2), name)
        assert times(store.readings(name(0), t_ms, t_ms + 1, 10)) == [t_ms]
        assert store.newest_ms() == t_ms


@pytest.mark.parametrize("value", [-0.0, 0.0, 0.1, 5e-324, -1.7976931348623157e308, 1.7976931348623157e308])
def test_values_come_back_bit_for_bit(make_store, value):
    with closing(make_store()) as store:
        store.write(batch([(0, 1, value, Flag.MISSING, SetBy.GAP, Place.NEW)], 1), name)
        assert contents(store) == [(1, bits(value), Flag.MISSING, SetBy.GAP)]


def test_readings_are_those_of_a_half_open_span(make_store):
    with closing(make_store()) as store:
        store.write(batch([(0, t) for t in (40, 10, 30, 20)] + [(1, 25)], 1), name)
        assert times(store.readings(name(0), 20, 40, 10)) == [20, 30]


@pytest.mark.parametrize(("limit", "expected", "truncated"), [(2, [10, 20], True), (3, [10, 20, 30], False)])
def test_the_limit_keeps_the_earliest_and_says_so(make_store, limit, expected, truncated):
    with closing(make_store()) as store:
        store.write(batch([(0, 30), (0, 10), (0, 20)], 1), name)
        found = store.readings(name(0), *ALL_TIME, limit)
        assert (times(found), found.truncated) == (expected, truncated)


def test_series_are_known_by_name_whatever_their_numbers(make_store):
    with closing(make_store()) as store:
        store.write(batch([(0, 10), (1, 11)], 1), name)
    renumbered = {3: name(1), 7: name(0), 9: name(1)}
    with closing(make_store()) as store:
        assert store.write(batch([(3, 12), (7, 13), (9, 14), (9, 12), (3, 11)], 2), renumbered.__getitem__) == 3
        assert times(store.readings(name(0), *ALL_TIME, 10)) == [10, 13]
        assert times(store.readings(name(1), *ALL_TIME, 10)) == [11, 12, 14]


def test_a_batch_that_cannot_be_named_leaves_nothing_behind(make_store):
    with closing(make_store()) as store:
        store.write(batch([(0, 10)], 1), name)
        with pytest.raises(KeyError):
            store.write(batch([(0, 11), (1, 11)], 2), {0: name(0)}.__getitem__)
        assert store.position() == 1
        assert store.write(batch([(0, 11), (1, 11)], 2), name) == 2
        assert times(store.readings(name(0), *ALL_TIME, 10)) == [10, 11]


def test_a_reader_sees_whole_batches_only(make_store):
    with closing(make_store()) as store:
        store.write(batch([(0, 0), (1, 0)], 1), name)
        done = threading.Event()

        def write():
            for k in range(1, 300):
                store.write(batch([(0, k), (1, k)], k + 1), name)
            done.set()

        writer = threading.Thread(target=write)
        writer.start()
        while not done.is_set():
            first, second = (times(store.readings(name(s), *ALL_TIME, 1000)) for s in (0, 1))
            assert first == list(range(len(first)))
            assert len(second) >= len(first)
        writer.join()
        assert len(times(store.readings(name(0), *ALL_TIME, 1000))) == 300


@pytest.mark.parametrize("lines", [1, 7, 40])
def test_after_kill_9_position_and_rows_agree(kind, tmp_path, lines):
    program = [sys.executable, Path(steady_writer.__file__), kind, tmp_path]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        said = [int(process.stdout.readline()) for _ in range(lines)]
        process.kill()
    with closing(STORES[kind](tmp_path)) as store:
        position = store.position()
        assert position >= said[-1]
        assert store.counts() == Counts(stored=position)
        if kind not in TRANSACTIONAL:  # rows may be ahead of the position; the same batch again makes them one
            position += 1
            store.write(steady_writer.batch(position), steady_writer.name)
        expected = {(s, t) for k in range(1, position + 1) for s, t in places(steady_writer.batch(k))}
        assert {(s, t) for s in range(steady_writer.SERIES) for t in stored_times(store, s)} == expected
        assert sum(len(stored_times(store, s)) for s in range(steady_writer.SERIES)) == len(expected)
        assert store.write(steady_writer.batch(position + 1), steady_writer.name) >= 0


def places(written):
    return zip(written.series.tolist(), written.t_ms.tolist(), strict=True)


def stored_times(store, series):
    return times(store.readings(steady_writer.name(series), *ALL_TIME, 1_000_000))


def steps_of(kind):
    earliest, latest = TIMES[kind]
    row = st.tuples(
        st.integers(0, 3),
        st.integers(0, 5) | st.integers(0, 3).map(lambda d: d * DAY_MS - 1) | st.integers(earliest, latest),
        VALUES[kind],
        st.sampled_from(list(Flag)),
        st.sampled_from(list(SetBy)),
        st.sampled_from([Place.NEW, Place.NEW, Place.LATE, Place.DUPLICATE]),
    )
    return st.lists(st.lists(row, max_size=12) | st.sampled_from(["open again", "send again"]), max_size=8)


@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_any_batches_are_kept_exactly_once(data, kind):
    steps = data.draw(steps_of(kind))
    with tempfile.TemporaryDirectory() as folder:
        store = STORES[kind](Path(folder))
        oracle, position, sent, numbering = {}, 0, None, 0
        for step in steps:
            if step == "open again":
                store.close()
                store, numbering = STORES[kind](Path(folder)), numbering + 1
            elif step == "send again":
                if sent is not None:
                    assert store.write(sent, lambda n, by=numbering: name(n ^ by)) == 0
            else:
                position += 1
                sent = batch([(s ^ numbering, *rest) for s, *rest in step], position)
                before = len(oracle)
                for s, t_ms, value, flag, test, place in step:
                    if place != Place.DUPLICATE:
                        oracle.setdefault((s, t_ms), (bits(value), flag, test))
                assert store.write(sent, lambda n, by=numbering: name(n ^ by)) == len(oracle) - before
        assert store.position() == position
        assert store.newest_ms() == max((t for _, t in oracle), default=None)
        for s in range(4):
            assert contents(store, s) == sorted((t, *rest) for (of, t), rest in oracle.items() if of == s)
        store.close()


def test_bulk_and_trickle_are_alike(make_store):
    """One series' times in any order across batch sizes that take different ways inside."""
    shuffled = np.random.default_rng(7).permutation(5_000)
    with closing(make_store()) as store:
        added = 0
        for k, part in enumerate(np.split(shuffled, [1, 2, 10, 100, 4_000])):
            added += store.write(batch([(0, int(t)) for t in part], k + 1), name)
        assert added == 5_000
        assert times(store.readings(name(0), *ALL_TIME, 10_000)) == list(range(5_000))
