"""InfluxDB's answers as frames, as Grafana's server makes them for InfluxQL."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grafana_expand import Asked

Json = dict[str, Any]
ALIAS = re.compile(r"\$(\w+)|\[\[(\w+)\]\]")


def frames(asked: Asked, answer: Json) -> list[Json]:
    """Of one statement's answer. Raises ValueError with the server's words where it refuses."""
    if "error" in answer:
        raise ValueError(answer["error"])
    series = answer.get("series", [])
    if asked.table:
        return [_table(asked, series)] if series else []
    return [frame for one in series for frame in _time_series(asked, one)]


def rows(made: list[Json]) -> int:
    """How many rows have a value beside their time."""
    return sum(
        any(value is not None for value in row)
        for frame in made
        for row in zip(*(f["values"] for f in frame["fields"] if f["name"] != "Time"), strict=True)
    )


def _table(asked: Asked, series: list[Json]) -> Json:
    """Tags and values of all series under each other. Its columns are in no promised order: here tags go last."""
    columns = series[0]["columns"]
    whole = [row for one in series for row in one["values"]]
    fields = [
        _field("Time" if name == "time" else name, [row[n] for row in whole]) for n, name in enumerate(columns)
    ]
    fields += [
        _field(tag, [one["tags"][tag] for one in series for _ in one["values"]])
        for tag in reversed(series[0].get("tags", {}))
    ]
    return {"refId": asked.ref_id, "name": series[0]["name"], "fields": fields}


def _time_series(asked: Asked, one: Json) -> list[Json]:
    """A frame for each column."""
    tags, columns = one.get("tags", {}), one["columns"]
    time = [row[0] for row in one["values"]]
    made = []
    for n, column in enumerate(columns[1:], 1):
        name = _name(asked.alias, one["name"], column, tags)
        value = _field("Value", [row[n] for row in one["values"]])
        value |= {"labels": tags, "config": {"displayNameFromDS": name}}
        made.append({"refId": asked.ref_id, "name": name, "fields": [_field("Time", time), value]})
    return made


def _name(alias: str, measurement: str, column: str, tags: Json) -> str:
    if not alias:
        labels = ", ".join(f"{key}: {value}" for key, value in sorted(tags.items()))
        return f"{measurement}.{column}" + (f" {{ {labels} }}" if labels else "")

    def put_in(token: re.Match[str]) -> str:
        word = token[1] or token[2]
        if word in ("m", "measurement"):
            return measurement
        if word == "col":
            return column
        return str(tags.get(word.removeprefix("tag_"), token[0]))

    return ALIAS.sub(put_in, alias)


def _field(name: str, values: list[Any]) -> Json:
    known = next((value for value in values if value is not None), None)
    kind = "time" if name == "Time" else "string" if isinstance(known, str) else "number"
    return {"name": name, "type": kind, "values": values, "config": {}}
