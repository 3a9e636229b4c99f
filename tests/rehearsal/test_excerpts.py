"""Excerpts: what was measured around a fault, from a thin copy of the run that hides no peak."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.model.batch import Batch
from scenewatch.model.flags import Place
from scenewatch.rehearsal.excerpts import MOST_POINTS, Excerpts
from scenewatch.rehearsal.report import Mark, Named
from scenewatch.scenes import SCENES

SCENE = next(s for s in SCENES if s.key == "kitchen")
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
BEGIN_MS = 20_000 * DAY_MS
TITLE = Named("A fault", "故障")


@pytest.fixture(scope="module")
def fridge(registry):
    return next(d.id for n, d in enumerate(registry.devices) if registry.type_of(n).key == "fridge")


def series_of(registry, device, channel="air_temp"):
    numbers = registry.series_of(registry.number(device))
    return next(s for s in numbers if registry.channel_of(s).key == channel)


def batch(series, t_ms, value):
    return Batch.of(np.full(len(t_ms), series, np.int32), np.array(t_ms, np.int64), np.array(value, np.float64))


def around(excerpts, device, from_ms=BEGIN_MS, to_ms=BEGIN_MS + DAY_MS, channel="air_temp"):
    return excerpts.around(device, channel, from_ms, to_ms, TITLE, [8.0], [])


def test_readings_come_back_with_their_channel_in_words(registry, fridge):
    excerpts = Excerpts(registry)
    excerpts.take(
        batch(series_of(registry, fridge), [BEGIN_MS + n * MINUTE_MS for n in range(3)], [4.0, 4.5, 4.25])
    )
    mark = Mark(kind="fault", title=TITLE, from_ms=BEGIN_MS, to_ms=None)
    found = excerpts.around(fridge, "air_temp", BEGIN_MS + MINUTE_MS, BEGIN_MS + DAY_MS, TITLE, [8.0], [mark])
    assert (found.t_ms, found.value) == ([BEGIN_MS + MINUTE_MS, BEGIN_MS + 2 * MINUTE_MS], [4.5, 4.25])
    assert (found.unit, found.device, found.limits, found.marks) == ("°C", fridge, [8.0], [mark])
    assert (found.channel.en, found.channel.zh) == (SCENE.device_type("fridge").channels[0].title.en, "柜内温度")


def test_of_several_in_a_minute_the_oddest_is_kept(registry, fridge):
    excerpts = Excerpts(registry)
    t_ms = [BEGIN_MS, BEGIN_MS + 60_000, BEGIN_MS + 75_000, BEGIN_MS + 90_000]
    excerpts.take(batch(series_of(registry, fridge), t_ms, [4.0, 4.5, 40.0, 5.0]))
    assert around(excerpts, fridge).value == [4.0, 40.0]


def test_a_gap_is_no_line(registry, fridge):
    excerpts = Excerpts(registry)
    t_ms = [BEGIN_MS, BEGIN_MS + MINUTE_MS, BEGIN_MS + HOUR_MS]
    excerpts.take(batch(series_of(registry, fridge), t_ms, [4.0, 4.5, 5.0]))
    found = around(excerpts, fridge)
    assert found.value == [4.0, 4.5, None, 5.0]
    assert found.t_ms == sorted(set(found.t_ms))


def test_what_came_twice_and_what_was_not_measured_is_left_out(registry, fridge):
    excerpts = Excerpts(registry)
    twice = batch(
        series_of(registry, fridge), [BEGIN_MS, BEGIN_MS + MINUTE_MS, BEGIN_MS + 90_000], [4.0, np.nan, 5.0]
    )
    twice.place[2] = Place.DUPLICATE
    excerpts.take(twice)
    assert around(excerpts, fridge).value == [4.0]


def test_a_long_excerpt_has_few_points_and_its_extremes(registry, fridge):
    excerpts = Excerpts(registry)
    t_ms = np.arange(BEGIN_MS, BEGIN_MS + 5 * DAY_MS, MINUTE_MS)
    value = np.sin(np.arange(len(t_ms)) / 500.0)
    value[[3001, 4002]] = [30.0, -30.0]
    excerpts.take(batch(series_of(registry, fridge), t_ms, value))
    found = around(excerpts, fridge, to_ms=BEGIN_MS + 5 * DAY_MS)
    assert MOST_POINTS // 2 < len(found.t_ms) <= MOST_POINTS
    assert {30.0, -30.0} <= set(found.value)


def test_memory_is_bounded_and_peaks_survive(registry, fridge):
    whole = Excerpts(registry)
    t_ms = np.arange(BEGIN_MS, BEGIN_MS + 10 * DAY_MS, MINUTE_MS)
    value = 4.0 + (np.arange(len(t_ms)) % 7) / 10
    value[5003] = 30.0
    a_day = batch(series_of(registry, fridge), t_ms, value)
    whole.take(a_day)
    bounded = Excerpts(registry, budget_bytes=whole.bytes_kept // 5)
    bounded.take(a_day)
    assert bounded.bytes_kept <= whole.bytes_kept // 5
    found = around(bounded, fridge, BEGIN_MS + 3 * DAY_MS, BEGIN_MS + 4 * DAY_MS)
    assert found.value.count(30.0) == 1
    assert None not in found.value
    assert len(found.t_ms) == 180
    assert abs(found.t_ms[found.value.index(30.0)] - t_ms[5003]) < 8 * MINUTE_MS


def test_only_what_a_rule_watches_or_a_fault_shows_in_is_kept(registry):
    watched = {on for rule in SCENE.rules for on in rule.on} | {on for fault in SCENE.faults for on in fault.shows}
    lamp = next(d.id for n, d in enumerate(registry.devices) if registry.type_of(n).key == "uv_lamp")
    unwatched = next(c.key for c in SCENE.device_type("uv_lamp").channels if f"uv_lamp.{c.key}" not in watched)
    excerpts = Excerpts(registry)
    excerpts.take(batch(series_of(registry, lamp, unwatched), [BEGIN_MS], [1.0]))
    assert around(excerpts, lamp, channel=unwatched).t_ms == []


@pytest.mark.parametrize("where", [("kitchen.s001.nobody", "air_temp"), (None, "colour")])
def test_no_such_channel(registry, fridge, where):
    device, channel = where
    with pytest.raises(KeyError):
        around(Excerpts(registry), device or fridge, channel=channel)


READINGS = st.lists(st.tuples(st.integers(0, 3 * 24 * 60), st.floats(-50, 50, width=32)), min_size=1, max_size=80)


@settings(deadline=None, max_examples=60)
@given(READINGS, st.lists(st.integers(0, 80), max_size=5))
def test_how_readings_are_cut_into_batches_changes_nothing(registry, fridge, readings, cuts):
    t_ms = [BEGIN_MS + at * 20_000 for at, _ in readings]
    one = batch(series_of(registry, fridge), t_ms, [value for _, value in readings])
    whole, cut = Excerpts(registry), Excerpts(registry)
    whole.take(one)
    edges = sorted({0, len(one), *(c for c in cuts if c < len(one))})
    for first, last in pairwise(edges):
        cut.take(one.select(np.arange(first, last)))
    found = around(whole, fridge, to_ms=BEGIN_MS + 3 * DAY_MS)
    assert found == around(cut, fridge, to_ms=BEGIN_MS + 3 * DAY_MS)
    assert {v for v in found.value if v is not None} <= {float(f"{v:.6g}") for _, v in readings}
