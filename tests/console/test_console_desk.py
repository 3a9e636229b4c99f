"""The working pages in a real browser, in front of a fake worker: alarms, sign-in, unknown devices, rules."""

from urllib.parse import parse_qs, urlsplit

import pytest
from fake_desk import NAME, TOKEN, VALVE, DeskWorker
from fake_worker import MINUTE
from playwright.sync_api import expect

MEAT = "kitchen.s001.s001-fridge-2"
MILK = "kitchen.s002.s002-fridge-3"
HOSTILE = "\u202e<script>alert(1)</script>{{7*7}}" + "x" * 300
SIZES = ((360, 740), (768, 1024), (1280, 800), (1920, 1080))


@pytest.fixture
def worker():
    return DeskWorker()


def fill(worker):
    for n in range(60):
        raised_at = worker.now - (n + 2) * 7 * MINUTE
        alarm = worker.raise_alarm(MILK, "door_ajar", 1, priority="medium", raised_at=raised_at)
        worker.clear_alarm(alarm, raised_at + 5 * MINUTE)
    worker.raise_alarm(MEAT, "fridge_warm", 9.4, raised_at=worker.now - 20 * MINUTE)
    worker.raise_alarm(MILK, "sensor_silent", None, priority="low", raised_at=worker.now - 10 * MINUTE)
    worker.stranger("fridge-9")
    worker.stranger("odd", channels=[HOSTILE], suggested_type=None, types=[], sample=HOSTILE)
    worker.raised = {"kitchen.fridge_warm": (3, 17)}
    return worker


@pytest.fixture(scope="module")
def shown(standing_with):
    """The address of a console for all who only look."""
    return standing_with(fill(DeskWorker()))


def is_live(page):
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")


def lines(page):
    return page.locator(".line")


def query(page):
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


PAGES = {
    "/alarms": ("Fridge too warm", "冷藏柜温度过高"),
    "/unknown": ("Adopt", "接纳"),
    "/rules": ("In the table: Door “open” for 9 min", "表中条件: 柜门“打开”，持续 9 分钟"),
    "/load": ("Ten most frequent", "最频繁的十项"),
    "/sign-in": ("Operator token", "操作员令牌"),
    f"/commands?device={VALVE}": ("Shut the valve", "关闭阀门"),
    f"/commands?device={VALVE}&name=shut": ("Valve becomes shut", "阀门 变为 关闭"),
}


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh", "dark")])
def test_every_page_is_whole_in_every_language_theme_and_width(shown, page, language, theme):
    for path, words in PAGES.items():
        page.goto(f"{shown}{path}{'&' if '?' in path else '?'}lang={language}&theme={theme}")
        is_live(page)
        expect(page.locator("main")).to_contain_text(words[language == "zh"])
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert over == 0, (path, width)
        nameless = page.evaluate(
            """[...document.querySelectorAll('main :is(input:not([type=hidden]):not([hidden]), select, button, a)')]
            .filter(e => !(e.ariaLabel || e.labels?.[0]?.textContent.trim() || e.textContent.trim())).length"""
        )
        assert nameless == 0, path


@pytest.mark.parametrize("width", [360, 1280])
def test_all_pages_are_a_click_away_and_the_current_one_is_marked(shown, page, width):
    page.set_viewport_size({"width": width, "height": 740})
    page.goto(f"{shown}/alarms?lang=en")
    is_live(page)
    if width < 900:
        page.locator(".menu summary").click()
    places = page.locator(".menu nav a" if width < 900 else ".pages a")
    expect(places).to_have_text(
        [
            "Overview",
            "Alarms 2 unacknowledged",
            "Unknown devices 2 waiting",
            "Rules",
            "Alarm load",
            "Ledger",
            "Dead letters",
        ]
    )
    places.filter(has_text="Rules").click()
    here = page.locator(".menu nav a[aria-current]" if width < 900 else ".pages a[aria-current]")
    expect(here).to_have_text("Rules")


# --- alarms -------------------------------------------------------------------------------------------------


