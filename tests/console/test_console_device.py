"""The page of a device: its channels on one axis of time over any span, looked at closer by hand and by key."""

import copy

import httpx
import pytest
from comes_true import comes_true
from fake_desk import DeskWorker
from fake_worker import MINUTE, FakeWorker
from playwright.sync_api import expect

FRIDGE = "kitchen.s001.s001-fridge-1"
MEAT = "kitchen.s001.s001-fridge-2"
HOUR = 60 * MINUTE
OPTION = """async () => {
    const { echarts } = await import(document.documentElement.dataset.chartModule);
    return echarts.getInstanceByDom(document.querySelector(".chart")).getOption();
}"""


def is_live(page):
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")


def is_drawn(page):
    page.wait_for_selector(".chart[data-points] canvas")


def sentence(page, channel):
    return page.locator(f'figcaption [data-of="{channel}"]')


def series(page):
    return {one["id"]: one for one in page.evaluate(OPTION)["series"]}


def asked_span(worker):
    asked = [a for a in worker.asked if "from" in a][-1]
    return int(asked["from"]), int(asked["to"])


@pytest.fixture(scope="module")
def told():
    worker = FakeWorker()
    worker.flags = {40: (-127.0, "fail", "possible"), 100: (11.0, "suspect", "fastest")}
    past = worker.raise_alarm(FRIDGE, "fridge_warm", 9.4, raised_at=worker.now - 200 * MINUTE)
    worker.clear_alarm(past, worker.now - 150 * MINUTE)
    worker.raise_alarm(FRIDGE, "door_ajar", 1, priority="medium", raised_at=worker.now - 10 * MINUTE)
    worker.raise_alarm(MEAT, "fridge_warm", 9.4)
    worker.happen(FRIDGE, "opened", "by {hand}", level="warning", at=worker.now - 90 * MINUTE)
    worker.happen(FRIDGE, "opened", "long ago", at=worker.now - 9 * HOUR)
    return worker


@pytest.fixture(scope="module")
def address(standing_with, told):
    return f"{standing_with(told)}/device?device={FRIDGE}&lang=en"


@pytest.fixture
def shown(page, address):
    page.goto(address)
    is_live(page)
    is_drawn(page)
    return page


def test_device_is_readable_before_any_script(address):
    html = httpx.get(address, trust_env=False).text
    for words in (
        "School 1 canteen · vegetable fridge",
        "Kitchen s001</a>",
        "School 1 gateway</a>",
        ">4.8<",
        "Door left ajar",
        "lasted 50 min",
        "by {hand}",
        "Air temperature above 8 °C for 30 min",
        "2018 catering operation code (SAMR), recommended (to be confirmed)",
    ):
        assert words in html


def test_all_channels_are_drawn_on_one_axis_with_limits_alarms_flags_and_events(shown, told):
    drawn = series(shown)
    assert [key for key in drawn if key.startswith("line:")] == [
        f"line:{c}" for c in ("air_temp", "door", "compressor_power", "defrost", "battery")
    ]
    axes = shown.evaluate(OPTION)["xAxis"]
    assert len({(axis["min"], axis["max"]) for axis in axes}) == 1
    assert [line["yAxis"] for line in drawn["line:air_temp"]["markLine"]["data"]] == [8]
    spans = {
        key: [area[0]["xAxis"] for area in one["markArea"]["data"]] for key, one in drawn.items() if "line" in key
    }
    assert spans["line:air_temp"] == [told.now - 200 * MINUTE]
    assert spans["line:door"] == [told.now - 10 * MINUTE]
    assert spans["line:battery"] == []
    assert {point[2] for point in drawn["fail:air_temp"]["data"]} == {-127}
    assert {point[3] for point in drawn["suspect:battery"]["data"]} == {"fastest"}
    assert drawn["fail:air_temp"]["symbol"] != drawn["suspect:air_temp"]["symbol"]
    [event] = drawn["events"]["data"]
    assert (event["value"][0], event["symbol"]) == (told.now - 90 * MINUTE, "diamond")
    assert event["label"]["formatter"] == "opened: by hand"


def test_limits_that_are_close_are_named_at_different_ends(standing_with, page):
    worker = FakeWorker()
    worker.tables = copy.deepcopy(worker.tables)
    lines = [{"channel": "air_temp", "at": at, "priority": "low"} for at in (12.0, 6.5, 8.0)]
    worker.tables[0]["rules"][0]["lines"] = lines
    page.goto(f"{standing_with(worker)}/device?device={FRIDGE}&lang=en")
    is_drawn(page)
    drawn = series(page)["line:air_temp"]["markLine"]["data"]
    ends = [(line["yAxis"], line["label"]["position"]) for line in drawn]
    assert ends == [(6.5, "insideStartTop"), (8, "insideEndTop"), (12, "insideStartTop")]


