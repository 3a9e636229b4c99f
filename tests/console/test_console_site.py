"""The page of a site: its devices by kind with their values, its alarms, and the events of its own day."""

import re

import httpx
import pytest
from fake_worker import MINUTE, make_device, text
from playwright.sync_api import expect

FRIDGE = "kitchen.s001.s001-fridge-1"
MEAT = "kitchen.s001.s001-fridge-2"
OTHER = "kitchen.s002.s002-fridge-1"
SITE = "/site?site=kitchen.s001&lang=en"


def is_live(page):
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")


def card(page, device):
    return page.locator(f'.card[data-card="{device}"]')


def first_value(page, device):
    return card(page, device).locator(".big .n")


def test_site_is_readable_before_any_script(stage, worker):
    worker.raise_alarm(FRIDGE, "fridge_warm", 9.4, raised_at=worker.now - 20 * MINUTE)
    worker.raise_alarm(OTHER, "door_ajar", 1)
    worker.happen(FRIDGE, "opened", "by hand", at=worker.now - 5 * MINUTE)
    html = httpx.get(f"{stage.start()}{SITE}", trust_env=False).text
    for words in (
        "School 1 canteen · vegetable fridge",
        ">4.8<",
        "Fridge too warm",
        "Air temperature above 8 °C for 30 min",
        "20 min",
        "6 of 6 devices online",
        "by hand",
        "Times are in UTC.",
    ):
        assert words in html
    assert "School 2" not in html
    assert html.index("Freezer <") > html.index("Fridge <")
    assert html.index("Gateway <") > html.index("Freezer <")


@pytest.mark.parametrize(
    "path", ["/site", "/site?site=kitchen.none", "/device", "/device?device=kitchen.s001.none"]
)
def test_what_is_not_there_is_said(standing, path):
    answer = httpx.get(f"http://127.0.0.1:{standing.console_port}{path}", trust_env=False)
    assert answer.status_code == 404
    assert "There is no such" in answer.text
    assert "To the overview" in answer.text


def test_events_are_those_of_the_sites_own_day(stage, worker):
    """It is 22:13 in Shanghai: that day began at 16:00 UTC of the day before."""
    worker.happen(FRIDGE, "opened", "yesterday there", at=worker.now - (22 * 60 + 14) * MINUTE)
    worker.happen(FRIDGE, "opened", "today there", at=worker.now - (22 * 60 + 12) * MINUTE)
    html = httpx.get(f"{stage.start()}{SITE}", trust_env=False).text
    assert "today there" in html
    assert "yesterday there" not in html


def test_value_reaches_the_page_and_moves_nothing(stage, worker, page):
    page.goto(f"{stage.start()}{SITE}")
    is_live(page)
    before = page.evaluate("document.documentElement.scrollHeight")
    box = card(page, FRIDGE).bounding_box()
    worker.now += 30_000
    worker.measure(FRIDGE, "air_temp", 11.5)
    worker.measure(FRIDGE, "door", 1)
    expect(first_value(page, FRIDGE)).to_have_text("11.5")
    expect(card(page, FRIDGE)).to_contain_text("open")
    assert card(page, FRIDGE).bounding_box() == box
    assert page.evaluate("document.documentElement.scrollHeight") == before


def test_flagged_reading_has_sign_and_reason(stage, worker, page):
    page.goto(f"{stage.start()}{SITE}")
    is_live(page)
    worker.measure(FRIDGE, "air_temp", -127.0, flag="fail", test="possible")
    cell = card(page, FRIDGE).locator(".big .value")
    expect(cell.locator(".flag")).to_have_text("✕")
    expect(cell).to_have_attribute("title", re.compile("failed: outside what the sensor can measure"))


def test_alarm_and_event_appear_and_go_and_keep_the_focus(stage, worker, page):
    page.goto(f"{stage.start()}{SITE}")
    is_live(page)
    page.evaluate("window.same = true")
    main = page.locator("#part")
    expect(main).to_contain_text("No alarm stands.")
    expect(main).to_contain_text("None today.")
    link = card(page, FRIDGE).locator("a")
    link.focus()
    alarm = worker.raise_alarm(MEAT, "fridge_warm", 9.4)
    expect(page.locator(".alarm")).to_contain_text("Air temperature above 8 °C for 30 min")
    expect(page.locator(".head .because")).to_contain_text("Fridge too warm")
    expect(card(page, MEAT).locator(".state")).to_have_attribute("data-state", "high")
    worker.happen(FRIDGE, "opened", "<b>by hand</b>", level="warning")
    expect(page.locator(".events li")).to_contain_text("<b>by hand</b>")
    expect(page.locator(".events .word")).to_have_text("Warning")
    worker.clear_alarm(alarm)
    expect(main).to_contain_text("No alarm stands.")
    expect(link).to_be_focused()
    assert page.evaluate("window.same")


