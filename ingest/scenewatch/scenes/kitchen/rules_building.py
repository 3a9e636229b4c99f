"""Rules for the building: gas, power and water."""

from __future__ import annotations

from scenewatch.model.rule import Above, Below, CausedBy, During, Priority, PriorityStep, Reach, Rule
from scenewatch.model.words import Text, hours, minutes
from scenewatch.scenes.kitchen import sources
from scenewatch.scenes.kitchen.day import Occasion

WITHOUT_POWER = CausedBy(rule="power_cut", at=Reach.SITE, after=hours(4))
"""What gets warm, or cool, while there is none, and until that is made good."""

BUILDING_RULES = (
    Rule(
        key="gas_high",
        title=Text("Gas leak", "燃气泄漏"),
        on=("gas_detector.gas",),
        when=Above(25.0, deadband=5.0),
        off_delay=minutes(1),
        priority=Priority.HIGH,
        # Where the gas came from must be found before anybody takes it for over.
        latching=True,
        again_after=minutes(15),
        source=sources.GAS_FIRST_STAGE,
        proof="gas_leak",
        advice=Text(
            "Shut the valve, touch no switch, open the windows, get everybody out; call from outside.",
            "关闭燃气阀，勿动电器开关，开窗通风，疏散人员；到室外报警。",
        ),
    ),
    Rule(
        key="gas_notice",
        title=Text("Gas in the air", "燃气浓度升高"),
        on=("gas_detector.gas",),
        when=Above(10.0, deadband=2.0),
        on_delay=minutes(1),
        off_delay=minutes(2),
        priority=Priority.MEDIUM,
        source=sources.GAS_INSTRUMENTS,
        proof="gas_leak",
        advice=Text(
            "Look for a hob that is open and not lit; start the fan, check joints with soap water.",
            "检查是否有未点燃的灶具；开启排风机，用肥皂水检查接头。",
        ),
    ),
    Rule(
        key="power_cut",
        title=Text("Power cut", "停电"),
        on=("gas_detector.supply",),
        when=Below(0.5),
        on_delay=minutes(1),
        off_delay=minutes(1),
        priority=Priority.MEDIUM,
        # It stands for all that gets warm meanwhile, so it is as urgent as that when it lasts.
        priority_steps=(PriorityStep(to=Priority.HIGH, lasting=hours(2)),),
        again_after=hours(2),
        source=sources.proposal("shorter cuts stop nothing that matters", "更短的停电不影响设备运行"),
        proof="power_cut",
        advice=Text(
            "Keep all cold doors shut; check the main fuse, ask the supplier how long it will last. After two "
            "hours measure the food's core temperature, and again when the power is back.",
            "保持所有冷柜关闭；检查总闸，向供电部门询问恢复时间。超过两小时测量食品中心温度，恢复供电后再测一次。",
        ),
    ),
    Rule(
        key="water_on_floor",
        title=Text("Water on the floor", "漏水"),
        on=("water_leak.wet",),
        when=Above(0.5),
        # The mop wets the detector too.
        suppressed_by=(During(occasion=Occasion.CLEANING, after=minutes(8)),),
        on_delay=minutes(3),
        off_delay=minutes(1),
        priority=Priority.MEDIUM,
        source=sources.proposal(
            "longer than a splash; not while the floor is mopped", "长于溅水时间；拖地时段除外"
        ),
        proof="flooding",
        advice=Text(
            "Shut the water off, keep away from wet sockets, look under the sinks.",
            "关闭水阀，远离潮湿插座，检查水池下方。",
        ),
    ),
)
