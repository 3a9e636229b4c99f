"""Scene tables: what `mistakes` finds, and that every scene there is has none."""

import pickle
from dataclasses import replace

import pytest

from scenewatch.model.errors import ConfigurationError
from scenewatch.model.fault import Drive, Frozen, PhysicsEffect, Scope, Sizes, Tells
from scenewatch.model.flags import Test as QualityTest
from scenewatch.model.quantity import Quantity
from scenewatch.model.rule import (
    Above,
    AtLeast,
    Below,
    During,
    Flagged,
    Happened,
    NoData,
    Outside,
    Term,
    Then,
    While,
    all_of,
)
from scenewatch.model.scene import Command, EventKind, Occasion, Span
from scenewatch.model.words import Duration, Text, minutes
from scenewatch.scenes import SCENES, all_scenes, demonstration, simulator
from scenewatch.scenes.check import mistakes
from scenewatch.scenes.kitchen import KITCHEN, kernel
from scenewatch.scenes.kitchen.physics import KINDS

FRIDGE, *OTHER_TYPES = KITCHEN.device_types
GATEWAY = KITCHEN.device_type("gateway")
AIR, DOOR = FRIDGE.channels[:2]
WARM = replace(KITCHEN.rules[0], priority_steps=())
OTHER_RULES = KITCHEN.rules[1:]
AJAR, *OTHER_FAULTS = KITCHEN.faults


def with_channel(channel, **changes):
    broken = tuple(replace(c, **changes) if c is channel else c for c in FRIDGE.channels)
    return replace(KITCHEN, device_types=(replace(FRIDGE, channels=broken), *OTHER_TYPES))


def with_rule(**changes):
    return replace(KITCHEN, rules=(replace(WARM, **changes), *OTHER_RULES))


def with_type(**changes):
    return replace(KITCHEN, device_types=(replace(FRIDGE, **changes), *OTHER_TYPES))


def with_command(**changes):
    command = Command(key="open_up", title=AJAR.title, channel="door", to=1.0, input="door")
    return with_type(commands=(replace(command, **changes),))


def with_knock(rule, fault):
    """A fridge that tells when somebody knocks, its rule and its fault."""
    knocking = with_type(events=(EventKind(key="knock", title=AJAR.title),))
    return replace(knocking, rules=(*KITCHEN.rules, rule), faults=(*KITCHEN.faults, fault))


KNOCKED = replace(
    WARM,
    key="knocked",
    on=("fridge",),
    when=Happened(event="knock", quiet=minutes(5)),
    on_delay=Duration(0),
    off_delay=Duration(0),
    proof="knocking",
    suppressed_by=(),
)
KNOCKING = replace(
    AJAR,
    key="knocking",
    on=("fridge",),
    effect=Tells(event="knock", every=minutes(1)),
    sizes=None,
    shows=(),
    rules=("knocked",),
)


def with_fault(**changes):
    return replace(KITCHEN, faults=(replace(AJAR, **changes), *OTHER_FAULTS))


