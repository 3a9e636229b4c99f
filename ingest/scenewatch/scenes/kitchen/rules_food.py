"""Rules for food: is it kept cold, or hot, and will it stay so?"""

from __future__ import annotations

from scenewatch.model.rule import Above, Below, CausedBy, Priority, PriorityStep, Reach, Rule, Term, While, all_of
from scenewatch.model.words import Text, hours, minutes
from scenewatch.scenes.kitchen import sources
from scenewatch.scenes.kitchen.day import NEXT_DAY
from scenewatch.scenes.kitchen.device_types import EVERY
from scenewatch.scenes.kitchen.rules_building import WITHOUT_POWER

DEFROSTING = Term("defrost", Above(0.5))
IDLE = Term("compressor_power", Below(30.0))
DOOR_LEFT_OPEN = CausedBy(rule="door_ajar", at=Reach.DEVICE, after=minutes(30))
ENDLESS_DEFROST = CausedBy(rule="defrost_endless", at=Reach.DEVICE, after=hours(4))


def _not_cooling(device_type: str) -> CausedBy:
    return CausedBy(rule=f"{device_type}_not_cooling", at=Reach.DEVICE)


OF_COOLING = (
    Rule(
        key="fridge_warm",
        title=Text("Fridge too warm", "冷藏柜温度过高"),
        on=("fridge.air_temp",),
        when=Above(8.0, deadband=0.5),
        # Without power all of them get warm: that alarm stands for them.
        suppressed_by=(WITHOUT_POWER,),
        on_delay=minutes(30),
        off_delay=minutes(5),
        priority=Priority.MEDIUM,
        priority_steps=(
            PriorityStep(to=Priority.HIGH, lasting=hours(2)),
            PriorityStep(to=Priority.HIGH, beyond=Above(12.0, deadband=1.0), lasting=minutes(10)),
        ),
        again_after=hours(1),
        follows=(DOOR_LEFT_OPEN, ENDLESS_DEFROST, _not_cooling("fridge")),
        source=sources.CHILLED,
        proof="compressor_dead",
        advice=Text(
            "Check door and compressor; move the food to another fridge and measure its core temperature.",
            "检查柜门和压缩机；将食品转移到其他冷藏柜并测量中心温度。",
        ),
    ),
    Rule(
        key="freezer_warm",
        title=Text("Freezer too warm", "冷冻柜温度过高"),
        on=("freezer.air_temp",),
        when=Above(-12.0, deadband=1.0),
        # A heater warms the air then, not the food; a defrost without end has its own alarm.
        suppressed_by=(While(term=DEFROSTING, after=minutes(10)), WITHOUT_POWER),
        on_delay=minutes(30),
        off_delay=minutes(5),
        priority=Priority.MEDIUM,
        priority_steps=(
            PriorityStep(to=Priority.HIGH, lasting=hours(4)),
            PriorityStep(to=Priority.HIGH, beyond=Above(-5.0, deadband=1.0), lasting=minutes(30)),
        ),
        again_after=hours(2),
        follows=(DOOR_LEFT_OPEN, ENDLESS_DEFROST, _not_cooling("freezer")),
        source=sources.FROZEN,
        proof="compressor_dead",
        advice=Text(
            "Keep the door shut, check the compressor; move the food before it thaws.",
            "保持柜门关闭，检查压缩机；在食品解冻前转移。",
        ),
    ),
    Rule(
        key="fridge_cold",
        title=Text("Fridge too cold", "冷藏柜温度过低"),
        on=("fridge.air_temp",),
        when=Below(0.0, deadband=0.5),
        on_delay=minutes(10),
        off_delay=minutes(5),
        priority=Priority.LOW,
        source=sources.CHILLED,
        proof="compressor_endless",
        advice=Text(
            "Look at the thermostat's setting; if the compressor does not stop, call the refrigeration service.",
            "检查温控器设定；如压缩机不停机，联系制冷维修。",
        ),
    ),
    Rule(
        key="fridge_not_cooling",
        title=Text("Fridge warms and does not cool", "冷藏柜升温而未制冷"),
        on=("fridge.air_temp",),
        when=all_of(IDLE, Term("air_temp", Above(6.5, deadband=0.5))),
        suppressed_by=(While(term=DEFROSTING), WITHOUT_POWER),
        on_delay=minutes(10),
        # One alarm over the compressor's cycles, if it is the sensor that is wrong.
        off_delay=minutes(45),
        priority=Priority.LOW,
        source=sources.proposal(
            "a thermostat starts the compressor below this; well ahead of the limit",
            "温控器在此温度以下即应启动压缩机；早于限值发现",
        ),
        proof="compressor_dead",
        advice=Text(
            "Listen whether the compressor starts; check its plug and fuse before the food gets warm.",
            "听压缩机是否启动；在食品升温前检查插头和保险。",
        ),
    ),
    Rule(
        key="freezer_not_cooling",
        title=Text("Freezer warms and does not cool", "冷冻柜升温而未制冷"),
        on=("freezer.air_temp",),
        when=all_of(IDLE, Term("air_temp", Above(-16.0, deadband=0.5))),
        suppressed_by=(While(term=DEFROSTING), WITHOUT_POWER),
        on_delay=minutes(10),
        # One alarm over the compressor's cycles, if it is the sensor that is wrong.
        off_delay=minutes(45),
        priority=Priority.LOW,
        source=sources.proposal(
            "a thermostat starts the compressor below this; well ahead of the limit",
            "温控器在此温度以下即应启动压缩机；早于限值发现",
        ),
        proof="compressor_dead",
        advice=Text(
            "Listen whether the compressor starts; check its plug and fuse, and keep the door shut.",
            "听压缩机是否启动；检查插头和保险，保持柜门关闭。",
        ),
    ),
    Rule(
        key="door_ajar",
        title=Text("Door left open", "柜门未关"),
        on=("fridge.door", "freezer.door"),
        when=Above(0.5),
        on_delay=minutes(5),
        off_delay=EVERY,
        priority=Priority.MEDIUM,
        source=sources.proposal(
            "longer than any opening of daily work, shorter than the food needs to warm",
            "长于日常开门时间，短于食品升温时间",
        ),
        proof="door_ajar",
        advice=Text(
            "Close the door; look whether something blocks the seal.", "关好柜门；检查门封是否被异物卡住。"
        ),
    ),
    Rule(
        key="defrost_endless",
        title=Text("Defrost does not end", "除霜不停止"),
        on=("fridge.defrost", "freezer.defrost"),
        when=Above(0.5),
        on_delay=minutes(20),
        off_delay=EVERY,
        priority=Priority.MEDIUM,
        source=sources.proposal(
            "nearly twice the longest defrost of these cabinets", "约为此类柜体最长除霜时间的两倍"
        ),
        proof="defrost_endless",
        advice=Text(
            "End the defrost by hand or unplug the cabinet for a minute; move the food if it stays so.",
            "手动结束除霜或断电一分钟；若仍不停止，转移食品。",
        ),
    ),
    Rule(
        key="defrost_missing",
        title=Text("No defrost for a day", "一天未除霜"),
        on=("fridge.defrost", "freezer.defrost"),
        when=Below(0.5),
        on_delay=hours(24),
        off_delay=EVERY,
        priority=Priority.LOW,
        source=sources.proposal("three defrosts in a row have not come", "连续三次未除霜"),
        proof="defrost_missing",
        advice=Text(
            "Look for ice on the evaporator; defrost by hand and have the timer checked.",
            "检查蒸发器结冰情况；手动除霜并检修除霜定时器。",
        ),
    ),
    Rule(
        key="cold_dish_room_warm",
        title=Text("Cold-dish room too warm", "专间温度过高"),
        on=("cold_dish_room.air_temp",),
        when=Above(25.0, deadband=0.5),
        on_delay=minutes(30),
        off_delay=hours(1),
        priority=Priority.LOW,
        follows=(WITHOUT_POWER,),
        source=sources.COLD_DISHES,
        proof="air_conditioner_dead",
        advice=Text(
            "Check the air conditioner, close the door; make no cold dishes until the room is cool.",
            "检查空调并关好房门；室温降下前停止制作冷食。",
        ),
    ),
)
OF_HOT_HOLDING = (
    Rule(
        key="hot_holding_cool",
        title=Text("Hot-holding cabinet too cool", "热藏温度不足"),
        on=("hot_cabinet.air_temp",),
        # Once it had time to get hot; a sound one is within eight minutes.
        when=all_of(
            Term("in_use", Above(0.5)),
            Term("minutes_in_use", Above(10.0)),
            Term("air_temp", Below(60.0, deadband=1.0)),
        ),
        on_delay=minutes(5),
        off_delay=NEXT_DAY,
        priority=Priority.MEDIUM,
        follows=(WITHOUT_POWER,),
        source=sources.HOT_FOOD,
        proof="heater_weak",
        advice=Text(
            "Measure the food's core temperature; serve it within two hours or reheat it above 70 °C.",
            "测量食品中心温度；两小时内食用，或再加热至 70 ℃ 以上。",
        ),
    ),
)
FOOD_RULES = (*OF_COOLING, *OF_HOT_HOLDING)
