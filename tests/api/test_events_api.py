"""Events by the API: newest first, by what is asked, hostile texts as they are, and live on the stream."""

from __future__ import annotations

import json

import pytest

from ends import HandClock
from records import START_MS, telemetry, told, topic
from scenewatch.api import events as module
from scenewatch.api import stream
from worker_rig import WorkerRig

HOSTILE = "<script>alert(1)</script> \u202e \n' or 1=1 --"


@pytest.fixture(scope="module")
def rig(vat_scene, tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(stream, "LOOK_S", 0.02)
        made = WorkerRig(tmp_path_factory.mktemp("events"), vat_scene, HandClock(START_MS), monkeypatch)
        made.send(START_MS, (topic("vat-1", "event"), told(START_MS, "lid_open", text=HOSTILE)))
        made.send(START_MS + 9, (topic("vat-2", "event"), told(START_MS - 5000, "lid_open", level="warning")))
        made.send(
            START_MS + 9, (topic("vat-2", "event", site="w2"), told(START_MS + 9, "boiled_over", level="alarm"))
        )
        made.send(START_MS + 9, (topic("vat-1", "event"), told(START_MS, "exploded")))
        yield made
        made.close()


def found(rig, **query):
    answer = rig.get("/api/v1/events", **query)
    module.Events.model_validate(answer)
    return [(e["device"].removeprefix("brine."), e["kind"], e["at"] - START_MS) for e in answer["events"]]


NEWEST = [("w2.vat-2", "boiled_over", 9), ("w1.vat-1", "lid_open", 0), ("w1.vat-2", "lid_open", -5000)]


@pytest.mark.parametrize(
    ("query", "which"),
    [
        ({}, [0, 1, 2]),
        ({"limit": 1}, [0]),
        ({"site": "brine.w1"}, [1, 2]),
        ({"site": "w2"}, [0]),
        ({"site": "nowhere"}, []),
        ({"device": "brine.w1.vat-2"}, [2]),
        ({"device": "vat-1"}, [1]),
        ({"kind": "lid_open"}, [1, 2]),
        ({"kind": "' or 1=1 --"}, []),
        ({"level": "alarm"}, [0]),
        ({"from": START_MS}, [0, 1]),
        ({"to": START_MS}, [2]),
        ({"from": START_MS, "to": START_MS + 9, "level": "info"}, [1]),
    ],
)
def test_what_is_asked_for_is_found_newest_first(rig, query, which):
    assert found(rig, **query) == [NEWEST[n] for n in which]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"limit": 0}, 422),
        ({"limit": 10_001}, 422),
        ({"level": "panic"}, 422),
        ({"from": "x"}, 422),
        ({"to": 2**70}, 422),
        ({"device": "vat-9"}, 404),
        ({"device": "vat-2"}, 404),
    ],
)
def test_what_cannot_be_asked_is_a_problem(rig, query, status):
    answer = rig.client.get("/api/v1/events", params=query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_hostile_text_is_data(rig):
    [event] = rig.get("/api/v1/events", device="vat-1")["events"]
    assert event["text"] == HOSTILE


def test_the_stream_tells_the_newest_first_and_then_each_new_one_once(rig):
    heard = []
    with rig.client.stream("GET", "/api/v1/stream") as answer:
        lines = answer.iter_lines()

        def next_events():
            for line in lines:
                if line == "event: events":
                    return json.loads(next(lines).removeprefix("data: "))["events"]
            raise AssertionError("the stream ended")

        heard.append([e["kind"] for e in next_events()])
        at_ms = START_MS + 20_000
        rig.send(
            at_ms, (topic("vat-1"), telemetry(at_ms, temp=1)), (topic("vat-1", "event"), told(at_ms, "boiled_over"))
        )
        heard.append([(e["kind"], e["at"]) for e in next_events()])
    assert heard == [["boiled_over", "lid_open", "lid_open"], [("boiled_over", at_ms)]]
