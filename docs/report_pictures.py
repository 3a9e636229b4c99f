"""Photographs the page that a rehearsal or a backtest wrote: its top, and its excerpts.

scenewatch rehearse kitchen --seed 1 --html rehearsal.html
python docs/report_pictures.py rehearsal.html
"""
# ruff: noqa: INP001 - a script beside what it writes, not a package

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LOOKS = (("en", "light", 1280), ("zh-CN", "dark", 1280), ("zh-CN", "light", 360))
HEIGHT_PX = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path, help="the HTML file")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "pictures", metavar="FOLDER")
    parser.add_argument("--chromium", default="/usr/bin/chromium", metavar="FILE", help="the browser to draw with")
    options = parser.parse_args()
    options.out.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium)
        photograph(browser, options.page.resolve().as_uri(), options.out)
        browser.close()


def photograph(browser: Browser, address: str, out: Path) -> None:
    """Two pictures a look; without excerpts one."""
    for language, theme, width in LOOKS:
        tab = browser.new_page(viewport={"width": width, "height": HEIGHT_PX})
        tab.goto(address)
        tab.click(f'[data-set-lang="{language}"]')
        tab.click(f'[data-set-theme="{theme}"]')
        look = f"{language[:2]}-{theme}-{width}"
        tab.screenshot(path=out / f"report-{look}.png")
        excerpts = tab.locator("section", has=tab.locator(".excerpts"))
        if excerpts.count():
            excerpts.screenshot(path=out / f"report-excerpts-{look}.png")
        tab.close()


if __name__ == "__main__":
    main()
