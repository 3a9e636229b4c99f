"""The overview: sites in the order of their urgency, each with its reason; found by search and by state."""

import httpx
import pytest
from fake_worker import MINUTE, FakeWorker
from playwright.sync_api import expect

FRIDGE = "kitchen.s001.s001-fridge-1"
MEAT = "kitchen.s002.s002-fridge-2"
MANY = 2000


def is_live(page):
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")


def place(page, site):
    return page.locator(f'.place[data-key="kitchen.{site}"]')


def keys(page):
    return page.locator(".place:not([hidden])").evaluate_all("rows => rows.map((row) => row.dataset.key.slice(-4))")


@pytest.fixture
def six(worker):
    """One kitchen in each state."""
    worker.devices = FakeWorker(sites=6).devices
    worker.raise_alarm("kitchen.s006.s006-fridge-1", "fridge_warm", 9.4, raised_at=worker.now - 20 * MINUTE)
    worker.raise_alarm("kitchen.s006.s006-fridge-2", "door_ajar", 1, priority="medium")
    worker.raise_alarm("kitchen.s005.s005-fridge-1", "door_ajar", 1, priority="medium")
    worker.raise_alarm("kitchen.s002.s002-fridge-1", "sensor_silent", None, priority="low")
    for device in worker.devices:
        if device["site"] == "s004":
            device["channels"] = [dict(c, at=worker.now - 90 * MINUTE) for c in device["channels"]]
        device["online"] = device["id"] != "kitchen.s003.s003-fridge-3"
    return worker


@pytest.mark.usefixtures("six")
def test_overview_is_readable_and_in_order_before_any_script(stage):
    console = stage.start()
    with httpx.Client(base_url=console, trust_env=False) as client:
        stage.until(lambda: ">Silent since" in client.get("/?lang=en").text)
        html = client.get("/?lang=en").text
        order = [part.split('"')[0] for part in html.split('data-key="kitchen.')[1:]]
        assert order == ["s006", "s005", "s002", "s004", "s003", "s001"]
        for words in (
            "Fridge too warm · School 6 canteen · vegetable fridge",
            "20 min",
            "+1 more",
            "1 of 6 devices offline",
            "1 h 30 min",
            "6 of 6",
        ):
            assert words in html
        found = client.get("/?lang=en&state=low").text
        assert (found.count('<li class="place"'), found.count('hidden>\n  <a class="place-name"')) == (6, 5)
        assert "1 of 6" in client.get("/?lang=en&q=VEGETABLE+fridge&state=high").text
        assert "No site fits." in client.get("/?lang=en&q=nothing").text


def test_an_alarm_moves_its_site_to_the_top_and_back(stage, worker, page):
    page.goto(f"{stage.start()}/?lang=en")
    is_live(page)
    assert keys(page) == ["s001", "s002"]
    alarm = worker.raise_alarm(MEAT, "fridge_warm", 9.4)
    expect(place(page, "s002")).to_contain_text("Fridge too warm · School 2 canteen · meat fridge")
    expect(place(page, "s002").locator(".state")).to_have_text("▲High")
    assert keys(page) == ["s002", "s001"]
    expect(page.locator('.strip [data-total="high"]')).to_have_text("1")
    expect(page.locator('[data-total="sites.high"]')).to_have_text("1")
    expect(page.locator("#announce")).to_have_text(
        "New alarm, High: Fridge too warm, School 2 canteen · meat fridge"
    )
    expect(page).to_have_title("▲ 1 · Scenewatch")
    worker.clear_alarm(alarm)
    expect(place(page, "s002").locator(".state")).to_have_text("✓Normal")
    assert keys(page) == ["s001", "s002"]
    expect(page).to_have_title("Scenewatch")


def test_rows_stay_where_they_are_under_the_readers_hand(stage, worker, page):
    page.goto(f"{stage.start()}/?lang=en")
    is_live(page)
    link = place(page, "s001").locator("a")
    link.focus()
    worker.raise_alarm(MEAT, "fridge_warm", 9.4)
    expect(place(page, "s002")).to_contain_text("Fridge too warm")
    assert keys(page) == ["s001", "s002"]
    expect(link).to_be_focused()
    page.locator("#q").focus()
    expect(page.locator(".place").first).to_have_attribute("data-key", "kitchen.s002")


