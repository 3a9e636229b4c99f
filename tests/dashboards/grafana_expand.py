"""What a dashboard asks its data sources: variables and macros put in as Grafana does for InfluxQL."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from grafana_time import interval_ms, interval_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from grafana_time import TimeSpan

Json = dict[str, Any]

ALL = "$__all"
GRAFANAS_OWN = "-- Grafana --"
SCREEN_PX = 1600
"""How wide 24 columns are: a panel's queries ask for as many points as it has pixels."""
COLUMNS = 24

TOKEN = re.compile(r"\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.[^:^}]+)?(?::([^}]+))?\}")
"""Grafana's own expression for what is a variable."""
UNKNOWN_TO_INFLUXQL = {"__rate_interval", "__timeFilter", "__range", "__range_s", "__range_ms"}
SPECIAL = re.compile(r"[\\^$*+?.()|\[\]{}/]")


class WrongDashboardError(Exception):
    """Something in it that Grafana would leave as it is, or could not resolve."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question to a data source, or the mistake that kept it from being asked."""

    dashboard: str
    place: str
    """Panel, variable or annotation, as a reader finds it."""
    ref_id: str = ""
    source: str = ""
    """The data source's uid."""
    query: str = ""
    table: bool = False
    alias: str = ""
    panel: Json | None = None
    columns: tuple[str, ...] = ()
    """Of an annotation, what it takes from the answer."""
    mistake: str = ""

    def __str__(self) -> str:
        return f"{self.dashboard} | {self.place} | {self.ref_id} | {self.source} | {self.query}"


@dataclass(frozen=True)
class Chosen:
    """A variable's value. `verbatim`: its own text for all, which Grafana never escapes."""

    values: tuple[str, ...]
    multi: bool = False
    verbatim: str = ""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The provisioned data sources, each map by uid."""

    names: Mapping[str, str]
    databases: Mapping[str, str] = field(default_factory=dict)
    least: Mapping[str, str] = field(default_factory=dict)
    """The shortest interval, for panels that have none of their own."""


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Who looks at a dashboard: at what span, with which choices, on which data sources."""

    span: TimeSpan
    sources: Sources
    options: Callable[[str, str], Sequence[str]]
    """What a data source (by uid) answers to a variable's query."""
    picks: Mapping[str, str] = field(default_factory=dict)
    """Choices other than a dashboard's own, `ALL` among them."""


def questions(dashboard: Json, reader: Reader) -> Iterator[Asked]:
    """All that the dashboard asks when it is opened: variables first, then annotations and panels."""
    uid = dashboard["uid"]
    chosen: dict[str, Chosen] = {}
    for variable in dashboard.get("templating", {}).get("list", []):
        yield from _variable(uid, variable, reader, chosen)
    for annotation in dashboard.get("annotations", {}).get("list", []):
        if annotation["datasource"].get("uid") != GRAFANAS_OWN:
            yield _annotation(uid, annotation, reader, chosen)
    for panel, scope in _panels(dashboard.get("panels", []), chosen):
        for target in (one for one in panel.get("targets", []) if not one.get("hide")):
            place = f"panel {panel.get('id')} {panel.get('title', '')!r}"
            yield _asked(uid, place, panel, target, reader, chosen | scope)


def expand(text: str, reader: Reader, chosen: Mapping[str, Chosen], step_ms: int = 1) -> str:
    """Raises WrongDashboardError where Grafana would leave something as it is."""
    span = reader.span
    built_in = {
        "timeFilter": f"time >= {span.from_ms}ms and time <= {span.to_ms}ms",
        "interval": interval_text(step_ms),
        "__interval": interval_text(step_ms),
        "__interval_ms": str(step_ms),
        "__from": str(span.from_ms),
        "__to": str(span.to_ms),
    }

    def put_in(token: re.Match[str]) -> str:
        name = token[1] or token[2] or token[4]
        form = token[3] or token[5] or ""
        if name in built_in and not form:
            return built_in[name]
        if name in UNKNOWN_TO_INFLUXQL:
            raise WrongDashboardError(f"${name} means nothing in InfluxQL")
        if name not in chosen:
            raise WrongDashboardError(f"${name} is not defined")
        return _formatted(chosen[name], form, name, text)

    expanded = TOKEN.sub(put_in, text)
    if found := re.search(r"\bnow\(\)", expanded):
        raise WrongDashboardError(f"{found[0]} does not follow the dashboard's time")
    return expanded


def _formatted(chosen: Chosen, form: str, name: str, query: str) -> str:
    values = chosen.values
    if chosen.verbatim:
        return chosen.verbatim
    if form == "raw":
        return ",".join(values)
    match form:
        case "":
            return _for_influxql(chosen, name, query)
        case "regex":
            return escape(values[0]) if len(values) == 1 else f"({'|'.join(map(escape, values))})"
        case "csv" | "text":
            return ",".join(values)
        case "pipe":
            return "|".join(values)
        case "singlequote":
            return ",".join(f"'{value}'" for value in values)
    raise WrongDashboardError(f"${{{name}:{form}}} is a form that these dashboards do not use")


def _for_influxql(chosen: Chosen, name: str, query: str) -> str:
    """As the data source does: escaped for a regular expression where several may be chosen, or in one."""
    if chosen.multi:
        return f"({'|'.join(map(escape, chosen.values))})"
    [value] = chosen.values
    in_expression = re.search(rf"/\^?(.*)(\${name})(.*)\$?/", query)
    return escape(value) if in_expression else value


def escape(value: str) -> str:
    return SPECIAL.sub(lambda one: f"\\{one[0]}", value)


