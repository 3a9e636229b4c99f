"""Every dashboard is one that Grafana 13 knows all fields of; and one that it does not know is found."""

import copy
import os

import pytest
from built import EVERY_BOARD, WORLDS
from grafana_schema import Schema, generated
from layout_checks import panels

from node_packages import NO_NODE


@pytest.fixture(scope="session")
def schema():
    types = generated()
    if types is None:
        missing = pytest.fail if os.environ.get("NOTHING_SKIPPED") else pytest.skip
        missing(NO_NODE)
    return Schema(types)


@pytest.mark.parametrize(("world", "uid"), EVERY_BOARD)
def test_grafana_knows_every_field(schema, world, uid):
    assert schema.check(WORLDS[world][uid]) == []


def panel(board, kind):
    return next(p for p in panels(board) if p["type"] == kind)


def defaults(board, kind):
    return panel(board, kind)["fieldConfig"]["defaults"]


MISTAKES = {
    "'colour' was unexpected": lambda b: b.update(colour=1),
    "'icon' is a required property": lambda b: b["links"][0].pop("icon"),
    "'reduceOption' was unexpected": lambda b: panel(b, "stat")["options"].update(reduceOption={}),
    "'tabel' is not one of": lambda b: panel(b, "timeseries")["options"]["legend"].update(displayMode="tabel"),
    "'dots' is not one of": lambda b: defaults(b, "timeseries")["custom"].update(drawStyle="dots"),
    "'units' was unexpected": lambda b: defaults(b, "timeseries").update(units="celsius"),
    "'traffic-light' is not one of": lambda b: defaults(b, "stat")["color"].update(mode="traffic-light"),
    "is not valid under any of the given schemas": lambda b: defaults(b, "state-timeline")["mappings"][0].update(
        type="words"
    ),
    "override colour: no such option": lambda b: panel(b, "timeseries")["fieldConfig"]["overrides"][0][
        "properties"
    ][0].update(id="colour"),
    "'heavy' is not of type": lambda b: panel(b, "timeseries")["fieldConfig"]["overrides"][0]["properties"].append(
        {"id": "custom.lineWidth", "value": "heavy"}
    ),
    "no kind of panel graph": lambda b: panel(b, "stat").update(type="graph"),
    "'tables' is not one of": lambda b: panel(b, "table")["targets"][0].update(resultFormat="tables"),
    "'fromAnnotations' is a required property": lambda b: b["annotations"]["list"][0]["target"].pop(
        "fromAnnotations"
    ),
    "'queries' is not one of": lambda b: b["templating"]["list"][0].update(type="queries"),
    "'wide' is not of type": lambda b: panel(b, "stat")["gridPos"].update(w="wide"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_field_that_grafana_does_not_know_is_found(schema, what):
    board = copy.deepcopy(WORLDS["committed"]["sw-device-kitchen-fridge"])
    MISTAKES[what](board)
    assert any(what in line for line in schema.check(board)), schema.check(board)