def test_a_site_goes_silent_and_speaks_again(stage, worker, page):
    page.goto(f"{stage.start()}/?lang=en")
    is_live(page)
    worker.now += 10 * MINUTE
    expect(place(page, "s001")).to_contain_text("Silent since 10 min")
    expect(place(page, "s001").locator(".word")).to_have_text("Offline")
    worker.measure(FRIDGE, "air_temp", 4.0)
    expect(place(page, "s001").locator(".word")).to_have_text("Normal")
    expect(place(page, "s002").locator(".word")).to_have_text("Offline")


@pytest.mark.usefixtures("six")
def test_sites_are_found_by_search_and_state_and_the_address_says_so(stage, page):
    page.goto(f"{stage.start()}/?lang=en")
    is_live(page)
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("door left")
    assert keys(page) == ["s005"]
    expect(page.locator("#shown")).to_have_text("1 of 6")
    page.keyboard.press("Escape")
    assert len(keys(page)) == 6
    page.locator(".state-filters a", has_text="Partly offline").click()
    assert keys(page) == ["s003"]
    assert "state=partly" in page.url
    page.reload()
    is_live(page)
    assert keys(page) == ["s003"]
    page.locator("#q").fill("s001")
    expect(page.locator("#none-fit")).to_be_visible()
    page.locator(".state-filters a", has_text="All").click()
    assert keys(page) == ["s001"]


def test_a_row_that_no_longer_fits_goes_and_one_that_does_comes(stage, worker, page):
    page.goto(f"{stage.start()}/?lang=en&state=high")
    is_live(page)
    expect(page.locator("#none-fit")).to_be_visible()
    alarm = worker.raise_alarm(MEAT, "fridge_warm", 9.4)
    expect(place(page, "s002")).to_be_visible()
    worker.clear_alarm(alarm)
    expect(place(page, "s002")).to_be_hidden()


def test_a_site_leads_to_its_page_by_keyboard(stage, page):
    page.goto(f"{stage.start()}/?lang=en&theme=dark")
    is_live(page)
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    place(page, "s002").locator("a").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Kitchen s002")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_rows_are_told_since_an_edition(stage, worker):
    console = stage.start()
    with httpx.Client(base_url=console, trust_env=False) as client:
        stage.until(lambda: "kitchen.s001" in client.get("/rows").json()["html"])
        whole = client.get("/rows?since=nonsense").json()
        assert whole["whole"]
        assert whole["html"].count("<li") == 2
        nothing = client.get("/rows", params={"since": whole["edition"]}).json()
        assert (nothing["whole"], nothing["html"].strip()) == (False, "")
        stage.until(lambda: worker.is_heard)
        worker.raise_alarm(MEAT, "fridge_warm", 9.4)
        since = {"since": whole["edition"], "lang": "zh"}
        stage.until(lambda: "<li" in client.get("/rows", params=since).json()["html"])
        one = client.get("/rows", params=since).json()
        assert one["html"].count("<li") == 1
        assert "冷藏柜温度过高" in one["html"]


def test_two_thousand_sites_are_a_list_that_follows(stage, worker, page):
    worker.devices = [d for d in FakeWorker(sites=MANY).devices if d["device"].endswith(("gw", "fridge-1"))]
    page.goto(f"{stage.start()}/?lang=en")
    is_live(page)
    expect(page.locator(".place")).to_have_count(MANY)
    expect(page.locator("#places")).to_have_class("places dense")
    worker.raise_alarm("kitchen.s1999.s1999-fridge-1", "fridge_warm", 9.4)
    expect(page.locator(".place").first).to_contain_text("School 1999", timeout=20_000)
    page.locator("#q").fill("s1234")
    assert keys(page) == ["1234"]
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_sites_that_come_later_are_listed_as_closely(stage, worker, page):
    many = [d for d in FakeWorker(sites=MANY).devices if d["device"].endswith(("gw", "fridge-1"))]
    worker.devices = many[:4]
    page.goto(f"{stage.start()}/?lang=en")
    is_live(page)
    expect(page.locator("#places")).to_have_class("places")
    worker.devices = many
    worker.raise_alarm("kitchen.s1999.s1999-fridge-1", "fridge_warm", 9.4)
    expect(page.locator(".place")).to_have_count(MANY, timeout=20_000)
    expect(page.locator("#places")).to_have_class("places dense")
