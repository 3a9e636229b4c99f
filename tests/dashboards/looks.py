"""How the tests look at dashboards: at which spans, levels and choices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboard_proof import everything
from filled_influx import DAY_MS, DEVICES, NOW_MS, SHOWN
from grafana_expand import Reader
from grafana_time import TimeSpan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboard_proof import Server

SPANS_MS = {"day": DAY_MS, "week": 7 * DAY_MS, "year": 365 * DAY_MS}
LEVELS = {
    "day": ("sw-raw", "sw-minute", "sw-hour"),
    "week": ("sw-raw", "sw-minute", "sw-hour", "sw-day"),
    "year": ("sw-minute", "sw-hour", "sw-day"),
}
"""What fits a span: within a day no whole day begins and ends, and a year of readings is too many to ask for."""
LOOKS = [(span, level) for span, levels in LEVELS.items() for level in levels]


def reader(server: Server, span: str, **picks: str) -> Reader:
    time = TimeSpan.before(span, NOW_MS, SPANS_MS[span])
    return Reader(span=time, sources=server.sources, options=server.options, picks=picks)


def picks_of(board: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The dashboard's own choices, all wherever it offers that, and devices of its type that have had alarms."""
    yield {}
    yield everything(board)
    for one in DEVICES:
        if one.device in SHOWN and board["uid"] == f"sw-device-{one.scene}-{one.type}":
            yield {"site": one.site, "device": one.device}
