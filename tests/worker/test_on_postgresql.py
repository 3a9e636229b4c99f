"""A worker whose inventory, alarms, events and operators are in a real PostgreSQL."""

from __future__ import annotations

from uuid import uuid4

import pytest

import postgres_server
from ends import wait_for
from records import START_MS, telemetry, told, topic
from worker_rig import one_after_another

LID = topic("vat-1", "event")


@pytest.fixture
def begin(vat_scene, tmp_path, monkeypatch, postgres):
    """Begins a worker; again after the one before was closed. All have the same database."""
    name = f"test_{uuid4().hex}"
    url = postgres_server.create(postgres, name)
    with one_after_another(tmp_path, vat_scene, monkeypatch) as made:
        yield lambda: made(database=url)
    postgres_server.drop(postgres, name)


def heat(rig, *seconds, temp=85):
    for s in seconds:
        at_ms = START_MS + s * 1000
        rig.send(at_ms, (topic("vat-1"), telemetry(at_ms, temp=temp)))


def alarm(rig):
    [found] = rig.get("/api/v1/alarms")["alarms"]
    return found


def test_alarms_stand_and_clear_over_a_restart(begin):
    rig = begin()
    heat(rig, 0, 10, 20)
    rig.ledger()
    before = alarm(rig)
    assert (before["rule"], before["state"]) == ("brine.vat_hot", "unacknowledged")
    rig.close()
    again = begin()
    assert alarm(again) == before
    heat(again, 30, temp=20)
    again.ledger()
    assert alarm(again)["cleared_at"] == START_MS + 30_000


def test_what_devices_and_visitors_send_with_a_null_character_harms_nothing(begin):
    """PostgreSQL has no such character."""
    rig = begin()
    rig.send(START_MS, (LID, told(START_MS, "boiled_over", text="97\0 °C", media="http://a/\0", data={"c": "\0"})))
    rig.send(START_MS, (b"sw/elsewhere/\0", b"\0"), (topic("vat-9\0"), b"{}"))
    wait_for(lambda: rig.get("/api/v1/events")["events"])
    [event] = rig.get("/api/v1/events")["events"]
    assert (event["text"], event["media"], event["data"]) == ("97 °C", "", {"c": "\0"})
    assert rig.ledger()["dead"] == 2
    topics = {letter["topic"] for letter in rig.get("/api/v1/dead-letters")["dead_letters"]}
    assert topics == {"sw/elsewhere/\0", "sw/brine/w1/vat-9\0/telemetry", LID.decode()}
    assert rig.get("/api/v1/dead-letters", reason="\0")["dead_letters"] == []
    assert rig.get("/api/v1/events", site="\0")["events"] == []
