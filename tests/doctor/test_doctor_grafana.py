"""Grafana and its dashboards. Grafana itself is not run: a server answers as its documentation says."""

from __future__ import annotations

import base64
import json

import pytest
from web_server import serving

from scenewatch.doctor.dashboards import SOURCES, dashboards
from scenewatch.doctor.findings import Verdict
from scenewatch.doctor.grafana import grafana

HEALTH = {"/api/health": (200, {}, {"commit": "c", "database": "ok", "version": "13.2.3"})}
WORD = "grafana-word-9"


@pytest.fixture
def login(tmp_path):
    file = tmp_path / "login"
    file.write_text(f"admin:{WORD}\n")
    return file


@pytest.fixture
def asked(examined, findings):
    def run(answers, login=None):
        with serving(answers) as address:
            found = findings(grafana, examined(grafana=address, grafana_login_file=login))
        assert WORD not in str(found)
        assert base64.b64encode(f"admin:{WORD}".encode()).decode() not in str(found)
        return found

    return run


def sources(**health):
    there = {f"/api/datasources/uid/{uid}": (200, {}, {"uid": uid}) for uid in SOURCES}
    return HEALTH | there | {f"/api/datasources/uid/{uid}/health": (200, {}, {}) for uid in SOURCES} | health


def test_it_is_not_asked_for_unless_it_is_named(examined, findings):
    assert findings(grafana, examined()) == {v: [] for v in Verdict}


def test_without_a_login_only_its_health_is_seen(asked):
    found = asked(HEALTH)
    assert found[Verdict.OK] == [
        "Grafana 13.2.3 is well",
        "its data sources are not looked at: --grafana-login-file FILE would let us",
    ]


def test_with_one_all_data_sources_must_answer(asked, login):
    assert asked(sources(), login)[Verdict.OK][1:] == [f"data source {uid} answers" for uid in SOURCES]
    answers = sources()
    del answers["/api/datasources/uid/sw-hour"]
    answers["/api/datasources/uid/sw-day/health"] = (400, {}, {"message": "unauthorized", "status": "ERROR"})
    missing, ill = asked(answers, login)[Verdict.FAILED]
    assert missing.startswith("Grafana has no data source sw-hour -> mount dashboards/provisioning/")
    assert "data source sw-day does not answer (" in ill
    assert "unauthorized" in ill


def test_a_login_that_is_not_accepted(asked, login):
    answers = HEALTH | {f"/api/datasources/uid/{uid}": (401, {}, {}) for uid in SOURCES}
    assert asked(answers, login)[Verdict.FAILED] == [
        "Grafana does not accept the login -> check the file of --grafana-login-file"
    ]


def test_what_is_no_grafana_or_ill(asked):
    assert "is no Grafana (404) -> check --grafana" in asked({})[Verdict.FAILED][0]
    ill = {"/api/health": (503, {}, {"database": "failing", "version": "13.2.3"})}
    assert asked(ill)[Verdict.FAILED] == ["Grafana 13.2.3: its database is failing -> see Grafana's log"]


# --- dashboards --------------------------------------------------------------------------------------------

BOARD = {"uid": "sw-wall", "title": "Wall", "panels": [{"datasource": {"type": "influxdb", "uid": "sw-minute"}}]}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "dashboards" / "grafana"
    made.mkdir(parents=True)
    return made


@pytest.fixture
def looked(examined, findings, folder):
    def run(*boards):
        for n, board in enumerate(boards):
            text = board if isinstance(board, str) else json.dumps(board)
            (folder / f"{n}.json").write_text(text)
        return findings(dashboards, examined(dashboards=folder.parent))

    return run


def test_whole_dashboards_are_well(looked):
    level = {"type": "datasource", "name": "level", "current": {"value": "sw-raw"}}
    by_variable = {
        "uid": "sw-site",
        "panels": [{"datasource": {"uid": "${level}"}}],
        "templating": {"list": [level]},
    }
    found = looked(BOARD, by_variable)
    assert found[Verdict.OK] == ["2 dashboards are whole, and ask sources that there are"]


WRONG = {
    "no dashboards": ([], "holds no dashboards"),
    "no JSON": (["{"], "0.json is not JSON"),
    "no object": (["[]"], "0.json is no dashboard"),
    "no uid": ([{"panels": []}], "0.json has no uid: links to it lead nowhere"),
    "two of one uid": ([BOARD, BOARD], "has the uid sw-wall that another has too"),
    "a strange source": (
        [BOARD | {"panels": [{"datasource": {"uid": "P951FEA4DE68E13C5"}}]}],
        "0.json asks the data source P951FEA4DE68E13C5, which is not provisioned",
    ),
}


@pytest.mark.parametrize(("boards", "line"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_them_is_told(looked, boards, line):
    assert line in looked(*boards)[Verdict.FAILED][0]
