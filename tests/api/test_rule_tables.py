"""Rules as JSON: every kind has its own numbers, and nulls for those of the others."""

from dataclasses import replace

import pytest

from scenewatch.api.present import scene_table
from scenewatch.api.tableshapes import SceneTable
from scenewatch.model.flags import Test as QualityTest
from scenewatch.model.insight import Departure, Slope, TimeTo
from scenewatch.model.rule import (
    Above,
    Below,
    CausedBy,
    During,
    Flagged,
    Happened,
    NoData,
    Outside,
    Priority,
    PriorityStep,
    Reach,
    Term,
    Then,
    While,
    all_of,
)
from scenewatch.model.ruleversion import version_of, version_of_scenes
from scenewatch.model.scene import Command, EventKind, Occasion
from scenewatch.model.words import Text, minutes

HOT, COLD = Term("temp", Above(90.0, deadband=1.0)), Term("temp", Below(2.0))
NUMBERS = ("limit", "deadband", "low", "high", "test", "event", "after_s", "quiet_s", "count", "within_s")
KINDS = {
    "above": (Above(80.0, deadband=2.0), {"limit": 80.0, "deadband": 2.0}),
    "below": (Below(4.0), {"limit": 4.0, "deadband": 0.0}),
    "outside": (Outside(2.0, 8.0, deadband=0.5), {"low": 2.0, "high": 8.0, "deadband": 0.5}),
    "flagged": (Flagged(QualityTest.STUCK), {"test": "stuck"}),
    "at_least": (all_of(HOT, COLD), {"count": 2}),
    "then": (Then(first=HOT, second=COLD, within=minutes(5)), {"within_s": 300.0}),
    "no_data": (NoData(minutes(1)), {"after_s": 60.0}),
    "happened": (Happened(event="knock", quiet=minutes(2)), {"event": "knock", "quiet_s": 120.0}),
}


def told(vat_scene, **changes):
    """The first rule of the scene so changed, whose JSON has the shape that is described."""
    first, *others = vat_scene.rules
    scene = replace(vat_scene, rules=(replace(first, **changes), *others))
    table = scene_table(scene, scene)
    assert SceneTable.model_validate(table, extra="forbid", strict=True).model_dump() == table
    return table["rules"][0]


@pytest.mark.parametrize(("kind", "when", "numbers"), [(k, *row) for k, row in KINDS.items()], ids=KINDS)
def test_a_rule_has_the_numbers_of_its_kind(vat_scene, kind, when, numbers):
    rule = told(vat_scene, when=when)
    assert rule["kind"] == kind
    assert {name: rule[name] for name in NUMBERS} == dict.fromkeys(NUMBERS) | numbers


def test_a_combination_has_its_terms_and_a_line_for_each_limit(vat_scene):
    rule = told(vat_scene, when=all_of(HOT, COLD))
    nothing = {"low": None, "high": None, "test": None}
    assert rule["terms"] == [
        {"channel": "temp", "kind": "above", "limit": 90.0, "deadband": 1.0, **nothing},
        {"channel": "temp", "kind": "below", "limit": 2.0, "deadband": 0.0, **nothing},
    ]
    assert [(line["channel"], line["at"]) for line in rule["lines"]] == [("temp", 90.0), ("temp", 2.0)]
    assert told(vat_scene)["terms"] == []


def test_what_operators_changed_is_told_beside_the_table(vat_scene):
    assert told(vat_scene)["table_text"] is None
    first, *others = vat_scene.rules
    changed = replace(vat_scene, rules=(replace(first, when=Above(90.0)), *others))
    rule = scene_table(changed, vat_scene)["rules"][0]
    assert "90" in rule["text"]["en"]
    assert rule["table_text"] == told(vat_scene)["text"]
    assert "80" in rule["table_text"]["en"]


