"""Numbers, spans and geometry of a run's page: nothing is rounded to what it is not, nothing leaves its chart."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewatch.load.figures import Shown, figures
from scenewatch.rehearsal import charts
from scenewatch.rehearsal.report import Excerpt, Mark, Named
from scenewatch.rehearsal.texts import TEXTS, text
from scenewatch.rehearsal.wording import Times, number, share, span

HOUR_MS = 3_600_000
TITLE = Named("A", "甲")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"),
        (0, "0 %"),
        (1, "100 %"),
        (0.9999, "99.9+ %"),
        (0.0001, "<0.1 %"),
        (0.966, "96.6 %"),
        (0.5, "50 %"),
    ],
)
def test_a_share_is_never_rounded_to_all_or_nothing(value, words):
    assert share(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, "–"), (0, "0"), (83_000_000, "83,000,000"), (0.0123, "0.0123"), (-3, "−3"), (1234.5, "1,234")],
)
def test_numbers(value, words):
    assert number(value) == words


@pytest.mark.parametrize(
    ("seconds", "en", "zh"),
    [(None, "–", "–"), (0.25, "0.25 s", "0.25 秒"), (59.6, "1 min", "1 分"), (3661, "1 h 1 min", "1 小时 1 分"),
     (-86_400, "1 d", "1 天"), (90_061, "1 d 1 h", "1 天 1 小时")],
)  # fmt: skip
def test_spans_in_both_languages(seconds, en, zh):
    assert span(seconds) == Named(en, zh)


def test_times_are_told_in_the_scenes_zone_and_ticks_are_round_there():
    times = Times("Asia/Shanghai")
    assert (times.name, times.minute(0)) == ("Asia/Shanghai", "1970-01-01 08:00")
    assert times.ticks(0, 24 * HOUR_MS, 6)[0] == (4 * HOUR_MS, "12:00")
    assert times.ticks(0, 20 * 24 * HOUR_MS, 6)[0][1].startswith("01-")
    assert Times("No/Such").name == Times("").name == "UTC"


def test_every_text_is_in_both_languages_with_the_same_places():
    for key, found in TEXTS.items():
        assert found.en, key
        assert found.zh, key
        places = {part.split("}")[0] for part in found.en.split("{")[1:]}
        assert places == {part.split("}")[0] for part in found.zh.split("{")[1:]}, key
    assert text("plain.what", delay=span(1800)).zh.startswith("用同样的限值逐条判断读数，统一延迟 30 分")


VALUES = st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=30)


@given(VALUES, st.lists(st.floats(-1e6, 1e6), max_size=3), st.integers(-5, 40), st.none() | st.integers(0, 30))
def test_nothing_leaves_its_chart(values, limits, from_at, lasts):
    t_ms = [n * HOUR_MS for n in range(len(values))]
    end = None if lasts is None else (from_at + lasts) * HOUR_MS
    marks = [Mark(kind=kind, title=TITLE, from_ms=from_at * HOUR_MS, to_ms=end) for kind in ("fault", "alarm")]
    excerpt = Excerpt(
        title=TITLE, device="d", channel=TITLE, unit="", t_ms=t_ms, value=values, limits=limits, marks=marks
    )
    chart = charts.excerpt_chart(excerpt, Times(""))
    if chart is None:
        assert all(v is None for v in values)
        return
    points = chart.path.replace("M", " ").replace("L", " ").replace("h.1", "").split()
    across, down = points[0::2], points[1::2]
    assert len(down) == sum(v is not None for v in values)
    assert all(charts.LEFT <= float(x) <= charts.WIDTH - charts.RIGHT for x in across)
    assert all(charts.TOP <= float(y) <= charts.HEIGHT - charts.BOTTOM for y in down)
    assert all(charts.TOP <= line.at <= charts.HEIGHT - charts.BOTTOM for line in (*chart.limits, *chart.up))
    for band in (*chart.faults, *chart.alarms):
        assert band.width > 0
        assert band.x >= charts.LEFT
        assert band.x + band.width <= charts.WIDTH - charts.RIGHT + 2.1


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=20))
def test_delays_are_in_order_within_their_row(delays):
    strips = charts.Strips(max(delays))
    strip = strips.strip(sorted(delays), min(delays))
    assert strip.dots == sorted(strip.dots)
    assert all(charts.STRIP_EDGE <= x <= charts.STRIP_WIDTH - charts.STRIP_EDGE for x in strip.dots)
    assert strip.median == strip.dots[0]
    assert strips.ticks


@given(st.lists(st.integers(0, 100 * HOUR_MS), max_size=40))
def test_bars_hold_all_alarms_and_the_highest_is_the_most(raised):
    load = figures([Shown("r", "d", "low", at, None) for at in raised], 0, 100 * HOUR_MS + 1)
    chart = charts.bar_chart(load, Times(""))
    assert sum(bar.count for bar in chart.bars) == len(raised)
    if raised:
        highest = max(chart.bars, key=lambda bar: bar.height)
        assert highest.count == chart.most
        assert math.isclose(highest.y + highest.height, charts.BARS_HEIGHT - charts.BOTTOM, abs_tol=0.2)
        assert chart.bars[-1].x + chart.bars[-1].width <= charts.BARS_WIDTH - charts.RIGHT + 1
