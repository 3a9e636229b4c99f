"""Where limits worth trying lie: round, from one that nothing passes inwards."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.rehearsal.levels import Levels, Silences, Stayed, ladder, round_step

STRETCH_MS = 100
READINGS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(-500, 2000), st.integers(-50, 50).map(float)), min_size=1, max_size=60
)
VALUES = st.lists(st.floats(-1e6, 1e6).map(lambda v: round(v, 6)), min_size=1, max_size=80)


def columns(readings):
    series, t_ms, value = zip(*readings, strict=True)
    return np.array(series, np.int32), np.array(t_ms, np.int64), np.array(value)


@settings(deadline=None, max_examples=60)
@given(READINGS, st.lists(st.integers(0, 60), max_size=4))
def test_stretches_are_those_of_a_plain_count_however_the_readings_are_cut(readings, cuts):
    levels = Levels([1, 3], 5, STRETCH_MS)
    bounds = sorted({0, len(readings), *(c for c in cuts if c < len(readings))})
    for begin, end in pairwise(bounds):
        part = readings[begin:end]
        assert levels.take(*columns(part)) == any(s in (1, 3) for s, _, _ in part)
    stretches = {}
    for series, t_ms, value in readings:
        if series in (1, 3):
            stretches.setdefault((t_ms // STRETCH_MS, series), []).append(value)
    stayed = levels.stayed()
    found = sorted(zip(stayed.low.tolist(), stayed.high.tolist(), strict=True))
    assert found == sorted((min(v), max(v)) for v in stretches.values())


@settings(deadline=None, max_examples=80)
@given(VALUES, st.booleans(), st.integers(2, 14))
def test_a_ladder_begins_where_nothing_is_and_leads_inwards(values, rising, rungs):
    stayed = Stayed(np.array(values), np.array(values))
    limits = ladder(stayed, rising=rising, rungs=rungs)
    sign = 1 if rising else -1
    beyond = [sum(sign * v > sign * limit for v in values) for limit in limits]
    assert beyond[0] == 0
    assert beyond == sorted(beyond)
    assert [sign * limit for limit in limits] == sorted({sign * limit for limit in limits}, reverse=True)
    assert 1 <= len(limits) <= rungs
    # No rung is farther out than the place it stands for by more than a round step.
    ordered = sorted((sign * v for v in values), reverse=True)
    step = round_step(ordered[0] - float(np.median(ordered)), ordered[0])
    assert sign * limits[0] - ordered[0] <= step * (1 + 1e-6)


def test_nothing_seen_is_no_ladder():
    assert ladder(Levels([0], 1, 10).stayed(), rising=True, rungs=5) == []
    assert Silences([0], 10).ladder(5) == []


@settings(deadline=None, max_examples=80)
@given(st.floats(1e-6, 1e9), st.floats(-1e9, 1e9))
def test_steps_are_round_and_many(span, size):
    step = round_step(span, size)
    digits = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert any(math.isclose(digits, n, rel_tol=1e-6) for n in (1, 2, 5, 10))
    assert 200 / 2.6 <= span / step <= 200 * (1 + 1e-6)


def test_what_never_moves_has_steps_of_its_size():
    assert round_step(0.0, 8.0) == 0.05
    assert round_step(0.0, 0.0) == 0.005


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3_000_000)), min_size=1, max_size=40),
    st.integers(0, 40),
)
def test_silences_are_those_between_neighbours(readings, cut):
    readings = sorted(readings, key=lambda r: r[1])
    silences = Silences([0, 2], 60_000)
    for part in (readings[:cut], readings[cut:]):
        silences.take(np.array([s for s, _ in part], np.int32), np.array([t for _, t in part], np.int64))
    longest = []
    for series in (0, 2):
        times = [t for s, t in readings if s == series]
        longest += [b - a for a, b in pairwise(times) if b - a > 60_000]
    rungs = silences.ladder(6)
    longest.sort(reverse=True)
    places = [n for n in (0, 1, 2, 4, 8, 16) if n < len(longest)]
    assert rungs == list(dict.fromkeys((longest[n] // 60_000 + 1) * 60_000 for n in places))
    assert not longest or all(gap < rungs[0] for gap in longest)
