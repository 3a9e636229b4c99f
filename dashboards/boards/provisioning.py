"""Grafana's data sources: the four levels of the record, each with the shortest interval that it can answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boards.influxql import NAMES, TYPE, UIDS
from scenewatch.model.level import Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenewatch.model.scene import Scene

HEAD = """\
# Written by dashboards/build.py from the scene tables; do not edit it by hand.
# Grafana puts in SCENEWATCH_INFLUX_URL and SCENEWATCH_BUCKET from its environment, and the token from its file.
# timeInterval is the shortest step of a chart: a shorter one would show gaps where nothing is missing.
apiVersion: 1
prune: true
datasources:
"""
ENTRY = """\
  - name: {name}
    uid: {uid}
    type: {type}
    access: proxy
    url: ${{SCENEWATCH_INFLUX_URL}}
    editable: false
    isDefault: {default}
    jsonData:
      version: InfluxQL
      dbName: ${{SCENEWATCH_BUCKET}}{suffix}
      httpMode: POST
      timeInterval: {interval_s}s
      httpHeaderName1: Authorization
    secureJsonData:
      httpHeaderValue1: Token $__file{{/run/tokens/grafana.token}}
"""


def datasources(scenes: Sequence[Scene]) -> str:
    return HEAD + "".join(_entries(scenes))


def _entries(scenes: Sequence[Scene]) -> Iterator[str]:
    for level in Level:
        yield ENTRY.format(
            name=NAMES[level],
            uid=UIDS[level],
            type=TYPE,
            default=str(level is Level.READING).lower(),
            suffix=level.suffix,
            interval_s=shortest_ms(level, scenes) // 1000,
        )


def shortest_ms(level: Level, scenes: Sequence[Scene]) -> int:
    """Two reporting intervals of the slowest device that measures: each step has a reading then."""
    if level is Level.READING:
        return 2 * max((t.every for scene in scenes for t in scene.device_types if t.channels), default=30_000)
    return level.span_ms