def test_standing_alarms_come_first_and_pages_lose_none(shown, page):
    page.goto(f"{shown}/alarms?lang=en")
    is_live(page)
    expect(lines(page)).to_have_count(50)
    expect(lines(page).first).to_contain_text("Sensor silent")
    expect(lines(page).nth(1)).to_contain_text("9.4 °C")
    expect(lines(page).nth(1)).to_contain_text("Air temperature above 8 °C for 30 min")
    expect(lines(page).nth(1)).to_contain_text("2018 catering operation code (SAMR), recommended (to be confirmed)")
    first = lines(page).evaluate_all("all => all.map(line => line.dataset.key)")
    page.locator('.pager a[rel="next"]').click()
    expect(lines(page)).to_have_count(12)
    second = lines(page).evaluate_all("all => all.map(line => line.dataset.key)")
    assert len({*first, *second}) == 62


def test_alarms_are_found_as_is_typed_and_the_address_says_so(shown, page):
    page.goto(f"{shown}/alarms?lang=en")
    is_live(page)
    page.locator('[name="search"]').fill("fridge-2")
    expect(lines(page)).to_have_count(1)
    assert query(page) == {"lang": "en", "search": "fridge-2", "state": "all"}
    page.locator('[name="search"]').fill("")
    page.locator('[name="state"]').select_option("standing")
    page.locator('[name="priority"]').select_option("low")
    expect(lines(page)).to_have_count(1)
    expect(lines(page)).to_contain_text("Sensor silent")
    page.goto(page.url)
    expect(lines(page)).to_have_count(1)
    page.locator('[name="site"]').select_option("kitchen.s001")
    expect(page.locator("#record")).to_contain_text("No alarm fits.")


def test_an_alarm_leads_to_its_chart_and_to_its_own_page(shown, page):
    page.goto(f"{shown}/alarms?lang=en")
    is_live(page)
    asked = parse_qs(urlsplit(lines(page).nth(1).locator(".chart-link").get_attribute("href")).query)
    raised_at = int(lines(page).nth(1).get_attribute("data-key").split(" ")[2])
    assert asked["device"] == [MEAT]
    assert int(asked["from"][0]) < raised_at < int(asked["to"][0])
    own = urlsplit(lines(page).nth(1).locator(".title").get_attribute("href"))
    identity = {"rule": ["kitchen.fridge_warm"], "device": [MEAT], "raised_at": [str(raised_at)]}
    assert (own.path, parse_qs(own.query)) == ("/alarm", identity | {"lang": ["en"]})


def test_a_rule_tells_how_often_it_raised_an_alarm(shown, page):
    page.goto(f"{shown}/rules?lang=en#kitchen.fridge_warm")
    expect(page.locator("[id='kitchen.fridge_warm']")).to_be_in_viewport()
    expect(page.locator("[id='kitchen.fridge_warm']")).to_contain_text("24 h: 3 · 7 days: 17")
    expect(page.locator("[id='kitchen.fridge_warm']")).to_contain_text("Compressor dead")


def test_an_alarm_is_acknowledged_by_keyboard_and_says_by_whom(worker, signed_in, page):
    fill(worker)
    page.goto(f"{signed_in}/alarms?lang=en")
    is_live(page)
    page.keyboard.press("j")
    expect(lines(page).first).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("a")
    line = lines(page).nth(1)
    expect(line).to_contain_text(f"seen by {NAME}")
    expect(line).to_be_focused()
    expect(page.locator("#told")).to_have_text("1 acknowledged")
    expect(page.locator(".pages .badge").first).to_contain_text("1")
    (alarm,) = (a for a in worker.alarms if a["rule"] == "kitchen.fridge_warm")
    assert alarm["state"] == "acknowledged"
    page.keyboard.press("k")
    expect(lines(page).first).to_be_focused()
    assert all(origin == host for origin, host in worker.origins)


