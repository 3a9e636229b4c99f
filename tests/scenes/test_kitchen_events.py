"""What kitchens tell by themselves: what their channels show, at their hours, the same however time is cut."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kitchen_rig import Days

from scenewatch.model.scene import Severity
from scenewatch.scenes.kitchen import KITCHEN
from scenewatch.scenes.kitchen.day import Occasion, spans
from scenewatch.scenes.kitchen.demonstration import KitchenDemonstration
from scenewatch.scenes.kitchen.teller import ALARM_LEL, KitchenTeller

DEVICES = KitchenDemonstration().devices(3)
MONDAY_MS = 1_779_033_600_000
"""18 May 2026 in China, a school day."""
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SATURDAY_MS = MONDAY_MS + 5 * DAY_MS
KINDS = {(t.key, e.key) for t in KITCHEN.device_types for e in t.events}


def told(days, *, cuts=(), seed=1):
    """All that is told in these days, in pieces that end after so many steps."""
    teller = KitchenTeller(days.devices, seed=seed)
    t_ms = np.repeat(days.t_ms[:, None], len(days.devices), axis=1)
    found, begin_ms = [], days.start_ms
    for first, end in zip((0, *cuts), (*cuts, len(t_ms)), strict=True):
        if first < end:
            end_ms = int(days.t_ms[end - 1])
            found += teller.told((begin_ms, end_ms), t_ms[first:end], days.values[first:end])
            begin_ms = end_ms
    return sorted(found, key=lambda one: (one.t_ms, one.device, one.kind))


def of(days, kind, events=None):
    return [e for e in (told(days) if events is None else events) if e.kind == kind]


@pytest.fixture(scope="module")
def school():
    return Days(DEVICES, MONDAY_MS, 1)


@pytest.fixture(scope="module")
def weekend():
    return Days(DEVICES, SATURDAY_MS, 2)


def test_each_cycle_is_told_when_the_dishes_are_taken_out_with_what_it_came_to(school):
    cycle, chamber_c = school.of("steriliser", "cycle"), school.of("steriliser", "chamber_temp")
    sterilisers = [n for n, d in enumerate(DEVICES) if d.type == "steriliser"]
    done = of(school, "cycle_done")
    assert [e.device for e in done].count(sterilisers[0]) == 2
    for event in done:
        column = sterilisers.index(event.device)
        step = int(np.searchsorted(school.t_ms, event.t_ms))
        assert (cycle[step, column], cycle[step - 1, column]) == (0, 3)
        before = np.flatnonzero(cycle[:step, column] == 0)
        this = slice(int(before.max(initial=0)), step)
        holding = cycle[this, column] == 2
        assert event.data["held_min"] == holding.sum() / 2
        assert event.data["hottest_c"] == chamber_c[this, column][holding].max()
        assert event.level is Severity.INFO


def test_a_cycle_that_a_power_cut_ends_is_told_as_broken(school):
    values = school.values.copy()
    days = Days.__new__(Days)
    days.__dict__ |= school.__dict__ | {"values": values}
    first = int(school._first[[d.type for d in DEVICES].index("steriliser")])
    step = int(np.flatnonzero(values[:, first + 1] == 2)[3])
    values[step:, first + 1] = 0
    [broken] = of(days, "cycle_broken")
    assert (broken.t_ms, broken.level, broken.data["held_min"]) == (school.t_ms[step], Severity.WARNING, 1.5)


def test_each_burn_of_a_lamp_is_told_with_its_minutes_and_mean_irradiance(school):
    lamp, given_uw = school.of("uv_lamp", "lamp"), school.of("uv_lamp", "irradiance")
    burns = of(school, "burn_done")
    assert len(burns) == lamp.shape[1]
    lamps = [n for n, d in enumerate(DEVICES) if d.type == "uv_lamp"]
    for event in burns:
        column = lamps.index(event.device)
        on = lamp[:, column] > 0
        assert event.data["burned_min"] == on.sum() / 2
        assert event.data["mean_uw_cm2"] == pytest.approx(given_uw[on, column].mean(), abs=0.06)


def test_staff_are_checked_around_the_begin_of_work_each_person_once(school):
    for n, gate in enumerate(DEVICES):
        if gate.type != "staff_gate":
            continue
        checks = [e for e in of(school, "morning_check") if e.device == n]
        [(begin_ms, _)] = spans(gate.site_id, MONDAY_MS, MONDAY_MS + DAY_MS, Occasion.STAFF)
        assert sorted(e.data["person"] for e in checks) == list(range(1, checks[0].data["of"] + 1))
        assert all(-12 * 60_000 <= e.t_ms - begin_ms <= 20 * 60_000 for e in checks)
        assert all(35.0 < e.data["forehead_c"] <= 37.2 for e in checks)


def test_on_a_free_day_nothing_is_told_but_the_gateways_weekly_start(weekend):
    events = told(weekend)
    assert {e.kind for e in events} == {"started"}
    assert sorted(DEVICES[e.device].type for e in events) == ["gateway"] * 3
    local = [datetime.fromtimestamp(e.t_ms / 1000, UTC) + timedelta(hours=8) for e in events]
    assert all((at.strftime("%A"), 2 <= at.hour < 4) == ("Sunday", True) for at in local)


def test_a_gas_detector_sounds_once_a_leak():
    days = Days(DEVICES, MONDAY_MS + 5 * HOUR_MS, 1 / 24, gas_leak=("gas_detector", 8.0))
    alarms = of(days, "alarm")
    assert sorted(e.device for e in alarms) == [n for n, d in enumerate(DEVICES) if d.type == "gas_detector"]
    gas = days.of("gas_detector", "gas")
    for column, event in enumerate(sorted(alarms, key=lambda e: e.device)):
        first = int(np.flatnonzero(gas[:, column] >= ALARM_LEL)[0])
        assert (event.t_ms, event.data["gas_lel"]) == (days.t_ms[first], gas[first, column])
        assert event.level is Severity.ALARM


def test_without_faults_nothing_is_told_that_anybody_need_look_at(school, weekend):
    assert {e.level for days in (school, weekend) for e in told(days)} == {Severity.INFO}


def test_every_kind_that_is_told_is_in_the_tables(school, weekend):
    assert {(DEVICES[e.device].type, e.kind) for days in (school, weekend) for e in told(days)} <= KINDS


@settings(max_examples=8)
@given(st.lists(st.integers(0, 2880), max_size=8).map(sorted))
def test_however_the_time_is_cut_the_same_is_told(school, cuts):
    assert told(school, cuts=tuple(cuts)) == told(school)


def test_another_seed_tells_other_checks_and_fewer_sites_the_same(school):
    one_site = Days(DEVICES[:15], MONDAY_MS, 1)
    ids = {n: d.id for n, d in enumerate(DEVICES)}
    of_first = [(ids[e.device], e.t_ms, e.text) for e in told(school) if e.device < 15]
    assert [(ids[e.device], e.t_ms, e.text) for e in told(one_site)] == of_first
    assert of(school, "morning_check") != of(school, "morning_check", told(school, seed=2))