WARM_AIR = Term("air_temp", Above(8.0))
AIR_PLACE = "device type fridge: channel air_temp"
BROKEN = {
    "unit of another quantity": (with_channel(AIR, unit="W"), f"{AIR_PLACE}: unit"),
    "possible reversed": (with_channel(DOOR, possible=Span(1, 0)), "channel door: possible"),
    "expected reversed": (with_channel(AIR, expected=Span(9, 2)), f"{AIR_PLACE}: expected"),
    "expected beyond possible": (with_channel(AIR, expected=Span(-90, 2)), f"{AIR_PLACE}: expected"),
    "change limit zero": (with_channel(AIR, fastest_per_minute=0.0), f"{AIR_PLACE}: fastest_per_minute"),
    "stuck at once": (with_channel(AIR, stuck_after=Duration(0)), f"{AIR_PLACE}: stuck_after"),
    "state without words": (with_channel(DOOR, states=()), "channel door: states"),
    "words without state": (with_channel(DOOR, quantity=Quantity.RATIO, unit="%"), "channel door: states"),
    "word of an impossible number": (
        with_channel(DOOR, states=((2.0, Text("half", "半开")),)),
        "channel door: states",
    ),
    "channel twice": (with_channel(DOOR, key="air_temp"), f"{AIR_PLACE}: key"),
    "key in capitals": (with_channel(AIR, key="Air"), "channel 'Air': key"),
    "key of what a store keeps beside a channel": (with_channel(AIR, key="air_max"), "channel air_max: key"),
    "title missing in Chinese": (
        with_channel(AIR, title=Text("Air", " ")),
        "device_types[fridge].channels[air_temp].title.zh",
    ),
    "keys with no room in a dashboard's address": (
        replace(KITCHEN, device_types=(*KITCHEN.device_types, replace(GATEWAY, key="x" * 23))),
        "device type xxxxxxxxxxxxxxxxxxxxxxx: key",
    ),
    "no interval": (
        replace(KITCHEN, device_types=(replace(FRIDGE, every=Duration(0)), *OTHER_TYPES)),
        "device type fridge: every",
    ),
    "two intervals": (
        replace(KITCHEN, device_types=(replace(FRIDGE, every=minutes(1)), *OTHER_TYPES)),
        "scene: device_types",
    ),
    "rule on nothing": (with_rule(on=()), "rule fridge_warm: on"),
    "rule on an unknown channel": (with_rule(on=("fridge.humidity",)), "rule fridge_warm: on"),
    "two channels of one type": (with_rule(on=("fridge.air_temp", "fridge.battery")), "rule fridge_warm: on"),
    "limit out of reach": (with_rule(when=Above(99.0)), "rule fridge_warm: when.limit"),
    "deadband negative": (with_rule(when=Above(8.0, deadband=-1)), "rule fridge_warm: when.deadband"),
    "deadband beyond reach": (with_rule(when=Above(8.0, deadband=200)), "rule fridge_warm: when.deadband"),
    "limit at the end of what can be": (with_rule(when=Above(60.0)), "rule fridge_warm: when.limit"),
    "limits in the wrong order": (with_rule(when=Outside(8.0, 2.0)), "rule fridge_warm: when.low"),
    "limits that nothing passes": (with_rule(when=Outside(-45.0, 60.0)), "rule fridge_warm: when.low"),
    "deadbands that meet": (with_rule(when=Outside(2.0, 8.0, deadband=4.0)), "rule fridge_warm: when.deadband"),
    "doubt that no rule sees": (with_rule(when=Flagged(QualityTest.POSSIBLE)), "rule fridge_warm: when.test"),
    "doubt that never comes": (
        with_rule(on=("fridge.door",), when=Flagged(QualityTest.STUCK)),
        "rule fridge_warm: when.test",
    ),
    "no terms": (with_rule(when=AtLeast(1, ())), "rule fridge_warm: when.count"),
    "more than all terms": (with_rule(when=AtLeast(2, (WARM_AIR,))), "rule fridge_warm: when.count"),
    "none of the terms": (with_rule(when=AtLeast(0, (WARM_AIR,))), "rule fridge_warm: when.count"),
    "term on an unknown channel": (
        with_rule(when=all_of(WARM_AIR, Term("wind", Above(3)))),
        "rule fridge_warm: when.terms[1].channel",
    ),
    "term out of reach": (
        with_rule(when=all_of(WARM_AIR, Term("battery", Below(-2)))),
        "rule fridge_warm: when.terms[1].limit",
    ),
    "terms that rule each other out": (
        with_rule(when=all_of(WARM_AIR, Term("air_temp", Below(5.0)))),
        "rule fridge_warm: when.terms",
    ),
    "states that rule each other out": (
        with_rule(when=all_of(Term("door", Above(0.2)), Term("door", Below(0.8)))),
        "rule fridge_warm: when.terms",
    ),
    "at once": (
        with_rule(when=Then(first=WARM_AIR, second=Term("door", Above(0.5)), within=Duration(0))),
        "rule fridge_warm: when.within",
    ),
    "the same again": (
        with_rule(when=Then(first=WARM_AIR, second=WARM_AIR, within=minutes(1))),
        "rule fridge_warm: when.second",
    ),
    "silence shorter than a report": (
        with_rule(when=NoData(FRIDGE.every), on_delay=Duration(0)),
        "rule fridge_warm: when.after",
    ),
    "held back by an unknown channel": (
        with_rule(suppressed_by=(While(term=Term("wind", Above(3))),)),
        "rule fridge_warm: suppressed_by[0].term.channel",
    ),
    "held back for less than nothing": (
        with_rule(suppressed_by=(While(term=WARM_AIR, after=Duration(-1)),)),
        "rule fridge_warm: suppressed_by[0].after",
    ),
    "held back by an unknown occasion": (
        with_rule(suppressed_by=(During(occasion="carnival"),)),
        "rule fridge_warm: suppressed_by[0].occasion",
    ),
    "event that nobody tells of": (
        with_knock(replace(KNOCKED, when=Happened(event="ring", quiet=minutes(5))), KNOCKING),
        "rule knocked: when.event",
    ),
    "event that is proven by another": (
        with_knock(replace(KNOCKED, proof="door_ajar"), KNOCKING),
        "rule knocked: proof",
    ),
    "event on an unknown type": (with_knock(replace(KNOCKED, on=("oven",)), KNOCKING), "rule knocked: on"),
    "event that is over at once": (
        with_knock(replace(KNOCKED, when=Happened(event="knock", quiet=Duration(0))), KNOCKING),
        "rule knocked: when.quiet",
    ),
    "event that must hold": (with_knock(replace(KNOCKED, on_delay=minutes(1)), KNOCKING), "rule knocked: on_delay"),
    "tells of what it cannot": (
        with_knock(KNOCKED, replace(KNOCKING, effect=Tells(event="ring", every=minutes(1)))),
        "fault knocking: effect.event",
    ),
    "tells without end": (
        with_knock(KNOCKED, replace(KNOCKING, effect=Tells(event="knock", every=Duration(0)))),
        "fault knocking: effect.every",
    ),
    "event twice": (
        with_type(events=(EventKind(key="knock", title=AJAR.title),) * 2),
        "device type fridge: event knock: key",
    ),
    "command that nobody sees obeyed": (with_command(channel="air_temp"), "fridge: command open_up: channel"),
    "command on an unknown channel": (with_command(channel="wind"), "fridge: command open_up: channel"),
    "command to no state": (with_command(to=0.5), "fridge: command open_up: to"),
    "command that moves nothing": (with_command(input=""), "fridge: command open_up: input"),
    "command refused by an unknown channel": (
        with_command(refused_when=Term("wind", Above(1))),
        "fridge: command open_up: refused_when.channel",
    ),
    "command that expires at once": (
        with_command(expires_after=Duration(0)),
        "fridge: command open_up: expires_after",
    ),
    "calendar without function": (replace(KITCHEN, calendar="somewhere"), "scene: calendar"),
    "occasions without calendar": (
        replace(KITCHEN, calendar="", occasions=(Occasion(key="lunch", title=AJAR.title),)),
        "scene: calendar",
    ),
    "calendar without occasions": (replace(KITCHEN, calendar="a:b", occasions=()), "scene: occasions"),
    "negative delay": (with_rule(off_delay=Duration(-1)), "rule fridge_warm: off_delay"),
    "two delays of silence": (with_rule(when=NoData(minutes(10))), "rule fridge_warm: on_delay"),
    "silence of no length": (
        with_rule(when=NoData(Duration(0)), on_delay=Duration(0)),
        "rule fridge_warm: when.after",
    ),
    "rule twice": (replace(KITCHEN, rules=(*KITCHEN.rules, WARM)), "rule fridge_warm: key"),
    "unknown proof": (with_rule(proof="gremlins"), "rule fridge_warm: proof"),
    "proof that does not list the rule": (with_rule(proof="sensor_silent"), "rule fridge_warm: proof"),
    "proof of another type": (with_fault(on=("freezer",)), None),
    "fault on an unknown type": (with_fault(on=("fridge", "oven")), "fault door_ajar: on"),
    "fault of an unknown rule": (with_fault(rules=("door_ajar", "nonsense")), "fault door_ajar: rules"),
    "fault on nothing": (with_fault(on=()), "fault door_ajar: on"),
    "fault never late": (with_fault(deadline=Duration(0)), "fault door_ajar: deadline"),
    "negative tail": (with_fault(tail=Duration(-1)), "fault door_ajar: tail"),
    "fault shown in an unknown channel": (with_fault(shows=("fridge.wind",)), "fault door_ajar: shows"),
    "fault shown on one type only": (with_fault(shows=("fridge.door",)), "fault door_ajar: shows"),
    "fault shown on a type it spares": (
        with_fault(shows=("fridge.door", "freezer.door", "water_leak.wet")),
        "fault door_ajar: shows",
    ),
    "fault of a site shown nowhere": (with_fault(scope=Scope.SITE, shows=()), "fault door_ajar: shows"),
    "effect on a missing channel": (
        with_fault(effect=Frozen("wind"), sizes=None),
        "fault door_ajar: effect.channel",
    ),
    "size missing": (with_fault(sizes=None), "fault door_ajar: sizes"),
    "size of what has none": (with_fault(effect=Drive("door", 0.6)), "fault door_ajar: sizes"),
    "sizes descending": (
        with_fault(sizes=Sizes(smallest=0.3, findable=0.2, largest=1.0, unit="")),
        "fault door_ajar: sizes",
    ),
    "busy backwards": (replace(KITCHEN, busy_ms=(2, 1)), "scene: busy_ms"),
    "mishap that nobody finds": (with_fault(rules=()), "scene: mishap"),
    "mishap without fault": (replace(KITCHEN, mishap="flood"), "scene: mishap"),
    "simulator without class": (replace(KITCHEN, simulator="somewhere"), "scene: simulator"),
    "demonstration without class": (replace(KITCHEN, demonstration="somewhere"), "scene: demonstration"),
    "type named as what is beside readings": (
        replace(KITCHEN, device_types=(*KITCHEN.device_types, replace(GATEWAY, key="alarm"))),
        "device type alarm: key",
    ),
    "scene key with a dot": (replace(KITCHEN, key="a.b"), "scene 'a.b': key"),
    "scene without title": (replace(KITCHEN, site_title=Text("", "厨房")), "site_title.en"),
}
BROKEN["proof of another type"] = (
    replace(with_fault(on=("freezer",)), rules=(WARM, *(replace(KITCHEN.rule("door_ajar"), on=("fridge.door",)),))),
    "rule door_ajar: proof",
)


