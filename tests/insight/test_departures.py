"""What is usual, and how far hours depart from it: against a plain sum, over any split, on drawn series."""

import math
from itertools import pairwise

import numpy as np
import pytest
from derived_rig import T0, Rig
from hypothesis import given, settings
from hypothesis import strategies as st

from departing import KINDS, drawn, score_drawn
from scenewatch.model.insight import Departure, Usual
from scenewatch.model.words import hours

DERIVED = {
    "usual": Usual(of="power", departure="away"),
    "away": Departure(of="power"),
}
LEARNING_H = 168
WEEK_H = 168


@pytest.fixture(scope="module")
def rig():
    return Rig(DERIVED, devices=1, every=hours(1))


def hourly(values, first=T0):
    """A reading an hour; none where the value is None."""
    return [(0, first + i * hours(1), [(0, v)]) for i, v in enumerate(values) if v is not None]


class Plain:
    """The same by plain Python: hourly means in, (hour told at, departure, usual of that hour) out."""

    def __init__(self, how):
        self._how = how
        self._first = self._last = None
        self._learnt = {}
        self._day = self._week = None

    def told(self, means):
        """`means` are {hour: mean}; an hour is over when a later one has come."""
        for hour, later in pairwise(sorted(means)):
            if self._first is None:
                self._first = hour
            if self._day is None:
                if hour - self._first < LEARNING_H:
                    self._learnt[hour] = means[hour]
                if later - self._first >= LEARNING_H:
                    self._settle(later)
            else:
                yield hour + 1, self._depart(hour, means[hour]), self.usual(hour + 1)

    def usual(self, hour):
        weeks = self._weeks(hour)
        doubt = 0.6 * self._spread / math.sqrt(weeks) if weeks >= 2 else math.inf
        extra = self._week[hour // 4 % 42]
        return self._day[hour % 24] + math.copysign(max(0.0, abs(extra) - doubt), extra)

    def _weeks(self, hour):
        return min(4, max(1, (hour - self._first) // WEEK_H))

    def _settle(self, later):
        if len(self._learnt) < LEARNING_H / 2:
            self._learnt, self._first = {}, later
            return
        known = self._learnt
        median = float(np.median(list(known.values())))
        self._day = [_median([v for h, v in known.items() if h % 24 == k], median) for k in range(24)]
        rest = {h: v - self._day[h % 24] for h, v in known.items()}
        self._week = [_median([v for h, v in rest.items() if h // 4 % 42 == k], 0.0) for k in range(42)]
        middle = np.median(list(rest.values()))
        spread = 1.4826 * np.median([abs(v - middle) for v in rest.values()])
        self._spread = 1.2 * max(spread, 0.02 * np.std(list(known.values())), 1e-9)
        self._smooth, self._last = 0.0, later - 1

    def _depart(self, hour, mean):
        away, extra = mean - self.usual(hour), mean - self._day[hour % 24] - self._week[hour // 4 % 42]
        since, self._last = hour - self._last, hour
        if since > 24:
            self._smooth = 0.0
        smoothing, pattern, spread = (
            getattr(self._how, name) / hours(1) for name in ("smoothing", "pattern", "spread")
        )
        self._smooth += (1 - math.exp(-since / smoothing)) * (_clip(away / self._spread, 6) - self._smooth)
        pace = 0.35 if abs(self._smooth) > self._how.wary_beyond else 1.0
        most = 3 * self._spread
        self._week[hour // 4 % 42] += _clip(extra, most) * (1 - math.exp(-pace / 4 / (1 + self._weeks(hour))))
        self._day[hour % 24] += _clip(away, most) * (1 - math.exp(-pace * 24 / pattern))
        self._spread += (min(abs(away), most) * 1.2533 - self._spread) * (1 - math.exp(-pace / spread))
        return self._smooth


def _median(values, otherwise):
    return float(np.median(values)) if values else otherwise


def _clip(value, most):
    return min(max(value, -most), most)


SERIES = st.tuples(
    st.integers(0, 2**32),
    st.sampled_from(KINDS),
    st.lists(st.tuples(st.integers(0, 600), st.integers(1, 100)), max_size=4),
)


@given(SERIES, st.lists(st.integers(0, 600), max_size=5))
@settings(max_examples=25, deadline=None)
def test_any_split_gives_the_same_and_it_is_the_plain_sum(rig, series, cuts):
    seed, kind, gaps = series
    values = drawn(np.random.default_rng(seed), kind, days=25).tolist()
    for begin, length in gaps:
        values[begin : begin + length] = [None] * len(values[begin : begin + length])
    samples = hourly(values)
    whole = [rig.run(samples)]
    stages, parts = rig.stages(), []
    ends = sorted({min(c, len(samples)) for c in cuts} | {len(samples)})
    for begin, end in pairwise([0, *ends]):
        parts.append(rig.run(samples[begin:end], stages))
        saved = b"".join(stages[0].snapshot())
        stages = (rig.stages()[0], stages[1])
        stages[0].restore(saved)
    plain = list(Plain(DERIVED["away"]).told({t // hours(1): v for _, t, [(_, v)] in samples}))
    for key, column in (("away", 1), ("usual", 2)):
        one = rig.told(whole, key)
        assert rig.told(parts, key) == one
        assert [t for t, _ in one] == [row[0] * hours(1) for row in plain]
        assert [v for _, v in one] == pytest.approx([row[column] for row in plain], rel=1e-6, abs=1e-6)


def test_nothing_is_told_in_the_week_of_learning_nor_in_a_new_one_where_most_was_unknown(rig):
    chance = np.random.default_rng(1)
    values = chance.normal(size=600).tolist()
    assert rig.told([rig.run(hourly(values))], "away")[0][0] == T0 + hours(LEARNING_H + 1)
    values[20:120] = [None] * 100
    assert rig.told([rig.run(hourly(values))], "away")[0][0] == T0 + hours(2 * LEARNING_H + 1)


def test_the_usual_follows_the_day_and_after_some_weeks_the_weekend(rig):
    hour = np.arange(24 * 56)
    weekend = (T0 // hours(1) + hour) // 24 % 7 >= 5
    day = 10 * np.sin(2 * np.pi * hour / 24)
    noise = 0.1 * np.random.default_rng(2).normal(size=len(hour))
    told = rig.told([rig.run(hourly((day + 8 * weekend + noise).tolist()))], "usual")
    last_week = [(int((t - T0) // hours(1)), v) for t, v in told][-WEEK_H:-1]
    assert max(abs(v - day[h] - 8 * weekend[h]) for h, v in last_week) < 2.0


def test_one_odd_hour_is_no_departure_and_a_lasting_one_is(rig):
    values = np.random.default_rng(3).normal(size=500)
    values[300], values[400:] = 50.0, values[400:] + 6.0
    away = {(t - T0) // hours(1): v for t, v in rig.told([rig.run(hourly(values.tolist()))], "away")}
    assert max(abs(v) for h, v in away.items() if h < 400) < 1.5
    assert max(v for h, v in away.items() if h > 400) > 3.0


def test_steps_of_four_to_six_spreads_are_found_and_little_else():
    """On series and steps that the test draws by a seed of its own."""
    seed = int(np.random.SeedSequence().entropy % 2**32)
    scores = [score_drawn(np.random.default_rng([seed, n]), kind) for n in range(6) for kind in KINDS]
    assert sum(s.found for s in scores) / sum(s.windows for s in scores) >= 0.9, seed
    assert sum(s.outside for s in scores) / sum(s.months for s in scores) <= 0.5, seed
