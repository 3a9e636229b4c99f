"""The page in a real browser: what people see, in both languages, and what happens while they look."""

import re

import pytest
from fake_worker import MINUTE
from playwright.sync_api import expect

FRIDGE = "kitchen.s001.s001-fridge-1"
MEAT = "kitchen.s001.s001-fridge-2"


def state(page):
    return page.locator("#connection")


def card(page, device):
    return page.locator(f'[data-card="{device}"].card')


def first_value(page, device):
    return card(page, device).locator(".big .n")


def is_live(page):
    expect(state(page)).to_have_attribute("data-state", "live")


def is_drawn(page):
    page.wait_for_selector("#detail .chart[data-points] canvas")


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh", "dark")])
def test_page_is_whole_in_every_language_theme_and_width(stage, worker, page, language, theme):
    worker.raise_alarm(MEAT, "fridge_warm", 9.4, raised_at=worker.now - 20 * MINUTE)
    page.goto(f"{stage.start()}/?lang={language}&theme={theme}")
    is_live(page)
    is_drawn(page)
    for width in (360, 768, 1000, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        assert overflow(page) == 0, width
    words = {"en": ("Live", "Fridge too warm", "High"), "zh": ("实时", "冷藏柜温度过高", "紧急")}[language]
    for word in words:
        expect(page.locator("body")).to_contain_text(word)
    expect(page.locator("html")).to_have_attribute("lang", {"en": "en", "zh": "zh-CN"}[language])
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(","))) > 384) == (theme == "light")


def test_every_sign_of_state_has_a_word(stage, page):
    page.goto(stage.start())
    is_live(page)
    wordless = page.evaluate(
        """[...document.querySelectorAll('.state .word')].filter(w => !w.textContent.trim()).length"""
    )
    assert wordless == 0
    assert page.locator(".state .word").count() > 10


def test_value_reaches_the_page_and_moves_nothing(stage, worker, page):
    page.goto(stage.start())
    is_live(page)
    is_drawn(page)
    before = page.evaluate("document.documentElement.scrollHeight")
    box = card(page, FRIDGE).bounding_box()
    worker.now += 30_000
    worker.measure(FRIDGE, "air_temp", 11.5)
    worker.measure(FRIDGE, "door", 1)
    expect(first_value(page, FRIDGE)).to_have_text("11.5")
    expect(card(page, FRIDGE)).to_contain_text("open")
    expect(page.locator("#detail figcaption")).to_contain_text("Now 11.5 °C")
    assert card(page, FRIDGE).bounding_box() == box
    assert page.evaluate("document.documentElement.scrollHeight") == before


def test_flagged_reading_has_sign_and_reason(stage, worker, page):
    page.goto(stage.start())
    is_live(page)
    worker.measure(FRIDGE, "air_temp", -127.0, flag="fail", test="possible")
    cell = card(page, FRIDGE).locator(".big .value")
    expect(cell.locator(".flag")).to_have_text("✕")
    expect(cell).to_have_attribute("title", re.compile("failed: outside what the sensor can measure"))


def test_alarm_appears_is_announced_and_clears(stage, worker, page):
    page.goto(stage.start())
    is_live(page)
    expect(page.locator("#alarms")).to_contain_text("No alarm stands.")
    alarm = worker.raise_alarm(MEAT, "fridge_warm", 9.4)
    standing = page.locator(".alarm")
    expect(standing).to_contain_text("Fridge too warm")
    expect(standing).to_contain_text("above 8.0 °C for 30 min")
    expect(page.locator("#announce")).to_have_text(
        "New alarm, High: Fridge too warm, School 1 canteen · meat fridge"
    )
    expect(card(page, MEAT).locator(".state")).to_have_attribute("data-state", "high")
    expect(page.locator('a.site[data-site="kitchen.s001"]')).to_contain_text("High")
    expect(page.locator('[data-total="high"]')).to_have_text("1")
    expect(page).to_have_title("▲ 1 · Scenewatch")
    worker.clear_alarm(alarm)
    expect(page.locator("#alarms")).to_contain_text("No alarm stands.")
    expect(page.locator(".recent")).to_contain_text("Fridge too warm")
    expect(card(page, MEAT).locator(".state")).to_have_attribute("data-state", "normal")
    expect(page).to_have_title("Scenewatch")


