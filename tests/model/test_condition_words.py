"""A rule's condition: in words of both languages, and as lines for charts."""

from dataclasses import replace

import pytest

from scenewatch.model.conditions import lines
from scenewatch.model.flags import Test as QualityTest
from scenewatch.model.insight import Departure, LastRun, Slope, TimeTo
from scenewatch.model.quantity import Quantity
from scenewatch.model.rule import (
    Above,
    AtLeast,
    Below,
    CausedBy,
    During,
    Flagged,
    Happened,
    Mark,
    NoData,
    Outside,
    Priority,
    PriorityStep,
    Reach,
    Rule,
    Source,
    Term,
    Then,
    While,
    all_of,
    any_of,
)
from scenewatch.model.scene import Channel, DeviceType, EventKind, Occasion, Scene, Span
from scenewatch.model.speech import condition_text, rule_text
from scenewatch.model.words import Text, hours, minutes, seconds

AIR = Channel(
    key="air", title=Text("Air", "气温"), quantity=Quantity.TEMPERATURE, unit="°C", possible=Span(-40, 60)
)
POWER = Channel(key="power", title=Text("Power", "功率"), quantity=Quantity.POWER, unit="W", possible=Span(0, 1000))
PHASE = Channel(
    key="phase",
    title=Text("Phase", "阶段"),
    quantity=Quantity.STATE,
    unit="",
    possible=Span(0, 2),
    states=((0.0, Text("idle", "空闲")), (1.0, Text("busy", "忙")), (2.0, Text("done", "完成"))),
)
ODD = replace(AIR, key="odd", title=Text("Oddity", "异常度"), unit="", derived=Departure(of="air"))
RATE = replace(
    AIR,
    key="rate",
    title=Text("Pace", "速度"),
    unit="°C/h",
    derived=Slope(of="air", over=hours(1), every=minutes(5)),
)
SOON = replace(AIR, key="soon", unit="min", derived=TimeTo(of="air", limit=8.0, over=hours(1), every=minutes(5)))
LATE = replace(SOON, key="late", derived=replace(SOON.derived, limit=-5.0, rising=False))
RUN = replace(
    POWER, key="run", title=Text("Last run", "上次运行"), unit="min", derived=LastRun(term=Term("power", Above(9)))
)
BOX = DeviceType(
    key="box",
    title=Text("Box", "箱"),
    every=seconds(30),
    channels=(AIR, POWER, PHASE, ODD, RATE, SOON, LATE, RUN),
    events=(EventKind(key="knock", title=Text("Knock", "敲击")),),
)
HALL = DeviceType(
    key="hall",
    title=Text("Hall", "大厅"),
    every=seconds(30),
    channels=(replace(AIR, title=Text("Hall air", "厅温")),),
)
WARM = Rule(
    key="warm",
    title=Text("Warm", "热"),
    on=("box.air",),
    when=Above(8.0, deadband=0.5),
    priority=Priority.HIGH,
    source=Source(document=Text("d", "文"), mark=Mark.PROPOSAL),
    proof="fire",
    advice=Text("Look", "查看"),
)
SCENE = Scene(
    key="lab",
    title=Text("Lab", "实验室"),
    site_title=Text("Site", "站点"),
    device_types=(BOX, HALL),
    rules=(WARM,),
    faults=(),
    simulator="",
    mishap="",
    calendar="a:b",
    occasions=(Occasion(key="lunch", title=Text("Lunch", "午餐")),),
)
BUSY, COLD = Term("phase", Above(0.5)), Term("air", Below(-5.0))
DONE = Term("phase", Above(1.5))

