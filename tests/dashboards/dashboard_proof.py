"""Levels three and four of the proof: each query asked of a real server, each answer shown by Grafana's code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
from grafana_expand import ALL, questions
from grafana_frames import frames, rows

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

    from grafana_display import Display
    from grafana_expand import Asked, Reader, Sources

Json = dict[str, Any]
AT_ONCE = 50
"""Statements in one request."""
TIMEOUT_S = 30
NO_POINTS = "no points"


@dataclass(frozen=True)
class Found:
    """Something wrong, and which level of the proof found it."""

    level: str
    dashboard: str
    place: str
    ref_id: str
    problem: str
    query: str = ""
    span: str = ""

    @property
    def asks(self) -> tuple[str, str]:
        return self.place, self.ref_id

    def __str__(self) -> str:
        parts = (self.level, self.dashboard, self.place, self.ref_id, self.span, self.problem, self.query)
        return " | ".join(filter(None, parts))


class Server:
    """The filled InfluxDB, behind the data sources."""

    def __init__(self, address: str, sources: Sources, *, token: str = "") -> None:
        self.sources = sources
        headers = {"Authorization": f"Token {token}"} if token else {}
        self._client = httpx.Client(base_url=address, headers=headers, timeout=TIMEOUT_S)
        self._answers: dict[tuple[str, str], Json] = {}

    def ask(self, asked: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], Json]:
        """Answers by data source and query. The record stands still, so nothing is asked twice."""
        by_source: dict[str, list[str]] = {}
        for source, query in dict.fromkeys(asked):
            if (source, query) not in self._answers:
                by_source.setdefault(source, []).append(query)
        for source, queries in by_source.items():
            for n in range(0, len(queries), AT_ONCE):
                some = self._some(source, queries[n : n + AT_ONCE])
                self._answers |= {(source, query): answer for query, answer in some}
        return self._answers

    def options(self, source: str, query: str) -> Sequence[str]:
        """As a variable takes them: the second column if there is one."""
        answer = self.ask([(source, query)])[source, query]
        whole = [row[min(1, len(row) - 1)] for one in answer.get("series", []) for row in one["values"]]
        return tuple(dict.fromkeys(whole))

    def close(self) -> None:
        self._client.close()

    def _some(self, source: str, queries: list[str]) -> Iterator[tuple[str, Json]]:
        """One that cannot be read spoils a whole request: then each is asked alone."""
        form = {"db": self.sources.databases[source], "epoch": "ms"}
        body = self._client.post("/query", params=form, data={"q": ";".join(queries)}).json()
        if "results" in body and len(body["results"]) == len(queries):
            yield from zip(queries, body["results"], strict=True)
        elif len(queries) == 1:
            yield queries[0], body
        else:
            for query in queries:
                yield from self._some(source, [query])


@dataclass
class View:
    """One look at one dashboard: what it asked, the frames that came, and what was wrong."""

    dashboard: Json
    reader: Reader
    pairs: list[tuple[Asked, list[Json]]] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)

    def panels(self) -> dict[str, tuple[Json, list[Json]]]:
        """Each panel that can be shown, with its frames, by its place: it asks only what had points.

        A device has only the channels of its type, whatever a panel asks. Where answers are put together, all of
        them must be there.
        """
        asking: dict[str, tuple[Json, dict[str, list[Json]]]] = {}
        for asked, made in self.pairs:
            if asked.panel is not None:
                asking.setdefault(asked.place, (asked.panel, {}))[1][asked.ref_id] = made
        found = {}
        for place, (panel, answers) in asking.items():
            empty = {ref_id for ref_id, made in answers.items() if not rows(made)}
            if not empty or (empty != answers.keys() and not panel.get("transformations")):
                there = [frame for ref_id, made in answers.items() if ref_id not in empty for frame in made]
                found[place] = (_without(panel, empty), there)
        return found


def _without(panel: Json, ref_ids: set[str]) -> Json:
    """The panel as if it had never asked these."""
    if not ref_ids:
        return panel
    config = panel["fieldConfig"]
    kept = [
        one
        for one in config["overrides"]
        if one["matcher"]["id"] != "byFrameRefID" or one["matcher"]["options"] not in ref_ids
    ]
    targets = [one for one in panel["targets"] if one["refId"] not in ref_ids]
    return {**panel, "targets": targets, "fieldConfig": {**config, "overrides": kept}}


def view(dashboard: Json, reader: Reader, server: Server) -> View:
    """Level three: each question must be answered, without error and with points."""
    asked = list(questions(dashboard, reader))
    answers = server.ask((one.source, one.query) for one in asked if not one.mistake)
    seen = View(dashboard, reader)
    for one in asked:
        try:
            made = frames(one, {"error": one.mistake} if one.mistake else answers[one.source, one.query])
            problem = _lacks(one, made)
            seen.pairs.append((one, made))
        except ValueError as error:
            problem = str(error)
        if problem:
            where = (one.dashboard, one.place, one.ref_id)
            seen.found.append(Found("queries", *where, problem, one.query, f"{reader.span.name} of {one.source}"))
    return seen


def _lacks(asked: Asked, made: list[Json]) -> str:
    if not rows(made):
        return NO_POINTS
    there = {column["name"] for frame in made for column in frame["fields"]}
    gone = [name for name in asked.columns if name not in there]
    return f"takes {', '.join(gone)} from an answer of {', '.join(sorted(there))}" if gone else ""


def missing(views: Sequence[View]) -> list[Found]:
    """What is wrong in looks at one dashboard: any error, and questions to which none of them had points."""
    answered = {(one.place, one.ref_id) for each in views for one, made in each.pairs if rows(made)}
    return [one for each in views for one in each.found if one.problem != NO_POINTS or one.asks not in answered]


def everything(dashboard: Json) -> dict[str, str]:
    """All, wherever the dashboard offers it."""
    variables = dashboard.get("templating", {}).get("list", [])
    return {one["name"]: ALL for one in variables if one.get("includeAll")}


def shown(views: Sequence[View], display: Display, uids: Container[str]) -> list[list[Found]]:
    """Level four: each panel with its frames goes through Grafana's own transformations and field options.

    `uids` are those of all dashboards: each row's links must lead to one.
    """
    panels = [(number, place, *panel) for number, one in enumerate(views) for place, panel in one.panels().items()]
    jobs = [{"do": "show", "panel": panel, "frames": made} for _, _, panel, made in panels]
    found: list[list[Found]] = [[] for _ in views]
    for (number, place, _, _), answer in zip(panels, display.answers(jobs), strict=True):
        uid = views[number].dashboard["uid"]
        found[number] += [Found("display", uid, place, "", problem) for problem in answer["mistakes"]]
        dead = [way for way in answer["ways"] if way.removeprefix("/d/") not in uids]
        found[number] += [
            Found("display", uid, place, "", f"a row leads to {way}, which is not there") for way in dead
        ]
    return found


def never_shown(views: Sequence[View]) -> set[tuple[str, str]]:
    """Queries of panels that no look had points for, so that nobody knows how they are shown."""
    asking = {(one.place, one.ref_id) for each in views for one, _ in each.pairs if one.panel is not None}
    panels = [item for each in views for item in each.panels().items()]
    return asking - {(place, one["refId"]) for place, (panel, _) in panels for one in panel["targets"]}