def _step_ms(panel: Json, source: str, reader: Reader) -> int:
    columns = panel.get("gridPos", {}).get("w", COLUMNS)
    points = panel.get("maxDataPoints") or round(SCREEN_PX * columns / COLUMNS)
    return interval_ms(reader.span, points, panel.get("interval") or reader.sources.least.get(source))


def _asked(uid: str, place: str, owner: Json, target: Json, reader: Reader, chosen: Mapping[str, Chosen]) -> Asked:
    """A panel's or annotation's target; its own data source goes before the owner's."""
    asked = Asked(
        dashboard=uid,
        place=place,
        ref_id=target.get("refId", ""),
        table=target.get("resultFormat", "time_series") == "table",
        alias=target.get("alias", ""),
        panel=owner if "gridPos" in owner else None,
        query=target.get("query", ""),
    )
    try:
        source = _source(target.get("datasource") or owner.get("datasource"), reader, chosen)
        query = expand(target["query"], reader, chosen, _step_ms(owner, source, reader))
    except (WrongDashboardError, KeyError) as mistake:
        return replace(asked, mistake=str(mistake))
    return replace(asked, source=source, query=query)


def _annotation(uid: str, annotation: Json, reader: Reader, chosen: Mapping[str, Chosen]) -> Asked:
    """One that is not marked as such, or with its query elsewhere, silently shows nothing."""
    place, target = f"annotation {annotation['name']}", annotation.get("target", {})
    if not (target.get("fromAnnotations") and target.get("query")):
        return Asked(dashboard=uid, place=place, mistake="its query must sit in a target with fromAnnotations")
    names = [target.get(f"{name}Column", "") for name in ("text", "title", "timeEnd")]
    columns = tuple(filter(None, [*names, *target.get("tagsColumn", "").split(",")]))
    return replace(_asked(uid, place, annotation, target, reader, chosen), columns=columns)


def _source(reference: Json | None, reader: Reader, chosen: Mapping[str, Chosen]) -> str:
    if not reference:
        raise WrongDashboardError("names no data source")
    uid = expand(reference.get("uid", ""), reader, chosen)
    if uid not in reader.sources.names:
        raise WrongDashboardError(f"data source {uid!r} is not provisioned")
    return uid


def _variable(uid: str, variable: Json, reader: Reader, chosen: dict[str, Chosen]) -> Iterator[Asked]:
    """Finds the variable's options, asking where it is a query, and makes the choice."""
    name = variable["name"]
    if variable["type"] == "query":
        query = variable["query"]
        target = query if isinstance(query, dict) else {"query": query, "refId": name}
        asked = _asked(uid, f"variable {name}", variable, target, reader, chosen)
        if variable.get("refresh") not in (1, 2):
            asked = replace(asked, mistake="is never filled: refresh must be 1 or 2")
        yield asked
        options = [] if asked.mistake else _fitting(reader.options(asked.source, asked.query), variable)
    else:
        options = _fixed_options(variable, reader)
    try:
        chosen[name] = _choice(variable, options, reader.picks.get(name))
    except WrongDashboardError as mistake:
        yield Asked(dashboard=uid, place=f"variable {name}", mistake=str(mistake))


def _fixed_options(variable: Json, reader: Reader) -> list[str]:
    match variable["type"]:
        case "datasource":
            return [u for u, name in reader.sources.names.items() if _fitting([name], variable)]
        case "constant" | "textbox":
            return [variable["query"]]
        case "custom" | "interval":
            return [one.rpartition(" : ")[2].strip() for one in variable["query"].split(",")]
    raise WrongDashboardError(f"variables of type {variable['type']} are not known here")


def _fitting(options: Sequence[str], variable: Json) -> list[str]:
    """Those that the variable's own expression leaves: its first group, if it has one."""
    expression = variable.get("regex") or ""
    if not expression:
        return list(options)
    found = (re.search(expression.strip("/"), option) for option in options)
    return [one[1] if one.re.groups else one.string for one in found if one]


def _choice(variable: Json, options: list[str], pick: str | None) -> Chosen:
    """The pick; else the dashboard's own choice if that is an option; else the first option."""
    multi = bool(variable.get("multi"))
    if pick is None:
        current = variable.get("current", {}).get("value")
        pick = (current[0] if current else None) if isinstance(current, list) else current
    if pick == ALL:
        if not variable.get("includeAll"):
            raise WrongDashboardError("has no choice of all")
        return Chosen(tuple(options), multi=True, verbatim=variable.get("allValue") or "")
    if not options:
        raise WrongDashboardError("has no options")
    return Chosen((pick if pick in options else options[0],), multi=multi)


def _panels(panels: Sequence[Json], chosen: Mapping[str, Chosen]) -> Iterator[tuple[Json, dict[str, Chosen]]]:
    """Each panel with what its repetition, or its row's, chooses for it."""
    scopes: list[dict[str, Chosen]] = [{}]
    for panel in panels:
        if panel.get("type") == "row":
            scopes = _repeated(panel, chosen)
            inner = panel.get("panels", [])
        else:
            inner = [panel]
        for one in inner:
            for scope in scopes:
                for repetition in _repeated(one, chosen | scope):
                    yield one, scope | repetition


def _repeated(panel: Json, chosen: Mapping[str, Chosen]) -> list[dict[str, Chosen]]:
    name = panel.get("repeat")
    if not name or name not in chosen:
        return [{}]
    return [{name: Chosen((value,), multi=chosen[name].multi)} for value in chosen[name].values]
