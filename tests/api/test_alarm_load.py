"""Alarm load over the record: of any span, by site, and as a worker's answer is told by the command."""

import pytest

from records import START_MS

DAY_MS = 86_400_000


def load(rig, **query):
    return rig.get("/api/v1/alarm-load?" + "&".join(f"{name}={value}" for name, value in query.items()))


def test_what_was_raised_within_counts_and_what_stands_is_told(rig):
    found = load(rig, **{"from": START_MS, "to": START_MS + 60_000})
    assert (found["alarms"], found["standing"], found["peak_10_min"], sum(found["steps"])) == (1, 1, 1, 1)
    assert found["most_frequent"] == [
        {"rule": "brine.vat_hot", "device": "brine.w1.vat-1", "count": 1, "share": 1.0}
    ]
    later = load(rig, **{"from": START_MS + 60_000, "to": START_MS + 2 * DAY_MS})
    assert (later["alarms"], later["standing"], later["stale"]) == (0, 1, 1)


@pytest.mark.parametrize(
    ("site", "alarms"), [("w1", 1), ("brine.w1", 1), ("w2", 0), ("brine.nowhere", 0), ("w", 0)]
)
def test_of_one_site_alone(rig, site, alarms):
    assert load(rig, **{"from": START_MS, "to": START_MS + 60_000, "site": site})["alarms"] == alarms


def test_operators_share_the_load(rig):
    whole, shared = (load(rig, to=START_MS + 60_000, operators=n) for n in (1, 4))
    assert shared["mean_10_min"] == whole["mean_10_min"] / 4
    assert whole["to_ms"] - whole["from_ms"] == DAY_MS
