"""Kitchens without faults: honest, so that no rule speaks, yet not tame, so that plain limits would."""

import numpy as np
import pytest

from scenewatch.model.rule import Above
from scenewatch.scenes.kitchen import KITCHEN, kernel
from scenewatch.scenes.kitchen.demonstration import KitchenDemonstration
from scenewatch.scenes.kitchen.physics import Kitchen

DAYS = 14
STEP_MIN = 0.5
DEVICES = [d for d in KitchenDemonstration().devices(10) if d.type in {"gateway", "fridge", "freezer"}]
CABINETS = [d.type for d in DEVICES if d.type != "gateway"]
SEASONS = {"winter": 1_767_312_000_000, "spring": 1_776_038_400_000, "summer": 1_781_481_600_000}
"""Weeks of school; of the longer holidays none."""


@pytest.fixture(scope="module", params=SEASONS.items(), ids=SEASONS.keys())
def clean(request):
    """Two weeks of ten kitchens: {type: (steps, cabinets, channels)}."""
    season, start_ms = request.param
    kitchen = Kitchen(DEVICES, seed=len(season) * 1000, start_ms=start_ms)
    values = kitchen.run(start_ms + DAYS * 86_400_000, {})
    values = values.reshape(len(values), -1, kernel.CHANNELS)
    return {t: values[:, [c == t for c in CABINETS]] for t in ("fridge", "freezer")}


def channels(clean):
    for type_key, values in clean.items():
        for number, channel in enumerate(KITCHEN.device_type(type_key).measured):
            yield channel, values[:, :, number]


def value_rules(clean):
    for rule in KITCHEN.rules:
        for on in rule.on:
            type_key, _, key = on.partition(".")
            keys = [c.key for c in KITCHEN.device_type(type_key).measured]
            if isinstance(rule.when, Above) and type_key in clean and key in keys:
                yield rule, clean[type_key][:, :, keys.index(key)] > rule.when.limit


def test_no_condition_holds_for_more_than_two_thirds_of_its_delay(clean, longest_run):
    for rule, beyond in value_rules(clean):
        longest_ms = longest_run(beyond) * STEP_MIN * 60_000
        assert longest_ms <= rule.on_delay * 2 / 3, rule.key


def test_plain_limits_without_delay_would_raise_often(clean):
    for rule, beyond in value_rules(clean):
        raises = (np.diff(beyond.astype(int), axis=0) == 1).sum() / beyond.shape[1] / DAYS
        assert raises >= 0.5, rule.key


def test_no_value_is_impossible(clean):
    for channel, values in channels(clean):
        assert values.min() >= channel.possible.low, channel.key
        assert values.max() <= channel.possible.high, channel.key


def test_hardly_a_value_is_suspect(clean):
    for channel, values in channels(clean):
        if channel.expected is not None:
            outside = (values < channel.expected.low) | (values > channel.expected.high)
            assert outside.mean() < 1e-3, channel.key
        if channel.fastest_per_minute is not None:
            quick = np.abs(np.diff(values, axis=0)) / STEP_MIN > channel.fastest_per_minute
            assert quick.mean() < 1e-3, channel.key


def test_no_live_sensor_stands_still(clean, longest_run):
    for channel, values in channels(clean):
        if channel.stuck_after is not None:
            still = np.diff(values, axis=0) == 0
            assert longest_run(still) * STEP_MIN * 60_000 < channel.stuck_after / 2, channel.key


def test_states_are_states_and_readings_have_their_resolution(clean):
    for channel, values in channels(clean):
        if channel.states:
            assert set(np.unique(values)) <= {s for s, _ in channel.states}
    air = np.concatenate([v[:, :, kernel.AIR_TEMP].ravel() for v in clean.values()])
    assert {len(f"{x!r}".partition(".")[2]) for x in air[:5000].tolist()} == {1}
