"""The page of a run in a real browser, from a file: nothing is asked for, nothing it tells is taken for markup."""

import re
from pathlib import Path

import pytest
from made_report import DAY_MS, HOSTILE, made
from msgspec.structs import replace
from playwright.sync_api import expect, sync_playwright

from scenewatch.load.figures import figures
from scenewatch.rehearsal.page import compared, page
from scenewatch.rehearsal.report import Named

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync")


@pytest.fixture(scope="module")
def report():
    return made()


@pytest.fixture(scope="module")
def changed(report):
    """Without the first rule, another rule's alarms a minute later, and one alarm more."""
    first, second, *_ = report.rules
    kept = [replace(a, raised_at=a.raised_at + 60_000 * (a.rule == second.key)) for a in report.alarms]
    kept = [a for a in kept if a.rule != first.key]
    kept.append(replace(next(a for a in kept if a.rule == second.key), device="k.new"))
    rules = [replace(r, version="ffffffff", text=Named("above 9 °C", "高于 9 °C")) for r in report.rules[1:]]
    return replace(report, alarms=kept, rules=rules)


@pytest.fixture(scope="module")
def chromium():
    if not CHROMIUM.exists():
        pytest.skip("needs Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium):
    """Tells on every request but for the file itself, and on every error, which a broken policy is too."""
    tab = chromium.new_page(locale="en-GB")
    seen = []
    tab.on("request", lambda r: seen.append(r.url))
    tab.on("console", lambda m: seen.append(m.text))
    tab.on("pageerror", lambda e: seen.append(str(e)))
    yield tab
    tab.close()
    assert all(one.startswith("file://") for one in seen), seen


@pytest.fixture(scope="module")
def files(report, changed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    (folder / "report.html").write_text(page(report), "utf-8")
    (folder / "compared.html").write_text(compared(report, changed), "utf-8")
    return folder


@pytest.mark.parametrize("name", ["report", "compared"])
def test_it_is_whole_in_both_languages_and_themes_and_fits(files, tab, name):
    tab.goto(f"file://{files}/{name}.html")
    for language, other, word in (("EN", "zh-CN", "Recall"), ("中文", "en", "检出率")):
        tab.get_by_role("button", name=language, exact=True).click()
        assert tab.locator(f'span[lang="{other}"]:visible').count() == 0
        assert word in tab.locator("main").inner_text()
        for theme in ("light", "dark"):
            tab.locator(f'[data-set-theme="{theme}"]').click()
            for width in (360, 1280):
                tab.set_viewport_size({"width": width, "height": 800})
                over = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                assert over == 0, (language, theme, width)
            grounds = tab.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (grounds == "rgb(16, 20, 23)") is (theme == "dark")


def test_a_reader_of_chinese_begins_in_chinese_and_paper_shows_all_rows(files, chromium, report):
    tab = chromium.new_page(locale="zh-CN")
    tab.goto(f"file://{files}/report.html")
    expect(tab.locator("h1")).to_have_text("学校食堂厨房", use_inner_text=True)
    tab.emulate_media(media="print")
    assert tab.locator(".tools:visible, .switch:visible").count() == 0
    assert tab.locator("tr[data-is]:visible").count() == len(report.faults) + len(report.alarms)
    tab.close()


def test_what_a_device_is_called_is_no_markup(files, tab):
    tab.goto(f"file://{files}/report.html")
    assert tab.locator("img").count() == 0
    expect(tab.get_by_text(HOSTILE).first).to_be_attached()
    text = (files / "report.html").read_text("utf-8")
    assert "<img" not in text
    assert len(re.findall("<script", text)) == 1
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:,)""", text)


def test_nothing_that_was_slipped_in_runs(report, tmp_path, chromium):
    """Even markup that were not escaped is stopped by the page's own policy."""
    name = "<script>document.title='run'</script><b onclick=\"document.title='run'\" id=b>b</b>"
    text = page(report).replace("</main>", f"{name}</main>")
    (tmp_path / "page.html").write_text(text, "utf-8")
    stopped = []
    bare = chromium.new_page()
    bare.on("console", lambda m: stopped.append(m.text))
    bare.goto(f"file://{tmp_path}/page.html")
    bare.locator("#b").click()
    assert bare.title() != "run"
    assert any("Content Security Policy" in line for line in stopped)
    bare.close()


def test_rows_are_found_by_outcome_and_words_and_put_in_order(files, tab, report):
    tab.goto(f"file://{files}/report.html")
    faults = tab.locator("section", has=tab.get_by_role("heading", name="Every fault"))
    rows = faults.locator("tbody tr:visible")
    missed = sum(f.findable and not f.censored and not f.detected for f in report.faults)
    faults.locator("select").select_option("missed")
    expect(rows).to_have_count(missed)
    faults.locator("select").select_option("")
    faults.get_by_role("searchbox").fill("Compressor")
    expect(rows).to_have_count(sum(f.kind == "dead" for f in report.faults))
    faults.get_by_role("button", name="Delay").click()
    faults.get_by_role("button", name="Delay").press("Enter")
    expect(faults.locator("[aria-sort]")).to_have_attribute("aria-sort", "descending")
    slowest = max(f.delay_s or 0 for f in report.faults if f.kind == "dead")
    expect(rows.first.locator("td").last).to_have_attribute("data-v", str(slowest))


def test_an_alarm_leads_to_its_fault(files, tab):
    tab.goto(f"file://{files}/report.html")
    alarms = tab.locator("section", has=tab.get_by_role("heading", name="Every alarm"))
    link = alarms.get_by_role("link").first
    link.click()
    expect(tab.locator("tr:target")).to_be_in_viewport()
    assert tab.locator("tr:target").get_attribute("id") == link.get_attribute("href").removeprefix("#")


def test_very_many_rows_are_cut_and_what_is_wrong_stays(report, tmp_path, tab):
    many = replace(report, faults=report.faults * 6, alarms=report.alarms * 6)
    (tmp_path / "page.html").write_text(page(many), "utf-8")
    tab.goto(f"file://{tmp_path}/page.html")
    expect(tab.locator('tr[id^="fault-"]')).to_have_count(1000)
    expect(tab.locator("main")).to_contain_text("1,000 of 3,000 are shown")
    missed = sum(f.findable and not f.censored and not f.detected for f in many.faults)
    expect(tab.locator('tr[id^="fault-"][data-is="missed"]')).to_have_count(missed)


def test_a_backtest_without_labels_is_not_scored(tmp_path, tab):
    bare = made(faults=0, false=4, what="backtest")
    bare = replace(bare, score=None, chance=None, plain=None, quality=[], excerpts=[], notes=[], seed=None)
    silence = figures([], bare.from_ms, bare.from_ms + 800 * DAY_MS)
    bare = replace(bare, zone="Mars/Base", files=["<b>flow.csv"], load=silence)
    (tmp_path / "page.html").write_text(page(bare), "utf-8")
    tab.goto(f"file://{tmp_path}/page.html")
    main = tab.locator("main")
    for words in (
        "Nothing is labelled here",
        "<b>flow.csv",
        "No fault is labelled.",
        "not judged",
        "Times are in UTC.",
    ):
        expect(main).to_contain_text(words)
    assert "Recall" not in main.inner_text()


def test_a_change_shows_what_is_new_and_gone_and_how_the_rules_read(files, tab, report):
    tab.goto(f"file://{files}/compared.html")
    gone = sum(a.rule == "ajar_rule" for a in report.alarms)
    tiles = tab.locator(".tiles strong")
    assert int(tiles.nth(1).inner_text()) >= 1
    assert int(tiles.nth(2).inner_text()) >= gone
    expect(tab.locator("del:visible").first).to_have_text("above 8 °C for 30 min", use_inner_text=True)
    expect(tab.locator("ins:visible").last).to_have_text("above 9 °C", use_inner_text=True)
    expect(tab.get_by_role("row", name="Door left ajar ajar_rule")).to_contain_text(f"{gone}0−{gone}")
    new = tab.locator("section", has=tab.get_by_role("heading", name="New alarms"))
    expect(new.get_by_text("k.new")).to_be_visible()
