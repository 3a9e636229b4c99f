"""Long spans in a real browser: windows are drawn as a band, and one sample far off is in what is drawn."""

import re

import pytest
from fake_worker import FakeWorker
from playwright.sync_api import expect

FRIDGE = "kitchen.s001.s001-fridge-1"
DAY = 86_400_000
SERIES = """async () => {
    const { echarts } = await import(document.documentElement.dataset.chartModule);
    const drawn = echarts.getInstanceByDom(document.querySelector(".chart"));
    return Object.fromEntries(drawn.getOption().series.map((one) => [one.id, one.data]));
}"""
INK = """async () => {
    const { echarts } = await import(document.documentElement.dataset.chartModule);
    const place = document.querySelector(".chart");
    const drawn = echarts.getInstanceByDom(place);
    const [at, high] = [%d, %f];
    const [x, y] = drawn.convertToPixel({ xAxisIndex: 1, yAxisIndex: 1 }, [at, high]);
    const canvas = place.querySelector("canvas");
    const scale = canvas.width / place.clientWidth;
    const box = [x - 4, y, 9, 6].map((one) => Math.round(one * scale));
    const pixels = canvas.getContext("2d").getImageData(...box).data;
    return pixels.filter((_, i) => i %% 4 === 3 && pixels[i] > 100).length;
}"""


@pytest.fixture(scope="module")
def worker():
    worker = FakeWorker()
    worker.peaks = {300: (88.0, "suspect"), 500: (1e6, "fail"), 600: (12.0, "good")}
    worker.raise_alarm(FRIDGE, "fridge_warm", 9.4, raised_at=worker.now - 90 * DAY)
    return worker


@pytest.fixture(scope="module")
def address(standing_with, worker):
    return standing_with(worker)


def caption(page):
    return page.locator("figcaption")


def open_span(page, address, span, language="en"):
    page.goto(f"{address}/device?device={FRIDGE}&channel=air_temp&span={span}&lang={language}")
    page.wait_for_selector(".chart[data-points] canvas")


@pytest.mark.parametrize(("span", "days"), [("7d", 7), ("30d", 30), ("1y", 365), ("2y", 730)])
def test_a_long_span_is_asked_for_as_windows(address, worker, page, span, days):
    open_span(page, address, span)
    asked = next(a for a in reversed(worker.asked) if "series" in a)
    assert (asked["series"], int(asked["to"]) - int(asked["from"])) == (f"{FRIDGE}.air_temp", days * DAY + 1)
    assert int(asked["points"]) == 800


def test_one_sample_in_two_years_is_drawn(address, page, complaints):
    complaints.expect("willReadFrequently")  # asked for two times, and only here
    open_span(page, address, "2y")
    drawn = page.evaluate(SERIES)
    low, height = (dict(map(tuple, drawn[f"{name}:air_temp"])) for name in ("low", "height"))
    peaks = sorted((round(low[t] + height[t], 6), t) for t in low)
    assert [value for value, _ in peaks[-3:]] == [12.0, 88.0, 1e6]
    assert [point[:3:2] for point in drawn["suspect:air_temp"]] == [[peaks[-2][1], 88.0]]
    assert [point[:3:2] for point in drawn["fail:air_temp"]] == [[peaks[-1][1], 1e6]]
    assert page.evaluate(INK % (peaks[-3][1], 12.0)) > 3
    assert page.evaluate(INK % (peaks[-3][1] + 25 * DAY, 12.0)) == 0


def test_alarms_and_limits_are_on_a_long_chart_too(address, page):
    open_span(page, address, "1y")
    page.evaluate("document.fonts.ready")
    areas = page.evaluate(
        SERIES.replace("[one.id, one.data]", "[one.id, [one.markArea?.data, one.markLine?.data]]")
    )
    assert len(areas["line:air_temp"][0]) == 1
    assert [line["yAxis"] for line in areas["line:air_temp"][1]] == [8]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["Air temperature: 48000 readings, 21 h 54 min a span.", "Now 4.8 °C, lowest 4.3 °C", "2 flagged"]),
        ("zh", ["空气温度：48000 个读数，每段 21小时54分钟", "最低 4.3 °C", "2 段被标记"]),
    ],
)
def test_a_long_span_is_told_in_words_and_as_a_table(address, page, language, words):
    open_span(page, address, "2y", language)
    for word in words:
        expect(caption(page)).to_contain_text(word)
    page.locator("#chart details summary").click()
    rows = page.locator("#chart tbody tr")
    expect(rows.first).to_contain_text("4.8 (4.3 … 5.3) °C")
    expect(rows.filter(has_text="– (4.3 … 1000000.0) °C")).to_have_count(1)


def test_a_span_is_chosen_by_keyboard(address, page):
    open_span(page, address, "1h")
    page.locator('.spans a[data-key="2y"]').focus()
    page.keyboard.press("Enter")
    expect(caption(page)).to_contain_text("a span")
    assert "span=2y" in page.url
    expect(page.locator('.spans a[aria-current="true"]')).to_have_text("2 years")


def test_a_state_over_months_is_its_share_of_time(address, page):
    page.goto(f"{address}/device?device={FRIDGE}&channel=door&span=30d&lang=en")
    expect(caption(page)).to_contain_text("Door: 48000 readings")


def test_what_comes_live_goes_into_the_newest_window(stage, worker, page):
    live = worker.copy()
    stage.start_worker(live)
    open_span(page, stage.start_console(), "2y")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    live.now += 30_000
    live.measure(FRIDGE, "air_temp", 40.5)
    expect(caption(page)).to_contain_text("Now 40.5 °C")
    expect(caption(page)).to_contain_text(
        re.compile("48001 readings|47941 readings")
    )  # the oldest window may be over
    drawn = page.evaluate(SERIES)
    low, height = (drawn[f"{name}:air_temp"][-1] for name in ("low", "height"))
    assert low[1] + height[1] == 40.5