def test_several_are_acknowledged_at_once(worker, signed_in, page):
    fill(worker)
    page.goto(f"{signed_in}/alarms?lang=en&state=returned_unacknowledged")
    is_live(page)
    page.keyboard.press("j")
    for key in "xjxj":
        page.keyboard.press(key)
    page.keyboard.press("a")
    expect(page.locator("#told")).to_have_text("2 acknowledged")
    assert sum(a["state"] == "normal" for a in worker.alarms) == 2
    page.locator("#all").check()
    page.locator(".list-head button").first.click()
    expect(page.locator("#told")).to_have_text("50 acknowledged")


def test_keys_are_told_by_a_key_and_leave_fields_alone(shown, page):
    page.goto(f"{shown}/alarms?lang=en")
    is_live(page)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    expect(page.locator("#keys")).to_contain_text("acknowledge it, or all selected")
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator('[name="search"]')).to_be_focused()
    page.keyboard.type("jak?")
    expect(page.locator('[name="search"]')).to_have_value("jak?")
    expect(page.locator("#keys")).to_be_hidden()


def test_a_new_alarm_moves_nothing_for_who_works_on_the_list(stage, worker, page):
    fill(worker)
    page.goto(f"{stage.start()}/alarms?lang=en")
    is_live(page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    before = lines(page).nth(1).bounding_box()
    worker.raise_alarm(MILK, "fridge_warm", 8.8, raised_at=worker.now)
    expect(page.locator("#fresh")).to_have_text("1 new: show (r)")
    assert lines(page).nth(1).bounding_box() == before
    (silent,) = (a for a in worker.alarms if a["rule"] == "kitchen.sensor_silent")
    worker.clear_alarm(silent)
    expect(lines(page).first).to_contain_text("returned, unacknowledged")
    page.keyboard.press("r")
    expect(lines(page).first).to_contain_text("8.8 °C")
    expect(page.locator("#fresh")).to_be_hidden()


def test_who_is_not_at_the_list_sees_new_alarms_at_once(stage, worker, page):
    page.goto(f"{stage.start()}/alarms?lang=en")
    is_live(page)
    expect(page.locator("#record")).to_contain_text("No alarm fits.")
    worker.raise_alarm(MEAT, "fridge_warm", 9.4)
    expect(lines(page)).to_have_count(1)
    expect(page.locator(".pages .badge").first).to_contain_text("1")


def test_what_the_worker_refuses_is_not_shown_as_done(stage, worker, signed_in, page):
    worker.raise_alarm(MEAT, "fridge_warm", 9.4)
    worker.refusal = "the database is <away>"
    page.goto(f"{signed_in}/alarms?lang=en")
    is_live(page)
    lines(page).locator("button").click()
    expect(page.locator("#told")).to_have_text("Not done: the database is <away>")
    expect(lines(page)).to_contain_text("unacknowledged")
    stage.stop("worker")
    expect(page.locator("#connection")).to_contain_text("Worker away")


# --- signing in ---------------------------------------------------------------------------------------------


def test_who_is_not_signed_in_is_asked_to_and_comes_back_to_the_same_place(stage, worker, page, complaints):
    complaints.expect("401")
    worker.raise_alarm(MEAT, "fridge_warm", 9.4)
    page.goto(f"{stage.start()}/alarms?lang=en&state=standing&priority=high")
    is_live(page)
    place = page.url
    lines(page).locator("button").click()
    page.wait_for_url("**/sign-in?**")
    token = page.locator('[name="token"]')
    expect(token).to_be_focused()
    assert (token.get_attribute("type"), token.get_attribute("autocomplete")) == ("password", "current-password")
    token.fill("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#wrong")).to_contain_text("No operator has this token.")
    page.locator('[name="token"]').fill(TOKEN)
    page.keyboard.press("Enter")
    page.wait_for_url(place)
    lines(page).locator("button").click()
    expect(lines(page)).to_contain_text(f"seen by {NAME}")
    page.goto(f"{urlsplit(place).scheme}://{urlsplit(place).netloc}/sign-in?lang=en")
    expect(page.locator("main")).to_contain_text(f"Signed in as {NAME}")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator('[name="token"]')).to_be_visible()


# --- unknown devices ----------------------------------------------------------------------------------------


