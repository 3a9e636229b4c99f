"""A chart of any span: few windows, each reading in one of them, no peak hidden, whatever is summarised yet."""

import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stores import STORES

from scenewatch.model.batch import Batch
from scenewatch.model.errors import TemporaryError
from scenewatch.model.flags import Flag
from scenewatch.model.level import Level
from scenewatch.store import chart as chart_module
from scenewatch.store.chart import chart

MINUTE, HOUR, DAY = Level.MINUTE.span_ms, Level.HOUR.span_ms, Level.DAY.span_ms
T0 = 1_699_920_000_000
SERIES = "kitchen.north.fridge0.temp"
LEVELS = (Level.MINUTE, Level.HOUR, Level.DAY)


@pytest.fixture
def store(kind, tmp_path):
    with closing(STORES[kind](tmp_path)) as store:
        yield store


@pytest.fixture
def duck(tmp_path):
    with closing(STORES["duck"](tmp_path)) as store:
        yield store


def write(store, t_ms, value, flag=Flag.GOOD):
    batch = Batch.of(np.zeros(len(t_ms)), t_ms, value, position=store.position() + 1)
    batch.flag[:] = flag
    store.write(batch, lambda _: SERIES)


def fill(store, days, *, every_ms=MINUTE // 2):
    """A wave with one sample far above it, late on the first day."""
    t_ms = np.arange(T0, T0 + days * DAY, every_ms)
    value = np.sin(t_ms / HOUR)
    value[(20 * HOUR) // every_ms] = 99.0
    write(store, t_ms, value)
    return t_ms, value


def summarise(store, to_ms):
    for level in LEVELS:
        end = T0 + (to_ms - T0) // level.span_ms * level.span_ms
        if end > T0:
            store.summarise(level, T0, end)


@pytest.mark.parametrize("points", [1, 10, 100, 800, 3_000])
def test_a_peak_of_one_sample_is_in_every_chart(store, points):
    t_ms, value = fill(store, 2)
    summarise(store, T0 + DAY + 7 * HOUR + 5 * MINUTE)
    for begin, end in ((0, 2 * DAY), (19 * HOUR + 1, 21 * HOUR), (20 * HOUR, 20 * HOUR + 1), (-DAY, 20 * HOUR + 1)):
        found = chart(store, SERIES, T0 + begin, T0 + end, points)
        inside = (t_ms >= T0 + begin) & (t_ms < T0 + end)
        assert found.windows.high.max() == 99.0
        assert found.windows.low.min() == value[inside].min()
        assert found.windows.count.sum() == inside.sum()
        assert len(found.windows.t_ms) <= points


def test_few_readings_are_told_as_they_are(duck):
    write(duck, [T0, T0 + 7, T0 + 9_000], [1.0, 2.0, 3.0], [Flag.GOOD, Flag.FAIL, Flag.SUSPECT])
    found = chart(duck, SERIES, T0, T0 + MINUTE, 800)
    assert found.width_ms == 0
    assert found.windows.t_ms.tolist() == [T0, T0 + 7, T0 + 9_000]
    assert found.windows.high.tolist() == [1.0, 2.0, 3.0]
    assert np.array_equal(found.windows.mean, [1.0, np.nan, 3.0], equal_nan=True)
    assert found.windows.flag.tolist() == [Flag.GOOD, Flag.FAIL, Flag.SUSPECT]


def test_many_readings_are_put_together_with_their_worst_flag(duck):
    write(duck, T0 + np.arange(100) * 1000, np.arange(100.0), [Flag.GOOD] * 50 + [Flag.FAIL] * 50)
    found = chart(duck, SERIES, T0, T0 + 100_000, 4)
    assert found.width_ms == 25_000
    assert found.windows.t_ms.tolist() == [T0 + n * 25_000 for n in range(4)]
    assert found.windows.flag.tolist() == [Flag.GOOD, Flag.GOOD, Flag.FAIL, Flag.FAIL]
    assert found.windows.good.tolist() == [25, 25, 0, 0]
    assert np.array_equal(found.windows.mean, [12.0, 37.0, np.nan, np.nan], equal_nan=True)


def test_a_long_span_is_not_read_reading_by_reading(duck, monkeypatch):
    fill(duck, 3)
    summarise(duck, T0 + 3 * DAY)
    asked, readings = [], duck.readings
    monkeypatch.setattr(duck, "readings", lambda *span: asked.append(span) or readings(*span))
    found = chart(duck, SERIES, T0, T0 + 3 * DAY, 72)
    assert (found.width_ms, found.windows.count.tolist()) == (HOUR, [120] * 72)
    assert asked == []


def test_what_is_not_summarised_yet_is_read_finer(duck):
    t_ms, _ = fill(duck, 3)
    summarise(duck, T0 + 2 * DAY + 5 * HOUR + 3 * MINUTE)
    found = chart(duck, SERIES, T0, T0 + 3 * DAY, 100)
    assert int(found.windows.count.sum()) == len(t_ms)
    assert (np.diff(found.windows.t_ms) > 0).all()


def test_a_level_that_cannot_be_read_is_made_up_for_by_finer_ones(duck, monkeypatch):
    t_ms, _ = fill(duck, 1)
    summarise(duck, T0 + DAY)

    def away(*_):
        raise TemporaryError("no such bucket")

    monkeypatch.setattr(duck, "summaries", away)
    assert int(chart(duck, SERIES, T0, T0 + DAY, 10).windows.count.sum()) == len(t_ms)
    monkeypatch.setattr(duck, "readings", away)
    with pytest.raises(TemporaryError, match="no such bucket"):
        chart(duck, SERIES, T0, T0 + DAY, 10)


def test_more_than_fits_into_memory_is_read_in_pages(duck, monkeypatch):
    monkeypatch.setattr(chart_module, "PAGE", 100)
    t_ms, _ = fill(duck, 1, every_ms=MINUTE)
    found = chart(duck, SERIES, T0, T0 + DAY, 10)
    assert (int(found.windows.count.sum()), found.windows.truncated) == (len(t_ms), False)
    monkeypatch.setattr(chart_module, "MOST_PAGES", 3)
    found = chart(duck, SERIES, T0, T0 + DAY, 10)
    assert (int(found.windows.count.sum()), found.windows.truncated) == (300, True)


def test_months_of_readings_are_read_slice_by_slice(duck, monkeypatch):
    monkeypatch.setattr(chart_module, "SLICE_MS", HOUR)
    t_ms, _ = fill(duck, 1, every_ms=MINUTE)
    asked, readings = [], duck.readings
    monkeypatch.setattr(duck, "readings", lambda *given: asked.append(given[1:3]) or readings(*given))
    found = chart(duck, SERIES, T0, T0 + DAY, 800)
    assert (int(found.windows.count.sum()), found.windows.truncated) == (len(t_ms), False)
    assert [begin for begin, _ in asked] == [T0 + n * HOUR for n in range(24)]


def test_nothing_is_a_chart_too(store):
    found = chart(store, SERIES, -(2**61), 2**61, 1)
    assert (len(found.windows.t_ms), found.windows.truncated) == (0, False)


@settings(deadline=None, max_examples=40)
@given(
    times=st.lists(st.integers(0, 50 * HOUR // 1000), max_size=60, unique=True),
    made=st.tuples(st.integers(0, 52), st.integers(0, 52), st.integers(0, 2)),
    span=st.tuples(st.integers(-HOUR, 50 * HOUR), st.integers(1, 50 * HOUR)),
    points=st.integers(1, 200),
)
def test_every_reading_is_in_one_window_whatever_is_summarised(times, made, span, points):
    t_ms = T0 + 1000 * np.array(sorted(times), np.int64)
    value, flag = np.cos(t_ms), np.where(t_ms % 7000 == 0, Flag.FAIL, Flag.GOOD)
    begin, end = T0 + span[0], T0 + span[0] + span[1]
    with tempfile.TemporaryDirectory() as folder, closing(STORES["duck"](Path(folder))) as store:
        write(store, t_ms, value, flag)
        hours = min(made[:2])
        days = min(made[2], hours // 24)  # from hours, these from minutes: none is made before what it is made of
        for level, until in zip(LEVELS, (made[0], hours, 24 * days), strict=True):
            store.summarise(level, T0, T0 + until * HOUR)
        found = chart(store, SERIES, begin, end, points)
    inside = (t_ms >= begin) & (t_ms < end)
    windows = found.windows
    assert len(windows.t_ms) <= points
    assert (np.diff(windows.t_ms) > 0).all()
    assert ((windows.t_ms >= begin) & (windows.t_ms < end)).all()
    assert windows.count.sum() == inside.sum()
    assert windows.good.sum() == (flag[inside] != Flag.FAIL).sum()
    if inside.any():
        assert (windows.low.min(), windows.high.max()) == (value[inside].min(), value[inside].max())
        assert windows.flag.max() == flag[inside].max()
