"""The makers of the dashboards, and a scene that is as odd as the tables allow."""

import json
import sys
from pathlib import Path

from scenewatch.model.flags import Test
from scenewatch.model.quantity import UNITS, Quantity
from scenewatch.model.rule import Above, Below, Flagged, Mark, NoData, Outside, Priority, Rule, Source, Term, all_of
from scenewatch.model.scene import Channel, DeviceType, EventKind, Scene, Span
from scenewatch.model.words import Text, minutes, seconds
from scenewatch.scenes import SCENES

FOLDER = Path(__file__).parents[2] / "dashboards"
sys.path.insert(0, str(FOLDER))

from boards import all_boards  # noqa: E402 - it is found beside the script that uses it

CONSOLE = "http://127.0.0.1:8080"
ODD_SOURCE = Source(document=Text("“A\\B” & <i>C</i>", "《甲》"), mark=Mark.PROPOSAL)


def built(*scenes):
    """By uid, as Grafana would read them from a file."""
    boards = json.loads(json.dumps(all_boards(scenes, CONSOLE)))
    return {board["uid"]: board for board in boards}


def committed():
    found = (json.loads(path.read_text("utf-8")) for path in sorted((FOLDER / "grafana").glob("*.json")))
    return {board["uid"]: board for board in found}


def _channel(key, quantity, unit):
    states = tuple((n / 2, Text(f"state {n}", f"状态{n}")) for n in range(5)) if quantity is Quantity.STATE else ()
    return Channel(
        key=key,
        title=Text(f'{key} "$site" ${{x}} \\ <b>', f"{key}测“量”"),
        quantity=quantity,
        unit=unit,
        possible=Span(-5e6, 5e6),
        expected=Span(2.7, 4e6),
        states=states,
    )


def _channels():
    """A channel of every quantity in every unit."""
    for quantity, units in UNITS.items():
        for n, unit in enumerate(sorted(units)):
            yield _channel(f"{quantity.value}_{n}", quantity, unit)


def _rule(number, on, when, priority=Priority.LOW):
    return Rule(
        key=f"rule_{number}",
        title=Text(f"Rule 'no' {number}", f"规则“{number}”"),
        on=on,
        when=when,
        priority=priority,
        source=ODD_SOURCE,
        proof="",
        advice=Text("None", "无"),
    )


def odd_scene(types=9):
    """More types than a page can show at once, limits from both sides, keys as long as they may be, every unit."""
    everything = tuple(_channels())
    battery = _channel("battery_left", Quantity.RATIO, "%")
    kinds = [
        DeviceType(key=f"kind_{n}", title=Text(f"Kind $tag_{n}", f"种类{n}"), every=seconds(7), channels=everything)
        for n in range(types)
    ]
    kinds.append(DeviceType(key="lonely", title=Text("Lonely", "单一"), every=seconds(7), channels=(battery,)))
    kinds.append(DeviceType(key="mute", title=Text("Mute", "无通道"), every=seconds(7)))
    kinds.append(DeviceType(key="minded", title=Text("Minded", "看管"), every=seconds(7)))
    told = (EventKind(key="told", title=Text("Told 'it'", "报告")),)
    kinds.append(DeviceType(key="teller", title=Text("Teller", "讲述"), every=seconds(7), events=told))
    rules = (
        _rule(1, ("kind_0.temperature_0", "kind_1.temperature_0"), Above(2.5e6, deadband=1e5), Priority.HIGH),
        _rule(2, ("kind_0.temperature_0",), Above(1e6, deadband=1e5), Priority.MEDIUM),
        _rule(3, ("kind_0.temperature_0",), Below(-0.000001, deadband=2.0), Priority.LOW),
        _rule(4, ("kind_0.power_0",), Below(10, deadband=1.0), Priority.HIGH),
        _rule(5, ("kind_0.state_0",), Below(0.5), Priority.MEDIUM),
        _rule(6, ("lonely.battery_left",), NoData(minutes(3))),
        _rule(7, ("kind_0.voltage_0",), Outside(2.5, 3.5, deadband=0.1), Priority.MEDIUM),
        _rule(
            8,
            ("kind_0.temperature_0",),
            all_of(Term("temperature_0", Above(5e5)), Term("humidity_0", Below(20)), Term("state_0", Above(0.5))),
        ),
        _rule(9, ("kind_1.humidity_0",), Flagged(Test.STUCK)),
        _rule(10, ("minded",), NoData(minutes(3))),
    )
    return Scene(
        key="a_scene_with_a_long_key",
        title=Text("Odd & ends", "怪"),
        site_title=Text("Place", "地点"),
        device_types=tuple(kinds),
        rules=rules,
        faults=(),
        simulator="none:none",
        mishap="",
    )


WORLDS = {
    "committed": committed(),
    "odd": built(odd_scene()),
    "odd beside ours": built(*SCENES, odd_scene(types=2)),
}
"""Whole sets of dashboards."""
EVERY_BOARD = [(world, uid) for world, boards in WORLDS.items() for uid in sorted(boards)]
