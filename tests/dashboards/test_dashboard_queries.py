"""Every question of every dashboard is answered with points by a real InfluxDB that simulated days have filled."""

from __future__ import annotations

import pytest

import provisioned
from dashboard_proof import everything, missing, view
from filled_influx import NOW_MS, SHOWN
from grafana_expand import Reader
from grafana_time import TimeSpan

DAY_MS = 86_400_000
SPANS = {"day": DAY_MS, "week": 7 * DAY_MS, "year": 365 * DAY_MS}
LEVELS = {
    "day": ("sw-raw", "sw-minute", "sw-hour"),
    "week": ("sw-raw", "sw-minute", "sw-hour", "sw-day"),
    "year": ("sw-minute", "sw-hour", "sw-day"),
}
"""What fits a span: a day has no whole day in it yet, and a year of readings is too many to ask for."""
LOOKS = [(span, level) for span, levels in LEVELS.items() for level in levels]


def reader(server, span, **picks):
    return Reader(
        span=TimeSpan.before(span, NOW_MS, SPANS[span]),
        sources=server.sources,
        options=server.options,
        picks=picks,
    )


def picks_of(board):
    """The dashboard's own choices, all wherever it offers that, and one device of each type where it shows one."""
    yield {}
    yield everything(board)
    if any(variable["name"] == "device" for variable in board["templating"]["list"]):
        yield from ({"site": device[:4], "device": device} for device in SHOWN)


@pytest.mark.parametrize("uid", sorted(provisioned.dashboards()))
def test_every_question_is_answered_with_points(boards, server, uid):
    """Of a device that is another type than a panel is for there can be none; of one of its type there must."""
    board = boards[uid]
    found = []
    for span, level in LOOKS:
        views = [view(board, reader(server, span, level=level, **picks), server) for picks in picks_of(board)]
        found += missing(views)
    assert not found, "\n".join(dict.fromkeys(map(str, found)))
