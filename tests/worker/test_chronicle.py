"""Events of a real worker: on record once whatever happens, in the store beside readings, and let go in time."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace

import pytest

from ends import Gate, wait_for
from records import START_MS, told, topic
from scenewatch import app
from scenewatch.model.errors import TemporaryError
from scenewatch.model.event import Event, encode_event
from scenewatch.model.level import Level
from scenewatch.model.place import Device
from scenewatch.model.ports import RecordKind
from scenewatch.model.registry import Registry
from scenewatch.model.scene import Severity
from scenewatch.model.words import days, hours
from scenewatch.store.devices import Inventory
from scenewatch.store.events import Events
from scenewatch.store.letterfilter import Which
from scenewatch.store.relational import Database
from scenewatch.store.retries import Retries
from scenewatch.worker import repeated
from scenewatch.worker.chronicle import CHANGES_KEPT, Chronicle
from scenewatch.worker.eventpoints import EventPoints
from worker_rig import one_after_another

ALL_TIME = (0, 2**62)
LID = topic("vat-1", "event")


@pytest.fixture
def begin(vat_scene, tmp_path, monkeypatch):
    """Begins a worker in the test's folder; again after the one before was closed."""
    monkeypatch.setattr(repeated, "LOOK_S", 0.02)
    monkeypatch.setattr(repeated, "RETRY_S", (0.02,))
    with one_after_another(tmp_path, vat_scene, monkeypatch) as made:
        yield made


def events(rig, **query):
    return rig.get("/api/v1/events", **query)["events"]


def points(rig):
    return rig.worker.store.recorded("event", Level.DAY, *ALL_TIME, 1000)


def test_an_event_is_on_record_once_also_after_a_restart_and_when_it_comes_again(begin):
    rig = begin()
    whole = told(START_MS, "boiled_over", b="x", n=0, level="alarm", text="97 °C", lat=1, lon=2, data={"c": 97})
    rig.send(START_MS, (LID, whole))
    rig.send(START_MS + 5, (LID, whole))
    before = events(rig)
    assert before == [
        {
            "position": before[0]["position"],
            "device": "brine.w1.vat-1",
            "kind": "boiled_over",
            "level": "alarm",
            "text": "97 °C",
            "at": START_MS,
            "received_at": START_MS,
            "lat": 1.0,
            "lon": 2.0,
            "media": "",
            "data": {"c": 97},
        }
    ]
    assert rig.ledger() == {"received": 2, "stored": 1, "duplicate": 1, "dead": 0, "pending": 0}
    rig.close()
    for snapshot in (rig.settings.journal.path.parent / "journal.state").glob("*"):
        snapshot.unlink()
    again = begin()
    assert events(again) == before
    again.send(START_MS + 9, (LID, whole))
    assert events(again) == before


def test_an_event_is_a_point_of_the_store_whatever_was_away(begin, monkeypatch):
    rig = begin()
    gate = Gate(rig.worker.store.record)
    gate.shut = True
    monkeypatch.setattr(rig.worker.records._events._store, "record", gate)
    rig.send(
        START_MS,
        (LID, told(START_MS, "lid_open", level="warning", text="3 min", media="https://c/1", lat=3, lon=4)),
    )
    wait_for(lambda: gate.refused > 2)
    assert points(rig) == []
    gate.shut = False
    wait_for(lambda: points(rig))
    [point] = points(rig)
    assert (point.t_ms, point.keep) == (START_MS, Level.DAY)
    assert point.tags == {"scene": "brine", "site": "w1", "device": "vat-1", "kind": "lid_open", "type": "vat"}
    assert point.fields == {
        "level": "warning",
        "text": "3 min",
        "title_en": "Lid open",
        "title_zh": "Lid open（中）",
        "told_en": "vat-1: Lid open, 3 min",
        "told_zh": "vat-1：Lid open（中），3 min",
        "media": "https://c/1",
        "lat": 3.0,
        "lon": 4.0,
    }


def test_a_new_store_is_given_all_events_there_ever_were(begin):
    rig = begin()
    rig.send(START_MS, (LID, told(START_MS, "lid_open")))
    wait_for(lambda: points(rig))
    rig.close()
    other = begin(store="duckdb:other.duckdb")
    wait_for(lambda: len(points(other)) == 1)


