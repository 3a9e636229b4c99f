"""InfluxQL as Grafana's data source takes it, which InfluxDB 1.8, 2.x and 3 all answer."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from scenewatch.model.level import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from boards.panels import Json
    from scenewatch.model.scene import Scene

TYPE = "influxdb"
UIDS: Mapping[Level, str] = {
    Level.READING: "sw-raw",
    Level.MINUTE: "sw-minute",
    Level.HOUR: "sw-hour",
    Level.DAY: "sw-day",
}
NAMES: Mapping[Level, str] = {
    Level.READING: "Scenewatch readings",
    Level.MINUTE: "Scenewatch minutes",
    Level.HOUR: "Scenewatch hours",
    Level.DAY: "Scenewatch days",
}
CHOSEN = "${level}"
"""The data source that the reader of a dashboard chose by its variable `level`."""
READINGS, FIGURES, ALARMS = UIDS[Level.READING], UIDS[Level.MINUTE], UIDS[Level.DAY]

IN_RANGE = "$timeFilter"
BY_TIME = "time($__interval)"
ANY_SCENE = '"scene" =~ /^$scene$/'
ANY_SITE = f'{ANY_SCENE} AND "site" =~ /^$site$/'
THIS_SITE = "\"scene\" = '$scene' AND \"site\" = '$site'"


def datasource(uid: str) -> Json:
    return {"type": TYPE, "uid": uid}


def target(ref: str, query: str, *, source: str = CHOSEN, alias: str = "") -> Json:
    """A query whose answer is a series for each group."""
    return {
        "refId": ref,
        "datasource": datasource(source),
        "query": query,
        "rawQuery": True,
        "resultFormat": "time_series",
        "alias": alias,
    }


def table_target(ref: str, query: str, *, source: str) -> Json:
    """A query whose answer is one table, tags and values side by side, in no certain order."""
    return {key: value for key, value in target(ref, query, source=source).items() if key != "alias"} | {
        "resultFormat": "table"
    }


def select(what: str, measurement: str, *where: str, by: Iterable[str] = (), fill: str = "", more: str = "") -> str:
    """`by` are tags, or a time; `fill` says what an interval without a point gives."""
    query = f"SELECT {what} FROM {measurement}"  # noqa: S608 - keys of checked tables, and the read-only token of Grafana
    if where:
        query += f" WHERE {' AND '.join(where)}"
    if groups := ", ".join(group if group.startswith("time(") else name(group) for group in by):
        query += f" GROUP BY {groups}"
    if fill:
        query += f" fill({fill})"
    return f"{query} {more}".rstrip()


def name(key: str) -> str:
    return f'"{key}"'


def text(value: str) -> str:
    return f"'{value}'"


def number(value: float) -> str:
    """InfluxQL, like a browser, writes a million without an exponent."""
    return f"{Decimal(repr(float(value))).normalize():f}"


def of_scene(scene: Scene) -> str:
    """Everything of one scene."""
    return f"{name('scene')} = {text(scene.key)}"


def device_of(scene: Scene) -> str:
    """The chosen device of one scene."""
    return f"{of_scene(scene)} AND \"site\" = '$site' AND \"device\" = '$device'"


def lately(span: str) -> str:
    """The end of the dashboard's range: what is so now, or was so then."""
    return f"time > ${{__to}}ms - {span} AND time <= ${{__to}}ms"


# A field of a level is <channel>_max, of a reading it is <channel>: one expression finds it in both.


def highest(channel: str) -> str:
    return f"max(/^{channel}(_max)?$/)"


def lowest(channel: str) -> str:
    return f"min(/^{channel}(_min)?$/)"


def average(channel: str) -> str:
    return f"mean(/^{channel}(_mean)?$/)"


def worst_flag(channel: str) -> str:
    return f"max({name(f'{channel}_flag')})"
