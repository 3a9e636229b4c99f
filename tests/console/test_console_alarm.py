"""The page of one alarm in a real browser: everything at one glance, in front of a worker that explains."""

from urllib.parse import urlencode

import pytest
from comes_true import comes_true
from fake_desk import COOKIE, NAME
from fake_explanations import VERSION, ExplainingWorker
from fake_worker import MINUTE, text
from playwright.sync_api import expect

MEAT = "kitchen.s001.s001-fridge-2"
SIZES = ((360, 740), (768, 1024), (1280, 800))


@pytest.fixture
def worker():
    return ExplainingWorker()


def fill(worker):
    """One alarm that stands, two like it before."""
    for n in (1, 2):
        past = worker.raise_alarm(MEAT, "fridge_warm", 9.0, raised_at=worker.now - n * 24 * 60 * MINUTE)
        worker.clear_alarm(past, past["raised_at"] + 17 * MINUTE)
    return worker.raise_alarm(MEAT, "fridge_warm", 9.4, raised_at=worker.now - 42 * MINUTE)


def address(console, alarm, **more):
    identity = {name: alarm[name] for name in ("rule", "device", "raised_at")}
    return f"{console}/alarm?{urlencode({'lang': 'en'} | identity | more)}"


@pytest.fixture(scope="module")
def shown(standing_with):
    """A console for all who only look, and its alarm that stands."""
    worker = ExplainingWorker()
    alarm = fill(worker)
    worker.more = {"cause": worker.raise_alarm("kitchen.s001.s001-gw", "sensor_silent", None, priority="low")}
    return standing_with(worker), alarm


def is_drawn(page):
    page.wait_for_selector(".chart[data-drawn]", timeout=20_000)


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh", "dark")])
def test_it_is_whole_in_every_language_theme_and_width(shown, page, language, theme):
    console, alarm = shown
    page.goto(address(console, alarm, lang=language, theme=theme))
    is_drawn(page)
    expect(page.locator("#why")).to_contain_text(
        {"en": "above 8 °C for 30 min", "zh": "柜内温度高于 8 °C"}[language]
    )
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        # the chart follows a new width a moment later
        comes_true(page, "document.documentElement.scrollWidth === document.documentElement.clientWidth")
        cut = page.evaluate("""[...document.querySelectorAll("main :is(p, dt, li, h1, h2)")]
            .filter((e) => !e.closest(".hidden") && e.scrollWidth > e.clientWidth + 1)
            .map((e) => e.className + e.textContent)""")
        assert cut == [], width


def test_it_tells_why_what_to_do_and_what_helps_to_judge(shown, page):
    console, alarm = shown
    page.goto(address(console, alarm))
    expect(page.locator("h1")).to_have_text("Fridge too warm")
    for place, words in {
        ".explained": ["High", "unacknowledged", "42 min", "Kitchen s001", "School 1 canteen · meat fridge"],
        "#why": [
            "At the alarm: Air temperature 9.4 °C",
            "Move the food, then check the door",
            "2018 catering operation code (SAMR), recommended (to be confirmed)",
            f"kitchen.fridge_warm Version {VERSION}",
        ],
        "[aria-labelledby='values-title']": [
            "open suspect: value is stuck · 20 s before",
            "95.5 % good, 3.0 % suspect, 1.5 % failed; 118 of about 120 readings came.",
        ],
        "[aria-labelledby='causes-title']": ["Door left open shows after about 15 min", "Compressor dead"],
        "[aria-labelledby='related-title']": ["Sensor silent", "School 1 gateway", "stands"],
        "[aria-labelledby='similar-title']": ["2 at this device in the 30 days before.", "lasted 17 min"],
    }.items():
        for said in words:
            expect(page.locator(place)).to_contain_text(said)


def test_its_chart_has_the_limit_and_the_time_of_the_alarm(stage, worker, page):
    fill(worker)
    past = worker.alarms[0]
    page.goto(address(stage.start(), past))
    is_drawn(page)
    asked = next(one for one in worker.asked if one.get("channel") == "air_temp")
    assert int(asked["from"]) == past["raised_at"] - 60 * MINUTE
    assert int(asked["to"]) == past["cleared_at"] + 30 * MINUTE + 1
    about = page.evaluate("JSON.parse(document.getElementById('chart-of').textContent)")
    assert (about["alarm"]["raised_at"], about["alarm"]["cleared_at"]) == (past["raised_at"], past["cleared_at"])
    assert [(one["key"], [line["at"] for line in one["lines"]]) for one in about["channels"]] == [
        ("air_temp", [8.0]),
        ("door", []),
        ("battery", []),
    ]


