"""Photographs the pages of a running console, in both languages and themes, wide and narrow."""
# ruff: noqa: INP001 - a script's part beside what it writes, not a package

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import urlopen

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

LOOKS = (("en", "light", 1280), ("zh", "dark", 1280), ("en", "dark", 360), ("zh", "light", 360))
LIVE = '#connection[data-state="live"]'
DRAWN = ".chart[data-points] canvas"
HEIGHT_PX = 900
SETTLE_MS = 1500
"""Small lines and marks come after the page is live; nothing says that the last of them is there."""


def photograph(browser: Browser, console: str, out: Path) -> None:
    """One picture a page and look, named after both. Device and alarm: the newest that stands, if any does."""
    alarm = _alarm(console)
    device = alarm["device"] if alarm else _device(console)
    pages = {
        "overview": ("/", {}, LIVE),
        "site": ("/site", {"site": device.rpartition(".")[0]}, LIVE),
        "device": ("/device", {"device": device, "span": "24h"}, DRAWN),
        "alarms": ("/alarms", {}, LIVE),
        "rules": ("/rules", {}, LIVE),
        "load": ("/load", {"over": "1d"}, LIVE),
    }
    if alarm:
        pages["alarm"] = ("/alarm", {name: alarm[name] for name in ("rule", "device", "raised_at")}, DRAWN)
    for language, theme, width in LOOKS:
        for name, (path, query, until) in pages.items():
            tab = browser.new_page(viewport={"width": width, "height": HEIGHT_PX}, timezone_id="Asia/Shanghai")
            tab.goto(f"{console}{path}?{urlencode({**query, 'lang': language, 'theme': theme})}")
            tab.wait_for_selector(LIVE)
            tab.wait_for_selector(until)
            tab.wait_for_timeout(SETTLE_MS)
            tab.screenshot(path=out / f"console-{name}-{language}-{theme}-{width}.png", full_page=name != "rules")
            tab.close()


def _alarm(console: str) -> dict[str, Any] | None:
    alarms: list[dict[str, Any]] = _answer(f"{console}/api/v1/alarms?state=standing&limit=1")["alarms"]
    return alarms[0] if alarms else None


def _device(console: str) -> str:
    devices = _answer(f"{console}/api/v1/devices")["devices"]
    return str(next(d["id"] for d in devices if d["channels"]))


def _answer(address: str) -> Any:
    with urlopen(address, timeout=10) as answer:  # noqa: S310 - the address is the one on the command line
        return json.load(answer)
