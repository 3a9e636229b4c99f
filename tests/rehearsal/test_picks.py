"""Which places of a run get a picture: something of everything that went wrong, and something usual."""

import numpy as np
import pytest

from scenewatch.model.batch import Batch
from scenewatch.rehearsal.excerpts import Excerpts
from scenewatch.rehearsal.picks import Picker
from scenewatch.rehearsal.report import AlarmEntry, FaultEntry
from scenewatch.scenes import SCENES

SCENE = next(s for s in SCENES if s.key == "kitchen")
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
BEGIN_MS = 20_000 * DAY_MS
FRIDGE, GATEWAY = "kitchen.s001.s001-fridge-1", "kitchen.s001.s001-gw-1"


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
    stuck, warm, ajar = (
        SCENE.fault("sensor_stuck").title,
        SCENE.rule("fridge_warm").title,
        SCENE.fault("door_ajar").title,
    )
    assert [(e.title.en, e.title.zh) for e in found] == [
        (f"{stuck.en}: missed", f"{stuck.zh}：漏报"),
        (f"{warm.en}: false alarm", f"{warm.zh}：误报"),
        (f"{ajar.en}: found after 1 min", f"{ajar.zh}：1 分后检出"),
    ]


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


def test_a_fault_elsewhere_is_marked_where_its_alarm_is_shown(registry, excerpts):
    faults = [fault("power_cut", hour=9, device="kitchen.s001.s001-gas", findable=False)]
    (found,) = pick(registry, excerpts, faults, [alarm(hour=10, fault=0, repeat=True)])
    assert [m.kind for m in found.marks] == ["fault", "alarm"]
    assert found.title.en == f"{SCENE.rule('fridge_warm').title.en}: one repeat too many"


def test_limits_are_of_the_device_that_is_shown_alone(registry, excerpts):
    (found,) = pick(registry, excerpts, [fault("compressor_dead")], [])
    freezers = {
        at for rule in SCENE.rules if rule.on[0].startswith("freezer") for at in [getattr(rule.when, "limit", 0)]
    }
    assert found.limits
    assert not freezers & set(found.limits)


def test_what_is_derived_is_shown_with_what_it_follows(registry, excerpts):
    rule = next(r for r in SCENE.rules if r.on[0].endswith("_minutes_to_warm") or "freezer_warming" in r.key)
    freezer = next(d.id for n, d in enumerate(registry.devices) if registry.type_of(n).key == "freezer")
    found = pick(registry, excerpts, [], [alarm(rule.key, device=freezer)])
    assert [e.channel.en for e in found][1:] == ["Air temperature"]
    assert found[0].limits
    assert found[1].limits == []


def test_without_labels_every_alarm_is_shown_and_none_is_called_false(registry, excerpts):
    alarms = [alarm(hour=n, neutral=True) for n in (5, 15, 25)]
    found = Picker(SCENE, registry, [], alarms, labelled=False).pick(excerpts)
    assert [e.title.en for e in found] == [SCENE.rule("fridge_warm").title.en] * 3


@pytest.mark.parametrize("unwanted", [{"findable": False}, {"censored": True}])
def test_what_does_not_count_gets_no_picture(registry, excerpts, unwanted):
    assert pick(registry, excerpts, [fault(**unwanted)], [alarm(neutral=True), alarm(fault=0)]) == []


def test_what_has_no_channel_or_no_readings_or_is_unknown_is_passed_over(registry, excerpts):
    gone = [alarm(device="kitchen.s001.nobody"), alarm("no_such_rule"), alarm("door_ajar", hour=24 * 9)]
    assert pick(registry, excerpts, [fault(device="kitchen.s001.nobody", detected=False, delay_s=None)], gone) == []


def test_a_missed_window_of_no_known_kind_is_shown_where_the_device_measures_first(registry, excerpts):
    (found,) = pick(registry, excerpts, [fault("window", detected=False, rule=None, delay_s=None)])
    assert (found.title.en, found.channel.en) == ("window: missed", "Air temperature")


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
    assert [e.title.en for e in found[:2]] == [
        f"{SCENE.fault(key).title.en}: missed" for key in ("door_ajar", "sensor_stuck")
    ]
    assert len(pick(registry, excerpts, faults, most=1)) == 1
