"""Rules for hygiene: does disinfection disinfect, and do people work as they should?"""

from __future__ import annotations

from scenewatch.model.rule import Above, Below, Happened, Priority, Rule, Term, Then, all_of
from scenewatch.model.words import Text, minutes
from scenewatch.scenes.kitchen import sources
from scenewatch.scenes.kitchen.day import NEXT_DAY

LAMP_ON = Term("lamp", Above(0.5))
HOLDING_BEGUN, COOLING_BEGUN = Term("cycle", Above(1.5)), Term("cycle", Above(2.5))

OF_DISINFECTION = (
    Rule(
        key="uv_lamp_weak",
        title=Text("Ultraviolet lamp too weak", "紫外线灯辐照强度不足"),
        on=("uv_lamp.irradiance",),
        # Once the lamp had time to burn bright; a sound one does within two minutes.
        when=all_of(LAMP_ON, Term("minutes_burning", Above(5.0)), Term("irradiance", Below(70.0, deadband=2.0))),
        on_delay=minutes(3),
        off_delay=NEXT_DAY,
        priority=Priority.LOW,
        source=sources.ULTRAVIOLET,
        proof="lamp_aged",
        advice=Text(
            "Wipe the tube with alcohol; if it stays weak, change it and disinfect the room again.",
            "用酒精擦拭灯管；仍不足时更换灯管并重新消毒。",
        ),
    ),
    Rule(
        key="person_under_lamp",
        title=Text("Somebody under a burning ultraviolet lamp", "紫外线灯亮时有人"),
        on=("uv_lamp.presence",),
        when=all_of(LAMP_ON, Term("presence", Above(0.5))),
        off_delay=minutes(1),
        priority=Priority.HIGH,
        again_after=minutes(5),
        source=sources.NOBODY_UNDER_ULTRAVIOLET,
        proof="person_under_lamp",
        advice=Text(
            "Switch the lamp off at once and get everybody out; look after eyes and skin.",
            "立即关灯并让人员离开；检查眼睛和皮肤。",
        ),
    ),
    Rule(
        key="steriliser_cycle_short",
        title=Text("Sterilising cycle too short", "消毒时间不足"),
        on=("steriliser.cycle",),
        when=Then(first=HOLDING_BEGUN, second=COOLING_BEGUN, within=minutes(14)),
        off_delay=NEXT_DAY,
        priority=Priority.LOW,
        source=sources.HEAT_TIME,
        proof="cycle_short",
        advice=Text(
            "Run the cycle again before the dishes are used; have the timer checked.",
            "餐具使用前重新消毒；检修定时器。",
        ),
    ),
    Rule(
        key="steriliser_cool",
        title=Text("Sterilising cycle not hot enough", "消毒温度不足"),
        on=("steriliser.chamber_temp",),
        when=all_of(HOLDING_BEGUN, Term("cycle", Below(2.5)), Term("chamber_temp", Below(120.0, deadband=1.0))),
        on_delay=minutes(2),
        off_delay=NEXT_DAY,
        priority=Priority.LOW,
        source=sources.HEAT,
        proof="cycle_cool",
        advice=Text(
            "Do not use the dishes; load less, run the cycle again, have the heater checked.",
            "餐具不得使用；减少装载后重新消毒，检修加热管。",
        ),
    ),
)


def _seen(key: str, title: Text, event: str, advice: Text, *, priority: Priority = Priority.LOW) -> Rule:
    """What the camera over the cooking line tells; its fault has the rule's key."""
    return Rule(
        key=key,
        title=title,
        on=("camera",),
        when=Happened(event=event, quiet=minutes(15)),
        priority=priority,
        source=sources.proposal(
            "what the camera judges itself; one alarm as long as it is seen again within 15 min",
            "由摄像头自行识别；15 分钟内再次出现视为同一报警",
        ),
        proof=key,
        advice=advice,
    )


OF_PEOPLE_AND_PESTS = (
    _seen(
        "mask_missing",
        Text("Somebody without a mask", "未戴口罩"),
        "no_mask",
        Text("Have the mask put on; look at the picture.", "提醒佩戴口罩；查看抓拍图片。"),
    ),
    _seen(
        "hat_missing",
        Text("Somebody without a hat", "未戴工作帽"),
        "no_hat",
        Text("Have the hat put on; look at the picture.", "提醒佩戴工作帽；查看抓拍图片。"),
    ),
    _seen(
        "smoker",
        Text("Somebody smoking", "后厨吸烟"),
        "smoking",
        Text(
            "Stop it: gas is near and food is open; note who it was.",
            "立即制止：附近有燃气和裸露食品；记录人员。",
        ),
        priority=Priority.MEDIUM,
    ),
    _seen(
        "rodent_about",
        Text("Rodent seen", "发现鼠患"),
        "rodent",
        Text(
            "Cover the food, look for droppings, call pest control.",
            "遮盖食品，检查鼠迹，联系消杀。",
        ),
    ),
    _seen(
        "bin_open",
        Text("Waste bin left open", "垃圾桶未盖"),
        "open_bin",
        Text("Close the bin; empty it if it is full.", "盖好垃圾桶；已满时及时清运。"),
    ),
    Rule(
        key="staff_unfit",
        title=Text("Unfit for work at the morning check", "晨检不合格"),
        on=("staff_gate",),
        when=Happened(event="unfit", quiet=minutes(15)),
        priority=Priority.LOW,
        source=sources.proposal(
            "whoever has a fever, diarrhoea or a festering wound does not touch food",
            "发热、腹泻、化脓性伤口人员不得接触食品",
        ),
        proof="staff_unfit",
        advice=Text(
            "Send the person away from food and note it in the health record.",
            "调离接触食品的岗位，并记入健康档案。",
        ),
    ),
)
HYGIENE_RULES = (*OF_DISINFECTION, *OF_PEOPLE_AND_PESTS)
