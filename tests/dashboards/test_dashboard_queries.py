"""Every question of every dashboard is answered with points by a real InfluxDB that simulated days have filled."""

from __future__ import annotations

import pytest

import provisioned
from dashboard_proof import missing, view
from looks import LOOKS, picks_of, reader


@pytest.mark.parametrize("uid", sorted(provisioned.dashboards()))
def test_every_question_is_answered_with_points(boards, server, uid):
    """Of a device that is another type than a panel is for there can be none; of one of its type there must."""
    board = boards[uid]
    found = []
    for span, level in LOOKS:
        views = [view(board, reader(server, span, level=level, **picks), server) for picks in picks_of(board)]
        found += missing(views)
    assert not found, "\n".join(dict.fromkeys(map(str, found)))
