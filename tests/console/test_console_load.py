"""The page of alarm load in a real browser: figures with their verdicts, bars, and links to what raises most."""

import pytest
from fake_desk import DeskWorker
from fake_worker import MINUTE
from playwright.sync_api import expect

MILK = "kitchen.s002.s002-fridge-3"
DAY = 24 * 60 * MINUTE


def fill(worker):
    """A flood three days ago, one alarm that chatters, and one that has stood since."""
    for n in range(12):
        raised_at = worker.now - 3 * DAY + n * 10_000
        worker.clear_alarm(
            worker.raise_alarm(MILK, "door_ajar", 1, priority="medium", raised_at=raised_at), raised_at + 5000
        )
    worker.raise_alarm("kitchen.s001.gone", "no_rule", 1, raised_at=worker.now - 2 * DAY)
    return worker


@pytest.fixture(scope="module")
def shown(standing_with):
    return standing_with(fill(DeskWorker()))


def is_live(page):
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")


def figure(page, key):
    return page.locator(f'[data-key="{key}"]')


@pytest.mark.parametrize(("language", "words"), [("en", ("exceeded", "met")), ("zh", ("超出", "达标"))])
def test_each_figure_stands_beside_its_bound_with_a_word_and_a_shape(shown, page, language, words):
    page.goto(f"{shown}/load?lang={language}")
    is_live(page)
    expect(figure(page, "peak_10_min")).to_contain_text("1210✕ " + words[0])
    expect(figure(page, "chattering")).to_contain_text("10✕ " + words[0])
    expect(figure(page, "stale")).to_contain_text("15✓ " + words[1])
    assert figure(page, "most_frequent_share").get_attribute("data-verdict") == "unjudged"


def test_another_span_is_a_click_or_a_key_away_and_a_short_one_has_nothing(shown, page):
    page.goto(f"{shown}/load?lang=en")
    is_live(page)
    expect(page.locator(".load-bars rect")).to_have_count(2)
    page.get_by_role("link", name="Month").press("Enter")
    expect(page).to_have_url(f"{shown}/load?lang=en&over=30d")
    expect(page.locator("h2").first).to_have_text("Alarms in each 6 h")
    page.goto(f"{shown}/load?lang=en&over=1d")
    is_live(page)
    expect(page.locator("#record")).to_contain_text("No alarm was raised in this time.")
    expect(figure(page, "stale")).to_contain_text("1")


def test_what_raises_most_links_to_its_alarms_and_its_device(shown, page):
    page.goto(f"{shown}/load?lang=en&over=7d")
    is_live(page)
    first, second = (page.locator("#record section").nth(2).locator("tbody tr").nth(n) for n in (0, 1))
    expect(first).to_contain_text("1292.3 %")
    expect(first.get_by_role("link").first).to_have_attribute(
        "href", "/alarms?lang=en&rule=kitchen.door_ajar&state=all"
    )
    expect(first.get_by_role("link").last).to_have_attribute("href", f"/device?lang=en&device={MILK}")
    expect(second).to_contain_text("kitchen.s001.gone")
    expect(second.get_by_role("link")).to_have_count(1)


def test_of_one_site_alone_and_back(shown, page):
    page.goto(f"{shown}/site?site=kitchen.s001&lang=en")
    is_live(page)
    page.get_by_role("link", name="Its alarm load").click()
    expect(page.locator("h1")).to_contain_text("Of Kitchen s001 alone")
    expect(page.locator(".load-facts dd").first).to_have_text("1")
    page.get_by_role("link", name="All sites").click()
    expect(page.locator(".load-facts dd").first).to_have_text("13")


def test_a_worker_that_is_away_is_said_and_the_page_fills_itself(stage, page, complaints):
    complaints.expect("502", "503")
    console = stage.start()
    page.goto(f"{console}/load?lang=en")
    is_live(page)
    stage.stop("worker")
    page.reload()
    expect(page.locator("#record")).to_contain_text("The worker does not answer")
    stage.start_worker(fill(DeskWorker()))
    expect(figure(page, "peak_10_min")).to_contain_text("12")