def test_it_is_acknowledged_by_a_key_and_says_so_at_once(stage, worker, page):
    alarm = fill(worker)
    console = stage.start()
    page.context.add_cookies([{"name": COOKIE, "value": "signed", "url": console}])
    page.goto(address(console, alarm))
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    page.keyboard.press("a")
    expect(page.locator(".explained")).to_contain_text(f"seen by {NAME}")
    expect(page.locator("#acknowledge")).to_have_count(0)
    worker.clear_alarm(alarm)
    expect(page.locator("[aria-labelledby='course-title']")).to_contain_text("cleared")


def test_it_can_be_shelved_or_let_go_where_it_stands(stage, worker, page):
    worker.more = {"alarm": fill(worker) | {"latched": True}}
    page.goto(address(stage.start(), worker.more["alarm"]))
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(page.locator("#acknowledge button")).to_have_text(["Acknowledge a", "Reset"])
    page.get_by_text("Shelve…").click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_contain_text("Fridge too warm")
    expect(dialog).to_contain_text("School 1 canteen · meat fridge")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_what_became_of_the_rule_and_of_the_alarm_is_told(stage, worker, page):
    alarm = fill(worker)
    console = stage.start()
    rule = worker.rule("kitchen.fridge_warm")
    now = rule | {"text": text("Air temperature above 6 °C", "空气温度高于 6 °C")}
    is_so = {
        "#why": [
            ({"now": now}, "The rule has changed since. It is now: Air temperature above 6 °C"),
            ({"as_raised": False}, "it is shown as it is now"),
            ({"rule": None, "chart": None, "values": []}, "Nothing is known of this rule any more."),
        ],
        ".explained": [
            ({"alarm": alarm | {"latched": True}}, "waits for a reset"),
            ({"alarm": alarm | {"hidden": "maintenance", "state": "suppressed"}}, "during maintenance"),
            ({"raised_priority": "low"}, "(raised as Low)"),
        ],
    }
    for place, tries in is_so.items():
        for worker.more, said in tries:
            page.goto(address(console, alarm))
            expect(page.locator(place)).to_contain_text(said)


def test_an_alarm_of_a_rule_and_a_device_that_are_gone_is_told(stage, worker, page):
    gone = worker.raise_alarm("kitchen.s009.old-fridge", "of_old", 9.4)
    page.goto(address(stage.start(), gone))
    expect(page.locator("h1")).to_have_text("kitchen.of_old")
    expect(page.locator(".explained")).to_contain_text("kitchen.s009.old-fridge")
    expect(page.locator("#chart")).to_have_count(0)


def test_what_is_no_alarm_is_not_found_and_a_worker_that_is_away_is_told_apart(stage, worker, page, complaints):
    complaints.expect("502")
    alarm = fill(worker)
    console = stage.start()
    answer = page.request.get(address(console, alarm | {"raised_at": 1}))
    assert answer.status == 404
    assert "There is no such alarm." in answer.text()
    stage.stop("worker")
    page.goto(address(console, alarm))
    expect(page.locator("main")).to_contain_text("The worker does not answer")
    stage.start_worker()
    expect(page.locator("h1")).to_have_text("Fridge too warm")


def test_site_and_device_lead_to_it(shown, page):
    console, alarm = shown
    own = address("", alarm)
    for path in ("site?site=kitchen.s001", f"device?device={MEAT}"):
        page.goto(f"{console}/{path}&lang=en")
        links = page.locator(".alarm h3 a").evaluate_all("(all) => all.map((a) => a.getAttribute('href'))")
        assert own in links
    past = page.locator(".recent a").evaluate_all("(all) => all.map((a) => a.getAttribute('href'))")
    assert len(past) == 2
    assert all(one.startswith("/alarm?lang=en&rule=kitchen.fridge_warm&") for one in past)
