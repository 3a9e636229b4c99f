"""What operators keep from being shown, in a real browser; what follows a cause; and what waits for a reset."""

from urllib.parse import parse_qs

import httpx
import pytest
from fake_desk import COOKIE, NAME, DeskWorker
from fake_worker import MINUTE
from playwright.sync_api import expect

MEAT = "kitchen.s001.s001-fridge-2"
MILK = "kitchen.s002.s002-fridge-3"
HOUR = 60 * MINUTE


@pytest.fixture
def worker():
    return DeskWorker()


def is_live(page):
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")


def post(console, path, **fields):
    headers = {"origin": console, "cookie": f"{COOKIE}=signed"}
    return httpx.post(f"{console}{path}", data=fields, headers=headers, trust_env=False)


@pytest.mark.parametrize(
    ("lang", "shelve", "hour", "undo"),
    [("en", "Shelve…", "4 h", "Undo"), ("zh", "搁置…", "4小时", "撤销")],
)
def test_an_alarm_is_shelved_by_keyboard_and_shown_again(worker, signed_in, page, lang, shelve, hour, undo):
    worker.raise_alarm(MEAT, "fridge_warm", 9.4, raised_at=worker.now - 20 * MINUTE)
    page.goto(f"{signed_in}/alarms?lang={lang}")
    is_live(page)
    page.get_by_role("link", name=shelve).focus()
    page.keyboard.press("Enter")
    reason = page.locator("dialog[open] [name=reason]")
    expect(reason).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert worker.holds == []

    page.keyboard.press("Enter")
    page.locator("dialog[open] [name=lasts]").select_option(label=hour)
    reason.fill("the seal <b>is</b> mended")
    page.keyboard.press("Enter")
    held = page.locator("#held")
    expect(held).to_contain_text("the seal <b>is</b> mended")
    expect(held).to_contain_text(NAME)
    (hold,) = worker.holds
    assert (hold["kind"], hold["target"], hold["rule"]) == ("shelved", MEAT, "kitchen.fridge_warm")
    assert 0 <= hold["until"] - 4 * HOUR - hold["at"] < MINUTE
    expect(page.locator("dialog[open]")).to_have_count(0)

    held.get_by_role("button", name=undo).press("Enter")
    expect(held).to_have_count(0)
    assert worker.holds == []
    assert {origin for origin, _ in worker.origins} == {own for _, own in worker.origins}


def test_maintenance_begins_on_the_page_of_a_site_and_of_a_device(worker, signed_in, page):
    for path, target in (("site?site=kitchen.s001", "kitchen.s001"), (f"device?device={MEAT}", MEAT)):
        page.goto(f"{signed_in}/{path}&lang=en")
        is_live(page)
        page.get_by_role("link", name="Maintenance…").click()
        page.locator("dialog[open] [name=begins]").select_option(label="in 4 h")
        page.locator("dialog[open] [name=reason]").fill("new floor")
        page.keyboard.press("Enter")
        expect(page.locator("#told")).to_have_text("In maintenance for 1 h.")
        hold = worker.holds[-1]
        assert (hold["kind"], hold["target"], hold["until"] - hold["from"]) == ("maintenance", target, HOUR)
        expect(page.locator("#held li").last).to_contain_text("new floor")
    expect(page.locator("#held li")).to_have_count(2)  # the device's own, and that of its site
    page.goto(f"{signed_in}/alarms?lang=en")
    expect(page.locator("#held li")).to_have_count(2)
    expect(page.locator("#held")).to_contain_text("Maintenance planned all alarms · School 1")


def test_a_place_shows_what_is_held_back_there_alone(worker, signed_in, page):
    worker.hold("shelved", MEAT, "seal", worker.now + HOUR, rule="kitchen.fridge_warm")
    worker.hold("maintenance", MILK, "new floor", worker.now + HOUR, begins=worker.now)
    page.goto(f"{signed_in}/site?site=kitchen.s001&lang=en")
    is_live(page)
    expect(page.locator("#held li")).to_contain_text(["Shelved"])
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#held")).to_have_count(0)
    page.goto(f"{signed_in}/device?device={MILK}&lang=zh")
    expect(page.locator("#held li")).to_contain_text(["维护中"])


def test_what_follows_from_an_alarm_is_folded_beneath_it_and_can_be_opened(worker, stage, page):
    cause = worker.raise_alarm(MEAT, "fridge_warm", 9.4, raised_at=worker.now - 20 * MINUTE)
    for n in range(3):
        follower = worker.raise_alarm(MILK, "door_ajar", 1, raised_at=worker.now - (n + 1) * MINUTE)
        follower["cause"] = f"{cause['rule']} {cause['device']}"
    page.goto(f"{stage.start()}/alarms?lang=en")
    is_live(page)
    expect(page.locator("#lines > .line")).to_have_count(1)
    fold = page.locator(".followers summary")
    expect(fold).to_have_text("and 3 more that follow")
    expect(page.locator(".followers .line").first).to_be_hidden()
    fold.click()
    expect(page.locator(".followers .line").first).to_be_visible()


def test_a_latched_alarm_says_so_and_is_reset_by_its_own_button(worker, signed_in, page):
    alarm = worker.raise_alarm(MEAT, "fridge_warm", 9.4, raised_at=worker.now - 20 * MINUTE)
    alarm["latched"] = True
    page.goto(f"{signed_in}/alarms?lang=en")
    is_live(page)
    expect(page.locator(".line")).to_contain_text("over, waits for a reset")
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("#told")).to_have_text("1 reset")
    assert alarm["cleared_at"] is not None


def test_without_a_script_the_same_form_is_a_page(worker, stage):
    worker.raise_alarm(MEAT, "fridge_warm", 9.4)
    console = stage.start()
    link = f"{console}/hold?deed=take_out&rule=kitchen.fridge_warm&target={MEAT}&lang=zh"
    page = httpx.get(link, trust_env=False).text
    assert "停用此报警" in page
    assert "没有该报警" in httpx.get(link.replace("fridge_warm", "gone"), trust_env=False).text
    said = post(
        console, "/hold", deed="take_out", rule="kitchen.fridge_warm", target=MEAT, reason="r", next="/alarms"
    )
    assert (said.status_code, worker.holds[0]["kind"]) == (200, "out_of_service")


@pytest.mark.parametrize(
    "fields", [{"deed": "x"}, {"deed": "shelve", "lasts": "-5"}, {"deed": "shelve", "lasts": "9" * 99}]
)
def test_a_form_that_no_page_sends_does_nothing(worker, stage, fields):
    assert post(stage.start(), "/hold", rule="r", target=MEAT, reason="r", **fields).status_code == 422
    assert worker.holds == []


def test_who_has_not_signed_in_is_asked_to_first(worker, stage, page):
    worker.raise_alarm(MEAT, "fridge_warm", 9.4)
    page.goto(f"{stage.start()}/alarms?lang=en")
    is_live(page)
    page.get_by_role("link", name="Shelve…").click()
    page.locator("dialog[open] [name=reason]").fill("r")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in?**")
    assert parse_qs(page.url.partition("?")[2])["next"][0].startswith("/alarms")
