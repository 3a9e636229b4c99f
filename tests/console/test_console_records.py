"""The pages of record in a real browser and before any script: ledger by site and device, and dead letters."""

import shlex
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fake_worker import FakeWorker
from playwright.sync_api import expect

from scenewatch.console.records import LETTERS_A_PAGE, retry_command

HOSTILE = "<script>alert(1)</script>\x1b[2J\u202e{{7*7}}' \"; rm -rf ~"
SIZES = ((360, 740), (768, 1024), (1280, 800), (1920, 1080))


def fill(worker):
    for n in range(LETTERS_A_PAGE + 10):
        worker.refuse("not JSON: JSON is malformed (byte 1)", f"sw/kitchen/s001/d{n}/telemetry", "{")
    worker.refuse("unknown device kitchen.s001.x: import it", "sw/kitchen/s001/x/telemetry", '{"v": 1}', tries=2)
    worker.refuse(f"{HOSTILE}: odd", f"sw/{HOSTILE}", HOSTILE * 40, asked_at=worker.now)
    return worker


@pytest.fixture
def filled(worker):
    return fill(worker)


@pytest.fixture(scope="module")
def shown(standing_with):
    """The address of a console for all who only look."""
    return standing_with(fill(FakeWorker()))


def is_live(page):
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")


def fits(page):
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert over == 0, width


@pytest.mark.parametrize(("language", "theme", "word"), [("en", "light", "By reason"), ("zh", "dark", "按原因")])
def test_dead_letters_are_whole_in_every_language_theme_and_width(shown, page, language, theme, word):
    page.goto(f"{shown}/dead-letters?lang={language}&theme={theme}")
    is_live(page)
    expect(page.locator("#record")).to_contain_text(word)
    expect(page.locator(".letter-list li")).to_have_count(LETTERS_A_PAGE)
    fits(page)


@pytest.mark.parametrize(("language", "theme", "word"), [("en", "dark", "By site"), ("zh", "light", "按站点")])
def test_the_ledger_is_whole_in_every_language_theme_and_width(shown, page, language, theme, word):
    page.goto(f"{shown}/ledger?lang={language}&theme={theme}&site=kitchen.s001")
    is_live(page)
    expect(page.locator("#record")).to_contain_text(word)
    expect(page.locator("#record table")).to_have_count(2)
    fits(page)


def test_what_devices_send_is_shown_as_text(shown, page):
    page.goto(f"{shown}/dead-letters")
    letter = page.locator(".letter-list li").first
    for part in (".reason", ".key", ".payload"):
        expect(letter.locator(part)).to_contain_text("<script>alert(1)</script>")
        expect(letter.locator(part)).to_contain_text("{{7*7}}")
    assert page.locator("#record script").count() == 0
    expect(letter).to_contain_text("to be tried again")
    expect(page.locator(".letter-list li").nth(1)).to_contain_text("tried again 2×")


def test_a_reason_is_chosen_and_the_command_for_it_is_there(shown, page):
    page.goto(f"{shown}/dead-letters")
    expect(page.locator(".command")).to_have_text("scenewatch dead-letters retry --all --config scenewatch.toml")
    page.locator(".reasons a", has_text="unknown device").click()
    expect(page.locator(".letter-list li")).to_have_count(1)
    expect(page.locator(".reasons a[aria-current]")).to_contain_text("unknown device kitchen.s001.x")
    expect(page.locator(".command")).to_contain_text("--reason 'unknown device kitchen.s001.x'")
    page.locator(".letters-head .switch a", has_text="Taken at last").click()
    expect(page.locator("#record")).to_contain_text("None that fit.")
    assert parse_qs(urlsplit(page.url).query)["state"] == ["taken"]


def test_pages_are_turned_by_keyboard_and_none_is_lost(shown, page):
    page.goto(f"{shown}/dead-letters?lang=en")
    is_live(page)
    older = page.locator(".pager a", has_text="Older")
    older.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".letter-list li")).to_have_count(12)
    page.locator(".pager a", has_text="Newest").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".letter-list li")).to_have_count(LETTERS_A_PAGE)
    page.locator(".pages a", has_text="Ledger").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".pages a[aria-current]")).to_have_text("Ledger")
    assert parse_qs(urlsplit(page.url).query) == {"lang": ["en"]}


def test_who_reads_is_not_disturbed_by_new_letters(stage, filled, page):
    page.goto(f"{stage.start()}/dead-letters")
    is_live(page)
    fresh = page.locator(".fresh a")
    expect(fresh).to_be_hidden()
    before = page.locator(".letter-list").bounding_box()
    filled.refuse("not JSON: at all", "sw/kitchen/s002/new/telemetry", "[")
    filled.ledger |= {"received": 1201, "dead": 2}
    filled.tell("ledger", filled.ledger)
    expect(fresh).to_be_visible()
    assert page.locator(".letter-list").bounding_box() == before
    fresh.click()
    expect(page.locator(".letter-list li").first).to_contain_text("sw/kitchen/s002/new/telemetry")
    expect(fresh).to_be_hidden()


def test_the_ledger_by_site_follows_and_leads_to_its_devices(stage, worker, page):
    page.goto(f"{stage.start()}/ledger")
    is_live(page)
    rows = page.locator("#record tbody tr")
    expect(rows.first).to_contain_text("Kitchen s001")
    expect(rows.first.locator("td").nth(1)).to_have_text("1,190")
    expect(rows.last.locator("td").nth(3)).to_have_text("1")
    rows.first.locator("a").click()
    devices = page.locator("section[aria-labelledby=by-device]")
    expect(devices).to_contain_text("Devices of Kitchen s001")
    expect(devices.locator("tbody tr")).to_have_count(7)
    is_live(page)
    link = page.locator("#record tbody a").first
    link.focus()
    worker.ledger |= {"received": 1300, "stored": 1290}
    worker.tell("ledger", worker.ledger)
    expect(page.locator("#record tbody td").nth(1)).to_have_text("1,290")
    expect(page.locator('#ledger [data-ledger="stored"]')).to_have_text("1,290")
    expect(link).to_be_focused()


def test_pages_of_record_wait_for_a_worker_that_is_away(stage, page, complaints):
    complaints.expect("502", "503")
    console = stage.start_console()
    page.goto(f"{console}/dead-letters")
    expect(page.locator("#record")).to_contain_text("The worker does not answer")
    stage.start_worker()
    expect(page.locator("#record")).to_contain_text("No dead letters.")


@pytest.mark.parametrize(
    "query", ["?before=x", "?before=" + "9" * 40, "?state=no&lang=xx", "?before=٣", "?reason=%00%ff", "?part=1"]
)
def test_any_address_is_answered(standing, query):
    for path in ("/dead-letters", "/ledger"):
        answer = httpx.get(f"http://127.0.0.1:{standing.console_port}{path}{query}", trust_env=False)
        assert answer.status_code == 200
        assert "content-security-policy" in answer.headers


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("", ["--all"]),
        ("not JSON", ["--reason", "not JSON"]),
        ("it's $(rm) `x`", ["--reason", "it's $(rm) `x`"]),
        ("ab\x1b[2Jcdef", ["--reason", "[2Jcdef"]),
    ],
)
def test_the_command_is_one_that_can_be_typed(reason, words):
    typed = shlex.split(retry_command(reason))
    assert typed == ["scenewatch", "dead-letters", "retry", *words, "--config", "scenewatch.toml"]


def test_what_cannot_be_typed_is_no_command():
    assert retry_command("\x1b\x00") == ""
