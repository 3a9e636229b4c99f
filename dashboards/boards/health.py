"""Panels of the pipeline's own figures, which its worker writes each ten seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boards import palette
from boards.influxql import BY_TIME, FIGURES, IN_RANGE, lately, name, select, target
from boards.panels import UNDRAWN_STEPS, by_ref, rising, thresholds, tiles, timeline, trend
from boards.words import say
from scenewatch.model.words import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boards.panels import Json

NOW_SPAN: Final = "2m"
"""A worker whose figures are older is not there."""
LAG_SOON_S, LAG_NOW_S = 30, 300
"""From when on the store lags, and from when on it lags badly."""
_HERE = Text("connected", "已连接"), Text("lost", "中断")
_MEASUREMENT: Final = '"pipeline"'


def pipeline_tiles() -> Json:
    """The worst of all workers, in one row."""
    parts = (
        ("source_ok", "min", say("Broker", "消息服务"), {"mappings": palette.yes_or_no(*_HERE)}),
        ("store_ok", "min", say("Store", "存储"), {"mappings": palette.yes_or_no(*_HERE)}),
        (
            "lag_s",
            "max",
            say("Lag", "延迟"),
            {"unit": "s", "thresholds": thresholds(rising(LAG_SOON_S, LAG_NOW_S))},
        ),
        ("pending", "max", say("Pending", "待处理"), {"unit": "short"}),
        ("dead", "max", say("Dead letters", "死信"), {"unit": "short"}),
        ("journal_bytes", "max", say("Journal", "日志文件"), {"unit": "bytes"}),
        ("silent", "max", say("Silent devices", "无数据设备"), {"unit": "short"}),
    )
    targets = [
        target(
            field,
            select(f"{worst}({name(field)})", _MEASUREMENT, lately(NOW_SPAN)),
            source=FIGURES,
            alias=title,
        )
        for field, worst, title, _ in parts
    ]
    overrides = [by_ref(field, **properties) for field, _, _, properties in parts]
    return tiles(
        say("Pipeline", "管道"),
        targets,
        overrides=overrides,
        description=say("The worst figure of all workers.", "所有工作进程中最差的数值。"),
    )


def rates(title: str, fields: Sequence[tuple[str, str]], *, unit: str, description: str = "") -> Json:
    """Counters as amounts a second, summed over workers; a worker that starts anew begins at nothing."""
    targets = []
    for field, alias in fields:
        inner = select(
            f'non_negative_derivative(max({name(field)}), 1s) AS "rate"',
            _MEASUREMENT,
            IN_RANGE,
            by=(BY_TIME, "worker"),
        )
        query = select('sum("rate")', f"({inner})", IN_RANGE, by=(BY_TIME,), fill="null")
        targets.append(target(field, query, source=FIGURES, alias=alias))
    return trend(title, targets, unit=unit, description=description)


def levels(
    title: str,
    fields: Sequence[tuple[str, str]],
    *,
    unit: str,
    steps: list[Json] = UNDRAWN_STEPS,
    description: str = "",
) -> Json:
    """The highest of each interval, a line a worker."""
    targets = [_by_worker("max", field, alias) for field, alias in fields]
    return trend(title, targets, unit=unit, steps=steps, description=description)


def connections() -> Json:
    """When broker and store were there."""
    fields = (("source_ok", say("broker", "消息服务")), ("store_ok", say("store", "存储")))
    targets = [_by_worker("min", field, alias) for field, alias in fields]
    return timeline(say("Connections", "连接"), targets, mappings=palette.yes_or_no(*_HERE))


def _by_worker(worst: str, field: str, alias: str) -> Json:
    query = select(f"{worst}({name(field)})", _MEASUREMENT, IN_RANGE, by=(BY_TIME, "worker"), fill="null")
    return target(field, query, source=FIGURES, alias=f"{alias} $tag_worker")
