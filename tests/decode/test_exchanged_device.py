"""A device of another kind now than the inventory says: its messages are kept, and the reason has the mend."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from scenewatch.decode.native import NativeDecoder
from scenewatch.model.fitting import best_fit, by_fit
from scenewatch.model.messages import Messages
from scenewatch.model.registry import Registry


def of_type(device_type, key, *channels):
    template = device_type.channels[0]
    return replace(device_type, key=key, channels=tuple(replace(template, key=channel) for channel in channels))


@pytest.fixture
def scene(vat_scene):
    vat, gateway = vat_scene.device_types
    return replace(vat_scene, device_types=(vat, gateway, of_type(vat, "pan", "salt", "steam")))


@pytest.fixture
def decoder(scene, vats):
    registry = Registry([scene])
    registry.apply(vats, at_ms=0)
    made = NativeDecoder("sw")
    made.grow(registry)
    return made


def reasons(decoder, *values):
    pairs = [(b"sw/brine/w1/vat-1/telemetry", json.dumps({"t": 1, "v": v}).encode()) for v in values]
    return [letter.reason for letter in decoder.decode(Messages.of(pairs, 5000), 0).dead]


def test_the_reason_names_the_type_that_fits_and_what_to_do(decoder):
    (reason,) = reasons(decoder, {"salt": 1, "steam": 2})
    wrong, _, mend = reason.partition("; ")
    assert wrong == "no good value: unknown channel 'salt', 'steam' of a vat"
    assert mend == "if it is a pan now, change its type in the inventory, then try it again"


def test_without_such_a_type_the_channels_alone_are_named(decoder):
    assert reasons(decoder, {f"c{n}": 1 for n in range(7)}, {"temp": 1, "salt": 2}) == [
        "no good value: unknown channel 'c0', 'c1', 'c2', 'c3', 'c4' and 2 more of a vat"
    ]


@pytest.mark.parametrize(
    ("channels", "key"),
    [
        (["a"], "one"),
        (["a", "b"], "two"),
        (["a", "b", "x"], "two"),
        (["x"], None),
        ([], None),
        (["c"], None),  # two types have it alike
    ],
)
def test_the_type_that_has_most_of_them_and_least_else_fits_best(vat_scene, channels, key):
    vat = vat_scene.device_types[0]
    types = [
        of_type(vat, "one", "a"),
        of_type(vat, "two", "a", "b"),
        of_type(vat, "three", "c"),
        of_type(vat, "four", "c"),
    ]
    fit = best_fit(types, channels)
    assert (fit and fit.key) == key
    assert key is None or by_fit(types, channels)[0] is fit
    assert best_fit([], channels) is None
