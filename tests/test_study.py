"""A study finds in the past what the pipeline would have raised, however the past is cut into pieces."""

import random
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.devices.faults import FaultPlan, PlannedFault
from scenewatch.devices.fleet import Fleet
from scenewatch.devices.history import past
from scenewatch.model.alarm import Step
from scenewatch.model.errors import ConfigurationError
from scenewatch.model.event import Event, encode_event
from scenewatch.model.flags import Flag
from scenewatch.model.ports import Record, RecordKind
from scenewatch.model.rule import Happened
from scenewatch.model.words import days, hours, minutes
from scenewatch.pipeline import Pipeline, encode_inventory
from scenewatch.scenes import SCENES, demonstration
from scenewatch.study import Study

SCENE = SCENES[0]
FROM_MS = 1_779_033_600_000
TO_MS = FROM_MS + days(1)
SITES = 2


def plan():
    """Every fault that is found within hours, one an hour, on devices by chance."""
    chance = random.Random(7)
    devices = demonstration(SCENE).devices(SITES)
    quick = [f for f in SCENE.faults if f.minimum <= hours(2)]
    begins = range(FROM_MS + hours(1), TO_MS, hours(1))
    return FaultPlan(
        tuple(
            PlannedFault(fault.key, chance.choice([d.id for d in devices if d.type in fault.on]), at, at + hours(2))
            for fault, at in zip(quick, begins, strict=False)
        )
    )


@pytest.fixture(scope="module")
def pieces():
    """Readings and events of a day in which much goes wrong."""
    study = Study([SCENE], demonstration(SCENE).devices(SITES), from_ms=FROM_MS)
    fleet = Fleet(SCENE, demonstration(SCENE).devices(SITES), seed=3, start_ms=FROM_MS, plan=plan())
    return [(in_order(batch), events) for batch, events in past(fleet, study.registry, FROM_MS, TO_MS)]


def in_order(batch):
    """Of one step the devices have their own times; a cut may fall between them."""
    batch = batch.select(np.argsort(batch.received_ms, kind="stable"))
    batch.message = np.cumsum(np.diff(batch.message, prepend=batch.message[:1]) != 0, dtype=np.int32)
    return batch


def studied(pieces, cuts=(), listener=None, scene=SCENE):
    """`cuts` are shares of each piece."""
    study = Study([scene], demonstration(SCENE).devices(SITES), from_ms=FROM_MS)
    if listener is not None:
        study.listeners.append(listener)
    for batch, events in pieces:
        left = list(events)
        rows = [0, *sorted(round(cut * len(batch)) for cut in cuts), len(batch)]
        for first, behind in pairwise(rows):
            part = batch.select(np.arange(first, behind))
            last = behind == len(batch)
            until_ms = int(part.received_ms.max(initial=0))
            now = left if last else [e for e in left if e.received_ms < until_ms]
            left = [e for e in left if e not in now]
            study.take(part, now)
    return study.finish(TO_MS)


def records(pieces):
    """The same past as a journal keeps it, each event between the readings received before it and after."""
    yield RecordKind.INVENTORY, FROM_MS, encode_inventory(demonstration(SCENE).devices(SITES))
    yield RecordKind.LISTENING, FROM_MS, b""
    for batch, events in pieces:
        for event in events:
            before = batch.received_ms <= event.received_ms
            if before.any():
                yield RecordKind.HISTORY, event.received_ms, batch.select(before).to_bytes()
            yield RecordKind.EVENT, event.received_ms, encode_event(event)
            batch = batch.select(~before)  # noqa: PLW2901 - what is left of it
        yield RecordKind.HISTORY, int(batch.received_ms.max(initial=0)), batch.to_bytes()
    yield RecordKind.TICK, TO_MS, b""


def test_it_finds_what_the_pipeline_raises(pieces):
    found = studied(pieces)
    pipeline = Pipeline([SCENE], "sw")
    raised = {
        (t.rule.partition(".")[2], pipeline.registry.ids[t.device], t.raised_at_ms)
        for at, (kind, received_ms, body) in enumerate(records(pieces))
        for t in pipeline.run(Record(at, at + 1, kind, received_ms, None, body)).transitions
        if t.step is Step.RAISED
    }
    assert len(raised) > 5
    assert {(a.rule, a.device, a.raised_at_ms) for a in found.alarms} == raised
    assert any(a.cleared_at_ms is not None and a.cleared_at_ms > a.raised_at_ms for a in found.alarms)


@given(st.lists(st.floats(0, 1), max_size=3))
@settings(max_examples=6, deadline=None)
def test_however_it_is_cut_it_finds_the_same(pieces, cuts):
    assert repr(studied(pieces, cuts)) == repr(studied(pieces))  # by their words: NaN is not NaN


def test_listeners_see_every_reading_checked(pieces):
    seen = []
    found = studied(pieces, listener=lambda batch: seen.append((len(batch), set(batch.flag.tolist()))))
    assert sum(n for n, _ in seen) == found.readings == sum(found.flags.values())
    flags = set.union(*(of for _, of in seen))
    assert {Flag(f).name.lower() for f in flags} == found.flags.keys()
    assert Flag.NOT_EVALUATED not in flags


def test_silence_up_to_the_end_is_noticed():
    study = Study([SCENE], demonstration(SCENE).devices(1), from_ms=FROM_MS)
    assert study.finish(FROM_MS + minutes(5)).alarms == []
    silent = study.finish(FROM_MS + hours(1)).alarms
    assert silent
    assert all(FROM_MS < a.raised_at_ms < FROM_MS + hours(1) and a.cleared_at_ms is None for a in silent)


def test_an_event_is_an_alarm_at_its_time():
    rule = next(r for r in SCENE.rules if isinstance(r.when, Happened))
    devices = demonstration(SCENE).devices(1)
    study = Study([SCENE], devices, from_ms=FROM_MS)
    number = next(n for n, d in enumerate(devices) if d.type == rule.on[0])
    fleet = Fleet(SCENE, devices, seed=1, start_ms=FROM_MS)
    at_ms = FROM_MS + minutes(3)
    told = Event(position=0, device=number, kind=rule.when.event, at_ms=at_ms, received_ms=at_ms)
    for n, piece in enumerate(past(fleet, study.registry, FROM_MS, FROM_MS + hours(1))):
        study.take(piece.batch, [told] if n == 0 else [])
    (alarm,) = study.finish(FROM_MS + hours(1)).alarms
    assert (alarm.rule, alarm.device, alarm.raised_at_ms) == (rule.key, devices[number].id, at_ms)
    assert alarm.cleared_at_ms == at_ms + rule.when.quiet


def test_a_latching_alarm_is_reset_as_soon_as_it_is_over(pieces):
    """What rule latches is the table's; here the rule of each alarm that came and went does."""
    as_ever = studied(pieces).alarms
    latching = replace(SCENE, rules=tuple(replace(r, latching=True) for r in SCENE.rules))
    found = studied(pieces, scene=latching).alarms
    assert [repr(replace(a, version="")) for a in found] == [repr(replace(a, version="")) for a in as_ever]
    others = {a.version for a in found if not SCENE.rule(a.rule).latching}
    assert others
    assert others.isdisjoint(a.version for a in as_ever)


def test_wrong_limits_are_refused():
    with pytest.raises(ConfigurationError):
        Study([SCENE], [], {f"{SCENE.key}.nothing": {"limit": 1.0}}, from_ms=FROM_MS)
