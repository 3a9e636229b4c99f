"""Events on their way to the broker: when faults tell, silence or delay them, and under whose number."""

import json
from itertools import chain

import pytest

from records import START_MS
from scenewatch.devices.faults import FaultPlan, PlannedFault
from scenewatch.devices.fleet import Fleet
from scenewatch.devices.gateway import MOST_EVENTS, gateways
from scenewatch.devices.history import Past, past, pieces
from scenewatch.devices.payload import SampleBuffer
from scenewatch.devices.schedule import Schedule
from scenewatch.devices.telling import Telling
from scenewatch.model.event import Event, Happening
from scenewatch.model.registry import Registry
from scenewatch.model.scene import Severity
from scenewatch.scenes.kitchen import KITCHEN
from scenewatch.scenes.kitchen.demonstration import KitchenDemonstration

MORNING_MS = 1_779_033_600_000 + 5 * 3_600_000
"""18 May 2026, five in the morning in China: staff come, and nothing else is told."""
MINUTE_MS, HOUR_MS = 60_000, 3_600_000
DEVICES = KitchenDemonstration().devices(2)
CAMERA, GATE, GATEWAY = (f"kitchen.s001.s001-{name}" for name in ("camera", "gate", "gw"))


def fault(key, device, from_min, to_min, size=None):
    return PlannedFault(key, device, MORNING_MS + from_min * MINUTE_MS, MORNING_MS + to_min * MINUTE_MS, size)


def fleet_of(*faults, start_ms=MORNING_MS - HOUR_MS):
    return Fleet(KITCHEN, DEVICES, seed=3, start_ms=start_ms, plan=FaultPlan(faults))


def registry_of():
    registry = Registry([KITCHEN])
    registry.apply(DEVICES, at_ms=0)
    return registry


def history(*faults, hours=2):
    """By device id: kind, when it was told, and when it was received, in minutes."""
    registry = registry_of()
    found = past(fleet_of(*faults), registry, MORNING_MS - HOUR_MS, MORNING_MS + round((hours - 1) * HOUR_MS))
    return [
        (
            registry.ids[e.device],
            e.kind,
            (e.at_ms - MORNING_MS) / MINUTE_MS,
            (e.received_ms - MORNING_MS) / MINUTE_MS,
        )
        for piece in found
        for e in piece.events
    ]


def minute(t_ms):
    return (t_ms - MORNING_MS) / MINUTE_MS


def live(*faults, from_ms=MORNING_MS - HOUR_MS, steps=240):
    fleet = fleet_of(*faults)
    schedule = Schedule(fleet)
    kept = list(schedule.skip(from_ms))
    last_ms = from_ms + steps * 30_000
    said = list(chain(schedule.due(last_ms), schedule.due(last_ms + 29_999)))
    assert [one.t_ms for one in said] == sorted(one.t_ms for one in said)
    return [one for one in kept if isinstance(one, Telling)], [one for one in said if isinstance(one, Telling)]


def test_a_fault_tells_at_its_begin_and_again_until_its_end():
    seen = [event for event in history(fault("rodent_about", CAMERA, 0, 5)) if event[0] == CAMERA]
    assert seen == [(CAMERA, "rodent", at, at) for at in (0, 2, 4)]


def test_history_and_the_live_schedule_tell_the_same():
    plan = (fault("rodent_about", CAMERA, 0, 5), fault("staff_unfit", GATE, 7, 8))
    _, said = live(*plan)
    ids = [d.id for d in DEVICES]
    told = [(ids[one.device], one.happening.kind, minute(one.t_ms)) for one in said]
    assert sorted(told) == sorted(event[:3] for event in history(*plan))
    assert {kind for _, kind, _ in told} == {"rodent", "unfit", "morning_check"}


LATE = (
    fault("rodent_about", CAMERA, -20, 5),
    fault("staff_unfit", GATE, 7, 8),
    fault("gateway_away", GATEWAY, -30, 9),
)


@pytest.mark.parametrize("plan", [LATE[:2], LATE], ids=["at once", "some kept by a gateway"])
def test_events_of_the_past_come_as_they_were_received(plan):
    other = fault("rodent_about", "kitchen.s002.s002-camera", 3, 6)
    for taken in past(fleet_of(*plan, other), registry_of(), MORNING_MS - HOUR_MS, MORNING_MS + HOUR_MS):
        received_ms = [e.received_ms for e in taken.events]
        assert received_ms == sorted(received_ms)


@pytest.mark.parametrize("plan", [LATE[:2], LATE], ids=["at once", "some kept by a gateway"])
def test_the_past_is_cut_where_events_of_some_kinds_come(plan):
    taken = list(past(fleet_of(*plan), registry_of(), MORNING_MS - HOUR_MS, MORNING_MS + HOUR_MS))
    cut = [piece for one in taken for piece in pieces(one, {"rodent"})]
    assert [e for piece in cut for e in piece.events] == [e for one in taken for e in one.events]
    assert sum(len(piece.batch) for piece in cut) == sum(len(one.batch) for one in taken)
    received_ms = -1
    for batch, events in cut:
        assert batch.received_ms.min(initial=2**62) > received_ms
        rodents = [e.received_ms for e in events if e.kind == "rodent"]
        assert all(at >= batch.received_ms.max(initial=0) for at in rodents)
        received_ms = max([int(batch.received_ms.max(initial=0)), *rodents])
    assert len(cut) > len(taken)