@pytest.mark.parametrize("scene", SCENES, ids=lambda s: s.key)
def test_a_scene_of_ours_has_no_mistakes(scene):
    assert mistakes(scene) == []


def test_events_commands_and_combinations_can_be_right():
    assert mistakes(with_knock(KNOCKED, KNOCKING)) == []
    assert mistakes(with_command(refused_when=WARM_AIR)) == []
    combined = all_of(Term("door", Above(0.5)), Term("air_temp", Above(4.0)), Term("air_temp", Below(8.0)))
    assert mistakes(with_rule(when=combined, suppressed_by=(While(term=Term("defrost", Above(0.5))),))) == []
    assert mistakes(with_rule(when=Then(first=WARM_AIR, second=Term("door", Above(0.5)), within=minutes(1)))) == []


@pytest.mark.parametrize(("scene", "place"), BROKEN.values(), ids=BROKEN.keys())
def test_a_mistake_is_found_at_its_place(scene, place):
    assert any(str(m).startswith(f"{scene.key}: ") and f"{place}: " in str(m) for m in mistakes(scene)), place


def test_all_mistakes_come_at_once():
    scene = replace(with_rule(proof="gremlins", when=Above(99.0)), mishap="flood")
    assert {m.place for m in mistakes(scene)} == {
        "kitchen: rule fridge_warm: proof",
        "kitchen: rule fridge_warm: when.limit",
        "kitchen: scene: mishap",
    }


