"""Variables and macros become what Grafana makes of them."""

from __future__ import annotations

import pytest
from grafana_expand import ALL, Reader, Sources, WrongDashboardError, expand, questions
from grafana_time import TimeSpan

HOUR_MS = 3_600_000
SPAN = TimeSpan("a day", 1_000 * 24 * HOUR_MS, 1_001 * 24 * HOUR_MS)
SOURCES = Sources(
    names={"raw": "Ours readings", "minute": "Ours minutes", "else": "Theirs"}, least={"minute": "60m"}
)


def board(query, *variables, **panel):
    whole = {"id": 1, "title": "P", "gridPos": {"w": 12}, "datasource": {"uid": "raw"}} | panel
    whole["targets"] = [{"refId": "A", "query": query}]
    return {"uid": "b", "templating": {"list": list(variables)}, "panels": [whole]}


def variable(name="v", **other):
    return {"name": name, "type": "custom", "query": "a.b,c/d,e", "current": {"value": "a.b"}} | other


def queried(query, **other):
    return variable("w", type="query", query=query, refresh=1, datasource={"uid": "raw"}) | other


def asked(dashboard, **picks):
    reader = Reader(span=SPAN, sources=SOURCES, options=lambda _, query: query.split("|")[1:], picks=picks)
    return [one for one in questions(dashboard, reader) if one.place.startswith("panel")]


def query_of(query, *variables, **picks):
    [one] = asked(board(query, *variables), **picks)
    assert not one.mistake, one.mistake
    return one.query


@pytest.mark.parametrize(
    ("query", "variables", "picks", "expected"),
    [
        ("$timeFilter", [], {}, "time >= 86400000000ms and time <= 86486400000ms"),
        ("time($__interval) $__interval_ms", [], {}, "time(2m) 120000"),
        ("${__from}ms $__to", [], {}, "86400000000ms 86486400000"),
        ("= '$v'", [variable()], {}, "= 'a.b'"),
        ("= '[[v]]'", [variable()], {}, "= 'a.b'"),
        ("=~ /^$v$/", [variable()], {}, r"=~ /^a\.b$/"),
        ("= '$v'", [variable()], {"v": "e"}, "= 'e'"),
        ("=~ /^$v$/", [variable(multi=True)], {}, r"=~ /^(a\.b)$/"),
        ("=~ /^$v$/", [variable(multi=True, includeAll=True)], {"v": ALL}, r"=~ /^(a\.b|c\/d|e)$/"),
        ("=~ /^$v$/", [variable(includeAll=True, allValue=".*")], {"v": ALL}, "=~ /^.*$/"),
        ("${v:regex}", [variable()], {}, r"a\.b"),
        ("${v:raw} ${v:csv} ${v:singlequote}", [variable()], {}, "a.b a.b 'a.b'"),
        ("$w", [variable(), queried("of $v|x|y")], {}, "x"),
        ("$w", [queried({"query": "|f-1|g-2", "refId": "W"}, regex="/g-(.*)/")], {}, "2"),
        ("/^a(_max)?$/", [], {}, "/^a(_max)?$/"),
    ],
)
def test_a_query_is_written_out(query, variables, picks, expected):
    assert query_of(query, *variables, **picks) == expected


@pytest.mark.parametrize(
    ("query", "mistake"),
    [
        ("time($__rate_interval)", "__rate_interval means nothing"),
        ("$__timeFilter", "__timeFilter means nothing"),
        ("$nobody", "nobody is not defined"),
        ("${v:glob}", "is a form"),
        ("time > now() - 1h", "does not follow"),
    ],
)
def test_what_would_stay_as_it_is_is_a_mistake(query, mistake):
    [one] = asked(board(query, variable()))
    assert mistake in one.mistake


def test_a_data_source_may_be_a_variable_of_those_whose_names_fit():
    level = variable("level", type="datasource", query="influxdb", regex="/^Ours (readings|minutes)$/")
    dashboard = board("$timeFilter", level, datasource={"uid": "${level}"})
    assert [one.source for one in asked(dashboard)] == ["raw"]
    assert [one.source for one in asked(dashboard, level="minute")] == ["minute"]
    assert [one.source for one in asked(dashboard, level="else")] == ["raw"]


@pytest.mark.parametrize("uid", ["gone", "${level}"])
def test_an_unknown_data_source_is_a_mistake(uid):
    [one] = asked(board("$timeFilter", datasource={"uid": uid}))
    assert one.mistake


def test_a_panel_is_repeated_for_each_choice_and_asks_for_as_many_points_as_it_is_wide():
    repeated = board("$v $__interval", variable(multi=True, includeAll=True), repeat="v")
    assert [one.query for one in asked(repeated, v=ALL)] == [r"(a\.b) 2m", r"(c\/d) 2m", "(e) 2m"]
    row = {"type": "row", "repeat": "v", "panels": repeated["panels"]}
    repeated["panels"][0].pop("repeat")
    assert len(asked(repeated | {"panels": [row]}, v=ALL)) == 3
    assert asked(board("$__interval", interval="10m"))[0].query == "10m"
    assert asked(board("$__interval", gridPos={"w": 1}))[0].query == "20m"
    assert asked(board("$__interval", datasource={"uid": "minute"}))[0].query == "1h"


def test_a_custom_all_without_being_offered_is_a_mistake():
    reader = Reader(span=SPAN, sources=SOURCES, options=lambda *_: [], picks={"v": ALL})
    found = [one.mistake for one in questions(board("1", variable()), reader)]
    assert "has no choice of all" in found


def test_a_variable_that_is_never_filled_is_a_mistake():
    reader = Reader(span=SPAN, sources=SOURCES, options=lambda *_: ["x"])
    [variable_itself, *_] = questions(board("$w", queried("|x", refresh=0)), reader)
    assert "refresh" in variable_itself.mistake


def test_hidden_queries_are_not_asked_and_annotations_are():
    dashboard = board("$timeFilter")
    dashboard["panels"][0]["targets"][0]["hide"] = True
    dashboard["annotations"] = {
        "list": [
            {"name": "built in", "datasource": {"uid": "-- Grafana --"}, "target": {}},
            {
                "name": "alarms",
                "datasource": {"uid": "raw"},
                "target": {"query": "$timeFilter", "fromAnnotations": True},
            },
        ]
    }
    reader = Reader(span=SPAN, sources=SOURCES, options=lambda *_: [])
    assert [(one.place, one.source) for one in questions(dashboard, reader)] == [("annotation alarms", "raw")]


def test_a_query_that_stays_a_text_of_its_own_is_refused_at_once():
    reader = Reader(span=SPAN, sources=SOURCES, options=lambda *_: [])
    with pytest.raises(WrongDashboardError):
        expand("$x", reader, {})