SAID = {
    "above, with its delay": (
        {"on_delay": minutes(30)},
        "Air above 8 °C for 30 min",
        "气温高于 8 °C，持续 30 分钟",
    ),
    "below, with a true minus": ({"when": Below(-12.5)}, "Air below −12.5 °C", "气温低于 −12.5 °C"),
    "outside": ({"when": Outside(2, 8)}, "Air below 2 °C or above 8 °C", "气温低于 2 °C 或高于 8 °C"),
    "a state by its words": (
        {"on": ("box.phase",), "when": Above(0.5)},
        "Phase “busy or done”",
        "阶段“忙或完成”",
    ),
    "titles of several types": (
        {"on": ("box.air", "hall.air")},
        "Air above 8 °C / Hall air above 8 °C",
        "气温高于 8 °C／厅温高于 8 °C",
    ),
    "a doubt": ({"when": Flagged(QualityTest.STUCK)}, "Air stands still", "气温停滞不变"),
    "silence": ({"when": NoData(minutes(90))}, "no good reading for 90 min", "90 分钟无有效读数"),
    "an event": (
        {"on": ("box",), "when": Happened(event="knock", quiet=hours(2))},
        "event “Knock”, until none has come for 2 h",
        "事件“敲击”，2 小时无新事件后解除",
    ),
    "all": (
        {"when": all_of(BUSY, COLD)},
        "Phase “busy or done” and Air below −5 °C",
        "阶段“忙或完成”，且气温低于 −5 °C",
    ),
    "a state between two limits": (
        {"when": all_of(BUSY, Term("phase", Below(1.5)), COLD)},
        "Phase “busy” and Air below −5 °C",
        "阶段“忙”，且气温低于 −5 °C",
    ),
    "any": (
        {"when": any_of(BUSY, COLD)},
        "Phase “busy or done” or Air below −5 °C",
        "阶段“忙或完成”或气温低于 −5 °C",
    ),
    "some": (
        {"when": AtLeast(2, (BUSY, COLD, Term("power", Above(30))))},
        "at least 2 of: Phase “busy or done”, Air below −5 °C, Power above 30 W",
        "以下至少 2 项：阶段“忙或完成”、气温低于 −5 °C、功率高于 30 W",
    ),
    "one after the other": (
        {"when": Then(first=BUSY, second=DONE, within=minutes(14))},
        "Phase “done” within 14 min from Phase “busy”",
        "阶段“忙”开始后 14 分钟内阶段“完成”",
    ),
    "far above the usual": (
        {"on": ("box.odd",), "when": Above(2.5)},
        "Air over 2.5 usual spreads above what is usual",
        "气温高于常态 2.5 倍常态波动以上",
    ),
    "far below the usual": (
        {"on": ("box.odd",), "when": Below(-2.5)},
        "Air over 2.5 usual spreads below what is usual",
        "气温低于常态 2.5 倍常态波动以上",
    ),
    "far from the usual": (
        {"on": ("box.odd",), "when": Outside(-2.5, 2.5, deadband=1.0), "on_delay": hours(2)},
        "Air over 2.5 usual spreads from what is usual for 2 h",
        "气温偏离常态 2.5 倍常态波动以上，持续 2 小时",
    ),
    "farther on one side": (
        {"on": ("box.odd",), "when": Outside(-2, 3)},
        "Air over 2 usual spreads below or 3 above what is usual",
        "气温低于常态 2 倍或高于常态 3 倍常态波动以上",
    ),
    "an odd limit of a departure": (
        {"on": ("box.odd",), "when": Below(1)},
        "Oddity below 1",
        "异常度低于 1",
    ),
    "fast": (
        {"on": ("box.rate",), "when": Above(2)},
        "Air rises faster than 2 °C/h",
        "气温上升快于 2 °C/h",
    ),
    "fast down": (
        {"on": ("box.rate",), "when": Below(-2)},
        "Air falls faster than 2 °C/h",
        "气温下降快于 2 °C/h",
    ),
    "fast either way": (
        {"on": ("box.rate",), "when": Outside(-2, 3)},
        "Air falls faster than 2 °C/h or rises faster than 3 °C/h",
        "气温下降快于 2 °C/h 或上升快于 3 °C/h",
    ),
    "soon": (
        {"on": ("box.soon",), "when": Below(60)},
        "Air rises to 8 °C within 60 min if it goes on so",
        "按此趋势气温将在 60 min 内升至 8 °C",
    ),
    "soon from above": (
        {"on": ("box.late",), "when": Below(60)},
        "Air falls to −5 °C within 60 min if it goes on so",
        "按此趋势气温将在 60 min 内降至 −5 °C",
    ),
    "what is derived and has its own words": (
        {"on": ("box.run",), "when": Above(90)},
        "Last run above 90 min",
        "上次运行高于 90 min",
    ),
    "silence of all behind a gateway": (
        {"on": ("hall",), "when": NoData(minutes(10))},
        "no good reading for 10 min from any device that speaks through it",
        "经其通信的所有设备 10 分钟无有效读数",
    ),
    "held back by a cause": (
        {"suppressed_by": (CausedBy(rule="warm", at=Reach.PARENT, after=minutes(20)),)},
        "Air above 8 °C; not while “Warm” stands at its gateway and 20 min from then on",
        "气温高于 8 °C；所属网关有“热”报警时及其后 20 分钟内不报警",
    ),
    "held back by a state and an occasion": (
        {"suppressed_by": (While(term=BUSY, after=minutes(20)), During(occasion="lunch"))},
        "Air above 8 °C; not while Phase “busy or done” and 20 min from then on; not during lunch",
        "气温高于 8 °C；阶段“忙或完成”时及其后 20 分钟内不报警；午餐期间不报警",
    ),
}


