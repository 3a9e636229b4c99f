"""States and sums as they follow from what the worker told."""

import msgspec
import pytest
from fake_worker import NOW, SCENES, FakeWorker
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.console.picture import KEPT_ALARMS, Picture, State
from scenewatch.console.shapes import Alarm, Device, Ledger, Scene, Site
from scenewatch.console.worker import Inventory

FRIDGE = "kitchen.s001.s001-fridge-1"
SITE = "kitchen.s001"


def picture(sites=2):
    devices = msgspec.convert(FakeWorker(sites=sites).devices, tuple[Device, ...])
    keys = sorted({d.site for d in devices})
    found = Picture()
    found.take_inventory(
        Inventory(
            msgspec.convert(SCENES, tuple[Scene, ...]),
            tuple(Site(f"kitchen.{key}", "kitchen", key) for key in keys),
            devices,
        )
    )
    return found


def alarm(device=FRIDGE, *, state="unacknowledged", priority="high", at=NOW, rule="kitchen.fridge_warm"):
    fields = {"rule": rule, "device": device, "state": state, "priority": priority, "raised_at": at, "flag": "good"}
    return msgspec.convert(fields, Alarm)


def ledger(stored, **changes):
    fields = {"received": 10, "stored": 10, "duplicate": 0, "dead": 0, "pending": 0, "readings": {"stored": stored}}
    links = {name: {"state": "ok"} for name in ("journal", "source", "store")}
    return msgspec.convert(fields | links | changes, Ledger)


def test_the_most_urgent_alarm_is_the_state_of_its_device_and_site():
    now = picture()
    now.take_online({FRIDGE: False})
    assert now.site_states[SITE] is State.PARTLY
    now.take_alarms([alarm(priority="low"), alarm(priority="high", rule="kitchen.door_ajar")])
    assert now.device_states[FRIDGE] is State.HIGH
    assert now.site_states == {SITE: State.HIGH, "kitchen.s002": State.NORMAL}
    totals = now.totals()
    assert (totals["high"], totals["low"], totals["online"]) == (1, 1, 11)
    assert (totals["sites.high"], totals["sites.normal"], totals["sites.offline"]) == (1, 1, 0)
    now.forget_alarms()
    assert now.site_states[SITE] is State.PARTLY


def test_a_site_with_all_devices_offline_is_offline():
    now = picture()
    now.take_online({d.id: False for d in now.devices_of(SITE)})
    assert now.site_states[SITE] is State.OFFLINE


def test_a_site_that_says_nothing_for_a_while_is_silent_until_it_speaks():
    now = picture()
    assert now.notice_silence(NOW + 119_000) == set()
    now.take_values({"kitchen.s002.s002-fridge-1": {"air_temp": (4.0, NOW + 60_000, "good", "none")}})
    assert now.notice_silence(NOW + 121_000) == {SITE}
    assert (now.site_states[SITE], now.site_states["kitchen.s002"]) == (State.OFFLINE, State.NORMAL)
    assert now.newest_of(SITE) == NOW
    now.take_alarms([alarm(priority="low")])
    assert now.site_states[SITE] is State.LOW
    now.take_alarms([alarm(state="normal", priority="low")])
    now.take_values({FRIDGE: {"air_temp": (4.0, NOW + 121_000, "good", "none")}})
    assert now.notice_silence(NOW + 122_000) == {SITE}
    assert now.site_states[SITE] is State.NORMAL


def test_a_device_is_unknown_until_it_says_or_measures_something():
    now = picture()
    silent = msgspec.structs.replace(now.devices[FRIDGE], online=None, channels=())
    now.take_inventory(Inventory(tuple(now.scenes.values()), tuple(now.sites.values()), (silent,)))
    assert not now.take_values({FRIDGE: {"air_temp": (None, None, "missing", "none")}})
    assert now.device_states == {FRIDGE: State.UNKNOWN}
    assert now.take_values({FRIDGE: {"air_temp": (4.0, NOW, "good", "none")}}) == {SITE}
    assert now.device_states == {FRIDGE: State.NORMAL}
    assert not now.take_values({FRIDGE: {"door": (0.0, NOW, "good", "none")}})


