"""Mistakes in a good dashboard, and which levels of the proof are there to find each."""

from __future__ import annotations

from typing import Any


def panel(board: dict[str, Any], kind: str) -> Any:
    return next(one for one in board["panels"] if one["type"] == kind)


def target(board, kind="timeseries"):
    return panel(board, kind)["targets"][0]


def reword(old, new, kind="timeseries"):
    def change(board):
        query = target(board, kind)["query"]
        assert old in query
        target(board, kind)["query"] = query.replace(old, new)

    return change


def defaults(board, kind="timeseries"):
    return panel(board, kind)["fieldConfig"]["defaults"]


def variable(board, name):
    return next(one for one in board["templating"]["list"] if one["name"] == name)


def annotations(board):
    return board["annotations"]["list"]


def override(board, matcher, **properties):
    rows = [{"id": name, "value": value} for name, value in properties.items()]
    panel(board, "table")["fieldConfig"]["overrides"].append({"matcher": matcher, "properties": rows})


def step(board, **transformation):
    panel(board, "table")["transformations"].append(transformation)


def threshold(board, number, **change):
    steps = {"mode": "absolute", "steps": [{"value": None, "color": "text"}, {"value": 8, "color": "red"}]}
    steps["steps"][number] |= change
    defaults(board)["thresholds"] = steps


def mapping(**of_one):
    return [{"type": "value", "options": {"1": {"text": "open", "index": 0} | of_one}}]


MISTAKES = {
    "a wrong field": (reword("air_temp", "air_tmp"), {"queries"}),
    "a wrong measurement": (reword('"fridge"', '"refrigerator"'), {"queries"}),
    "a wrong tag": (reword('"site" =', '"place" ='), {"queries"}),
    "InfluxQL that cannot be read": (reword("SELECT", "SELECT FROM"), {"queries"}),
    "a macro of Prometheus": (reword("$__interval", "$__rate_interval"), {"layout", "queries"}),
    "a macro of SQL": (reword("$timeFilter", "$__timeFilter"), {"layout", "queries"}),
    "a time of its own": (reword("$timeFilter", "time > now() - 1h"), {"queries"}),
    "a variable that nobody defines": (reword("$site", "$plant"), {"layout", "queries"}),
    "one value where several may be chosen": (
        lambda b: variable(b, "site").update(
            multi=True, includeAll=True, current={"text": ["All"], "value": ["$__all"]}
        ),
        {"queries"},
    ),
    "a variable renamed": (lambda b: variable(b, "site").update(name="place"), {"layout", "queries"}),
    "a variable never filled": (lambda b: variable(b, "site").update(refresh=0), {"queries"}),
    "a variable of a tag that is not there": (
        lambda b: variable(b, "scene").update(query='SHOW TAG VALUES WITH KEY = "city"'),
        {"queries"},
    ),
    "a data source that is not provisioned": (
        lambda b: target(b)["datasource"].update(uid="sw-row"),
        {"layout", "queries"},
    ),
    "another data source": (
        lambda b: target(b, "table")["datasource"].update(uid="sw-hour"),
        {"layout", "queries"},
    ),
    "an annotation without its mark": (
        lambda b: annotations(b)[0]["target"].pop("fromAnnotations"),
        {"schema", "queries"},
    ),
    "an annotation's text from nowhere": (
        lambda b: annotations(b)[0]["target"].update(textColumn="txt"),
        {"queries"},
    ),
    "an annotation's query at the top": (
        lambda b: [
            one.update(query=one["target"]["query"]) or one["target"].update(query="") for one in annotations(b)
        ],
        {"schema", "queries"},
    ),
    "a unit that there is not": (lambda b: defaults(b).update(unit="celcius"), {"display"}),
    "a key that there is not": (lambda b: defaults(b).update(units="celsius"), {"schema", "display"}),
    "a kind of panel that there is not": (lambda b: panel(b, "timeseries").update(type="graph"), {"schema"}),
    "a value that its enumeration has not": (
        lambda b: defaults(b)["custom"].update(drawStyle="dots"),
        {"schema"},
    ),
    "a colour mode that there is not": (
        lambda b: defaults(b)["color"].update(mode="traffic-light"),
        {"schema", "display"},
    ),
    "a colour that there is not": (lambda b: threshold(b, 1, color="redd"), {"display"}),
    "a lowest threshold with a value": (lambda b: threshold(b, 0, value=9), {"display"}),
    "a mapping that there is not": (
        lambda b: defaults(b).update(mappings=[{"type": "words", "options": {}}]),
        {"schema", "display"},
    ),
    "a mapping's colour that there is not": (
        lambda b: defaults(b).update(mappings=mapping(color="amberish")),
        {"display"},
    ),
    "a reducer that there is not": (
        lambda b: panel(b, "stat")["options"]["reduceOptions"].update(calcs=["lastNonNull"]),
        {"display"},
    ),
    "a transformation that there is not": (lambda b: step(b, id="organise", options={}), {"display"}),
    "an option that a transformation has not": (
        lambda b: step(b, id="sortBy", options={"by": "device"}),
        {"display"},
    ),
    "a transformation of a field that is not there": (
        lambda b: step(b, id="organize", options={"excludeByName": {"serial": True}}),
        {"display"},
    ),
    "an override of a field that is not there": (
        lambda b: override(b, {"id": "byName", "options": "Serial"}, unit="celsius"),
        {"layout", "display"},
    ),
    "a link that names a field that is not there": (
        lambda b: defaults(b, "table").update(
            links=[{"title": "x", "url": "/d/sw-site?a=${__data.fields.serial}"}]
        ),
        {"display"},
    ),
    "a link that no row has a dashboard for": (
        lambda b: defaults(b, "table").update(
            links=[{"title": "x", "url": "/d/sw-device-kitchen-${__data.fields.rule}"}]
        ),
        {"display"},
    ),
    "an overlap": (lambda b: panel(b, "table")["gridPos"].update(x=0, y=0), {"layout"}),
    "a panel beyond the last column": (lambda b: panel(b, "table")["gridPos"].update(w=30), {"layout"}),
    "a number of two panels": (lambda b: panel(b, "table").update(id=panel(b, "stat")["id"]), {"layout"}),
    "a dangling link": (lambda b: b["links"][0].update(url="/d/sw-gone"), {"layout"}),
}
