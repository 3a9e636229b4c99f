"""Commands without a broker: what is refused and why, what the physics does with the rest, and what is answered."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.devices.commands import MOST_BYTES, REMEMBERED, Commands
from scenewatch.devices.faults import FaultPlan, PlannedFault
from scenewatch.devices.fleet import Fleet
from scenewatch.scenes.kitchen import KITCHEN
from scenewatch.scenes.kitchen.demonstration import KitchenDemonstration

COOKING_MS = 1_779_154_200_000
"""09:30 on a school day: the fan runs by itself, no lamp burns."""
STEP_MS = 30_000
DEVICES = [d for d in KitchenDemonstration().devices(1) if d.type in {"gateway", "gas_detector", "uv_lamp"}]
UV, GAS = (next(n for n, d in enumerate(DEVICES) if d.type == t) for t in ("uv_lamp", "gas_detector"))
GATEWAY = 0


class Kitchen:
    """One fleet with its commands, moved step by step."""

    def __init__(self, *faults):
        plan = FaultPlan(tuple(PlannedFault(key, DEVICES[n].id, 0, 2**50, size) for key, n, size in faults))
        self.fleet = Fleet(KITCHEN, DEVICES, seed=1, start_ms=COOKING_MS, plan=plan)
        self.commands = Commands(self.fleet)
        self.step()

    @property
    def now_ms(self):
        return self.fleet.at_ms + 5_000

    def step(self, steps=1):
        self.fleet.skip(self.fleet.at_ms + steps * STEP_MS)

    def ask(self, device, name, command_id="c1", *, valid_ms=60_000, **more):
        body = {"id": command_id, "name": name, "args": {}, "expires_at": self.now_ms + valid_ms, **more}
        self.commands.take(device, json.dumps(body).encode(), self.now_ms)

    def answers(self):
        return [(a.device, json.loads(a.payload)) for a in self.commands.answers()]

    def read(self, device, channel):
        return self.fleet.present(device, channel)


def answer(ok, text, command_id="c1"):
    return {"id": command_id, "ok": ok, "text": text}


def test_a_valve_is_shut_from_the_next_step_on_and_stays_so():
    kitchen = Kitchen()
    assert kitchen.read(GAS, "valve") == 1
    kitchen.ask(GAS, "shut_valve")
    assert kitchen.answers() == [], "it is answered when it is done"
    assert kitchen.read(GAS, "valve") == 1
    kitchen.step()
    assert kitchen.read(GAS, "valve") == 0
    assert kitchen.answers() == [(GAS, answer(True, "Gas valve is shut"))]
    kitchen.step(200)  # more than a block
    assert kitchen.read(GAS, "valve") == 0
    kitchen.ask(GAS, "open_valve", "c2")
    kitchen.step()
    assert kitchen.read(GAS, "valve") == 1
    assert kitchen.answers() == [(GAS, answer(True, "Gas valve is open", "c2"))]


def test_a_shut_valve_ends_a_leak_and_opens_only_in_clean_air():
    kitchen = Kitchen(("gas_leak", GAS, 8.0))
    kitchen.step(20)
    assert kitchen.read(GAS, "gas") > 20
    kitchen.ask(GAS, "shut_valve")
    kitchen.step()
    leaked = kitchen.read(GAS, "gas")
    assert [a["ok"] for _, a in kitchen.answers()] == [True]
    kitchen.ask(GAS, "open_valve", "c2")
    assert [a["ok"] for _, a in kitchen.answers()] == [False]
    kitchen.step(60)
    assert kitchen.read(GAS, "gas") < 5 < leaked
    kitchen.ask(GAS, "open_valve", "c3")
    kitchen.step()
    assert kitchen.answers() == [(GAS, answer(True, "Gas valve is open", "c3"))]


def test_a_refusal_says_what_stands_against_it():
    kitchen = Kitchen(("gas_leak", GAS, 8.0))
    kitchen.step(20)
    kitchen.ask(GAS, "open_valve")
    ((_, told),) = kitchen.answers()
    assert told == answer(False, f"refused while Combustible gas is {kitchen.read(GAS, 'gas'):g} % LEL")


def test_a_fan_that_is_let_go_runs_as_it_would_by_itself():
    kitchen = Kitchen()
    assert kitchen.read(GAS, "fan") == 1
    kitchen.ask(GAS, "stop_fan")
    kitchen.step()
    assert kitchen.answers() == [(GAS, answer(True, "Exhaust fan is running"))]
    kitchen.ask(GAS, "start_fan", "c2")
    kitchen.step(2 * 60 * 8)  # into the evening
    assert kitchen.answers() == [(GAS, answer(True, "Exhaust fan is running", "c2"))]
    kitchen.ask(GAS, "stop_fan", "c3")
    kitchen.step()
    assert kitchen.answers() == [(GAS, answer(True, "Exhaust fan is off", "c3"))]


def test_a_device_that_cannot_says_so():
    kitchen = Kitchen(("power_cut", GATEWAY, None))
    kitchen.ask(GAS, "start_fan")
    kitchen.step()
    assert kitchen.answers() == [(GAS, answer(False, "Exhaust fan is off"))]


def test_a_lamp_goes_off_over_a_person_and_not_on_again_while_one_is_there():
    kitchen = Kitchen(("person_under_lamp", UV, None))
    assert (kitchen.read(UV, "lamp"), kitchen.read(UV, "presence")) == (1, 1)
    kitchen.ask(UV, "lamp_off")
    kitchen.step()
    assert (kitchen.read(UV, "lamp"), kitchen.read(UV, "irradiance")) == (0, 0)
    assert kitchen.answers() == [(UV, answer(True, "Lamp is off"))]
    kitchen.ask(UV, "lamp_auto", "c2")
    assert kitchen.answers() == [(UV, answer(False, "refused while Presence is somebody", "c2"))]


def test_of_two_at_once_the_last_wins_and_the_first_admits_it():
    kitchen = Kitchen()
    kitchen.ask(GAS, "shut_valve")
    kitchen.ask(GAS, "open_valve", "c2")
    kitchen.step()
    assert [a for _, a in kitchen.answers()] == [
        answer(False, "Gas valve is open"),
        answer(True, "Gas valve is open", "c2"),
    ]


def test_what_comes_twice_is_done_once_and_answered_alike():
    kitchen = Kitchen()
    kitchen.ask(GAS, "shut_valve")
    kitchen.ask(GAS, "shut_valve")
    kitchen.step()
    first = kitchen.answers()
    assert len(first) == 1
    kitchen.ask(GAS, "open_valve", "c2")
    kitchen.step()
    kitchen.answers()
    kitchen.ask(GAS, "shut_valve", valid_ms=-99_000)  # redelivered, much later
    assert kitchen.answers() == first
    kitchen.step()
    assert kitchen.read(GAS, "valve") == 1


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"name": "explode"}, "a gas_detector knows no command 'explode'"),
        ({"name": "x" * 900}, f"a gas_detector knows no command '{'x' * 40}'"),
        ({"name": ["shut_valve"]}, "name must be text"),
        ({"name": None}, "name must be text"),
        ({"args": {"force": True}}, "shut_valve takes no args"),
        ({"args": []}, "shut_valve takes no args"),
        ({"expires_at": None}, "expires_at must be a time in epoch milliseconds"),
        ({"expires_at": "soon"}, "expires_at must be a time in epoch milliseconds"),
        ({"expires_at": True}, "expires_at must be a time in epoch milliseconds"),
        ({"expires_at": 1e300}, "expires_at must be a time in epoch milliseconds"),
        ({"expires_at": 10**400}, "expires_at must be a time in epoch milliseconds"),
        ({"expires_at": COOKING_MS}, "expired 35 s ago"),
        ({"expires_at": -(10**400)}, "expires_at must be a time in epoch milliseconds"),
    ],
)
def test_what_is_wrong_with_a_command_is_answered_and_nothing_done(body, text):
    kitchen = Kitchen()
    kitchen.ask(GAS, **{"name": "shut_valve", **body})
    assert kitchen.answers() == [(GAS, answer(False, text))]
    kitchen.step()
    assert kitchen.read(GAS, "valve") == 1
    assert kitchen.answers() == []


@pytest.mark.parametrize(
    "payload",
    [
        b"", b"{", b"null", b"[]", b"7", b"\xff\xfe", b'{"name": "shut_valve"}', b'{"id": 7, "name": "shut_valve"}',
        b'{"id": "", "name": "shut_valve"}', b'{"id": "%s"}' % (b"x" * 201), b'{"id": "\\ud800"}',
        b'{"id": "c1", "args": ' + b"[" * 4000 + b"]" * 4000 + b"}",
        b'{"id": "c1", "x": "%s"}' % (b" " * MOST_BYTES),
    ],
)  # fmt: skip
def test_without_a_readable_id_there_is_nobody_to_answer(payload):
    kitchen = Kitchen()
    kitchen.commands.take(GAS, payload, kitchen.now_ms)
    kitchen.step()
    assert kitchen.answers() == []


@given(st.binary(max_size=60) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["id", "name", "args", "expires_at"]), inner, max_size=4),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_nothing_that_is_sent_moves_a_device_or_stops_it(payload):
    hostile.commands.take(GAS, payload, hostile.now_ms)
    assert all(not told["ok"] for _, told in hostile.answers())


hostile = Kitchen()


def test_a_device_that_is_silent_hears_nothing_and_answers_nothing():
    kitchen = Kitchen(("sensor_silent", GAS, None))
    kitchen.ask(GAS, "shut_valve")
    kitchen.step()
    assert kitchen.answers() == []
    assert kitchen.read(GAS, "valve") == 1


def test_a_device_judges_the_time_by_its_own_clock():
    kitchen = Kitchen(("clock_wrong", GAS, 60.0))
    kitchen.ask(GAS, "shut_valve")
    assert kitchen.answers() == [(GAS, answer(False, "expired 3540 s ago"))]


def test_a_device_without_commands_says_so():
    kitchen = Kitchen()
    kitchen.ask(GATEWAY, "reboot")
    assert kitchen.answers() == [(GATEWAY, answer(False, "a gateway knows no command 'reboot'"))]


def test_so_many_ids_are_known_again_and_no_more():
    kitchen = Kitchen()
    for n in range(REMEMBERED + 1):
        kitchen.ask(GAS, "explode", f"c{n}")
    last = kitchen.answers()[-1:]
    kitchen.ask(GAS, "shut_valve", f"c{REMEMBERED}")
    assert kitchen.answers() == last
    kitchen.ask(GAS, "shut_valve", "c0")
    kitchen.step()
    assert [told["ok"] for _, told in kitchen.answers()] == [True]
