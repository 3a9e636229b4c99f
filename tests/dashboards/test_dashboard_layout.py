"""Every dashboard's places, names and links hold; and a wrong one is found."""

import copy

import pytest
from built import EVERY_BOARD, WORLDS
from layout_checks import check_layout, panels

SOURCES = {
    "sw-raw": "Scenewatch readings",
    "sw-minute": "Scenewatch minutes",
    "sw-hour": "Scenewatch hours",
    "sw-day": "Scenewatch days",
}


def check(board, world="committed"):
    return check_layout(board, WORLDS[world], SOURCES)


@pytest.mark.parametrize(("world", "uid"), EVERY_BOARD)
def test_places_names_and_links_hold(world, uid):
    assert check(WORLDS[world][uid], world) == []


def test_what_does_not_fit_is_folded_and_still_there():
    board = WORLDS["odd"]["sw-site"]
    folded = [p for p in board["panels"] if p["type"] == "row" and p["collapsed"]]
    assert len(folded) > 10
    assert all(row["panels"] for row in folded)
    assert len(list(panels(board))) > 50


@pytest.mark.parametrize("world", WORLDS)
def test_no_two_have_one_title(world):
    """Grafana refuses to provision a folder with such."""
    titles = [board["title"] for board in WORLDS[world].values()]
    assert sorted(titles) == sorted(set(titles))


def panel(board, kind):
    return next(p for p in panels(board) if p["type"] == kind)


def test_an_overlap_is_found(spoilt):
    spoilt["panels"][1]["gridPos"] = {"x": 0, "y": 1, "w": 24, "h": 30}
    assert any("overlap" in line for line in check(spoilt))


@pytest.fixture
def spoilt():
    return copy.deepcopy(WORLDS["committed"]["sw-device-kitchen-fridge"])


MISTAKES = {
    "is outside of the 24 columns": lambda b: panel(b, "timeseries")["gridPos"].update(x=20),
    "panel id 1 occurs twice": lambda b: panel(b, "timeseries").update(id=1),
    "are visible at once": lambda b: b["panels"].extend([panel(b, "stat")] * 9),
    "is folded around nothing": lambda b: next(p for p in b["panels"] if p["type"] == "row").update(collapsed=True),
    "no data source sw-other": lambda b: panel(b, "stat")["targets"][0]["datasource"].update(uid="sw-other"),
    "ask another data source": lambda b: panel(b, "stat")["datasource"].update(uid="sw-day"),
    "no variable plant": lambda b: panel(b, "stat")["targets"][0].update(
        query="SELECT x FROM y WHERE a = '$plant'"
    ),
    "no variable __rate_interval": lambda b: panel(b, "stat")["targets"][0].update(query="[$__rate_interval]"),
    "no variable site": lambda b: b["templating"]["list"].pop(1),
    "offers not all data sources": lambda b: b["templating"]["list"][3].update(regex="/Scenewatch r/"),
    "no dashboard at /d/sw-place-${__data.fields.scene}": lambda b: panel(b, "table")["fieldConfig"][
        "defaults"
    ].update(links=[{"title": "x", "url": "/d/sw-place-${__data.fields.scene}"}]),
    "sw-device-kitchen-freezer has no variable plant": lambda b: b["links"][0].update(
        url="/d/sw-device-kitchen-${__data.fields.type}?var-plant=1"
    ),
    "no dashboard at /d/sw-gone": lambda b: b["links"][0].update(url="/d/sw-gone"),
    "leaves time or variables behind": lambda b: b["links"][0].update(keepTime=False),
    "no dashboard has its tags": lambda b: b["links"][1].update(tags=["gone"]),
    "sw-site has no variable plant": lambda b: b["links"][2].update(url="/d/sw-site?var-plant=1"),
    "the console has no page": lambda b: b["links"][-1].update(url="${console}/devices/1"),
    "overrides door": lambda b: panel(b, "timeseries")["fieldConfig"]["overrides"][0]["matcher"].update(
        options="door"
    ),
    "two queries have one refId": lambda b: panel(b, "timeseries")["targets"][0].update(refId="min"),
    "fills down to": lambda b: panel(b, "timeseries")["targets"][1].update(alias="low"),
    "sorts by": lambda b: panel(b, "table")["options"]["sortBy"][0].update(displayName="low"),
    "is faster than devices report": lambda b: b.update(refresh="5s"),
    "says no question": lambda b: b.update(description=" "),
    "is not in both languages": lambda b: b.update(title="Device"),
    "is none that Grafana takes": lambda b: b.update(uid="x" * 41),
    "an id is Grafana's own": lambda b: b.update(id=3),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_mistake_is_found(spoilt, what):
    MISTAKES[what](spoilt)
    assert any(what in line for line in check(spoilt)), check(spoilt)