def test_the_past_before_the_devices_were_live_has_its_events(begin):
    rig = begin()
    then_ms = START_MS - 10**8
    past = Event(position=0, device=1, kind="lid_open", at_ms=then_ms, received_ms=then_ms, text="then")
    end = rig.worker.journal.append_record(RecordKind.EVENT, encode_event(past), START_MS)
    wait_for(lambda: rig.worker.store.position() >= end)
    [found] = events(rig)
    assert (found["position"], found["at"], found["text"]) == (end - 1, then_ms, "then")
    assert rig.ledger()["received"] == 0


def test_what_a_stranger_told_is_there_when_it_is_known_and_tried_again(begin, monkeypatch):
    monkeypatch.setattr(app, "LOOK_S", 0.02)
    rig = begin()
    rig.send(START_MS, (topic("vat-7", "event"), told(START_MS, "lid_open", text="early")))
    [letter] = rig.get("/api/v1/dead-letters")["dead_letters"]
    with closing(Database(rig.settings.database.url)) as database:
        Inventory(database).upsert([Device(scene="brine", site="w1", device="vat-7", type="vat")])
        wait_for(lambda: rig.worker.pipeline.registry.number("brine.w1.vat-7") is not None)
        assert Retries(database, rig.worker.letters).ask(Which(), START_MS) == 1
    wait_for(lambda: events(rig))
    wait_for(lambda: rig.worker.store.position() == rig.worker.journal.head)
    assert [(e["position"], e["text"]) for e in events(rig)] == [(letter["position"], "early")]
    assert rig.ledger()["dead"] == 0


# --- the chronicle by itself -------------------------------------------------------------------------------


@pytest.fixture
def registry(vat_scene, vats):
    registry = Registry([vat_scene])
    registry.apply(vats, at_ms=0)
    return registry


@pytest.fixture
def table(tmp_path):
    with closing(Database(f"sqlite:///{tmp_path / 'c.sqlite'}")) as database:
        yield Events(database)


def happened(position, at_ms=START_MS):
    return Event(position=position, device=1, kind="lid_open", at_ms=at_ms, received_ms=at_ms)


def test_listeners_hear_of_each_event_once_and_of_none_that_is_not_on_record(table, registry, monkeypatch):
    chronicle = Chronicle(table, registry, kept_days=0)
    chronicle.keep([happened(1)])
    count, [first] = chronicle.changes(0)
    gate = Gate(table.record)
    gate.shut = True
    monkeypatch.setattr(table, "record", gate)
    with pytest.raises(TemporaryError):
        chronicle.keep([happened(2)])
    assert chronicle.changes(count) == (1, [])
    gate.shut = False
    chronicle.keep([happened(2), happened(3)])
    count, found = chronicle.changes(count)
    assert (count, first.position, [e.position for e in found]) == (3, 1, [2, 3])
    chronicle.keep([happened(n) for n in range(10, 10 + CHANGES_KEPT)])
    assert len(chronicle.changes(0)[1]) == CHANGES_KEPT


def test_events_go_when_their_days_are_over_but_not_at_once_after_a_start(table, registry):
    chronicle = Chronicle(table, registry, kept_days=2)
    chronicle.keep([happened(1, START_MS - days(2) - 1), happened(2, START_MS - days(1))])
    chronicle.tidy(START_MS)
    chronicle.tidy(START_MS + hours(1) - 1)
    assert len(table.events(10)) == 2
    chronicle.tidy(START_MS + hours(1))
    assert [row.position for row in table.events(10)] == [2]


def test_without_a_span_events_are_kept_for_ever(table, registry):
    chronicle = Chronicle(table, registry, kept_days=0)
    chronicle.keep([happened(1, 0)])
    for at_ms in (START_MS, START_MS + days(1000)):
        chronicle.tidy(at_ms)
    assert len(table.events(10)) == 1


def test_an_event_the_tables_no_longer_know_has_its_key_for_a_title(table, registry):
    Chronicle(table, registry, kept_days=0).keep([happened(1)])
    [row] = table.events(1)
    strange = replace(row, kind="exploded", device_type="kettle", level=Severity.ALARM)
    told_as = EventPoints(registry).point(strange).fields
    assert (told_as["title_en"], told_as["told_zh"], told_as["level"]) == ("exploded", "vat-1：exploded", "alarm")
    assert "lat" not in told_as
    assert json.dumps(told_as)