def test_a_page_hears_of_its_own_site_alone(stage, worker, page):
    heard = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: heard.append(str(frame))))
    page.goto(f"{stage.start()}{SITE}")
    is_live(page)
    worker.measure(OTHER, "air_temp", 9.9)
    worker.raise_alarm(OTHER, "fridge_warm", 9.9)
    expect(page.locator("#announce")).to_contain_text("School 2")
    worker.measure(FRIDGE, "air_temp", 5.5)
    expect(first_value(page, FRIDGE)).to_have_text("5.5")
    assert not [frame for frame in heard if OTHER in frame]
    expect(page.locator(".alarm")).to_have_count(0)


def test_device_goes_offline_in_word_and_reason(stage, worker, page):
    page.goto(f"{stage.start()}{SITE}")
    is_live(page)
    worker.tell("online", {FRIDGE: False})
    expect(card(page, FRIDGE).locator(".state .word")).to_have_text("Offline")
    expect(page.locator(".head .word").first).to_have_text("Partly offline")
    expect(page.locator(".head")).to_contain_text("1 of 6 devices offline")


def test_old_value_says_how_old(stage, worker, page):
    worker.device(FRIDGE)["channels"] = [
        dict(c, at=worker.now - 15 * MINUTE) for c in worker.device(FRIDGE)["channels"]
    ]
    page.goto(f"{stage.start()}{SITE}")
    is_live(page)
    expect(card(page, FRIDGE).locator(".age")).to_have_text("15 min old")
    expect(card(page, MEAT).locator(".age")).to_have_text("")


def test_small_lines_are_drawn_beside_the_values(stage, worker, page):
    page.goto(f"{stage.start()}{SITE}")
    is_live(page)
    expect(page.locator(".spark path")).to_have_count(5)
    assert page.locator(".spark path").first.get_attribute("d").count("L") > 60
    asked = [a for a in worker.asked if "series" in a]
    assert {a["points"] for a in asked} == {"60"}
    worker.raise_alarm(MEAT, "fridge_warm", 9.4)
    expect(page.locator(".alarm")).to_have_count(1)
    expect(page.locator(".spark path")).to_have_count(5)
    assert len([a for a in worker.asked if "series" in a]) == 5


@pytest.mark.parametrize(
    ("zone", "words"), [("Asia/Shanghai", None), ("America/New_York", "at the site it is 22:13")]
)
def test_a_browser_elsewhere_is_told_the_time_at_the_site(standing, chromium, zone, words):
    context = chromium.browser.new_context(timezone_id=zone, locale="en-GB")
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{standing.console_port}{SITE}")
    note = page.locator(".zone")
    expect(note).to_contain_text(f"Times are in {zone} (UTC")
    if words:
        expect(note).to_contain_text(words)
        expect(note).to_contain_text("Mon, Sep 21 (Asia/Shanghai, UTC+8)")
    else:
        expect(note).not_to_contain_text("at the site")
    context.close()


def test_a_camera_shows_what_it_told(stage, worker, page):
    camera = make_device("s001", "s001-cam", "camera", text("Camera", "摄像机"), [])
    worker.devices.append(camera)
    address = "https://pictures.example/1.jpg"
    worker.happen(camera["id"], "no_hat", "cook at the stove", level="alarm", media=address)
    page.goto(f"{stage.start()}{SITE}")
    card(page, camera["id"]).locator("a").click()
    expect(page.locator("h1")).to_have_text("Camera")
    event = page.locator(".events li")
    expect(event).to_contain_text("Without a hat")
    expect(event).to_contain_text("cook at the stove")
    expect(event.get_by_role("link", name="Picture or film")).to_have_attribute("href", address)
    assert page.locator(".chart").count() == 0
