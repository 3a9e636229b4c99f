"""Level two of the proof: what a dashboard says of places, names and links is true within the whole set."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Json = dict[str, Any]
COLUMNS = 24
MOST_VISIBLE = 15
UID = re.compile(r"[A-Za-z0-9_-]{1,40}\Z")
VARIABLE = re.compile(r"\$(?:\{(\w+)[^}]*\}|(\w+))")
DASHBOARD = re.compile(r"/d/([^/?]+)(?:\?(.*))?\Z")
CELL = re.compile(r"\$\{__data\.fields\.\w+\}")
"""In a link, a cell of the row that was clicked."""
CONSOLE = re.compile(r"\$\{console\}/(?:\?.*|ledger|dead-letters)?\Z")
REFRESH_S = {"30s": 30, "1m": 60, "5m": 300}
OF_QUERIES = {"timeFilter", "__interval", "__interval_ms", "__from", "__to"}
"""Macros that Grafana puts into InfluxQL."""
OF_LINKS = {"__url_time_range", "__data", "__field", "__value", "__from", "__to"}
OF_ALIASES = re.compile(r"tag_\w+\Z|m\Z|col\Z|measurement\Z")
CHINESE, LATIN = re.compile(r"[一-鿿]"), re.compile(r"[A-Za-z]")


def check_layout(dashboard: Json, boards: Mapping[str, Json], sources: Mapping[str, str]) -> list[str]:
    """What is wrong, one line each. `boards` are all there are by uid, `sources` the data sources' names by uid."""
    return [
        *_head(dashboard),
        *_places(dashboard),
        *_sources(dashboard, sources),
        *_variables(dashboard),
        *_names(dashboard),
        *_links(dashboard, boards),
    ]


def panels(dashboard: Json) -> Iterator[Json]:
    """All that show something, also those that are folded."""
    for panel in dashboard["panels"]:
        yield from panel["panels"] if panel["type"] == "row" else [panel]


def _head(dashboard: Json) -> Iterator[str]:
    if not UID.match(dashboard["uid"]):
        yield f"uid {dashboard['uid']!r} is none that Grafana takes"
    if "id" in dashboard:
        yield "an id is Grafana's own, and stands in no file"
    if not dashboard["description"].strip():
        yield "says no question that it answers"
    if dashboard["refresh"] not in REFRESH_S:
        yield f"refresh {dashboard['refresh']} is faster than devices report"
    for title in (dashboard["title"], dashboard["description"], *(p["title"] for p in panels(dashboard))):
        if not (CHINESE.search(title) and LATIN.search(title)):
            yield f"{title!r} is not in both languages"


# --- places ------------------------------------------------------------------------------------------------


def _places(dashboard: Json) -> Iterator[str]:
    numbers = [p["id"] for p in dashboard["panels"]]
    numbers += [p["id"] for row in dashboard["panels"] for p in row.get("panels", [])]
    yield from (f"panel id {n} occurs twice" for n in sorted({n for n in numbers if numbers.count(n) > 1}))
    visible = [p for p in dashboard["panels"] if p["type"] != "row"]
    if len(visible) > MOST_VISIBLE:
        yield f"{len(visible)} panels are visible at once, more than {MOST_VISIBLE}"
    yield from _overlaps(dashboard["panels"])
    for row in dashboard["panels"]:
        if row["type"] == "row":
            yield from _row(row)


def _row(row: Json) -> Iterator[str]:
    if row["collapsed"] != bool(row["panels"]):
        yield f"row {row['title']} is folded around nothing, or open around something"
    yield from _overlaps(row["panels"])
    if any(p["gridPos"]["y"] <= row["gridPos"]["y"] for p in row["panels"]):
        yield f"row {row['title']} has a panel above itself"


def _overlaps(some: list[Json]) -> Iterator[str]:
    for panel in some:
        place = panel["gridPos"]
        if not (0 <= place["x"] < place["x"] + place["w"] <= COLUMNS and place["y"] >= 0 and place["h"] > 0):
            yield f"panel {panel['title']} is outside of the {COLUMNS} columns"
    for one, other in combinations(some, 2):
        a, b = one["gridPos"], other["gridPos"]
        if (a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"]) and (
            a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]
        ):
            yield f"panels {one['title']} and {other['title']} overlap"


# --- names -------------------------------------------------------------------------------------------------


def _sources(dashboard: Json, sources: Mapping[str, str]) -> Iterator[str]:
    chosen = {f"${{{v['name']}}}": v for v in _variables_of(dashboard) if v["type"] == "datasource"}
    for place, source in _used_sources(dashboard):
        if source["uid"] not in sources and source["uid"] not in chosen:
            yield f"{place}: no data source {source['uid']}"
    for panel in panels(dashboard):
        if {t["datasource"]["uid"] for t in panel["targets"]} != {panel["datasource"]["uid"]}:
            yield f"panel {panel['title']}: its queries ask another data source than it says"
    for variable in chosen.values():
        pattern = re.compile(variable["regex"].strip("/"))
        if {name for name in sources.values() if pattern.match(name)} != set(sources.values()):
            yield f"variable {variable['name']}: offers not all data sources"
        if variable["current"]["value"] not in sources:
            yield f"variable {variable['name']}: begins with no data source"