def test_an_event_that_comes_before_all_readings_is_cut_off_before_them():
    [first, *_] = past(fleet_of(), registry_of(), MORNING_MS - HOUR_MS, MORNING_MS + HOUR_MS)
    at_ms = int(first.batch.received_ms.min()) - 1
    early = Event(position=0, device=0, kind="rodent", at_ms=at_ms, received_ms=at_ms)
    cut = list(pieces(Past(first.batch, [early]), {"rodent"}))
    assert [(len(batch), events) for batch, events in cut] == [(0, [early]), (len(first.batch), [])]


def test_a_silent_device_tells_nothing_and_one_with_a_wrong_clock_at_its_own_time():
    usual = [event for event in history() if event[0] == GATE]
    assert usual
    steriliser = "kitchen.s001.s001-steriliser"
    night = fleet_of(start_ms=MORNING_MS + 8 * HOUR_MS)
    evening_ms = MORNING_MS + 11 * HOUR_MS
    [done] = [t for b in night.advance(evening_ms) for t in b.told if DEVICES[t.device].id == steriliser]
    begin, end = (done.t_ms - MORNING_MS) // MINUTE_MS - 3, (done.t_ms - MORNING_MS) // MINUTE_MS + 3
    for key, size, expected in (("sensor_silent", None, []), ("clock_wrong", 15.0, [done.t_ms + 15 * MINUTE_MS])):
        fleet = fleet_of(fault(key, steriliser, begin, end, size), start_ms=MORNING_MS + 8 * HOUR_MS)
        told = [t for b in fleet.advance(evening_ms) for t in b.told if DEVICES[t.device].id == steriliser]
        assert [t.stamped_ms for t in told] == expected


def test_what_a_gateway_keeps_while_it_is_away_comes_with_its_own_time_when_it_is_back():
    away = fault("gateway_away", GATEWAY, -30, 45)
    gates = [event for event in history(away) if event[0] == GATE]
    assert [event[2] for event in gates] == [event[2] for event in history() if event[0] == GATE]
    assert {received for *_, received in gates} == {45}


def test_what_is_kept_beyond_the_history_is_told_live_and_nothing_twice():
    away = fault("gateway_away", GATEWAY, -30, 45)
    everything = [event[:3] for event in history(away)]
    before = [event[:3] for event in history(away, hours=1.5)]
    kept, said = live(away, from_ms=MORNING_MS + HOUR_MS // 2, steps=60)
    ids = [d.id for d in DEVICES]
    after = [(ids[t.device], t.happening.kind, minute(t.t_ms)) for t in (*kept, *said)]
    assert kept
    assert sorted(before + after) == sorted(everything)


def telling(device, n=0):
    said = Happening(
        device=device, t_ms=START_MS + n, kind="rodent", level=Severity.WARNING, text="x", data={"k": 1}
    )
    return Telling(START_MS + n, device, said, START_MS + n + 7, START_MS + n)


def test_an_event_is_a_message_under_the_next_number_of_its_device():
    buffer = SampleBuffer(("a",), boot="x1", capacity=9)
    buffer.add(1, 1, (1.0,))
    numbers = [json.loads(buffer.take())["n"]]
    event = json.loads(buffer.event(telling(0)))
    buffer.add(2, 2, (1.0,))
    assert event == {
        "t": START_MS + 7,
        "b": "x1",
        "n": 1,
        "kind": "rodent",
        "level": "warning",
        "text": "x",
        "data": {"k": 1},
    }
    assert [*numbers, json.loads(buffer.take())["n"]] == [0, 2]


class Wire:
    """In place of a connection: what a gateway hands over."""

    def __init__(self, room):
        self.room, self.connected, self.in_flight, self.published = room, True, 0, []

    @property
    def has_room(self):
        return len(self.published) < self.room

    def publish(self, topic, payload, *, retain):
        assert not retain
        self.published.append((topic, json.loads(payload)))

    def flush(self):
        pass


@pytest.fixture
def gateway():
    return gateways(fleet_of(), root="sw", boot="x")[0]


def test_a_gateway_hands_events_over_before_samples_and_keeps_what_has_no_room(gateway):
    schedule = Schedule(fleet_of())
    sample = next(one for one in schedule.due(MORNING_MS) if not isinstance(one, Telling) and one.device == 1)
    gateway.add(sample)
    gateway.add(telling(13))
    gateway.add(telling(13, 1))
    gateway._connection = wire = Wire(1)
    gateway.pump()
    assert [topic for topic, _ in wire.published] == ["sw/kitchen/s001/s001-camera/event"]
    assert not gateway.idle
    wire.room = 9
    gateway.pump()
    assert [topic.rpartition("/")[2] for topic, _ in wire.published] == ["event", "event", "telemetry"]
    assert [body["n"] for _, body in wire.published] == [0, 1, 0]
    assert (gateway.idle, gateway.messages, gateway.dropped) == (True, 3, 0)


def test_of_more_events_than_a_gateway_keeps_the_oldest_go_and_are_counted(gateway):
    for n in range(MOST_EVENTS + 2):
        gateway.add(telling(13, n))
    gateway._connection = wire = Wire(1)
    gateway.pump()
    assert gateway.dropped == 2
    assert wire.published[0][1]["t"] == START_MS + 2 + 7
