"""A map says all that is wrong with it at once, by its entries; a sound one makes channels, rules and devices."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenewatch.model.errors import ConfigurationError
from scenewatch.model.flags import Test as QualityTest
from scenewatch.model.insight import UNUSUAL, UNUSUAL_DEADBAND, Departure, MeanWhile, Slope, TimeTo
from scenewatch.model.quantity import Quantity
from scenewatch.model.rule import Above, AtLeast, Below, CausedBy, Flagged, NoData, Outside, While
from scenewatch.model.words import hours, minutes
from scenewatch.recorded.generic import scene_of
from scenewatch.recorded.inventory import Kind
from scenewatch.recorded.layout import layout_of
from scenewatch.recorded.mapping import Mapping, load_map
from scenewatch.scenes.check import mistakes

MAPS = Path(__file__).parents[2] / "docs" / "maps"
EVERY = minutes(10)
CHANNELS = [
    {"key": "flow", "quantity": "flow", "unit": "L/s", "possible": [0, 100]},
    {"key": "rain", "quantity": "rain", "unit": "mm", "possible": [0, 50]},
]


def made(rule, *channels, every=EVERY):
    """Rule and device type of a map with one rule, which must be found sound."""
    mapping = Mapping.model_validate({"channel": [*CHANNELS, *channels], "rule": [{"key": "r", **rule}]})
    scene, types = scene_of(mapping, [Kind(("flow", "rain"), every)], "m.toml")
    assert (mistakes(scene), types) == ([], ["device"])
    return scene.rules[0], scene.device_types[0]


@pytest.mark.parametrize(
    ("rule", "on", "when"),
    [
        ({"kind": "above", "limit": 50, "deadband": 2}, "flow", Above(50, 2)),
        ({"kind": "below", "limit": 5}, "flow", Below(5)),
        ({"kind": "outside", "low": 5, "high": 50}, "flow", Outside(5, 50)),
        ({"kind": "deviation"}, "flow_departure", Outside(-UNUSUAL, UNUSUAL, UNUSUAL_DEADBAND)),
        ({"kind": "deviation", "limit": 3, "deadband": 0.5}, "flow_departure", Outside(-3, 3, 0.5)),
        ({"kind": "deviation", "high": 3}, "flow_departure", Above(3, UNUSUAL_DEADBAND)),
        ({"kind": "deviation", "low": -3}, "flow_departure", Below(-3, UNUSUAL_DEADBAND)),
        ({"kind": "rate", "limit": 5, "over": "2 h"}, "r_rate", Above(5)),
        ({"kind": "rate", "limit": 5, "over": "2 h", "falling": True}, "r_rate", Below(-5)),
        ({"kind": "time_to_breach", "limit": 80, "over": "2 h", "within": "3 h"}, "r_left", Below(180)),
        ({"kind": "no_data", "after": "1 h"}, "flow", NoData(hours(1))),
        ({"kind": "stuck", "after": "1 h"}, "flow", Flagged(QualityTest.STUCK)),
    ],
    ids=lambda x: str(x.get("kind")) if isinstance(x, dict) else "",
)
def test_each_kind_of_rule_is_a_comparison_on_its_channel(rule, on, when):
    found, device_type = made({"on": "flow", **rule})
    assert (found.on, found.when) == ((f"device.{on}",), when)
    assert on in {channel.key for channel in device_type.channels}


def test_what_a_rule_derives_is_told_no_more_often_than_the_device_reports():
    rate, device_type = made({"kind": "rate", "on": "flow", "limit": 5, "over": "2 h"}, every=minutes(30))
    slope = next(c for c in device_type.channels if c.derived)
    assert slope.derived == Slope(of="flow", over=hours(2), every=minutes(30))
    assert (slope.quantity, slope.unit) == (Quantity.RATE, "L/s/h")
    breach = {"kind": "time_to_breach", "on": "flow", "limit": 3, "over": "2 h", "within": "3 h", "falling": True}
    left = next(c for c in made(breach)[1].channels if c.derived)
    assert left.derived == TimeTo(of="flow", limit=3, rising=False, over=hours(2), every=EVERY, horizon=hours(12))
    assert rate.source.document.en == "m.toml"


def test_a_stuck_rule_makes_its_channel_be_doubted():
    _, device_type = made({"kind": "stuck", "on": "flow", "after": "1 h"})
    assert [c.stuck_after for c in device_type.channels] == [hours(1), None]


def test_rain_holds_a_rule_back_and_a_cause_too():
    wet = {
        "key": "wet",
        "derived": {
            "kind": "mean_while",
            "of": "rain",
            "term": {"channel": "rain", "below": 40},
            "over": "12 h",
        },
    }
    mapping = Mapping.model_validate(
        {
            "channel": [*CHANNELS, wet],
            "rule": [
                {
                    "key": "high",
                    "kind": "above",
                    "on": "flow",
                    "limit": 90,
                    "on_delay": "30 min",
                    "priority": "high",
                },
                {
                    "key": "odd",
                    "kind": "deviation",
                    "on": "flow",
                    "suppressed_by": [{"channel": "wet", "above": 0.1, "after": "1 d"}, {"rule": "high"}],
                },
                {
                    "key": "both",
                    "kind": "all",
                    "terms": [{"channel": "flow", "above": 80}, {"channel": "wet", "above": 0.1}],
                },
            ],
        }
    )
    scene, _ = scene_of(mapping, [Kind(("flow", "rain"), EVERY)], "m.toml")
    assert mistakes(scene) == []
    high, odd, both = scene.rules
    assert (high.on_delay, high.priority) == (minutes(30), "high")
    assert [type(s) for s in odd.suppressed_by] == [While, CausedBy]
    assert isinstance(both.when, AtLeast)
    assert (both.when.count, both.on) == (2, ("device.flow",))
    assert isinstance(scene.device_types[0].channels[2].derived, MeanWhile)


def test_devices_that_measure_unlike_things_are_unlike_types():
    mapping = Mapping.model_validate(
        {"channel": CHANNELS, "rule": [{"key": "r", "kind": "deviation", "on": "flow"}]}
    )
    kinds = [Kind(("flow",), EVERY), Kind(("rain",), EVERY), Kind(("flow",), EVERY), Kind(("flow",), hours(1))]
    scene, types = scene_of(mapping, kinds, "m.toml")
    assert types == ["device", "device_2", "device", "device_3"]
    assert scene.rules[0].on == ("device.flow_departure", "device_3.flow_departure")
    assert [len(t.channels) for t in scene.device_types] == [2, 1, 2]
    assert mistakes(scene) == []


def told(make):
    with pytest.raises(ConfigurationError) as raised:
        make()
    return [str(mistake) for mistake in raised.value.mistakes]


def test_what_cannot_be_made_of_a_map_is_told_all_at_once():
    mapping = Mapping.model_validate(
        {
            "channel": [
                {"key": "flow", "quantity": "flow", "unit": "°C"},
                {"key": "level"},
                {"key": "a", "derived": {"kind": "magic"}},
                {"key": "b", "derived": {"kind": "slope", "of": "level", "ovr": "1 h", "every": 5}},
                {"key": "c", "derived": {"kind": "usual", "of": "level", "departure": "none"}},
            ],
            "rule": [
                {"key": "r", "kind": "above", "on": "levl", "limit": 1},
                {"key": "s", "kind": "above", "on": "other", "limit": 1},
            ],
        }
    )
    found = told(lambda: scene_of(mapping, [Kind(("level",), EVERY)], "m.toml"))
    assert found == [
        "m.toml: channel.flow: unit '°C' is none of flow; permitted: L/min, L/s, mgd, m³/h, m³/s",
        (
            "m.toml: channel.a: derived.kind must be one of share, mean_while, lasting, departure, usual, "
            "last_run, slope, time_to"
        ),
        (
            "m.toml: channel.b: ovr is nothing of this kind; it has of, over, every; over must be given; "
            "every must be a span of time such as '30 min' or '12 h', not 5"
        ),
        "m.toml: channel.c: is derived of none, which is no channel",
        "m.toml: rule.r: on names no channel: 'levl'; there are level",
        "m.toml: rule.s: on names no channel: 'other'; there are level",
    ]


WRONG = """\
[time]
column = "t"
columns = ["a", "b"]
[file]
decimal = ","
thousands = ","
delimiter = ";;"
[device]
column = "d"
id = "x"
[[channel]]
key = "Flow"
[[channel]]
key = "rain"
colum = "R"
stuck_after = "soon"
[[rule]]
key = "high"
kind = "above"
on = "rain"
low = 3
[[rule]]
key = "odd"
kind = "strange"
[[rule]]
key = "held"
kind = "no_data"
on = "rain"
after = "1 h"
suppressed_by = [{ channel = "rain", above = 1, below = 2 }]
"""


def test_a_map_that_is_wrong_says_every_entry(tmp_path):
    path = tmp_path / "m.toml"
    path.write_text(WRONG, "utf-8")
    found = [line.removeprefix(f"{path}: ") for line in told(lambda: load_map(path))]
    assert found == [
        "file.delimiter: string should have at most 1 character",
        "time: needs either column = …, or columns = [ … ]",
        "device: needs either column = …, or id = …: not both",
        "channel.Flow.key: string should match pattern '^[a-z][a-z0-9_]*$'",
        "channel.rain.stuck_after: must be a span of time such as '30 min' or '12 h', not 'soon'",
        "channel.rain.colum: is no entry of a map; docs/backtest.md has all of them",
        "rule.high: a rule of kind above needs limit",
        (
            "rule.odd.kind: input should be 'above', 'below', 'outside', 'deviation', 'rate', 'time_to_breach', "
            "'no_data', 'stuck', 'all' or 'any'"
        ),
        "rule.held.suppressed_by.0: needs either above = …, or below = …",
    ]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"[time", "is not TOML"),
        (b"\xff\xfe", "is not UTF-8, as TOML must be"),
        (b'[[channel]]\nkey = "a"\n[[channel]]\nkey = "a"\n', "channel a occurs more than once"),
    ],
)
def test_a_file_that_is_no_map_is_named(tmp_path, text, what):
    path = tmp_path / "m.toml"
    path.write_bytes(text)
    assert what in told(lambda: load_map(path))[0]


def test_the_map_that_is_shown_to_begin_with_works(tmp_path):
    found = told(lambda: layout_of("f.csv", ["Zeit", "Temp (°C)"], Mapping()))[0]
    path = tmp_path / "m.toml"
    path.write_text(found.partition("such as\n")[2], "utf-8")
    layout = layout_of("f.csv", ["Zeit", "Temp (°C)"], load_map(path))
    assert (layout.time, layout.values) == ((0,), ((1, "temp___c"),))


@pytest.mark.parametrize("name", sorted(path.name for path in MAPS.iterdir()))
def test_the_maps_that_are_shown_are_sound(name):
    mapping = load_map(MAPS / name)
    keys = tuple(entry.key for entry in mapping.measured)
    scene, _ = scene_of(mapping, [Kind(keys, minutes(15))], name)
    assert mistakes(scene) == []


def test_a_channel_of_its_own_goes_before_what_a_rule_would_make():
    slow = {"key": "away", "derived": {"kind": "departure", "of": "flow", "smoothing": "24 h"}}
    rule, device_type = made({"kind": "deviation", "on": "flow"}, slow)
    assert rule.on == ("device.away",)
    assert [c.derived for c in device_type.channels if c.derived] == [Departure(of="flow", smoothing=hours(24))]
