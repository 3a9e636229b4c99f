"""Series know their row in the tables' channels, however the inventory came about."""

from scenewatch.model.place import Device
from scenewatch.model.quantity import Quantity
from scenewatch.model.registry import Registry
from scenewatch.model.scene import Channel, DeviceType, Scene, Span
from scenewatch.model.words import Text, seconds

NOTHING = Text("", "")


def device_type(key, *channels):
    tables = tuple(
        Channel(key=c, title=NOTHING, quantity=Quantity.STATE, unit="", possible=Span(0, 1)) for c in channels
    )
    return DeviceType(key=key, title=NOTHING, every=seconds(30), channels=tables)


def scene(key, *types):
    return Scene(
        key=key,
        title=NOTHING,
        site_title=NOTHING,
        device_types=types,
        rules=(),
        faults=(),
        simulator="",
        mishap="",
    )


SCENES = (
    scene("a", device_type("box", "x", "y"), device_type("gateway")),
    scene("b", device_type("box", "z"), device_type("pump", "x")),
)


def test_each_series_kind_is_its_channel_of_its_type_and_scene():
    registry = Registry(SCENES)
    where = [("b", "pump"), ("a", "box"), ("a", "gateway"), ("b", "box"), ("a", "box")]
    devices = [Device(scene=s, site="s", device=f"d{i}", type=t) for i, (s, t) in enumerate(where)]
    registry.apply(devices[:2], at_ms=1)
    registry.apply(devices, at_ms=2)
    restored = Registry(SCENES)
    restored.restore(b"".join(registry.snapshot()))
    for known in (registry, restored):
        kinds = [known.kinds[k] for k in known.series_kind]
        assert [(s.key, t.key, c.key) for s, t, c in kinds] == [
            ("b", "pump", "x"),
            ("a", "box", "x"),
            ("a", "box", "y"),
            ("b", "box", "z"),
            ("a", "box", "x"),
            ("a", "box", "y"),
        ]
        assert [c for _, _, c in kinds] == [known.channel_of(n) for n in range(known.series_count)]


def test_a_gap_is_a_step_of_more_than_three_intervals():
    assert SCENES[0].device_type("box").gap == seconds(90)