def test_pointing_at_the_chart_tells_every_channel(shown, told):
    text = shown.evaluate(
        """async ([from, at]) => {
            const { echarts } = await import(document.documentElement.dataset.chartModule);
            const chart = echarts.getInstanceByDom(document.querySelector(".chart"));
            const point = (id) => ({ seriesId: id, value: chart.getOption().series.find((s) => s.id === id).data
                .find(([t]) => t >= at) });
            const ids = ["line:air_temp", "line:door", "suspect:air_temp"];
            return chart.getOption().tooltip[0].formatter(ids.map(point));
        }""",
        [0, told.now - 101 * MINUTE],
    )
    lines = text.split("\n")
    assert lines[1].startswith("Air temperature: 11.0 °C (suspect: changed too fast)")
    assert lines[2].startswith("Door: ")


def test_one_channel_is_chosen_and_all_again_without_loading_the_page(shown):
    shown.evaluate("window.same = true")
    shown.locator(".channels a", has_text="Door").click()
    expect(sentence(shown, "door")).to_contain_text("721 readings")
    expect(shown.locator("figcaption p")).to_have_count(1)
    assert "channel=door" in shown.url
    shown.locator(".channels a.all").click()
    expect(sentence(shown, "battery")).to_contain_text("721 readings")
    shown.go_back()
    expect(shown.locator("figcaption p")).to_have_count(1)
    assert shown.evaluate("window.same")
    shown.goto(shown.url)
    expect(sentence(shown, "door")).to_contain_text("Door: 721 readings")


def test_dragging_looks_closer_at_finer_readings(shown, told):
    shown.locator('.spans a[data-key="30d"]').click()
    expect(sentence(shown, "air_temp")).to_contain_text("a span")
    box = shown.locator(".plot").bounding_box()
    x, y = box["x"] + box["width"] - 40, box["y"] + 80
    shown.mouse.move(x, y)
    shown.mouse.down()
    shown.mouse.move(x - 8, y)
    expect(shown.locator(".drag")).to_be_visible()
    shown.mouse.up()
    expect(shown.locator(".drag")).to_be_hidden()
    expect(sentence(shown, "air_temp")).not_to_contain_text("a span")
    first, last = asked_span(told)
    assert HOUR < last - first < 24 * HOUR
    assert f"from={first}" in shown.url
    expect(shown.locator(".shown-span")).to_contain_text(" to ")
    expect(shown.locator(".spans a[aria-current]")).to_have_count(0)
    shown.go_back()
    expect(sentence(shown, "air_temp")).to_contain_text("a span")


def test_a_click_alone_is_no_drag(shown):
    before = shown.url
    shown.locator(".chart").click(position={"x": 300, "y": 80})
    assert shown.url == before


def test_keys_move_and_zoom_and_lead_back_to_now(shown, told):
    shown.locator(".chart").focus()
    shown.keyboard.press("ArrowLeft")
    expect(shown.locator(".shown-span")).to_contain_text(" to ")
    comes_true(shown, "Array.isArray(JSON.parse(document.querySelector('.chart').dataset.drawn)[2])")
    spans = [(int(a["from"]), int(a["to"])) for a in told.asked if "from" in a]
    earlier = [span for span in spans if span[1] == pytest.approx(told.now - 1.5 * HOUR, abs=2000)]
    first, last = earlier[-1]  # what goes on live may be asked for at the same time
    assert last - first == pytest.approx(6 * HOUR, abs=2000)
    shown.keyboard.press("+")
    comes_true(shown, "(first) => !location.search.includes(`from=${first}`)", arg=str(first))
    shown.keyboard.press("Home")
    expect(shown.locator(".shown-span")).to_have_text("the last 6 h")
    expect(sentence(shown, "air_temp")).to_contain_text("721 readings")
    assert "from=" not in shown.url


def test_buttons_do_the_same_and_never_show_what_is_to_come(shown, told):
    shown.get_by_role("button", name="Wider").click()
    shown.get_by_role("button", name="Later").click()
    expect(shown.locator(".shown-span")).to_contain_text(" to ")
    expect(shown.locator("figcaption")).to_contain_text("1440 readings")
    assert asked_span(told)[1] <= told.now + MINUTE
    shown.get_by_role("button", name="Now", exact=True).click()
    expect(shown.locator(".shown-span")).to_have_text("the last 6 h")


def test_a_span_by_address_is_shown_as_it_is(address, told, page):
    first, last = told.now - 10 * HOUR, told.now - 8 * HOUR
    page.goto(f"{address}&from={first}&to={last}")
    is_drawn(page)
    assert asked_span(told) == (first, last + 1)
    assert [e["value"][0] for e in series(page)["events"]["data"]] == [told.now - 9 * HOUR]
    assert f"from={first}" in page.locator('a[data-language="zh"]').get_attribute("href")
    expect(sentence(page, "air_temp")).to_contain_text("Last ")


