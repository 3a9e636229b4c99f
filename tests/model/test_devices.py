"""Packed devices: the same devices as were put in, and equal bytes for equal ones."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenewatch.model.devices import Devices
from scenewatch.model.place import Device
from scenewatch.model.words import Text

KEYS = st.text(min_size=1, max_size=5)
DEVICES = st.lists(
    st.builds(
        Device,
        scene=KEYS,
        site=KEYS,
        device=KEYS,
        type=KEYS,
        parent=KEYS,
        name=st.builds(Text, en=KEYS, zh=KEYS),
        lat=st.none() | st.floats(-90, 90),
        lon=st.none() | st.floats(-180, 180),
        properties=st.dictionaries(KEYS, KEYS, max_size=3),
    ),
    max_size=4,
)


@settings(deadline=None)
@given(DEVICES)
def test_what_is_put_in_comes_out_one_by_one_by_slices_and_from_bytes(devices):
    packed = Devices(devices)
    assert list(packed) == devices
    assert [packed[n] for n in range(len(packed))] == devices
    assert packed[1:3] == devices[1:3]
    again = Devices.from_bytes(packed.to_bytes())
    assert (list(again), again.packed) == (devices, packed.packed)


@settings(deadline=None)
@given(DEVICES, DEVICES)
def test_equal_rows_are_of_equal_devices(some, others):
    assert Devices(deepcopy(some)).packed == Devices(some).packed
    for one, one_row in zip(some, Devices(some).packed, strict=True):
        for other, other_row in zip(others, Devices(others).packed, strict=True):
            assert one == other or one_row != other_row


def test_the_order_of_properties_means_nothing():
    ways = [
        Device(scene="s", site="s", device="d", type="t", properties=dict(p)) for p in (("ab", "cd"), ("cd", "ab"))
    ]
    assert len(set(Devices(ways).packed)) == 1


def test_a_place_that_is_not_there_is_an_error():
    with pytest.raises(IndexError):
        Devices()[0]
