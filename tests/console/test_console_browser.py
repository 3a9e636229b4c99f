"""Every page in a real browser: whole in every language, theme and width, and honest when the line is lost."""

import copy

import pytest
from fake_worker import MINUTE, FakeWorker, make_device, text
from playwright.sync_api import expect

from scenewatch.console import hub

FRIDGE = "kitchen.s001.s001-fridge-1"
MEAT = "kitchen.s001.s001-fridge-2"
CAMERA = "kitchen.s001.s001-cam"
LONG = "s" * 200
MARKUP = "<img src=x onerror=alert(1)></script><script>alert(2)</script>{{7*7}}"
PAGES = ("/", "/site?site=kitchen.s001", f"/device?device={FRIDGE}", f"/device?device={CAMERA}")
HOSTILE_PAGES = (
    "/",
    f"/site?site=kitchen.{LONG}",
    f"/device?device=kitchen.{LONG}.{LONG}-fridge-1",
    "/site?site=kitchen.s001",
    f"/device?device={FRIDGE}",
)
WORDS = {
    "/": {"en": "Fridge too warm", "zh": "冷藏柜温度过高"},
    "/site": {"en": "Events of today", "zh": "今日事件"},
    "/device": {"en": "Newest events", "zh": "最新事件"},
}


def state(page):
    return page.locator("#connection")


def is_live(page):
    expect(state(page)).to_have_attribute("data-state", "live")


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


@pytest.fixture(scope="module")
def filled(standing_with):
    """The address of a console for all who only look."""
    worker = FakeWorker()
    worker.raise_alarm(MEAT, "fridge_warm", 9.4, raised_at=worker.now - 20 * MINUTE)
    worker.devices.append(make_device("s001", "s001-cam", "camera", text("Camera", "摄像机"), []))
    worker.happen(CAMERA, "no_hat", "cook at the stove", level="warning", at=worker.now - 40 * MINUTE)
    return standing_with(worker)


@pytest.fixture(scope="module")
def hostile(standing_with):
    """Names of 200 letters and of markup, in ids, names and in what devices send."""
    worker = FakeWorker()
    for device in [d for d in worker.devices if d["site"] == "s002"]:
        for key in ("id", "site", "device", "parent"):
            device[key] = device[key].replace("s002", LONG)
    for device in worker.devices:
        device["name"] = text(MARKUP, "名" * 200)
    worker.raise_alarm(FRIDGE, "fridge_warm", 9.4)
    worker.happen(FRIDGE, MARKUP, f"\u202e{MARKUP}", level=MARKUP, media="javascript:alert(3)")
    return standing_with(worker)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh", "dark")])
def test_page_is_whole_in_every_language_theme_and_width(filled, page, path, language, theme):
    page.goto(f"{filled}{path}{'&' if '?' in path else '?'}lang={language}&theme={theme}")
    is_live(page)
    if f"device={FRIDGE}" in path:
        page.wait_for_selector(".chart[data-points] canvas")
    for width in (360, 768, 1000, 1280, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        assert overflow(page) == 0, width
    expect(page.locator("body")).to_contain_text(WORDS[path.partition("?")[0]][language])
    expect(page.locator("html")).to_have_attribute("lang", {"en": "en", "zh": "zh-CN"}[language])
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(","))) > 384) == (theme == "light")


@pytest.mark.parametrize("path", PAGES)
def test_page_can_be_read_by_ear_and_reached_by_key(filled, page, path):
    """Signs have words, controls have names, ids are unique, one main heading, headings skip no level."""
    page.goto(f"{filled}{path}")
    is_live(page)
    found = page.evaluate(
        """() => {
            const all = (what) => [...document.querySelectorAll(what)];
            const seen = (e) => e.checkVisibility();
            const label = (e) => e.getAttribute("aria-label") || e.labels?.[0]?.textContent;
            const name = (e) => label(e) || e.title || e.textContent;
            const named = (e) => document.getElementById(e.getAttribute("aria-labelledby"));
            const ids = all("[id]").map((e) => e.id);
            const levels = all("h1, h2, h3, h4").map((e) => Number(e.tagName[1]));
            return {
                wordless: all(".state .word").filter((e) => !e.textContent.trim()).length,
                nameless: all("a, button, input, select, summary").filter((e) => seen(e) && !name(e).trim()).length,
                twice: ids.filter((id, i) => ids.indexOf(id) !== i),
                mains: all("main").length,
                heads: all("h1").length,
                skipped: levels.filter((level, i) => i && level - levels[i - 1] > 1).length,
                dangling: all("[aria-labelledby]").filter((e) => !named(e)).length,
                listless: all("li").filter((e) => !e.closest("ul, ol")).length,
            };
        }"""
    )
    assert found == {
        "wordless": 0,
        "nameless": 0,
        "twice": [],
        "mains": 1,
        "heads": 1,
        "skipped": 0,
        "dangling": 0,
        "listless": 0,
    }
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    target = page.locator(".skip").get_attribute("href")
    expect(page.locator(target)).to_have_count(1)