@pytest.mark.parametrize("query", ["&from=1&to=x", "&from=9&to=1", "&from=-5&to=99999999999999999999", "&span=9z"])
def test_an_address_that_makes_no_sense_shows_the_usual_span(address, page, query):
    page.goto(f"{address}{query}")
    is_drawn(page)
    expect(page.locator(".shown-span")).to_have_text("the last 6 h")


def test_table_tells_what_the_chart_draws(shown):
    expect(sentence(shown, "air_temp")).to_contain_text("4 flagged")
    shown.locator("#chart details summary").click()
    failed = shown.locator("#chart tbody tr", has_text="failed")
    expect(failed).to_have_count(2)
    expect(failed.first).to_contain_text("−127.0 °C")


def test_value_is_carried_on_and_moves_nothing(stage, worker, page):
    page.goto(f"{stage.start()}/device?device={FRIDGE}&lang=en")
    is_live(page)
    is_drawn(page)
    expect(sentence(page, "air_temp")).to_contain_text("Now 4.8 °C")
    before = page.evaluate("document.documentElement.scrollHeight")
    worker.now += 30_000
    worker.measure(FRIDGE, "air_temp", 11.5)
    expect(sentence(page, "air_temp")).to_contain_text("Now 11.5 °C, lowest 4.4 °C, highest 11.5 °C")
    expect(page.locator(".channels a", has_text="Air").locator(".n")).to_have_text("11.5")
    assert page.evaluate("document.documentElement.scrollHeight") == before
    fixed = f"&from={worker.now - HOUR}&to={worker.now}"
    page.goto(f"{page.url}{fixed}")
    is_drawn(page)
    worker.measure(FRIDGE, "air_temp", 12.5, at=worker.now + 1)
    expect(page.locator(".channels a", has_text="Air").locator(".n")).to_have_text("12.5")
    expect(sentence(page, "air_temp")).not_to_contain_text("12.5")


def test_alarm_and_event_are_drawn_as_they_come(stage, worker, page):
    page.goto(f"{stage.start()}/device?device={FRIDGE}&lang=en")
    is_live(page)
    is_drawn(page)
    page.evaluate("window.chart = document.querySelector('.chart canvas')")
    worker.raise_alarm(FRIDGE, "fridge_warm", 9.4, raised_at=worker.now - 30 * MINUTE)
    expect(page.locator(".alarm")).to_contain_text("Fridge too warm")
    worker.happen(FRIDGE, "opened", "by hand", at=worker.now - MINUTE)
    expect(page.locator(".events li")).to_contain_text("by hand")
    comes_true(
        page,
        f"""async () => {{
            const series = (await ({OPTION})()).series;
            return series[1].markArea.data.length === 1 && series[0].data.length === 1;
        }}""",
    )
    assert page.evaluate("window.chart === document.querySelector('.chart canvas')")


def test_late_answer_never_overwrites_a_newer_one(shown):
    late = []
    shown.route("**/api/v1/readings?*channel=battery*", lambda route: late.append(route))  # noqa: PLW0108 - it is marked
    shown.locator(".channels a", has_text="Battery").click()
    expect(sentence(shown, "battery")).to_have_text("Reading the record …")
    shown.locator(".channels a", has_text="Compressor").click()
    expect(sentence(shown, "compressor_power")).to_contain_text("Compressor: ")
    with shown.expect_response("**/api/v1/readings?*channel=battery*") as answer:
        late[0].continue_()
    answer.value.finished()
    shown.locator(".channels a", has_text="Door").click()
    expect(sentence(shown, "door")).to_contain_text("721 readings")
    assert set(series(shown)) >= {"line:door"}
    assert "line:battery" not in series(shown)


def test_record_that_cannot_be_read_is_said_and_tried_again(address, page, complaints):
    complaints.expect("503")
    page.route("**/api/v1/events?*", lambda route: route.fulfill(status=503))
    page.goto(address)
    expect(sentence(page, "air_temp")).to_have_text("The record cannot be read now; it is tried again.")
    page.unroute("**/api/v1/events?*")
    is_drawn(page)
    expect(sentence(page, "air_temp")).to_contain_text("721 readings")


def test_what_a_device_can_be_told_stands_on_its_page(standing_with, page):
    worker = DeskWorker()
    page.goto(f"{standing_with(worker)}/device?device=kitchen.s001.s001-valve&lang=en")
    is_drawn(page)
    expect(page.locator("#commands")).to_contain_text("Shut the valve")
    worker.raise_alarm("kitchen.s001.s001-valve", "fridge_warm", 9.4)
    expect(page.locator(".alarm")).to_have_count(1)
    expect(page.locator("#commands")).to_contain_text("No command was sent yet.")


def test_record_is_drawn_while_the_broker_is_away(stage, worker, page):
    """The worker is not ready then, and has all that came before."""
    worker.ready = {"ready": False, "history": None, "reasons": ["broker"]}
    page.goto(f"{stage.start()}/device?device={FRIDGE}&span=6h&lang=en")
    expect(page.locator("figcaption")).to_contain_text("readings")
