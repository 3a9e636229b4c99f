"""Rules for the cold cabinets themselves: do they work harder than they should, and where will that lead?"""

from __future__ import annotations

from scenewatch.model.rule import Above, Below, CausedBy, Outside, Priority, Reach, Rule
from scenewatch.model.words import Text, hours, minutes
from scenewatch.scenes.kitchen import sources
from scenewatch.scenes.kitchen.rules_building import WITHOUT_POWER
from scenewatch.scenes.kitchen.rules_food import DOOR_LEFT_OPEN, ENDLESS_DEFROST

A_DAY = hours(30)
"""For so long what is told of a day, or made good in it, remembers a cause that is over."""
ICE = CausedBy(rule="defrost_missing", at=Reach.DEVICE, after=A_DAY)
LONG_RUNS = (
    ICE,
    CausedBy(rule="defrost_endless", at=Reach.DEVICE, after=A_DAY),
    CausedBy(rule="power_cut", at=Reach.SITE, after=A_DAY),
)
"""What makes a sound machine run for long, which takes less power than many starts."""
FRIDGE_STOOD, FREEZER_STOOD = (
    CausedBy(rule=f"{cabinet}_not_cooling", at=Reach.DEVICE, after=A_DAY) for cabinet in ("fridge", "freezer")
)
THERMOSTAT_STUCK = CausedBy(rule="fridge_cold", at=Reach.DEVICE, after=A_DAY)
KNOWN = (
    CausedBy(rule="fridge_cold", at=Reach.DEVICE, after=hours(12)),
    CausedBy(rule="fridge_warm", at=Reach.DEVICE, after=hours(12)),
    CausedBy(rule="freezer_warm", at=Reach.DEVICE, after=hours(12)),
    CausedBy(rule="defrost_endless", at=Reach.DEVICE, after=hours(12)),
    CausedBy(rule="power_cut", at=Reach.SITE, after=hours(12)),
)
"""What has been told already is not told again as unusual."""

MACHINE_RULES = (
    Rule(
        key="compressor_overworked",
        title=Text("Compressor runs too much", "压缩机运行率过高"),
        on=("fridge.duty_day", "freezer.duty_day"),
        when=Above(40.0, deadband=4.0),
        suppressed_by=(*LONG_RUNS, FRIDGE_STOOD, FREEZER_STOOD, THERMOSTAT_STUCK),
        priority=Priority.LOW,
        source=sources.proposal(
            "sound cabinets run for 9 to 35 % of a day, most of all in a hot and busy summer week",
            "正常柜体全天运行率为 9%～35%，炎热繁忙的夏季最高",
        ),
        proof="compressor_wearing",
        advice=Text(
            "Clean the condenser, look for ice on the evaporator, check the door's seal; then have it serviced.",
            "清洁冷凝器，检查蒸发器结冰和门封；随后安排检修。",
        ),
    ),
    Rule(
        key="fridge_refrigerant_low",
        title=Text("Fridge compressor takes too little power", "冷藏柜压缩机功率过低"),
        on=("fridge.running_power",),
        when=Below(225.0, deadband=10.0),
        suppressed_by=(*LONG_RUNS, FRIDGE_STOOD, THERMOSTAT_STUCK),
        priority=Priority.LOW,
        source=sources.proposal(
            "a compressor that pumps too little refrigerant takes less; sound ones take 235 W and more",
            "制冷剂不足时压缩机功率下降；正常为 235 W 以上",
        ),
        proof="refrigerant_loss",
        advice=Text(
            "Look for oil at the pipes' joints; have the refrigerant checked before the fridge gets warm.",
            "检查管路接头有无油渍；在冷藏柜升温前检修制冷剂。",
        ),
    ),
    Rule(
        key="freezer_refrigerant_low",
        title=Text("Freezer compressor takes too little power", "冷冻柜压缩机功率过低"),
        on=("freezer.running_power",),
        when=Below(385.0, deadband=15.0),
        suppressed_by=(*LONG_RUNS, FREEZER_STOOD),
        priority=Priority.LOW,
        source=sources.proposal(
            "a compressor that pumps too little refrigerant takes less; sound ones take 410 W and more",
            "制冷剂不足时压缩机功率下降；正常为 410 W 以上",
        ),
        proof="refrigerant_loss",
        advice=Text(
            "Look for oil at the pipes' joints; have the refrigerant checked before the food thaws.",
            "检查管路接头有无油渍；在食品解冻前检修制冷剂。",
        ),
    ),
    Rule(
        key="freezer_warming",
        title=Text("Freezer will be too warm", "冷冻柜即将超温"),
        on=("freezer.time_to_warm",),
        when=Below(120.0, deadband=60.0),
        on_delay=minutes(45),
        off_delay=minutes(20),
        priority=Priority.LOW,
        follows=(
            WITHOUT_POWER,
            DOOR_LEFT_OPEN,
            ENDLESS_DEFROST,
            CausedBy(rule="freezer_not_cooling", at=Reach.DEVICE),
        ),
        source=sources.proposal(
            "two hours are enough to move the food; doors and defrosts look so for half an hour at most",
            "两小时足以转移食品；开门和除霜造成的升温不超过半小时",
        ),
        proof="compressor_dead",
        advice=Text(
            "Check door and compressor now; make room in another freezer.",
            "立即检查柜门和压缩机；在其他冷冻柜腾出空间。",
        ),
    ),
    Rule(
        key="temp_unusual",
        title=Text("Temperature departs from the usual", "温度偏离常态"),
        on=("fridge.temp_departure", "freezer.temp_departure"),
        when=Outside(-4.0, 4.0, deadband=2.0),
        suppressed_by=KNOWN,
        priority=Priority.LOW,
        follows=(ICE, CausedBy(rule="compressor_overworked", at=Reach.DEVICE)),
        source=sources.proposal(
            "hourly means of this very cabinet against its own days; sound ones stay within 2.5 spreads",
            "以该柜自身逐时均值为准；正常偏离在 2.5 倍离散度以内",
        ),
        proof="sensor_drifting",
        advice=Text(
            "Compare with a hand thermometer: is it the sensor or the cabinet? Look at setting, load and door.",
            "用手持温度计比对，判断是传感器还是柜体；检查设定、装载和柜门。",
        ),
    ),
)
