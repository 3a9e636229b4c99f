"""Grafana's dashboards made from the scene tables: one file a dashboard, and the makers they share.

It stands behind the pipeline: what it makes asks the store for readings, levels and points by InfluxQL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from boards import alarms, device, pipeline, quality, scene, site, wall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boards.panels import Json
    from scenewatch.model.scene import Scene


def all_boards(scenes: Sequence[Scene], console_url: str) -> list[Json]:
    """Every dashboard there is, each with a uid of its own."""
    boards = [
        wall.board(),
        *(scene.board(one) for one in scenes),
        site.board(scenes),
        *device.boards(scenes),
        alarms.board(scenes),
        quality.board(scenes),
        pipeline.board(),
    ]
    return [one.as_json(console_url) for one in boards]