def test_new_alarm_keeps_focus_and_choice(stage, worker, page):
    page.goto(f"{stage.start()}/?device={FRIDGE}")
    is_live(page)
    is_drawn(page)
    page.locator("#detail details summary").click()
    link = card(page, FRIDGE).locator("a")
    link.focus()
    worker.raise_alarm(MEAT, "fridge_warm", 9.4)
    expect(page.locator(".alarm")).to_have_count(1)
    expect(link).to_be_focused()
    expect(page.locator("#detail-title")).to_have_text("School 1 canteen · vegetable fridge")
    expect(page.locator("#detail details")).to_have_attribute("open", "")


def test_device_goes_offline_in_word_and_sum(stage, worker, page):
    page.goto(stage.start())
    is_live(page)
    worker.tell("online", {FRIDGE: False})
    expect(card(page, FRIDGE).locator(".state .word")).to_have_text("Offline")
    expect(page.locator('a.site[data-site="kitchen.s001"] .word')).to_have_text("Partly offline")
    expect(page.locator('[data-total="online"]')).to_have_text("11")


def test_old_value_says_how_old(stage, worker, page):
    worker.device(FRIDGE)["channels"] = [
        dict(c, at=worker.now - 15 * MINUTE) for c in worker.device(FRIDGE)["channels"]
    ]
    page.goto(stage.start())
    is_live(page)
    expect(card(page, FRIDGE).locator(".age")).to_have_text("15 min old")
    expect(card(page, MEAT).locator(".age")).to_have_text("")


def test_choosing_changes_chart_and_address_without_loading_the_page(stage, worker, page):
    page.goto(stage.start())
    is_live(page)
    is_drawn(page)
    page.evaluate("window.same = true")
    card(page, MEAT).locator("a").click()
    expect(page.locator("#detail-title")).to_have_text("School 1 canteen · meat fridge")
    page.locator(".channels a", has_text="Door").click()
    expect(page.locator("#detail figcaption")).to_contain_text("Door: ")
    page.locator(".spans a", has_text="6 h").click()
    expect(page.locator("#detail figcaption")).to_contain_text("721 readings")
    assert worker.asked[-1]["channel"] == "door"
    assert int(worker.asked[-1]["to"]) - int(worker.asked[-1]["from"]) == 6 * 3_600_000
    assert f"device={MEAT}&channel=door&span=6h" in page.url
    assert page.evaluate("window.same")
    page.goto(page.url)
    expect(page.locator("#detail figcaption")).to_contain_text("Door: 721 readings")


def test_on_a_small_screen_choosing_a_device_leads_to_its_chart(stage, page):
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(stage.start())
    is_live(page)
    is_drawn(page)
    card(page, FRIDGE).locator("a").click()
    expect(page.locator("#detail-title")).to_be_focused()
    expect(page.locator("#detail-title")).to_be_in_viewport()


def test_late_answer_never_overwrites_a_newer_one(stage, worker, page):
    page.goto(stage.start())
    is_live(page)
    is_drawn(page)
    late = []

    def keep_back(route):
        late.append(route)

    page.route("**/api/v1/readings?*channel=battery*", keep_back)
    caption = page.locator("#detail figcaption")
    page.locator(".channels a", has_text="Battery").click()
    expect(caption).to_have_text("Reading the record …")
    page.locator(".channels a", has_text="Compressor").click()
    expect(caption).to_contain_text("Compressor: ")
    with page.expect_response("**/api/v1/readings?*channel=battery*") as answer:
        late[0].continue_()
    answer.value.finished()
    worker.measure(
        page.locator(".detail-head").get_attribute("data-card"), "compressor_power", 91, at=worker.now + 1
    )
    expect(caption).to_contain_text("Now 91 W")
    expect(caption).to_contain_text("Compressor: ")


def test_table_tells_what_the_chart_draws(stage, worker, page):
    worker.flags = {40: (-127.0, "fail", "possible")}
    page.goto(f"{stage.start()}/?device={FRIDGE}")
    is_drawn(page)
    expect(page.locator("#detail figcaption")).to_contain_text("2 flagged")
    page.locator("#detail details summary").click()
    failed = page.locator("#detail tbody tr", has_text="failed")
    expect(failed).to_have_count(2)
    expect(failed.first).to_contain_text("−127.0 °C")


