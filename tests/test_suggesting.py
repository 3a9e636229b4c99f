"""Suggested limits: each was tried by the very alarms, and what is suggested can be handed to `--limits`."""

from __future__ import annotations

import random
import tomllib
from collections import Counter

import msgspec
import pytest

from scenewatch.alarms.overrides import mistakes
from scenewatch.backtesting import Files, backtest, read
from scenewatch.recorded.mapping import load_map
from scenewatch.rehearsal.report import Named
from scenewatch.rehearsal.suggestion import Suggestion, Suggestions, Tried, choose, innermost, limits_text
from scenewatch.scenes.kitchen import KITCHEN
from scenewatch.suggesting import suggest

EVERY_MS, DAYS = 60_000, 4
BEGIN_MS = 1_779_033_600_000
MONTHS = DAYS / 30


def recorded(path):
    """Two fridges for some days; the second is warm now and then, and falls silent once."""
    chance = random.Random(7)
    lines = ["time,device,channel,value"]
    for minute in range(DAYS * 1440):
        at = BEGIN_MS + minute * EVERY_MS
        warm = 5.0 if minute % 700 < 60 else 0.0
        lines.append(f"{at},f1,air_temp,{4 + chance.gauss(0, 0.3):.2f}")
        if not 3000 < minute < 3090:
            lines.append(f"{at},f2,air_temp,{4.5 + warm + chance.gauss(0, 0.3):.2f}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def past(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    mapped = folder / "map.toml"
    mapped.write_text('[devices.f1]\ntype = "fridge"\n[devices.f2]\ntype = "fridge"\n')
    files = Files(paths=(recorded(folder / "fridges.csv"),), mapping=load_map(mapped), map_name=str(mapped))
    return read(KITCHEN, files)


@pytest.fixture(scope="module")
def found(past):
    return suggest(past, a_month=10.0)


def by_rule(found):
    return {one.rule.partition(".")[2]: one for one in found.rules}


def test_every_count_is_what_a_backtest_with_those_numbers_finds(past, found):
    warm, silent = by_rule(found)["fridge_warm"], by_rule(found)["sensor_silent"]
    assert len(warm.tried) > 5
    for one in (warm, silent):
        for tried in one.tried[::3]:
            report = backtest(past, limits={one.rule: tried.numbers})
            raised = Counter(a.device for a in report.alarms if f"kitchen.{a.rule}" == one.rule)
            assert dict(raised) == tried.raised_by_device, tried.numbers
            assert tried.raised == sum(raised.values())


def numbers_in_force(one):
    return one.tried[one.in_force]


def test_numbers_in_force_are_among_those_that_are_tried(past, found):
    assert numbers_in_force(by_rule(found)["fridge_warm"]).numbers == {"limit": 8.0}
    limits = {"kitchen.fridge_warm": {"limit": 4.9, "on_delay_s": 60.0}}
    other = by_rule(suggest(past, limits=limits, a_month=10.0))["fridge_warm"]
    assert numbers_in_force(other).numbers == {"limit": 4.9}
    assert numbers_in_force(other).raised > numbers_in_force(by_rule(found)["fridge_warm"]).raised > 0


def test_limits_are_tried_from_the_outermost_inwards_each_once(found):
    rules = by_rule(found)
    order = {key: [next(iter(tried.numbers.values())) for tried in rules[key].tried] for key in rules}
    assert order["fridge_warm"] == sorted(set(order["fridge_warm"]), reverse=True)
    assert order["sensor_silent"] == sorted(set(order["sensor_silent"]), reverse=True)
    assert order["fridge_cold"] == sorted(set(order["fridge_cold"]))
    for one in found.rules:
        assert one.tried[0].raised == min(tried.raised for tried in one.tried)


def test_what_is_suggested_gives_no_more_than_was_wished_and_the_next_would(found):
    for one in found.rules:
        counts, at_most = [tried.raised for tried in one.tried], 10.0 * MONTHS * len(one.devices)
        assert counts[one.suggested] <= at_most or one.suggested == 0
        assert all(count > at_most for count in counts[one.suggested + 1 : one.suggested + 2])


def test_a_device_that_is_unlike_the_others_is_named(found):
    warm = by_rule(found)["fridge_warm"]
    quiet, odd = (f"kitchen.recorded.{device}" for device in ("f1", "f2"))
    own = {
        device: warm.tried[warm.of_devices.get(device, warm.suggested)].numbers["limit"] for device in (quiet, odd)
    }
    assert own[quiet] < 6.0
    assert own[odd] > 8.0


def test_rules_without_a_limit_or_without_readings_are_left_out_and_say_why(found):
    why = {rule.partition(".")[2]: text.en for rule, text in found.left_out.items()}
    assert why["fridge_not_cooling"] == "has no limit of one channel"
    assert why["door_ajar"] == "is about a state"
    assert why["freezer_warm"] == why["battery_low"] == "has no readings"
    assert set(why) | set(by_rule(found)) == {rule.key for rule in KITCHEN.rules}


def test_the_text_is_limits_that_can_be_given(past, found):
    limits = tomllib.loads(limits_text(found))["limits"]
    assert "kitchen.fridge_warm" in limits
    assert mistakes([past.scene], limits) == []
    assert {one.rule for one in found.rules if one.rule not in limits} == {
        one.rule for one in found.rules if one.suggested == one.in_force
    }


def test_it_travels_as_json(found):
    assert msgspec.json.decode(msgspec.json.encode(found), type=Suggestions) == found


def test_the_innermost_is_the_last_before_it_becomes_too_many():
    assert innermost([0, 1, 2, 5, 3], 3) == 2
    assert innermost([4, 1], 3) == 0
    assert innermost([0, 0], 3) == 1


def test_each_device_may_have_its_own():
    counts = [(0, 0), (2, 0), (6, 1), (9, 4)]
    tried = [
        Tried(numbers={"limit": n}, raised=sum(both), raised_by_device=dict(zip("ab", both, strict=True)))
        for n, both in enumerate(counts)
    ]
    assert choose(tried, ["a", "b"], 2) == (1, {"b": 2})
    assert choose(tried, ["a", "b"], 9) == (3, {})


def test_names_that_are_no_toml_stay_in_comments():
    words = Named(en="a\nb = 1", zh="x")
    one = Suggestion(
        rule="k.r",
        version="0",
        text=words,
        source=words,
        devices=["d"],
        tried=[Tried(numbers={"limit": n}, raised=0, raised_by_device={}) for n in (1.0, 2.0)],
        in_force=0,
        suggested=1,
        of_devices={},
    )
    found = Suggestions(
        scene="k",
        title=words,
        from_ms=0,
        to_ms=1,
        readings=1,
        a_month=1.0,
        rules=[one],
        left_out={"k.s": words},
        notes=[],
    )
    assert tomllib.loads(limits_text(found)) == {"limits": {"k.r": {"limit": 2.0}}}
