"""An alarm explains itself: what raised it, by which rule, how good the readings were, and what comes first."""

from __future__ import annotations

import pytest

from records import START_MS

ADDRESS = "/api/v1/alarms/explanation"
RAISED_MS = START_MS + 30_000
HOT = {"rule": "brine.vat_hot", "device": "brine.w1.vat-1", "raised_at": RAISED_MS}


@pytest.fixture(scope="module")
def hot(rig):
    return rig.get(ADDRESS, **HOT)


def test_it_is_the_alarm_of_the_list(rig, hot):
    (listed,) = rig.get("/api/v1/alarms", rule="brine.vat_hot")["alarms"]
    assert hot["alarm"] == listed
    assert hot["course"] == [{"step": "raised", "at": RAISED_MS, "by": None}]


def test_it_tells_rule_limit_source_and_what_to_do_first(hot):
    assert hot["rule"]["text"]["en"] == "Temperature above 80 °C for 20 s"
    assert (hot["limit"], hot["source"]["mark"]) == (80.0, "proposal")
    assert hot["advice"] == {"en": "Switch the heater off", "zh": "Switch the heater off（中）"}


def test_it_tells_the_values_that_raised_it(hot):
    (value,) = hot["values"]
    assert (value["channel"], value["at"], value["value"], value["flag"]) == ("temp", RAISED_MS, 87.0, "good")
    assert (value["title"]["zh"], value["unit"], value["role"]) == ("Temperature（中）", "°C", "watched")


def test_it_tells_how_good_the_readings_before_it_were(hot):
    assert hot["quality"] == {
        "from": RAISED_MS - 3_600_000,
        "to": RAISED_MS,
        "readings": 5,
        "expected": 360,
        "good_share": 1.0,
        "suspect_share": 0.0,
        "fail_share": 0.0,
    }


def test_it_names_the_faults_that_the_rule_is_there_to_find(hot):
    (cause,) = hot["causes"]
    assert (cause["fault"], cause["proof"]) == ("heater_stuck", True)


def test_its_chart_begins_an_hour_before_and_has_the_limit(hot):
    assert hot["chart"] == {
        "device": "brine.w1.vat-1",
        "channel": "temp",
        "from": RAISED_MS - 3_600_000,
        "to": RAISED_MS + 1_800_000,
        "lines": [{"channel": "temp", "at": 80.0, "priority": "high"}],
    }


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"rule": "brine.other"}, 404),
        ({"raised_at": 1}, 404),
        ({"raised_at": "soon"}, 422),
        ({"device": "\0"}, 422),
    ],
)
def test_what_is_no_alarm_is_refused(rig, change, status):
    answer = rig.client.get(ADDRESS, params=HOT | change)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