def test_hostile_name_is_shown_as_text(stage, worker, page):
    name = "<img src=x onerror=alert(1)></script><script>alert(2)</script>{{7*7}}"
    worker.device(FRIDGE)["name"] = {"en": name, "zh": name}
    page.goto(f"{stage.start()}/?device={FRIDGE}")
    is_live(page)
    expect(card(page, FRIDGE).locator("h4")).to_have_text(name)
    expect(page.locator("#detail-title")).to_have_text(name)
    worker.raise_alarm(FRIDGE, "fridge_warm", 9.0)
    expect(page.locator(".alarm")).to_contain_text(name)
    assert page.locator("img[src=x]").count() == 0


def test_history_in_the_making_shows_progress_and_becomes_live(stage, worker, page):
    devices, worker.devices = worker.devices, []
    worker.ready = {"ready": False, "history": {"done": 43, "of": 100}, "reasons": ["history"]}
    page.goto(stage.start())
    expect(state(page)).to_have_attribute("data-state", "starting")
    expect(state(page)).to_contain_text("Writing history 43 %")
    expect(page.locator("#history")).to_have_js_property("value", 43)
    expect(page.locator("#places")).to_contain_text("Nothing to show yet.")
    page.evaluate("window.same = true")
    worker.devices, worker.ready = devices, {"ready": True, "history": None, "reasons": []}
    worker.measure(FRIDGE, "air_temp", 4.4)
    is_live(page)
    expect(first_value(page, FRIDGE)).to_have_text("4.4")
    is_drawn(page)
    expect(page.locator("#history")).to_be_hidden()
    assert page.evaluate("window.same")


def test_theme_is_changed_at_once_and_remembered(stage, page):
    console = stage.start()
    page.goto(f"{console}/?theme=light")
    is_live(page)
    page.get_by_role("link", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto(console)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("link", name="中文").click()
    page.goto(console)
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


def test_all_is_reached_by_keyboard(stage, page):
    page.goto(stage.start())
    is_live(page)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#alarms")).to_be_focused()
    link = card(page, MEAT).locator("a")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#detail-title")).to_have_text("School 1 canteen · meat fridge")


def test_ledger_that_does_not_balance_says_so(stage, worker, page):
    page.goto(stage.start())
    is_live(page)
    expect(page.locator("#ledger .balance")).to_contain_text("Balanced")
    worker.tell("ledger", worker.ledger | {"received": 1201})
    expect(page.locator("#ledger .balance")).to_contain_text("Not balanced")
    worker.tell("ledger", worker.ledger | {"source": {"state": "lost", "since": worker.now}})
    expect(state(page)).to_contain_text("Broker lost")


def test_lost_console_is_shown_at_once_and_comes_back(stage, worker, page, complaints):
    complaints.expect("ERR_CONNECTION_REFUSED", "WebSocket connection")
    page.goto(stage.start())
    is_live(page)
    page.evaluate("window.same = true")
    stage.stop("console")
    expect(state(page)).to_contain_text("Connection lost", timeout=1000)
    stage.start_console()
    is_live(page)
    worker.measure(FRIDGE, "air_temp", 6.6)
    expect(first_value(page, FRIDGE)).to_have_text("6.6")
    assert page.evaluate("window.same")


def test_page_tells_when_the_worker_is_lost_and_recovers(stage, worker, page, complaints):
    complaints.expect("502", "503")
    page.goto(stage.start())
    is_live(page)
    stage.stop("worker")
    expect(state(page)).to_contain_text("Worker away", timeout=2500)
    expect(first_value(page, FRIDGE)).to_have_text("4.8")
    again = worker.copy()
    again.device(FRIDGE)["channels"][0]["value"] = 7.7
    stage.start_worker(again)
    is_live(page)
    expect(first_value(page, FRIDGE)).to_have_text("7.7")


def test_page_opened_before_the_worker_fills_by_itself(stage, page, complaints):
    complaints.expect("502", "503")
    page.goto(stage.start_console())
    expect(state(page)).to_contain_text("Worker away")
    expect(page.locator("#places")).to_contain_text("Nothing to show yet.")
    expect(page.locator("#alarms")).not_to_contain_text("No alarm stands.")
    expect(page.locator('[data-total="high"]')).to_have_text("–")
    stage.start_worker()
    expect(page.locator("#alarms")).to_contain_text("No alarm stands.")
    expect(page.locator(".card")).to_have_count(12)
    is_drawn(page)