def _used_sources(dashboard: Json) -> Iterator[tuple[str, Json]]:
    for panel in panels(dashboard):
        yield f"panel {panel['title']}", panel["datasource"]
        yield from ((f"panel {panel['title']}", t["datasource"]) for t in panel["targets"])
    for one in dashboard["annotations"]["list"]:
        yield f"annotation {one['name']}", one["datasource"]
        yield f"annotation {one['name']}", one["target"]["datasource"]
    for one in _variables_of(dashboard):
        if "datasource" in one:
            yield f"variable {one['name']}", one["datasource"]


def _variables(dashboard: Json) -> Iterator[str]:
    defined = [v["name"] for v in _variables_of(dashboard)]
    yield from (f"variable {n} is defined twice" for n in sorted({n for n in defined if defined.count(n) > 1}))
    known = set(defined)
    for place, query in _queries(dashboard):
        yield from _unknown(f"query of {place}", query, known | OF_QUERIES)
    for panel in panels(dashboard):
        for target in panel["targets"]:
            aliases = {n for n in _named(target.get("alias", "")) if OF_ALIASES.match(n)}
            yield from _unknown(f"alias of {panel['title']}", target.get("alias", ""), known | aliases)
        yield from _unknown(f"title of {panel['title']}", panel["title"], known)
    for place, url in _urls(dashboard):
        yield from _unknown(f"link of {place}", url, known | OF_LINKS)
    for n, variable in enumerate(_variables_of(dashboard)):
        if variable["type"] == "query":
            yield from _unknown(f"variable {variable['name']}", variable["query"], set(defined[:n]))


def _queries(dashboard: Json) -> Iterator[tuple[str, str]]:
    for panel in panels(dashboard):
        yield from ((panel["title"], target["query"]) for target in panel["targets"])
    yield from ((one["name"], one["target"]["query"]) for one in dashboard["annotations"]["list"])


def _variables_of(dashboard: Json) -> list[Json]:
    return dashboard["templating"]["list"]


def _named(text: str) -> list[str]:
    return [braced or bare for braced, bare in VARIABLE.findall(text)]


def _unknown(place: str, text: str, known: Iterable[str]) -> Iterator[str]:
    yield from (f"{place}: no variable {name}" for name in _named(text) if name not in known)


def _names(dashboard: Json) -> Iterator[str]:
    """Overrides and bands speak of queries and series that are there."""
    for panel in panels(dashboard):
        place = f"panel {panel['title']}"
        refs = [t["refId"] for t in panel["targets"]]
        if len(refs) > len(set(refs)):
            yield f"{place}: two queries have one refId"
        renamed = {
            name
            for step in panel.get("transformations", [])
            for name in step["options"].get("renameByName", {}).values()
        }
        aliases = {t.get("alias") for t in panel["targets"]}
        for override in panel["fieldConfig"]["overrides"]:
            matcher = override["matcher"]
            there = {"byFrameRefID": set(refs), "byName": renamed | aliases}[matcher["id"]]
            if matcher["options"] not in there:
                yield f"{place}: overrides {matcher['options']}, which it does not have"
            for row in override["properties"]:
                if row["id"] == "custom.fillBelowTo" and row["value"] not in aliases:
                    yield f"{place}: fills down to {row['value']}, which it does not have"
        for sort in panel["options"].get("sortBy", []):
            if sort["displayName"] not in renamed:
                yield f"{place}: sorts by {sort['displayName']}, which it does not have"


# --- links -------------------------------------------------------------------------------------------------


def _links(dashboard: Json, boards: Mapping[str, Json]) -> Iterator[str]:
    tags = {tag for board in boards.values() for tag in board["tags"]}
    for link in dashboard["links"]:
        if link["type"] == "dashboards" and not set(link["tags"]) <= tags:
            yield f"link {link['title']}: no dashboard has its tags {link['tags']}"
        if (
            link["type"] == "link"
            and link["url"].startswith("/d/")
            and not (link["keepTime"] and link["includeVars"])
        ):
            yield f"link {link['title']}: leaves time or variables behind"
    for place, url in _urls(dashboard):
        yield from (f"link of {place}: {what}" for what in _target(url, boards))


def _target(url: str, boards: Mapping[str, Json]) -> Iterator[str]:
    if url.startswith("${console}"):
        if not CONSOLE.match(url):
            yield f"the console has no page {url}"
        return
    found = DASHBOARD.match(url)
    meant = re.compile(r"\w+".join(map(re.escape, CELL.split(found[1])))) if found else None
    uids = [uid for uid in boards if meant and meant.fullmatch(uid)]
    if found is None or not uids:
        yield f"no dashboard at {url}"
        return
    for uid in uids:
        defined = {v["name"] for v in _variables_of(boards[uid])}
        for name in re.findall(r"var-(\w+)=", found[2] or ""):
            if name not in defined:
                yield f"{uid} has no variable {name}"


def _urls(dashboard: Json) -> Iterator[tuple[str, str]]:
    yield from ((link["title"], link["url"]) for link in dashboard["links"] if link["type"] == "link")
    for panel in panels(dashboard):
        for one in _found("links", panel["fieldConfig"]):
            yield from ((panel["title"], link["url"]) for link in one)


def _found(key: str, value: Any) -> Iterator[Any]:
    """Every value under a key, and of every override of that name."""
    if isinstance(value, dict):
        if value.get("id") == key:
            yield value["value"]
        for name, inner in value.items():
            if name == key:
                yield inner
            else:
                yield from _found(key, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _found(key, inner)