@pytest.mark.parametrize("path", HOSTILE_PAGES)
def test_names_of_any_kind_are_shown_as_text_and_break_nothing(hostile, page, path):
    page.goto(f"{hostile}{path}{'&' if '?' in path else '?'}lang=en")
    is_live(page)
    if path.startswith("/device"):
        page.wait_for_selector(".chart[data-points] canvas")
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert overflow(page) == 0, width
    assert page.locator("img[src=x], main script:not([type])").count() == 0
    assert page.locator('a[href^="javascript:"]').count() == 0
    expect(page.locator("main")).to_contain_text(LONG if path == "/" else MARKUP)
    page.goto(f"{hostile}{path}{'&' if '?' in path else '?'}lang=zh")
    assert overflow(page) == 0


def test_a_chart_that_is_still_as_wide_as_the_page_was_moves_nothing(filled, page):
    page.goto(f"{filled}/device?device={MEAT}")
    page.wait_for_selector(".chart[data-points] canvas")
    page.evaluate("document.querySelector('.chart canvas').style.width = '3000px'")
    assert overflow(page) == 0


def test_theme_is_changed_at_once_and_remembered(filled, page):
    page.goto(f"{filled}/?theme=light")
    is_live(page)
    page.get_by_role("link", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.goto(filled)
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("link", name="中文").click()
    page.goto(filled)
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


def test_addresses_of_the_former_page_lead_on(filled, page):
    page.goto(f"{filled}/?site=kitchen.s002&lang=zh")
    assert page.url == f"{filled}/site?site=kitchen.s002&lang=zh"
    page.goto(f"{filled}/?site=all&device={MEAT}&channel=door&span=24h&from=&theme=dark")
    assert page.url == f"{filled}/device?device={MEAT}&channel=door&span=24h&theme=dark"
    page.goto(f"{filled}/?site=all")
    assert page.url == f"{filled}/?site=all"
    expect(page.locator(".place")).to_have_count(2)


def test_ledger_that_does_not_balance_says_so(stage, worker, page):
    page.goto(stage.start())
    is_live(page)
    expect(page.locator("#ledger .balance")).to_contain_text("Balanced")
    worker.tell("ledger", worker.ledger | {"received": 1201})
    expect(page.locator("#ledger .balance")).to_contain_text("Not balanced")
    worker.tell("ledger", worker.ledger | {"source": {"state": "lost", "since": worker.now}})
    expect(state(page)).to_contain_text("Broker lost")


def test_history_in_the_making_shows_progress_and_becomes_live(stage, worker, page):
    devices, worker.devices = worker.devices, []
    worker.ready = {"ready": False, "history": {"done": 43, "of": 100}, "reasons": ["history"]}
    page.goto(stage.start())
    expect(state(page)).to_have_attribute("data-state", "starting")
    expect(state(page)).to_contain_text("Writing history 43 %")
    expect(page.locator("#history")).to_have_js_property("value", 43)
    expect(page.locator("#empty")).to_contain_text("Nothing to show yet.")
    page.evaluate("window.same = true")
    worker.devices, worker.ready = devices, {"ready": True, "history": None, "reasons": []}
    worker.measure(FRIDGE, "air_temp", 4.4)
    is_live(page)
    expect(page.locator(".place")).to_have_count(2)
    expect(page.locator("#empty")).to_be_hidden()
    expect(page.locator("#history")).to_be_hidden()
    assert page.evaluate("window.same")


def test_lost_console_is_shown_at_once_and_comes_back(stage, worker, page, complaints):
    complaints.expect("ERR_CONNECTION_REFUSED", "WebSocket connection")
    page.goto(f"{stage.start()}/site?site=kitchen.s001")
    is_live(page)
    page.evaluate("window.same = true")
    stage.stop("console")
    expect(state(page)).to_contain_text("Connection lost")
    stage.start_console()
    is_live(page)
    worker.measure(FRIDGE, "air_temp", 6.6)
    expect(page.locator(f'[data-card="{FRIDGE}"] .big .n')).to_have_text("6.6")
    assert page.evaluate("window.same")


def test_page_tells_when_the_worker_is_lost_and_recovers(stage, worker, page, complaints):
    complaints.expect("502", "503")
    page.goto(f"{stage.start()}/site?site=kitchen.s001")
    is_live(page)
    stage.stop("worker")
    value = page.locator(f'[data-card="{FRIDGE}"] .big .n')
    expect(state(page)).to_contain_text("Worker away")
    expect(value).to_have_text("4.8")
    again = worker.copy()
    again.device(FRIDGE)["channels"][0]["value"] = 7.7
    stage.start_worker(again)
    is_live(page)
    expect(value).to_have_text("7.7")


@pytest.mark.parametrize("path", ["/", "/site?site=kitchen.s001", f"/device?device={FRIDGE}"])
def test_page_opened_before_the_worker_fills_by_itself_and_is_live(stage, worker, page, complaints, path):
    complaints.expect("502", "503")
    page.goto(f"{stage.start_console()}{path}")
    expect(state(page)).to_contain_text("Worker away")
    expect(page.locator("main")).to_contain_text("Nothing to show yet.")
    expect(page.locator("main")).not_to_contain_text("No alarm stands.")
    stage.start_worker()
    expect(page.locator("main")).to_contain_text("Kitchen s001")
    if "device" in path:
        page.wait_for_selector(".chart[data-points] canvas")
    if path == "/":
        expect(page.locator('.strip [data-total="high"]')).to_have_text("0")
        return
    value = page.locator('.card[data-card$="fridge-1"] .big .n, .channels [data-key="air_temp"] .n')
    is_live(page)
    worker.measure(FRIDGE, "air_temp", 6.6)
    expect(value.first).to_have_text("6.6")


def test_page_that_stays_of_another_version_is_loaded_again_but_once(stage, page, monkeypatch):
    health, told = hub.Hub._health, []
    monkeypatch.setattr(hub.Hub, "_health", lambda self: told.append(1) or health(self) | {"build": "another"})
    loads = []
    page.on("load", lambda _: loads.append(len(told)))
    with page.expect_event("load", lambda _: len(loads) == 2):
        page.goto(f"{stage.start()}/device?device={FRIDGE}&lang=en")
    is_live(page)
    beats = len(told)
    stage.until(lambda: len(told) >= beats + 4)
    is_live(page)
    assert len(loads) == 2


def test_page_made_with_other_tables_is_loaded_again_but_not_under_a_hand(stage, worker, page, complaints):
    complaints.expect("502", "503")
    page.goto(f"{stage.start()}/device?device={FRIDGE}&lang=en")
    is_live(page)
    page.evaluate("window.same = true")
    page.get_by_role("link", name="Maintenance").click()
    page.locator("dialog[open]").get_by_label("Reason").fill("a new compressor")
    stage.stop("worker")
    expect(state(page)).to_contain_text("Worker away")
    newer = worker.copy()
    newer.tables = copy.deepcopy(worker.tables)
    newer.tables[0]["device_types"][0]["channels"][0]["unit"] = "K"
    stage.start_worker(newer)
    is_live(page)
    newer.measure(FRIDGE, "battery", 2.5)
    expect(page.locator('.channels [data-key="battery"] .n')).to_have_text("2.50")
    assert page.evaluate("window.same")
    with page.expect_navigation():
        page.locator("dialog[open]").get_by_role("button", name="Cancel").click()
    expect(page.locator('figcaption [data-of="air_temp"]')).to_contain_text("4.8 K")
