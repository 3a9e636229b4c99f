"""How long people wait on the pages in a real browser: the first look, a click, a search, an alarm, a zoom."""

import argparse
import statistics
import sys
from pathlib import Path

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "console")]

from fake_worker import MINUTE, FakeWorker, Served, make_device, text
from playwright.sync_api import sync_playwright

from ports import free_port
from scenewatch.console.app import create_app

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-sync")
FRIDGE = "kitchen.s001.s001-fridge-1"
UNTIL_PAINTED = """async ([act, isDone]) => {
    const done = new Function(`return ${isDone}`);
    const before = performance.now();
    new Function(act)();
    while (!done()) await new Promise((go) => requestAnimationFrame(go));
    await new Promise((go) => requestAnimationFrame(() => setTimeout(go)));
    return performance.now() - before;
}"""
"""From what somebody does to the frame that shows its effect."""
LONGEST_TASK = """async (for_ms) => {
    const tasks = [];
    const watch = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((one) => one.duration)));
    watch.observe({ type: "longtask" });
    await new Promise((go) => setTimeout(go, for_ms));
    return Math.max(0, ...tasks);
}"""


def world(sites, devices_a_site):
    """Kitchens with as many fridges as are wanted, and alarms in every tenth."""
    worker = FakeWorker(sites=sites)
    pattern = [c for d in worker.devices if d["id"] == FRIDGE for c in d["channels"]]
    for n in range(1, sites + 1):
        site = f"s{n:03d}"
        for i in range(6, devices_a_site):
            name = text(f"School {n} canteen · fridge {i}", f"第{n}小学食堂 · 冷藏柜 {i}")
            worker.devices.append(make_device(site, f"{site}-x{i}", "fridge", name, [dict(c) for c in pattern]))
        if n % 10 == 0:
            worker.raise_alarm(f"kitchen.{site}.{site}-fridge-1", "fridge_warm", 9.4, raised_at=worker.now - MINUTE)
    return worker


def acted(page, rounds, act, is_done, back, is_back):
    """Milliseconds of each round; between rounds everything is put back."""
    spent = []
    for _ in range(rounds):
        spent.append(page.evaluate(UNTIL_PAINTED, [act, is_done]))
        page.evaluate(UNTIL_PAINTED, [back, is_back])
    return spent


def looked(page, address, wanted, rounds):
    """Milliseconds to the first paint of what is wanted."""
    spent = []
    for _ in range(rounds):
        page.goto(address)
        page.wait_for_selector(wanted)
        spent.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
    return spent


def overview(page, address, worker, rounds):
    wanted = '#connection[data-state="live"]'
    yield "overview, first paint", looked(page, f"{address}/?lang=en", wanted, rounds)
    fitting = "document.querySelectorAll('.place:not([hidden])').length"
    find = "const q = document.getElementById('q'); q.value = {}; q.dispatchEvent(new Event('input'))"
    every = f"{fitting} === {page.locator('.place').count()}"
    yield (
        "overview, a search",
        acted(page, rounds, find.format("'s007'"), f"{fitting} === 1", find.format("''"), every),
    )
    state = "document.querySelector('[data-state-filter=\"{}\"]').click()"
    high = "document.querySelector('[data-state-filter=high]').ariaCurrent === 'true'"
    yield "overview, a state", acted(page, rounds, state.format("high"), high, state.format(""), every)
    alarm = worker.raise_alarm(FRIDGE, "fridge_warm", 9.4)
    yield "overview, longest task at an alarm", [page.evaluate(LONGEST_TASK, 1500)]
    worker.clear_alarm(alarm)


def device(page, address, rounds):
    at = f"{address}/device?device={FRIDGE}&lang=en"
    yield "device, first paint", looked(page, at, ".chart[data-points] canvas", rounds)
    drawn = "document.querySelector('.chart').dataset.drawn"
    zoom = "document.querySelector('[data-zoom=\"{}\"]').click()"
    closer = f"Array.isArray(JSON.parse({drawn})[2])"
    now = f"!{closer}"
    yield "device, closer", acted(page, rounds, zoom.format("in"), closer, zoom.format("now"), now)
    span = "document.querySelector('.spans [data-key=\"{}\"]').click()"
    known = "document.querySelector('.spans [data-key=\"{}\"]').ariaCurrent === 'true'"
    steps = (span.format("1h"), known.format("1h"), span.format("6h"), known.format("6h"))
    yield "device, another span", acted(page, rounds, *steps)


def site(page, address, rounds):
    at = f"{address}/site?site=kitchen.s001&lang=en"
    yield "site, first paint", looked(page, at, '#connection[data-state="live"]', rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=60, help="how many (60)")
    parser.add_argument("--devices", type=int, default=13, help="at each site (13)")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--chromium", default="/usr/bin/chromium", help="the browser")
    args = parser.parse_args()
    worker = world(args.sites, args.devices)
    worker_port, port = free_port(), free_port()
    served = [Served(worker.app(), worker_port), Served(create_app(f"http://127.0.0.1:{worker_port}"), port)]
    address = f"http://127.0.0.1:{port}"
    print(f"{len(worker.devices)} devices at {args.sites} sites; milliseconds\n{'':<40}{'best':>8}{'median':>8}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=args.chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        for part in (
            overview(page, address, worker, args.rounds),
            site(page, address, args.rounds),
            device(page, address, args.rounds),
        ):
            for name, spent in part:
                print(f"{name:<40}{min(spent):>8.0f}{statistics.median(spent):>8.0f}", flush=True)
        browser.close()
    for server in reversed(served):
        server.stop()


if __name__ == "__main__":
    main()
