"""The registry: numbers are handed out once, in the order the inventory came, and never used again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.model.devices import Devices
from scenewatch.model.place import Device
from scenewatch.model.registry import Registry

TYPES = ("vat", "gateway")


def device(name, kind="vat", parent="", site="w1"):
    return Device(scene="brine", site=site, device=name, type=kind, parent=parent)


INVENTORIES = st.lists(
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from(TYPES)).map(
        lambda d: [device(name, kind) for name, kind in d.items()]
    ),
    max_size=6,
)


@settings(deadline=None)
@given(INVENTORIES)
def test_a_series_keeps_its_name_for_ever(vat_scene, inventories):
    registry, names = Registry([vat_scene]), []
    for at_ms, devices in enumerate(inventories):
        before = len(registry)
        new = registry.apply(devices, at_ms=at_ms)
        assert new == range(before, len(registry))
        assert [registry.series_name(s) for s in range(len(names))] == names
        names = [registry.series_name(s) for s in range(registry.series_count)]
        active = {d.id: d for d, is_in in zip(registry.devices, registry.active, strict=True) if is_in}
        assert active == {d.id: d for d in devices}
        assert all(registry.devices[registry.number(d.id)] == d for d in devices)


@settings(deadline=None)
@given(INVENTORIES, INVENTORIES)
def test_a_restored_registry_goes_on_the_same(vat_scene, before, after):
    first, second = Registry([vat_scene]), Registry([vat_scene])
    for devices in before:
        first.apply(devices, at_ms=1)
    second.restore(b"".join(first.snapshot()))
    for devices in after:
        assert first.apply(devices, at_ms=2) == second.apply(devices, at_ms=2)
    assert b"".join(first.snapshot()) == b"".join(second.snapshot())
    names = [[r.series_name(s) for s in range(r.series_count)] for r in (first, second)]
    assert names[0] == names[1]
    assert [first.number(f"brine.w1.{x}") for x in "abcd"] == [second.number(f"brine.w1.{x}") for x in "abcd"]


def test_a_device_that_comes_back_has_its_number_and_a_new_start(vat_registry):
    vats = list(vat_registry.devices)
    vat_registry.apply(vats[:2], at_ms=10)
    assert vat_registry.number("brine.w1.vat-2") is None
    assert len(vat_registry.apply(vats, at_ms=20)) == 0
    assert vat_registry.number("brine.w1.vat-2") == 2
    assert list(vat_registry.since_ms) == [0, 0, 20]


def test_a_device_of_another_type_is_another_one(vat_registry):
    vats = list(vat_registry.devices)
    assert vat_registry.apply([*vats[:2], replace(vats[2], type="gateway")], at_ms=5) == range(3, 4)
    assert vat_registry.number("brine.w1.vat-2") == 3
    assert vat_registry.active == [True, True, False, True]
    assert list(vat_registry.series_of(3)) == []


def test_a_changed_name_or_place_is_the_same_device(vat_registry):
    vats = list(vat_registry.devices)
    moved = replace(vats[1], lat=31.0, lon=121.0)
    assert len(vat_registry.apply([vats[0], moved, vats[2]], at_ms=5)) == 0
    assert vat_registry.devices[1] == moved


def test_children_are_the_active_devices_behind_a_gateway_of_one_site(vat_registry):
    vats = list(vat_registry.devices)
    vat_registry.apply([*vats, device("vat-1", parent="gw", site="w2")], at_ms=5)
    assert list(vat_registry.children(0)) == [1, 2]
    vat_registry.apply(vats[:2], at_ms=6)
    assert list(vat_registry.children(0)) == [1]


def test_it_holds_an_inventory_that_changes_nothing(vat_registry):
    vats = list(vat_registry.devices)
    assert vat_registry.holds(Devices(reversed(vats)))
    assert not vat_registry.holds(Devices(vats[1:]))
    assert not vat_registry.holds(Devices([*vats, device("new")]))
    assert not vat_registry.holds(Devices([replace(vats[0], lat=1.0), *vats[1:]]))
    vat_registry.apply(vats[1:], at_ms=1)
    assert not vat_registry.holds(Devices(vats))
    assert vat_registry.holds(Devices(vats[1:]))


def test_a_device_of_a_type_that_is_gone_is_refused(vat_scene):
    registry = Registry([vat_scene])
    with pytest.raises(KeyError):
        registry.apply([device("x", "pump")], at_ms=0)


class Watched(list):
    """A list that has somebody look at each step of its growth."""

    def __init__(self, rows, look):
        super().__init__(rows)
        self.look = look

    def append(self, row):
        super().append(row)
        self.look()

    def extend(self, rows):
        super().extend(rows)
        self.look()


def test_who_looks_from_another_thread_never_sees_half_a_device(vat_registry):
    seen = []

    def look():
        for n in [n for n, active in enumerate(vat_registry.active) if active]:
            names = [vat_registry.series_name(s) for s in vat_registry.series_of(n)]
            assert len(names) == len(vat_registry.type_of(n).channels)
        seen.append(vat_registry.number("brine.w1.vat-3"))

    columns = ("ids", "gateway_ids", "active", "first_series", "since_ms", "series_device", "series_kind", "_type")
    for name in columns:
        setattr(vat_registry, name, Watched(getattr(vat_registry, name), look))
    vat_registry.apply([*vat_registry.devices, device("vat-3")], at_ms=5)
    assert seen == [None] * len(columns)
    assert vat_registry.number("brine.w1.vat-3") == 3
