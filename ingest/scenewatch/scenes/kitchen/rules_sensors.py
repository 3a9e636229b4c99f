"""Rules for the sensors: can their readings be trusted, and do they come?"""

from __future__ import annotations

from scenewatch.model.flags import Test
from scenewatch.model.rule import Below, CausedBy, Flagged, NoData, Priority, Reach, Rule
from scenewatch.model.words import Text, hours, minutes
from scenewatch.scenes.kitchen import sources

WITH_AIR = ("fridge.air_temp", "freezer.air_temp", "cold_dish_room.air_temp", "hot_cabinet.air_temp")
OF_EACH = (*WITH_AIR, "uv_lamp.lamp", "steriliser.cycle", "gas_detector.gas", "water_leak.wet")
"""A channel of every type that speaks: what concerns the device shows on any of them."""

SENSOR_RULES = (
    Rule(
        key="gateway_silent",
        title=Text("Gateway silent", "网关无数据"),
        on=("gateway",),
        when=NoData(minutes(7)),
        priority=Priority.MEDIUM,
        source=sources.proposal(
            "fourteen reporting intervals missed by all of its sensors: sooner than any of them is missed alone",
            "所属传感器连续 14 个上报周期均无数据；早于单个传感器判定",
        ),
        proof="gateway_away",
        advice=Text(
            "Check the gateway's power and network; read the devices' own displays until it is back.",
            "检查网关电源和网络；恢复前查看设备自带显示。",
        ),
    ),
    Rule(
        key="sensor_silent",
        title=Text("Sensor silent", "传感器无数据"),
        on=OF_EACH,
        when=NoData(minutes(10)),
        suppressed_by=(CausedBy(rule="gateway_silent", at=Reach.PARENT),),
        priority=Priority.LOW,
        source=sources.proposal("twenty reporting intervals missed", "连续缺失 20 个上报周期"),
        proof="sensor_silent",
        advice=Text(
            "Read the device's own display; check the sensor's battery and its distance to the gateway.",
            "查看设备自带显示；检查传感器电池及其与网关的距离。",
        ),
    ),
    Rule(
        key="sensor_stuck",
        title=Text("Sensor stuck", "传感器卡死"),
        on=WITH_AIR,
        when=Flagged(Test.STUCK),
        off_delay=minutes(5),
        priority=Priority.LOW,
        source=sources.proposal("a live sensor's noise moves its last digit", "正常传感器的末位数字会因噪声变化"),
        proof="sensor_stuck",
        advice=Text(
            "Compare with a hand thermometer; restart or change the sensor. Do not trust its reading.",
            "用手持温度计比对；重启或更换传感器。勿采信其读数。",
        ),
    ),
    Rule(
        key="sensor_jumps",
        title=Text("Sensor readings jump", "传感器读数跳变"),
        on=WITH_AIR,
        when=Flagged(Test.FASTEST),
        # One alarm for a sensor that does so again and again.
        off_delay=hours(2),
        priority=Priority.LOW,
        source=sources.proposal(
            "air cannot warm or cool so fast, whatever door is opened", "无论如何开门，空气温度不可能变化如此之快"
        ),
        proof="sensor_spiking",
        advice=Text(
            "Check plug and cable of the sensor; keep it away from motors and power lines.",
            "检查传感器插头和线缆；远离电机和电源线。",
        ),
    ),
    Rule(
        key="clock_wrong",
        title=Text("Device clock wrong", "设备时钟错误"),
        on=OF_EACH,
        when=Flagged(Test.CLOCK),
        on_delay=minutes(5),
        off_delay=minutes(5),
        priority=Priority.LOW,
        source=sources.proposal(
            "over a minute ahead; its readings carry the time of receipt", "快一分钟以上；其读数按接收时间记录"
        ),
        proof="clock_wrong",
        advice=Text(
            "Set the clock or let the device ask the gateway for the time.", "校准时钟，或让设备向网关校时。"
        ),
    ),
    Rule(
        key="battery_low",
        title=Text("Sensor battery low", "传感器电池电量低"),
        on=("fridge.battery", "freezer.battery", "water_leak.battery"),
        when=Below(3.0, deadband=0.1),
        on_delay=hours(1),
        off_delay=minutes(5),
        priority=Priority.LOW,
        source=sources.proposal("a lithium cell below 3 V lasts for weeks", "锂电池低于 3 V 时仅可维持数周"),
        proof="battery_low",
        advice=Text("Change the battery within the week.", "一周内更换电池。"),
    ),
)
