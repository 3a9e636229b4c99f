"""Recorded channels become a scene's, in its units; devices get ids, sites and types, or it is told why not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from scenewatch.model.errors import ConfigurationError
from scenewatch.model.place import Device
from scenewatch.model.words import Text, minutes
from scenewatch.recorded.inventory import Kind, devices_of, kinds_of, usual
from scenewatch.recorded.mapping import Mapping
from scenewatch.recorded.notes import Notes
from scenewatch.recorded.recorded import Recorded
from scenewatch.recorded.units import conversion, known_channels
from scenewatch.scenes import SCENES


def told(make):
    with pytest.raises(ConfigurationError) as raised:
        make()
    return [str(mistake) for mistake in raised.value.mistakes]


def a_scene():
    scene = SCENES[0]
    return scene, scene.device_types[0], scene.device_types[0].measured[0]


def test_channels_of_a_scene_are_known_by_their_columns_and_units():
    scene, _, channel = a_scene()
    mapping = Mapping.model_validate({"channel": [{"key": channel.key, "column": "T1", "unit": "°F"}]})
    known = known_channels(scene, mapping, "m.toml")
    assert (known["T1"].key, known["T1"].given, channel.key in known) == (channel.key, "°F", False)
    assert {k for t in scene.device_types for k in (c.key for c in t.measured)} - {channel.key} <= set(known)


def test_what_does_not_fit_a_scene_is_told_all_at_once():
    scene, _, channel = a_scene()
    mapping = Mapping.model_validate(
        {"channel": [{"key": f"{channel.key}x"}, {"key": channel.key, "unit": "bar", "possible": [0, 1]}]}
    )
    assert told(lambda: known_channels(scene, mapping, "m.toml")) == [
        f"m.toml: channel.{channel.key}x: {scene.key} has no such channel; is {channel.key} meant?",
        f"m.toml: channel.{channel.key}: unit 'bar' cannot be made {channel.unit!r}, which {scene.key} has it in",
        (
            f"m.toml: channel.{channel.key}: possible is known of {scene.key}'s channels: leave it out, or use the "
            "scene generic"
        ),
    ]


@pytest.mark.parametrize(
    ("given", "wanted", "value", "is_"),
    [
        ("°F", "°C", 212, 100),
        ("°C", "°F", 100, 212),
        ("kW", "W", 1.5, 1500),
        ("in", "mm", 1, 25.4),
        ("℃", "°C", 3, 3),
    ],
)
def test_units_are_converted(given, wanted, value, is_):
    factor, more = conversion(given, wanted)
    assert value * factor + more == pytest.approx(is_)


def recorded(names, channels):
    """One reading each."""
    count = len(names)
    return Recorded(
        files=("f",),
        devices=tuple(names),
        channels=tuple(channels),
        device=np.arange(count, dtype=np.int32),
        channel=np.zeros(count, np.int32),
        t_ms=np.arange(count, dtype=np.int64),
        value=np.zeros(count),
        notes=Notes(),
    )


def test_devices_get_ids_that_go_into_topics_and_keep_their_names():
    scene, device_type, channel = a_scene()
    names = ("d1", "s7.d2", f"{scene.key}.s8.d3", "一号冷柜", "d 1", "d/1")
    mapping = Mapping.model_validate({"device": {"site": "north", "type": device_type.key}})
    past = recorded(names, [channel.key])
    found = devices_of(past, scene, mapping)
    assert [f"{d.site}.{d.device}" for d in found] == [
        "north.d1",
        "s7.d2",
        "s8.d3",
        "north.device-4",
        "north.d-1",
        "north.d-1-6",
    ]
    assert [d.name.zh for d in found] == ["", "", "", "一号冷柜", "d 1", "d/1"]
    assert [note.en for note in past.notes] == [
        "called otherwise, because of their letters: 一号冷柜 → device-4, d 1 → d-1, d/1 → d-1-6"
    ]


def test_the_map_says_what_a_device_is_and_its_channels_say_it_else():
    scene, _, _ = a_scene()
    alone = next(t for t in scene.device_types if len({c.key for c in t.measured}) > 1)
    key = alone.measured[-1].key
    mapping = Mapping.model_validate(
        {
            "devices": {
                "d1": {"id": "x", "site": "y", "type": alone.key, "title": "X"},
                "gone": {"id": "z"},
                "d3": {"type": "no"},
            }
        }
    )
    assert told(lambda: devices_of(recorded(("d1", "d3"), [key]), scene, mapping)) == [
        'devices."gone": there is no such device in the files',
        f'devices."d3": {scene.key} has no device type no: give an inventory, or say type in the map, one of '
        + ", ".join(t.key for t in scene.device_types),
    ]


def test_the_inventory_says_what_a_device_is_by_its_whole_id_or_its_own():
    scene, device_type, channel = a_scene()
    known = [
        Device(scene=scene.key, site="s1", device="d1", type=device_type.key, parent="g", name=Text("One", "一号")),
        Device(scene=scene.key, site="s2", device="d2", type=device_type.key),
        Device(scene=scene.key, site="s3", device="d2", type=device_type.key),
    ]
    past = recorded(("d1", "s2.d2", f"{scene.key}.s3.d2"), [channel.key])
    assert devices_of(past, scene, Mapping(), known) == known
    wrong = told(lambda: devices_of(recorded(("d2", "d3"), [channel.key]), scene, Mapping(), known))
    assert [line.partition(":")[0] for line in wrong] == ['devices."d2"', 'devices."d3"']


def test_channels_tell_the_type_where_only_one_has_them():
    scene, _, _ = a_scene()
    sets = {t.key: {c.key for c in t.measured} for t in scene.device_types if t.measured}
    one = next(key for key, own in sets.items() if all(k == key or not own <= other for k, other in sets.items()))
    names = sorted(sets[one])
    past = replace(recorded(["d"] * len(names), names), devices=("d",), device=np.zeros(len(names), np.int32))
    past = replace(past, channel=np.arange(len(names), dtype=np.int32))
    assert [d.type for d in devices_of(past, scene, Mapping())] == [one]


def test_intervals_are_those_that_devices_usually_have():
    assert [usual(ms) for ms in (980, 29_400, 31_000, 61_000, 890_000, 3_700_000, 5 * 86_400_000)] == [
        1_000,
        30_000,
        30_000,
        60_000,
        900_000,
        3_600_000,
        5 * 86_400_000,
    ]
    past = recorded(("d1", "d2"), ["a"])
    said = Mapping.model_validate({"device": {"every": "5 min"}})
    assert kinds_of(past, said) == [Kind(("a",), minutes(5))] * 2
    assert list(past.notes) == []