def test_an_alarm_is_told_as_new_once():
    now = picture()
    assert now.take_alarms([alarm()]) == [alarm()]
    assert now.take_alarms([alarm(), alarm(state="acknowledged")]) == []
    assert now.take_alarms([alarm(state="normal")]) == []
    assert now.standing_alarms() == []
    assert [a.state for a in now.recent_alarms()] == ["normal"]


@given(st.lists(st.sampled_from(["unacknowledged", "acknowledged", "normal", "shelved"]), min_size=1, max_size=8))
@settings(deadline=None, max_examples=50)
def test_the_last_word_about_an_alarm_counts(states):
    now = picture(1)
    for state in states:
        now.take_alarms([alarm(state=state)])
    stands = states[-1] in ("unacknowledged", "acknowledged")
    assert len(now.standing_alarms()) == stands
    assert len(now.recent_alarms()) == (not stands)


def test_old_alarms_are_let_go_and_standing_ones_never():
    now = picture()
    now.take_alarms([alarm(at=0)])
    now.take_alarms([alarm(state="normal", at=n) for n in range(1, KEPT_ALARMS + 50)])
    assert len(now.recent_alarms()) == KEPT_ALARMS
    assert now.recent_alarms()[-1].raised_at == 50
    assert len(now.standing_alarms()) == 1


def test_an_alarm_of_a_device_no_longer_there_is_still_counted():
    now = picture()
    now.take_alarms([alarm("kitchen.s009.gone")])
    assert now.totals()["high"] == 1
    assert now.channel_of(alarm("kitchen.s009.gone")) is None


def test_rate_is_over_the_last_while_and_starts_anew_with_another_worker():
    now = picture()
    assert now.readings_per_s() is None
    for second in range(30):
        now.take_ledger(ledger(100 * second if second < 10 else 1000 + 10 * (second - 10)), NOW + 1000 * second)
    assert now.readings_per_s() == pytest.approx(10)
    now.take_ledger(ledger(5), NOW + 40_000)
    assert now.readings_per_s() is None


@pytest.mark.parametrize(
    ("changes", "balanced"), [({}, True), ({"pending": 1}, False), ({"received": 12, "dead": 2}, True)]
)
def test_ledger_balances_to_the_message(changes, balanced):
    assert ledger(1, **changes).balanced is balanced


def test_a_type_the_tables_do_not_have_is_left_out():
    now = picture()
    strange = msgspec.structs.replace(now.devices[FRIDGE], id="kitchen.s001.x", type="unheard_of")
    now.take_inventory(Inventory(tuple(now.scenes.values()), tuple(now.sites.values()), (strange,)))
    assert now.devices == {}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["kitchen.s001.s001-fridge-1", "kitchen.s001.s001-gw", "kitchen.s002.s002-freezer-1"]),
            st.one_of(st.booleans(), st.sampled_from(["high", "low", "normal"])),
        ),
        max_size=12,
    )
)
@settings(deadline=None, max_examples=60)
def test_states_kept_step_by_step_are_those_of_a_picture_made_anew(steps):
    now, alarms, online = picture(), {}, {}
    for device, step in steps:
        if isinstance(step, bool):
            online[device] = step
            now.take_online({device: step})
        else:
            alarms[device] = alarm(device, state="normal" if step == "normal" else "unacknowledged", at=NOW)
            if step != "normal":
                alarms[device] = msgspec.structs.replace(alarms[device], priority=step)
            now.take_alarms([alarms[device]])
    anew = picture()
    anew.take_online(online)
    anew.take_alarms(alarms.values())
    assert (now.device_states, now.site_states) == (anew.device_states, anew.site_states)
    assert now.totals() == anew.totals()