@pytest.mark.parametrize(("changes", "en", "zh"), SAID.values(), ids=SAID.keys())
def test_a_condition_in_words(changes, en, zh):
    assert condition_text(SCENE, replace(WARM, **changes)) == Text(en, zh)


STANDING = {
    "nothing more": ({}, "Air above 8 °C", "气温高于 8 °C"),
    "a step at a limit": (
        {"priority_steps": (PriorityStep(to=Priority.MEDIUM, beyond=Above(12.0), lasting=minutes(30)),)},
        "Air above 8 °C; priority medium at Air above 12 °C for 30 min",
        "气温高于 8 °C；气温高于 12 °C，持续 30 分钟时优先级为中",
    ),
    "a step at a time": (
        {"priority_steps": (PriorityStep(to=Priority.LOW, lasting=hours(4)),)},
        "Air above 8 °C; priority low after 4 h",
        "气温高于 8 °C；报警 4 小时后优先级为低",
    ),
    "until it is reset": (
        {"latching": True},
        "Air above 8 °C; stands until an operator resets it",
        "气温高于 8 °C；须由操作员复位后解除",
    ),
    "again": (
        {"again_after": hours(8)},
        "Air above 8 °C; calls again 8 h after it was acknowledged",
        "气温高于 8 °C；确认 8 小时后仍未恢复则再次提醒",
    ),
    "beneath another": (
        {"follows": (CausedBy(rule="warm", at=Reach.SITE), CausedBy(rule="x", at=Reach.DEVICE, after=hours(1)))},
        (
            "Air above 8 °C; belongs to “Warm” while that stands at its site"
            "; belongs to “x” while that stands at the same device and 1 h from then on"
        ),
        "气温高于 8 °C；本站点有“热”报警时归入其下；本设备有“x”报警时及其后 1 小时内归入其下",
    ),
}


@pytest.mark.parametrize(("changes", "en", "zh"), STANDING.values(), ids=STANDING.keys())
def test_what_becomes_of_an_alarm_in_words(changes, en, zh):
    assert rule_text(SCENE, replace(WARM, **changes)) == Text(en, zh)


def drawn(**changes):
    return [(line.channel, line.at) for line in lines(SCENE, replace(WARM, **changes))]


def test_every_limit_of_a_number_is_a_line_and_a_state_has_none():
    assert drawn() == [("air", 8.0)]
    assert drawn(on=("box.air", "hall.air")) == [("air", 8.0)]
    assert drawn(when=Outside(2, 8)) == [("air", 2), ("air", 8)]
    assert drawn(when=all_of(BUSY, COLD, Term("power", Below(30)))) == [("air", -5.0), ("power", 30)]
    assert drawn(when=Then(first=COLD, second=DONE, within=minutes(1))) == [("air", -5.0)]
    assert drawn(on=("box.phase",), when=Above(0.5)) == []
    assert drawn(when=NoData(minutes(1))) == drawn(when=Flagged(QualityTest.STUCK)) == []


def test_a_line_has_the_priority_of_its_rule():
    assert {line.priority for line in lines(SCENE, WARM)} == {Priority.HIGH}


def test_a_step_to_another_priority_has_a_line_of_that():
    steps = (PriorityStep(to=Priority.LOW, beyond=Outside(2, 12)), PriorityStep(to=Priority.LOW, lasting=hours(1)))
    found = lines(SCENE, replace(WARM, priority_steps=steps))
    assert [(line.at, line.priority) for line in found] == [(8, "high"), (2, "low"), (12, "low")]
