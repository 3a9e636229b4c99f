"""An alarm's words for charts and annotations, in both languages, also of what the tables know no more."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from scenewatch.model.alarm import AlarmState
from scenewatch.model.rule import Priority
from scenewatch.scenes import SCENES
from scenewatch.store.alarms import AlarmRow
from scenewatch.store.points import writable
from scenewatch.worker.alarmpoints import NOBODY_KNOWS, AlarmPoints

ROW = AlarmRow(
    rule="brine.vat_hot",
    device="brine.w1.vat-1",
    raised_at_ms=1_000,
    state=AlarmState.UNACKNOWLEDGED,
    value=90.0,
    flag=1,
    priority=Priority.HIGH,
    raised_priority=Priority.HIGH,
    device_type="vat",
)


@pytest.fixture
def rules(vat_scene):
    return {f"brine.{rule.key}": rule for rule in vat_scene.rules}


@pytest.fixture
def points(vat_registry, rules):
    return AlarmPoints(vat_registry, lambda: rules)


def test_silence_has_no_value_and_tells_its_span(points):
    point = points.point(replace(ROW, rule="brine.vat_silent", value=math.nan))
    assert "value" not in point.fields
    assert point.fields["text_en"] == "vat-1: Vat silent, no good reading for 1 min"
    assert point.fields["text_zh"] == "vat-1：Vat silent（中），1 分钟无有效读数"


def test_its_rule_s_version_and_its_cause_are_told_where_they_are_known(points):
    assert not {"version", "cause"} & points.point(ROW).fields.keys()
    fields = points.point(replace(ROW, version="0badcafe", cause="brine.vat_silent brine.w1.gw")).fields
    assert (fields["version"], fields["cause"]) == ("0badcafe", "brine.vat_silent brine.w1.gw")


def test_another_priority_later_leaves_it_in_its_place(points):
    assert points.point(replace(ROW, priority=Priority.LOW)).tags["priority"] == "high"


def test_an_alarm_of_a_rule_that_is_gone_has_the_rule_s_key_for_words(points):
    point = points.point(replace(ROW, rule="brine.vat_cracked"))
    assert point.tags["rule"] == "vat_cracked"
    told = {key: point.fields[key] for key in ("title_en", "title_zh", "advice_en", "text_zh")}
    assert told == {
        "title_en": "vat_cracked",
        "title_zh": "vat_cracked",
        "advice_en": "",
        "text_zh": "vat-1：vat_cracked",
    }


def test_a_limit_that_operators_changed_is_the_one_that_is_told(points, rules):
    rule = rules["brine.vat_hot"]
    rules["brine.vat_hot"] = replace(rule, when=replace(rule.when, limit=88.25))
    assert points.point(ROW).fields["text_en"].endswith("(limit 88.25 °C)")


def test_a_type_that_the_rule_is_not_on_any_more_leaves_value_and_limit_out(points):
    point = points.point(replace(ROW, device_type="tank"))
    assert point.fields["text_en"] == "vat-1: Vat hot"
    assert point.tags["type"] == "tank"


def test_the_type_of_an_older_row_is_looked_up_and_stays(points):
    assert points.known(ROW) is ROW
    assert points.known(replace(ROW, device_type="")).device_type == "vat"
    nobody = replace(ROW, device_type="", device="brine.w1.vat-9")
    assert points.known(nobody).device_type == NOBODY_KNOWS


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.key)
def test_every_rule_of_every_scene_can_be_written(scene, vat_registry):
    registry = type(vat_registry)([scene])
    rules = {f"{scene.key}.{rule.key}": rule for rule in scene.rules}
    points = AlarmPoints(registry, lambda: rules)
    for key, rule in rules.items():
        for on in rule.on:
            row = replace(ROW, rule=key, device=f"{scene.key}.s.d", device_type=on.partition(".")[0])
            point = points.point(row)
            assert writable([point]) == ([point], [])
            assert point.fields["text_en"].startswith(f"d: {rule.title.en}")
            assert point.fields["text_zh"].startswith(f"d：{rule.title.zh}")
