"""The kitchen's tables: what is measured, when it is an alarm, and which faults prove it."""

from __future__ import annotations

from scenewatch.model.quantity import Quantity
from scenewatch.model.scene import (
    Above,
    Channel,
    DeviceType,
    Drive,
    Fault,
    Mark,
    NoData,
    Priority,
    Rule,
    Scene,
    Silence,
    Source,
    Span,
)
from scenewatch.model.words import Text, hours, minutes, seconds

EVERY = seconds(30)

COMPRESSOR_POWER = Channel(
    key="compressor_power",
    title=Text("Compressor power", "压缩机功率"),
    quantity=Quantity.POWER,
    unit="W",
    possible=Span(0, 3000),
    expected=Span(0, 900),
)
DOOR = Channel(
    key="door",
    title=Text("Door", "柜门"),
    quantity=Quantity.STATE,
    unit="",
    possible=Span(0, 1),
    states=((0.0, Text("closed", "关闭")), (1.0, Text("open", "打开"))),
)
DEFROST = Channel(
    key="defrost",
    title=Text("Defrost", "除霜"),
    quantity=Quantity.STATE,
    unit="",
    possible=Span(0, 1),
    states=((0.0, Text("off", "停止")), (1.0, Text("defrosting", "除霜中"))),
)
BATTERY = Channel(
    key="battery",
    title=Text("Sensor battery", "传感器电池"),
    quantity=Quantity.VOLTAGE,
    unit="V",
    possible=Span(0, 4.5),
    expected=Span(2.7, 3.9),
)


def _air_temperature(expected: Span) -> Channel:
    return Channel(
        key="air_temp",
        title=Text("Air temperature", "柜内温度"),
        quantity=Quantity.TEMPERATURE,
        unit="°C",
        possible=Span(-45, 60),
        expected=expected,
        fastest_per_minute=6.0,
        stuck_after=minutes(30),
    )


FRIDGE = DeviceType(
    key="fridge",
    title=Text("Fridge", "冷藏柜"),
    every=EVERY,
    channels=(_air_temperature(Span(-5, 25)), DOOR, COMPRESSOR_POWER, DEFROST, BATTERY),
)
FREEZER = DeviceType(
    key="freezer",
    title=Text("Freezer", "冷冻柜"),
    every=EVERY,
    channels=(_air_temperature(Span(-32, 10)), DOOR, COMPRESSOR_POWER, DEFROST, BATTERY),
)
GATEWAY = DeviceType(key="gateway", title=Text("Gateway", "网关"), every=EVERY)

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

FAULTS = (
    Fault(
        key="door_ajar",
        title=Text("Door left ajar", "柜门虚掩"),
        on=("fridge", "freezer"),
        effect=Drive("door", 0.6),
        rules=("door_ajar", "fridge_warm", "freezer_warm"),
        minimum=minutes(10),
        deadline=minutes(10),
        tail=minutes(30),
    ),
    Fault(
        key="compressor_dead",
        title=Text("Compressor does not start", "压缩机不启动"),
        on=("fridge", "freezer"),
        effect=Drive("compressor", 0.0),
        rules=("fridge_warm", "freezer_warm"),
        minimum=hours(6),
        deadline=hours(6),
        tail=hours(2),
    ),
    Fault(
        key="sensor_silent",
        title=Text("Sensor falls silent", "传感器失联"),
        on=("fridge", "freezer"),
        effect=Silence(),
        rules=("sensor_silent",),
        minimum=minutes(15),
        deadline=minutes(15),
        tail=minutes(30),
    ),
)

KITCHEN = Scene(
    key="kitchen",
    title=Text("School kitchens", "智能阳光厨房"),
    site_title=Text("Kitchen", "厨房"),
    device_types=(FRIDGE, FREEZER, GATEWAY),
    rules=RULES,
    faults=FAULTS,
    simulator="scenewatch.scenes.kitchen.physics:Kitchen",
    demonstration="scenewatch.scenes.kitchen.demonstration:KitchenDemonstration",
    mishap="door_ajar",
)
