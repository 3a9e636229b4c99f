"""Makers of panels. Each gives the plain JSON of Grafana, without its number and place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boards.palette import NORMAL, NOW, SOON, UNDRAWN
from boards.units import in_unit
from boards.words import NO_DATA

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Json = dict[str, Any]
PLAIN: list[Json] = [{"value": None, "color": NORMAL}]
UNDRAWN_STEPS: list[Json] = [{"value": None, "color": UNDRAWN}]


def by_ref(ref: str, **properties: Any) -> Json:
    """An override for the answer of one query; `__` in a property's name stands for a dot."""
    return _override("byFrameRefID", ref, properties)


def by_name(field_name: str, **properties: Any) -> Json:
    """An override for one field by the name it is shown with."""
    return _override("byName", field_name, properties)


def _override(matcher: str, options: str, properties: Json) -> Json:
    rows = [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]
    return {"matcher": {"id": matcher, "options": options}, "properties": rows}


def color(value: str) -> Json:
    return {"mode": "fixed", "fixedColor": value}


def rising(soon: float, now: float, *, normal: str = NORMAL) -> list[Json]:
    """Steps of an amount that is worse the more it is."""
    return [{"value": None, "color": normal}, {"value": soon, "color": SOON}, {"value": now, "color": NOW}]


def thresholds(steps: list[Json]) -> Json:
    return {"mode": "absolute", "steps": steps}


def link(title: str, url: str) -> Json:
    return {"title": title, "url": url}


def _panel(kind: str, title: str, targets: list[Json], **more: Any) -> Json:
    """All queries of a panel ask one data source, and the panel says which."""
    return {"type": kind, "title": title, "datasource": targets[0]["datasource"], "targets": targets, **more}


# --- charts ------------------------------------------------------------------------------------------------


LINES: Json = {"drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": 0}
STAIRS: Json = {**LINES, "lineInterpolation": "stepAfter"}
"""Of amounts that stay until they change."""
BARS: Json = {"drawStyle": "bars", "lineWidth": 0, "fillOpacity": 80, "stacking": {"mode": "normal", "group": "A"}}
"""Of amounts that add up."""


def trend(
    title: str,
    targets: list[Json],
    *,
    unit: str = "short",
    steps: list[Json] = UNDRAWN_STEPS,
    overrides: Iterable[Json] = (),
    description: str = "",
    style: Json = LINES,
) -> Json:
    """Amounts over time; the limits among `steps` are drawn. An interval without a point breaks the line."""
    defaults = {
        "unit": unit,
        "color": {"mode": "palette-classic-by-name"},
        "thresholds": thresholds(steps),
        "custom": {
            **style,
            "showPoints": "auto",
            "pointSize": 4,
            "spanNulls": False,
            "thresholdsStyle": {"mode": "dashed" if len(steps) > 1 else "off"},
        },
    }
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return _panel(
        "timeseries",
        title,
        targets,
        description=description,
        fieldConfig={"defaults": defaults, "overrides": list(overrides)},
        options=options,
    )


def not_finer(interval: str, panel: Json) -> Json:
    """The panel with intervals at least so long."""
    return {**panel, "interval": interval}


def timeline(
    title: str,
    targets: list[Json],
    *,
    mappings: Sequence[Json] = (),
    overrides: Iterable[Json] = (),
    description: str = "",
) -> Json:
    """States over time, in words."""
    defaults = {
        "color": {"mode": "thresholds"},
        "thresholds": thresholds(PLAIN),
        "mappings": list(mappings),
        "custom": {"lineWidth": 0, "fillOpacity": 75},
    }
    options = {
        "mergeValues": True,
        "showValue": "auto",
        "alignValue": "left",
        "rowHeight": 0.8,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return _panel(
        "state-timeline",
        title,
        targets,
        description=description,
        fieldConfig={"defaults": defaults, "overrides": list(overrides)},
        options=options,
    )


# --- numbers -----------------------------------------------------------------------------------------------


def tiles(
    title: str,
    targets: list[Json],
    *,
    overrides: Iterable[Json] = (),
    description: str = "",
) -> Json:
    """The last number of each series, large, with its name."""
    defaults = {
        "unit": "short",
        "color": {"mode": "thresholds"},
        "thresholds": thresholds(PLAIN),
        "noValue": NO_DATA,
    }
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "orientation": "auto",
        "textMode": "value_and_name",
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "center",
        "wideLayout": True,
        "showPercentChange": False,
        "percentChangeColorMode": "standard",
    }
    return _panel(
        "stat",
        title,
        targets,
        description=description,
        fieldConfig={"defaults": defaults, "overrides": list(overrides)},
        options=options,
    )


# --- tables ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column of a table: what the query calls it, and what it shows."""

    name: str
    title: str
    unit: str = ""
    mappings: list[Json] = field(default_factory=list)
    steps: list[Json] = field(default_factory=list)
    width: int = 0
    links: list[Json] = field(default_factory=list)

    def override(self) -> Json:
        properties: Json = {}
        if self.unit:
            properties |= in_unit(self.unit)
        if self.mappings:
            properties["mappings"] = self.mappings
        if self.steps:
            properties["thresholds"] = thresholds(self.steps)
        if self.mappings or self.steps:
            properties["color"] = {"mode": "thresholds"}
            properties["custom__cellOptions"] = {"type": "color-text"}
        if self.width:
            properties["custom__width"] = self.width
        if self.links:
            properties["links"] = self.links
        return by_name(self.title, **properties)


def table(
    title: str,
    targets: list[Json],
    columns: list[Column],
    *,
    sort: str = "",
    description: str = "",
    before: Sequence[Json] = (),
) -> Json:
    """`sort`: title of the column with the largest values first. `before`: transformations of the answers."""
    shown = {column.name for column in columns}
    organize = {
        "excludeByName": {} if "Time" in shown else {"Time": True},
        "indexByName": {column.name: index for index, column in enumerate(columns)},
        "renameByName": {column.name: column.title for column in columns},
        "includeByName": {},
    }
    defaults = {
        "color": {"mode": "thresholds"},
        "thresholds": thresholds(PLAIN),
        "noValue": "–",
        "custom": {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False},
    }
    options = {
        "frameIndex": 0,
        "showHeader": True,
        "cellHeight": "sm",
        "sortBy": [{"displayName": sort, "desc": True}] if sort else [],
    }
    overrides = [override for column in columns if (override := column.override())["properties"]]
    return _panel(
        "table",
        title,
        targets,
        description=description,
        transformations=[*before, {"id": "organize", "options": organize}],
        fieldConfig={"defaults": defaults, "overrides": overrides},
        options=options,
    )


MERGE: Json = {"id": "merge", "options": {}}
"""Rows of several answers that agree in what they share become one row."""