def test_what_holds_a_rule_back_is_told(vat_scene):
    lost = CausedBy(rule="vat_silent", at=Reach.PARENT)
    rule = told(
        vat_scene,
        suppressed_by=(While(term=COLD, after=minutes(1)), During(occasion="lunch"), lost),
        follows=(lost,),
    )
    nothing = dict.fromkeys(("channel", "occasion", "rule", "at"))
    caused = {**nothing, "kind": "caused_by", "rule": "vat_silent", "at": "parent", "after_s": 0.0}
    assert rule["suppressed_by"] == [
        {**nothing, "kind": "while", "channel": "temp", "after_s": 60.0},
        {**nothing, "kind": "during", "occasion": "lunch", "after_s": 0.0},
        caused,
    ]
    assert rule["follows"] == [caused]


def test_what_becomes_of_an_alarm_that_stands_is_told(vat_scene):
    steps = (
        PriorityStep(to=Priority.HIGH, beyond=Outside(2.0, 95.0)),
        PriorityStep(to=Priority.MEDIUM, lasting=minutes(2)),
    )
    rule = told(vat_scene, priority_steps=steps, latching=True, again_after=minutes(60))
    nothing = dict.fromkeys(("limit", "deadband", "low", "high", "test"))
    assert rule["priority_steps"] == [
        {**nothing, "to": "high", "kind": "outside", "low": 2.0, "high": 95.0, "deadband": 0.0, "lasting_s": 0.0},
        {**nothing, "to": "medium", "kind": None, "lasting_s": 120.0},
    ]
    assert (rule["latching"], rule["again_after_s"]) == (True, 3600.0)
    calm = told(vat_scene)
    assert (calm["priority_steps"], calm["latching"], calm["again_after_s"]) == ([], False, None)


def test_a_rule_on_what_is_derived_is_called_by_what_that_tells(vat_scene):
    vat, *others = vat_scene.device_types
    derived = {
        "deviation": Departure(of="temp"),
        "rate": Slope(of="temp", over=minutes(60), every=minutes(5)),
        "time_to_breach": TimeTo(of="temp", limit=80.0, over=minutes(60), every=minutes(5)),
    }
    for kind, how in derived.items():
        temp = next(c for c in vat.channels if c.key == "temp")
        extended = replace(vat, channels=(*vat.channels, replace(temp, key="more", derived=how)))
        scene = replace(vat_scene, device_types=(extended, *others))
        rule = told(scene, on=(f"{vat.key}.more",), when=Above(30.0))
        assert (rule["kind"], rule["comparison"], rule["limit"]) == (kind, "above", 30.0)


def test_a_rule_tells_its_version(vat_scene):
    first = told(vat_scene)["version"]
    assert first == version_of(vat_scene, vat_scene.rules[0])
    assert told(vat_scene, when=Above(81.0))["version"] != first


def test_a_scene_tells_the_version_of_its_rules_with_and_without_operators_numbers(vat_scene):
    first, *others = vat_scene.rules
    changed = replace(vat_scene, rules=(replace(first, when=Above(90.0)), *others))
    table = scene_table(changed, vat_scene)
    assert table["rules_version"] == version_of_scenes([changed])
    assert table["written_version"] == version_of_scenes([vat_scene]) != table["rules_version"]


def test_events_commands_and_occasions_are_told(vat_scene):
    words = Text("Word", "词")
    vat, *others = vat_scene.device_types
    able = replace(
        vat,
        events=(EventKind(key="knock", title=words),),
        commands=(Command(key="stir", title=words, channel="temp", to=1.0, input="stirrer"),),
    )
    lunch = (Occasion(key="lunch", title=words),)
    scene = replace(vat_scene, device_types=(able, *others), calendar="a:b", occasions=lunch)
    table = scene_table(scene, scene)
    assert SceneTable.model_validate(table, extra="forbid", strict=True).model_dump() == table
    title = {"en": "Word", "zh": "词"}
    assert table["device_types"][0]["events"] == [{"key": "knock", "title": title}]
    assert table["device_types"][0]["commands"] == [
        {"key": "stir", "title": title, "channel": "temp", "to": 1.0, "expires_after_s": 30.0}
    ]
    assert table["occasions"] == [{"key": "lunch", "title": title}]
