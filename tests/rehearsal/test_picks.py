"""Which places of a run get a picture: something of everything that went wrong, and something usual."""

import numpy as np
import pytest

from scenewatch.model.batch import Batch
from scenewatch.model.registry import Registry
from scenewatch.rehearsal.excerpts import Excerpts
from scenewatch.rehearsal.picks import Picker
from scenewatch.rehearsal.report import AlarmEntry, FaultEntry
from scenewatch.scenes import SCENES, demonstration

SCENE = next(s for s in SCENES if s.key == "kitchen")
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
BEGIN_MS = 20_000 * DAY_MS
FRIDGE, GATEWAY = "kitchen.s001.s001-fridge-1", "kitchen.s001.s001-gw-1"


@pytest.fixture(scope="module")
def registry():
    found = Registry([SCENE])
    found.apply(demonstration(SCENE).devices(1), at_ms=0)
    return found


@pytest.fixture(scope="module")
def excerpts(registry):
    """Two days of everything, a reading each ten minutes."""
    found = Excerpts(registry)
    for t_ms in range(BEGIN_MS, BEGIN_MS + 2 * DAY_MS, HOUR_MS // 6):
        series = np.arange(registry.series_count, dtype=np.int32)
        found.take(Batch.of(series, np.full(len(series), t_ms), np.full(len(series), 4.0)))
    return found


def fault(kind="door_ajar", hour=10, **other):
    usual = {
        "key": f"{kind}.{hour}", "kind": kind, "device": FRIDGE, "from_ms": BEGIN_MS + hour * HOUR_MS,
        "to_ms": BEGIN_MS + (hour + 1) * HOUR_MS, "size": 1.0, "effect": 9.0, "findable": True, "censored": False,
        "detected": True, "rule": "door_ajar", "delay_s": 60.0,
    }  # fmt: skip
    return FaultEntry(**(usual | other))


def alarm(rule="fridge_warm", hour=10, **other):
    usual = {
        "rule": rule, "device": FRIDGE, "priority": "high", "raised_at": BEGIN_MS + hour * HOUR_MS,
        "cleared_at": None, "fault": None, "neutral": False, "repeat": False,
    }  # fmt: skip
    return AlarmEntry(**(usual | other))


def pick(registry, excerpts, faults=(), alarms=(), **most):
    return Picker(SCENE, registry, faults, alarms).pick(excerpts, **most)


def test_a_missed_fault_comes_before_a_false_alarm_and_that_before_what_was_found(registry, excerpts):
    faults = [fault(hour=5), fault("sensor_stuck", hour=20, detected=False, rule=None, delay_s=None)]
    found = pick(registry, excerpts, faults, [alarm(hour=30)])
    titles = [SCENE.fault("sensor_stuck").title, SCENE.rule("fridge_warm").title, SCENE.fault("door_ajar").title]
    assert [e.title.en for e in found] == [title.en for title in titles]
    assert [e.title.zh for e in found] == [title.zh for title in titles]


def test_an_excerpt_shows_what_is_around_with_the_limits_that_were_asked_for(registry, excerpts):
    (found,) = pick(registry, excerpts, [], [alarm(hour=12, cleared_at=BEGIN_MS + 16 * HOUR_MS)])
    assert (found.device, found.channel.en, found.unit) == (FRIDGE, "Air temperature", "°C")
    assert found.t_ms[0] == BEGIN_MS + 10 * HOUR_MS
    assert found.t_ms[-1] == BEGIN_MS + 18 * HOUR_MS - HOUR_MS // 6
    assert found.limits == [8.0]
    (mark,) = found.marks
    assert (mark.kind, mark.from_ms, mark.to_ms) == ("alarm", BEGIN_MS + 12 * HOUR_MS, BEGIN_MS + 16 * HOUR_MS)


def test_marks_are_all_that_was_at_the_device_then(registry, excerpts):
    faults = [fault(hour=10), fault(hour=11, device="kitchen.s001.s001-fridge-2"), fault(hour=30)]
    found = pick(registry, excerpts, faults, [alarm(hour=11, neutral=True), alarm(hour=29, neutral=True)])
    assert [(m.kind, m.to_ms is None) for m in found[0].marks] == [("fault", False), ("alarm", True)]


@pytest.mark.parametrize("unwanted", [{"findable": False}, {"censored": True}])
def test_what_does_not_count_gets_no_picture(registry, excerpts, unwanted):
    assert pick(registry, excerpts, [fault(**unwanted)], [alarm(neutral=True), alarm(fault=0)]) == []


def test_what_has_no_channel_or_no_readings_or_is_unknown_is_passed_over(registry, excerpts):
    gone = [alarm(device="kitchen.s001.nobody"), alarm("no_such_rule"), alarm("door_ajar", hour=24 * 9)]
    assert pick(registry, excerpts, [fault("no_such_fault", detected=False, rule=None)], gone) == []


def test_a_fault_of_a_gateway_is_shown_where_its_first_alarm_was(registry, excerpts):
    faults = [fault("gateway_offline", device=GATEWAY, rule="sensor_silent", delay_s=600.0)]
    rule = next(r.key for r in SCENE.rules if "fridge.air_temp" in r.on and r.key != "fridge_warm")
    found = pick(registry, excerpts, faults, [alarm(rule, fault=0)])
    assert [e.device for e in found] in ([FRIDGE], [])


def test_many_of_one_kind_leave_room_for_others(registry, excerpts):
    faults = [fault(hour=n, detected=False, delay_s=None) for n in range(1, 9)]
    faults.append(fault("sensor_stuck", hour=40, detected=False, delay_s=None))
    found = pick(registry, excerpts, faults)
    assert len(found) == 4
    assert [e.title.en for e in found[:2]] == [SCENE.fault(key).title.en for key in ("door_ajar", "sensor_stuck")]
    assert len(pick(registry, excerpts, faults, most=1)) == 1
