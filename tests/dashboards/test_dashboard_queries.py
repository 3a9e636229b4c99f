"""Every question of every dashboard is answered with points by a real InfluxDB that simulated days have filled."""

from __future__ import annotations

import pytest

import provisioned
from dashboard_proof import everything, view
from filled_influx import NOW_MS
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
        sources=server.sources.names,
        options=server.options,
        picks=picks,
    )


def complaints(found):
    return "\n".join(map(str, found))


@pytest.mark.parametrize("uid", sorted(provisioned.dashboards()))
def test_every_question_is_answered_with_points(boards, server, uid):
    board = boards[uid]
    looks = [
        reader(server, span, level=level, **picks)
        for span, level in LOOKS
        for picks in ({}, everything(board))
    ]
    found = [one for look in looks for one in view(board, look, server).found]
    assert not found, complaints(dict.fromkeys(found))
