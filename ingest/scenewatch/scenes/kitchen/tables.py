"""The kitchen as one scene: when readings are an alarm, and where its other tables are put together."""

from __future__ import annotations

from scenewatch.model.scene import Above, Mark, NoData, Priority, Rule, Scene, Source
from scenewatch.model.words import Text, minutes
from scenewatch.scenes.kitchen.device_types import DEVICE_TYPES, EVERY
from scenewatch.scenes.kitchen.faults import FAULTS

CATERING_CODE_CHILLED = Source(
    document=Text(
        "Catering operation code, 2018 (recommended range for chilled food: 0 to 8 °C)",
        "《餐饮服务食品安全操作规范》（2018年），冷藏推荐温度 0～8 ℃",
    ),
    mark=Mark.TO_BE_CONFIRMED,
)
CATERING_CODE_FROZEN = Source(
    document=Text(
        "Catering operation code, 2018 (recommended for frozen food: below −12 °C)",
        "《餐饮服务食品安全操作规范》（2018年），冷冻推荐温度低于 −12 ℃",
    ),
    mark=Mark.TO_BE_CONFIRMED,
)
OUR_DOOR_PROPOSAL = Source(
    document=Text(
        "Proposal: longer than any opening of daily work, shorter than the food needs to warm",
        "建议值：长于日常开门时间，短于食品升温时间",
    ),
    mark=Mark.PROPOSAL,
)
OUR_SILENCE_PROPOSAL = Source(
    document=Text("Proposal: twenty reporting intervals missed", "建议值：连续缺失 20 个上报周期"),
    mark=Mark.PROPOSAL,
)

TERM_MS = (1_779_033_600_000, 1_781_712_000_000)
"""18 May to 18 June 2026: school on all days but weekends, and warm enough for the air conditioners."""

RULES = (
    Rule(
        key="fridge_warm",
        title=Text("Fridge too warm", "冷藏柜温度过高"),
        on=("fridge.air_temp",),
        when=Above(8.0, deadband=0.5),
        on_delay=minutes(30),
        off_delay=minutes(5),
        priority=Priority.HIGH,
        source=CATERING_CODE_CHILLED,
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
        on_delay=minutes(30),
        off_delay=minutes(5),
        priority=Priority.HIGH,
        source=CATERING_CODE_FROZEN,
        proof="compressor_dead",
        advice=Text(
            "Keep the door shut, check the compressor; move the food before it thaws.",
            "保持柜门关闭，检查压缩机；在食品解冻前转移。",
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
        source=OUR_DOOR_PROPOSAL,
        proof="door_ajar",
        advice=Text(
            "Close the door; look whether something blocks the seal.", "关好柜门；检查门封是否被异物卡住。"
        ),
    ),
    Rule(
        key="sensor_silent",
        title=Text("Sensor silent", "传感器无数据"),
        on=("fridge.air_temp", "freezer.air_temp"),
        when=NoData(minutes(10)),
        priority=Priority.LOW,
        source=OUR_SILENCE_PROPOSAL,
        proof="sensor_silent",
        advice=Text(
            "Read the cabinet's own thermometer; check the sensor's battery and its distance to the gateway.",
            "查看柜体自带温度计；检查传感器电池及其与网关的距离。",
        ),
    ),
)

KITCHEN = Scene(
    key="kitchen",
    title=Text("School kitchens", "智能阳光厨房"),
    site_title=Text("Kitchen", "厨房"),
    device_types=DEVICE_TYPES,
    rules=RULES,
    faults=FAULTS,
    simulator="scenewatch.scenes.kitchen.physics:Kitchen",
    teller="scenewatch.scenes.kitchen.teller:KitchenTeller",
    demonstration="scenewatch.scenes.kitchen.demonstration:KitchenDemonstration",
    mishap="door_ajar",
    zone="Asia/Shanghai",
    busy_ms=TERM_MS,
)
