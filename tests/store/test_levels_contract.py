"""What every store must do with summaries; see `ports.Levels`."""

import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import STORES

from scenewatch.model.batch import Batch
from scenewatch.model.flags import Flag
from scenewatch.model.level import Level

MINUTE, HOUR, DAY = Level.MINUTE.span_ms, Level.HOUR.span_ms, Level.DAY.span_ms
T0 = 1_699_920_000_000
"""A midnight in UTC."""
ALL_TIME = (-(2**63), 2**63 - 1)
NAN = float("nan")


@pytest.fixture
def store(kind, tmp_path):
    with closing(STORES[kind](tmp_path)) as store:
        yield store


def name(series):
    return f"kitchen.north.fridge{series}.temp"


def write(store, rows):
    """Rows of (series, t, value, flag)."""
    series, t_ms, value, flag = zip(*rows, strict=True)
    batch = Batch.of(series, t_ms, value, position=store.position() + 1)
    batch.flag[:] = flag
    store.write(batch, name)


def every_10_s(from_ms, to_ms, series=0):
    return [(series, t, float(t // 10_000 % 7), Flag.GOOD) for t in range(from_ms, to_ms, 10_000)]


def rows(summaries):
    """By the window's begin."""
    s = summaries
    columns = (s.low, s.high, s.mean, s.count, s.good, s.flag)
    return dict(zip(s.t_ms.tolist(), zip(*(c.tolist() for c in columns), strict=True), strict=True))


def kept(store, level, series=0, span=ALL_TIME):
    return rows(store.summaries(name(series), level, *span, 100_000))


def computed(readings, span_ms, from_ms, series=0):
    """The same from the readings, by numpy. The first reading of a place is the one that counts."""
    of = {t: (value, flag) for s, t, value, flag in reversed(readings) if s == series}
    windows = {}
    for t, reading in of.items():
        windows.setdefault(from_ms + (t - from_ms) // span_ms * span_ms, []).append(reading)
    return {begin: window_of(*map(np.array, zip(*inside, strict=True))) for begin, inside in windows.items()}


def window_of(value, flag):
    good = value[flag != Flag.FAIL]
    mean = float(good.mean()) if len(good) else NAN
    return float(value.min()), float(value.max()), mean, len(value), len(good), int(flag.max())


def alike(found):
    """Sums may be taken in any order."""
    return {
        begin: tuple(pytest.approx(x, rel=1e-9, abs=1e-6, nan_ok=True) for x in row) for begin, row in found.items()
    }


def test_nothing_is_made_of_nothing(store):
    assert store.oldest_ms() is None
    assert store.summarise(Level.MINUTE, T0, T0 + HOUR) == 0
    assert store.summarise(Level.DAY, T0, T0 + DAY) == 0
    assert kept(store, Level.MINUTE) == {}
    assert store.forget({Level.READING: T0}) == 0


def test_a_window_tells_extremes_mean_and_worst_flag(store):
    write(
        store,
        [(0, T0, 1.0, Flag.GOOD), (0, T0 + 59_999, 4.0, Flag.SUSPECT), (0, T0 + 60_000, 9.0, Flag.NOT_EVALUATED)],
    )
    assert store.summarise(Level.MINUTE, T0, T0 + 2 * MINUTE) == 2
    assert kept(store, Level.MINUTE) == {
        T0: (1.0, 4.0, 2.5, 2, 2, Flag.SUSPECT),
        T0 + MINUTE: (9.0, 9.0, 9.0, 1, 1, Flag.NOT_EVALUATED),
    }
    assert store.oldest_ms() == T0


@pytest.mark.parametrize("flag", list(Flag))
def test_a_peak_of_one_sample_is_never_hidden(store, flag):
    write(store, [*every_10_s(T0, T0 + MINUTE), (0, T0 + 5_000, 1e6, flag)])
    for level in (Level.MINUTE, Level.HOUR, Level.DAY):
        store.summarise(level, T0, T0 + DAY)
        (window,) = kept(store, level).values()
        assert window[1] == 1e6
        assert window[5] == max(flag, Flag.GOOD)


def test_there_is_no_mean_where_all_failed(store):
    write(store, [(0, T0, 5.0, Flag.FAIL), (0, T0 + MINUTE, 7.0, Flag.FAIL), (0, T0 + MINUTE + 1, 2.0, Flag.GOOD)])
    for level in (Level.MINUTE, Level.HOUR):
        store.summarise(level, T0, T0 + HOUR)
    assert kept(store, Level.MINUTE) == {
        T0: (5.0, 5.0, pytest.approx(NAN, nan_ok=True), 1, 0, Flag.FAIL),
        T0 + MINUTE: (2.0, 7.0, 2.0, 2, 1, Flag.FAIL),
    }
    assert kept(store, Level.HOUR) == {T0: (2.0, 7.0, 2.0, 3, 1, Flag.FAIL)}


def test_an_hour_without_a_good_reading_has_no_mean_either(store):
    write(store, [(0, T0, 5.0, Flag.FAIL), (0, T0 + MINUTE, 7.0, Flag.FAIL)])
    for level in (Level.MINUTE, Level.HOUR, Level.DAY):
        store.summarise(level, T0, T0 + DAY)
    assert kept(store, Level.DAY) == {T0: (5.0, 7.0, pytest.approx(NAN, nan_ok=True), 2, 0, Flag.FAIL)}


def test_minutes_of_one_step_are_those_of_one_minute_each(store):
    readings = every_10_s(T0, T0 + 10 * MINUTE)
    write(store, readings)
    assert store.summarise(Level.MINUTE, T0, T0 + 4 * MINUTE) == 4
    for begin in range(T0 + 4 * MINUTE, T0 + 10 * MINUTE, MINUTE):
        assert store.summarise(Level.MINUTE, begin, begin + MINUTE) == 1
    assert kept(store, Level.MINUTE) == alike(computed(readings, MINUTE, T0))


@pytest.mark.parametrize("offset", [-8 * HOUR, 5 * HOUR + 30 * MINUTE, 1_234])
def test_days_begin_where_they_are_counted_from(store, offset):
    readings = [(0, T0 + k * HOUR + 1_234, float(k), Flag.GOOD) for k in range(72)]
    write(store, readings)
    begin = T0 + DAY + offset
    for level in (Level.MINUTE, Level.HOUR, Level.DAY):
        store.summarise(level, begin, begin + DAY)
    assert kept(store, Level.DAY) == alike(
        computed([r for r in readings if begin <= r[1] < begin + DAY], DAY, begin)
    )


def test_late_readings_are_in_it_when_it_is_made_again(store):
    readings = every_10_s(T0, T0 + HOUR)
    write(store, readings)
    for level in (Level.MINUTE, Level.HOUR):
        store.summarise(level, T0, T0 + HOUR)
    late = [(0, T0 + 30 * MINUTE + 1, 99.0, Flag.SUSPECT), (0, T0 - 1, 5.0, Flag.GOOD)]
    write(store, late)
    assert kept(store, Level.HOUR)[T0][1] < 99
    for level in (Level.MINUTE, Level.HOUR):
        store.summarise(level, T0 - HOUR, T0 + HOUR)
    for level in (Level.MINUTE, Level.HOUR):
        assert kept(store, level) == alike(computed(readings + late, level.span_ms, T0))


def test_a_window_of_which_nothing_is_below_stays_as_it_is(store, kind):
    write(store, every_10_s(T0, T0 + 2 * HOUR))
    for level in (Level.MINUTE, Level.HOUR):
        store.summarise(level, T0, T0 + 2 * HOUR)
    before = kept(store, Level.MINUTE), kept(store, Level.HOUR)
    if kind == "duck":
        assert store.forget({Level.READING: T0 + HOUR, Level.MINUTE: T0 + HOUR}) == 360 + 60
        assert kept(store, Level.MINUTE) == {t: row for t, row in before[0].items() if t >= T0 + HOUR}
    store.summarise(Level.HOUR, T0, T0 + 2 * HOUR)
    store.summarise(Level.HOUR, T0 - DAY, T0)
    assert kept(store, Level.HOUR) == before[1]


def test_only_the_devices_that_are_meant_are_made(store):
    write(store, [row for s in range(12) for row in every_10_s(T0, T0 + MINUTE, s)])
    wanted = ["kitchen.north.fridge1", "kitchen.north.fridge11", "kitchen.north.fridge1", "kitchen.north.nobody"]
    assert store.summarise(Level.MINUTE, T0, T0 + MINUTE, devices=wanted) == 2
    assert [s for s in range(12) if kept(store, Level.MINUTE, s)] == [1, 11]
    assert store.summarise(Level.MINUTE, T0, T0 + MINUTE, devices=[]) == 0
    assert store.summarise(Level.MINUTE, T0, T0 + MINUTE) == 12


@pytest.mark.parametrize("begin", [-(10**12) // DAY * DAY, -DAY, 0, 9_000_000_000_000 // DAY * DAY])
def test_times_may_be_far(store, begin):
    readings = [(0, begin + k * 7 * HOUR, float(k), Flag.GOOD) for k in range(4)]
    write(store, readings)
    for level in (Level.MINUTE, Level.HOUR, Level.DAY):
        assert store.summarise(level, begin, begin + DAY) == (1 if level is Level.DAY else 4)
        assert kept(store, level) == alike(computed(readings, level.span_ms, begin))


@pytest.mark.parametrize(("limit", "expected", "truncated"), [(2, 2, True), (3, 3, False)])
def test_summaries_are_the_earliest_of_a_half_open_span(store, limit, expected, truncated):
    write(store, every_10_s(T0, T0 + 6 * MINUTE))
    store.summarise(Level.MINUTE, T0, T0 + 6 * MINUTE)
    found = store.summaries(name(0), Level.MINUTE, T0 + MINUTE, T0 + 4 * MINUTE, limit)
    assert found.t_ms.tolist() == [T0 + MINUTE * k for k in (1, 2, 3)[:expected]]
    assert found.truncated is truncated
    assert (found.count.dtype, found.flag.dtype, found.mean.dtype) == (np.int64, np.uint8, np.float64)


def test_nobody_has_summaries_under_another_name(store):
    write(store, every_10_s(T0, T0 + MINUTE))
    store.summarise(Level.MINUTE, T0, T0 + MINUTE)
    for other in ("kitchen.north.fridge0.tem", "kitchen.north.fridge.temp", "temp", "a.b.c.d.e"):
        assert rows(store.summaries(other, Level.MINUTE, *ALL_TIME, 10)) == {}


VALUES = st.floats(-1e9, 1e9) | st.sampled_from([0.0, -0.0, 5e-324, 1e15])
READING = st.tuples(
    st.integers(0, 2),
    st.integers(0, 3 * HOUR // 1000).map(lambda s: T0 + s * 1000),
    VALUES,
    st.sampled_from(list(Flag)),
)


@settings(deadline=None, max_examples=12)
@given(
    batches=st.lists(st.lists(READING, min_size=1, max_size=40), min_size=1, max_size=4),
    offset=st.integers(-HOUR, HOUR),
)
def test_summaries_are_what_the_readings_give_however_they_come(batches, offset, kind):
    """After each batch all is made again, level by level: the late ones are in, and nothing is counted twice."""
    begin, end = T0 + offset - 2 * HOUR, T0 + offset + 6 * HOUR
    with tempfile.TemporaryDirectory() as folder, closing(STORES[kind](Path(folder))) as store:
        written = []
        for batch in batches:
            write(store, batch)
            written += batch
            for _ in range(2):
                store.summarise(Level.MINUTE, begin, end)
                store.summarise(Level.HOUR, begin, end)
        for series in range(3):
            for level in (Level.MINUTE, Level.HOUR):
                assert kept(store, level, series) == alike(computed(written, level.span_ms, begin, series))