def test_a_device_is_adopted_by_one_click(worker, signed_in, page):
    fill(worker)
    page.goto(f"{signed_in}/unknown?lang=en")
    is_live(page)
    one = page.locator('[data-key="kitchen.s001.fridge-9"]')
    expect(one.locator('[name="type"]')).to_have_value("fridge")
    expect(one.locator('[name="parent"]')).to_have_value("s001-gw")
    one.get_by_role("button", name="Adopt").click()
    expect(page.locator("#told")).to_contain_text("12 kept messages were taken")
    chart = page.locator("#told a").get_attribute("href")
    assert parse_qs(urlsplit(chart).query)["device"] == ["kitchen.s001.fridge-9"]
    expect(page.locator("[data-stranger]")).to_have_count(1)
    expect(page.locator(".pages .badge").nth(1)).to_contain_text("1")
    assert worker.device("kitchen.s001.fridge-9")["name"] == {"en": "fridge-9", "zh": "fridge-9"}


def test_what_unknown_devices_send_is_shown_as_text(shown, page):
    page.goto(f"{shown}/unknown?lang=en")
    is_live(page)
    odd = page.locator('[data-key="kitchen.s001.odd"]')
    expect(odd.locator(".payload")).to_contain_text("<script>alert(1)</script>{{7*7}}")
    expect(odd.locator('[name="type"]')).to_have_value("")
    assert page.locator("#record script").count() == 0


def test_who_fills_in_a_form_is_only_told_of_others(stage, worker, page):
    worker.stranger("fridge-9")
    page.goto(f"{stage.start()}/unknown?lang=en")
    is_live(page)
    expect(page.locator("#fresh")).to_be_hidden()
    page.locator('[name="name_en"]').fill("Milk fridge")
    worker.stranger("fridge-10")
    worker.ledger |= {"dead": 2}
    worker.tell("ledger", worker.ledger)
    expect(page.locator("#fresh")).to_be_visible()
    expect(page.locator('[name="name_en"]')).to_have_value("Milk fridge")
    page.locator("#fresh").click()
    expect(page.locator("[data-stranger]")).to_have_count(2)


# --- commands -----------------------------------------------------------------------------------------------


def test_a_command_asks_first_and_follows_what_becomes_of_it(worker, signed_in, page):
    page.goto(f"{signed_in}/commands?lang=en&device={VALVE}")
    is_live(page)
    expect(page.locator("#commands")).to_contain_text("No command was sent yet.")
    page.get_by_role("link", name="Shut the valve").click()
    confirm = page.locator("#confirm")
    for text in ("School 1 gas valve", VALVE, "Valve becomes shut", "within 30 s"):
        expect(confirm).to_contain_text(text)
    confirm.get_by_role("button", name="Cancel").click()
    expect(confirm).to_be_hidden()
    assert worker.commands == []
    page.get_by_role("link", name="Shut the valve").click()
    confirm.get_by_role("button", name="Send").click()
    sent = page.locator(".sent li")
    expect(sent).to_contain_text("waiting")
    expect(sent.locator(".left").first).to_contain_text("s left")
    worker.answer(worker.commands[0], "refused", "presence: <somebody> is near")
    expect(sent).to_contain_text("refused")
    expect(sent).to_contain_text("presence: <somebody> is near")
    expect(sent).to_contain_text(f"by {NAME}")
    worker.commands[0] |= {"state": "expired", "late": True}
    worker.answer(worker.commands[0], "expired", "shut")
    expect(sent).to_contain_text("answered too late")
    expect(sent).to_contain_text("2 answers")


def test_pages_fill_when_the_worker_comes(stage, page, complaints):
    complaints.expect("502", "503")
    console = stage.start_console()
    # The rules first: once the console knows them, they stay.
    pages = {"/rules": "Door left ajar", "/alarms": "No alarm fits.", "/unknown": "Every device that publishes"}
    for path, filled in pages.items():
        page.goto(f"{console}{path}?lang=en")
        expect(page.locator("#record")).to_contain_text("The worker does not answer")
        stage.start_worker()
        expect(page.locator("#record")).to_contain_text(filled)
        stage.stop("worker")
        expect(page.locator("#connection")).to_contain_text("Worker away")
