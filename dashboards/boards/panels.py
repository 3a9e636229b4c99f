"""Makers of panels. Each gives the plain JSON of Grafana, without its number and place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from boards.palette import ACCENT, NORMAL, UNDRAWN
from boards.words import NO_DATA

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


def thresholds(steps: list[Json]) -> Json:
    return {"mode": "absolute", "steps": steps}


def link(title: str, url: str) -> Json:
    return {"title": title, "url": url}


def _panel(kind: str, title: str, targets: list[Json], **more: Any) -> Json:
    """All queries of a panel ask one data source, and the panel says which."""
    return {"type": kind, "title": title, "datasource": targets[0]["datasource"], "targets": targets, **more}


# --- charts ------------------------------------------------------------------------------------------------


def trend(
    title: str,
    targets: list[Json],
    *,
    unit: str = "none",
    steps: list[Json] | None = None,
    overrides: list[Json] | None = None,
    description: str = "",
    custom: Json | None = None,
    legend: bool = True,
    interval: str = "",
) -> Json:
    """Lines over time; the limits among `steps` are drawn. An interval without a point breaks the line."""
    drawn = "dashed" if steps and len(steps) > 1 else "off"
    defaults = {
        "unit": unit,
        "color": {"mode": "palette-classic-by-name"},
        "thresholds": thresholds(steps or UNDRAWN_STEPS),
        "custom": {
            "drawStyle": "line",
            "lineInterpolation": "linear",
            "lineWidth": 1,
            "fillOpacity": 0,
            "showPoints": "auto",
            "pointSize": 4,
            "spanNulls": False,
            "thresholdsStyle": {"mode": drawn},
            **(custom or {}),
        },
    }
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": legend, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    more = {"interval": interval} if interval else {}
    return _panel(
        "timeseries",
        title,
        targets,
        description=description,
        fieldConfig={"defaults": defaults, "overrides": overrides or []},
        options=options,
        **more,
    )


BARS: Json = {"drawStyle": "bars", "fillOpacity": 80, "lineWidth": 0, "stacking": {"mode": "normal", "group": "A"}}
"""The custom part of a trend of amounts that add up."""


def timeline(
    title: str,
    targets: list[Json],
    *,
    mappings: list[Json] | None = None,
    overrides: list[Json] | None = None,
    description: str = "",
) -> Json:
    """States over time, in words."""
    defaults = {
        "color": {"mode": "thresholds"},
        "thresholds": thresholds(PLAIN),
        "mappings": mappings or [],
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
        fieldConfig={"defaults": defaults, "overrides": overrides or []},
        options=options,
    )


# --- numbers -----------------------------------------------------------------------------------------------


def tiles(
    title: str,
    targets: list[Json],
    *,
    overrides: list[Json] | None = None,
    unit: str = "none",
    links: list[Json] | None = None,
    mappings: list[Json] | None = None,
    steps: list[Json] | None = None,
    description: str = "",
    calc: str = "lastNotNull",
    color_mode: str = "value",
) -> Json:
    """The last number of each series, large, with its name."""
    defaults = {
        "unit": unit,
        "color": {"mode": "thresholds"},
        "thresholds": thresholds(steps or PLAIN),
        "mappings": mappings or [],
        "noValue": NO_DATA,
        "links": links or [],
    }
    options = {
        "reduceOptions": {"calcs": [calc], "fields": "", "values": False},
        "orientation": "auto",
        "textMode": "value_and_name" if len(targets) > 1 or targets[0].get("alias") else "value",
        "colorMode": color_mode,
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
        fieldConfig={"defaults": defaults, "overrides": overrides or []},
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
            properties["unit"] = self.unit
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
    before: list[Json] | None = None,
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
        transformations=[*(before or []), {"id": "organize", "options": organize}],
        fieldConfig={"defaults": defaults, "overrides": overrides},
        options=options,
    )


MERGE: Json = {"id": "merge", "options": {}}
"""Rows of several answers that agree in what they share become one row."""

ONE_LINE = {"custom__lineWidth": 2, "color": color(ACCENT)}
"""Properties of the one line that counts in a chart."""