@pytest.mark.parametrize("scene", SCENES, ids=lambda s: s.key)
def test_tables_travel_to_other_processes(scene):
    assert pickle.loads(pickle.dumps(scene)) == scene  # noqa: S301 - our own bytes


@pytest.mark.parametrize("scene", SCENES, ids=lambda s: s.key)
def test_simulator_and_demonstration_can_be_imported(scene):
    devices = demonstration(scene).devices(1)
    assert simulator(scene)(devices, seed=1, start_ms=0)


def test_the_kernel_writes_channels_in_the_order_of_the_tables():
    order = {"air_temp": kernel.AIR_TEMP, "door": kernel.DOOR, "compressor_power": kernel.POWER}
    order |= {"defrost": kernel.DEFROST, "battery": kernel.BATTERY}
    for device_type in (FRIDGE, KITCHEN.device_type("freezer")):
        assert [order[c.key] for c in device_type.measured] == list(range(kernel.CHANNELS))


def test_every_drive_is_an_input_of_the_physics_of_the_types_it_befalls():
    for fault in KITCHEN.faults:
        if isinstance(fault.effect, PhysicsEffect) and fault.scope is Scope.DEVICE:
            for kind in (k for k in KINDS if set(k.types) & set(fault.on)):
                assert fault.effect.input in kind.inputs, fault.key


def test_every_type_with_channels_has_its_physics():
    simulated = {t for kind in KINDS for t in kind.types}
    assert {t.key for t in KITCHEN.device_types if t.channels} == simulated


# --- scenes from other packages


def install(folder, entry, code):
    metadata = folder / "elsewhere-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: elsewhere\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[scenewatch.scenes]\nother = {entry}\n")
    (folder / "elsewhere_scene.py").write_text(code)


COPY = "from dataclasses import replace\nfrom scenewatch.scenes.kitchen import KITCHEN\n"


def test_a_scene_of_another_package_is_found(tmp_path, monkeypatch):
    install(tmp_path, "elsewhere_scene:OTHER", COPY + "OTHER = replace(KITCHEN, key='elsewhere')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "elsewhere_scene", raising=False)
    assert [s.key for s in all_scenes()] == ["kitchen", "elsewhere"]


@pytest.mark.parametrize("entry", ["elsewhere_scene:WRONG", "elsewhere_scene:MISSING", "no_such_module:X"])
def test_an_entry_that_is_no_scene_is_named(entry, tmp_path, monkeypatch):
    install(tmp_path, entry, "WRONG = 'a string'\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "elsewhere_scene", raising=False)
    with pytest.raises(ConfigurationError, match=f"entry point other = {entry}"):
        all_scenes()
