"""What each kind of device in a kitchen measures, and within which limits its readings make sense."""

from __future__ import annotations

from scenewatch.model.quantity import Quantity
from scenewatch.model.rule import Above, Term
from scenewatch.model.scene import Channel, Command, DeviceType, EventKind, Span
from scenewatch.model.words import Text, minutes, seconds
from scenewatch.scenes.kitchen.insight import MINUTES_BURNING, MINUTES_IN_USE, derived_of_cabinet

EVERY = seconds(30)
TO_ANSWER = seconds(60)
"""A device answers a command when it next looks at itself, so within a reporting interval; this leaves it two."""


def _state(key: str, title: Text, *words: Text) -> Channel:
    """`words` name the numbers from 0 on."""
    return Channel(
        key=key,
        title=title,
        quantity=Quantity.STATE,
        unit="",
        possible=Span(0, len(words) - 1),
        states=tuple((float(number), word) for number, word in enumerate(words)),
    )


def _power(key: str, title: Text, expected_w: float) -> Channel:
    return Channel(
        key=key,
        title=title,
        quantity=Quantity.POWER,
        unit="W",
        possible=Span(0, 4 * expected_w),
        expected=Span(0, expected_w),
    )


def _temperature(
    key: str, title: Text, possible: Span, expected: Span, *, fastest_per_minute: float = 6.0
) -> Channel:
    """Its readings have a noise, so a value that stands still is a sensor that does."""
    return Channel(
        key=key,
        title=title,
        quantity=Quantity.TEMPERATURE,
        unit="°C",
        possible=possible,
        expected=expected,
        fastest_per_minute=fastest_per_minute,
        stuck_after=minutes(30),
    )


COMPRESSOR_POWER = Channel(
    key="compressor_power",
    title=Text("Compressor power", "压缩机功率"),
    quantity=Quantity.POWER,
    unit="W",
    possible=Span(0, 3000),
    expected=Span(0, 900),
)
DOOR = _state("door", Text("Door", "柜门"), Text("closed", "关闭"), Text("open", "打开"))
ROOM_DOOR = _state("door", Text("Room door", "房门"), Text("closed", "关闭"), Text("open", "打开"))
DEFROST = _state("defrost", Text("Defrost", "除霜"), Text("off", "停止"), Text("defrosting", "除霜中"))
BATTERY = Channel(
    key="battery",
    title=Text("Sensor battery", "传感器电池"),
    quantity=Quantity.VOLTAGE,
    unit="V",
    possible=Span(0, 4.5),
    expected=Span(2.7, 3.9),
)


CABINET_TEMPERATURE = Span(-45, 60)


def _cabinet(expected: Span, limit_c: float, warm_c: float) -> tuple[Channel, ...]:
    """A small space: an opened door is felt at once."""
    title = Text("Air temperature", "柜内温度")
    air = _temperature("air_temp", title, CABINET_TEMPERATURE, expected, fastest_per_minute=8.0)
    derived = derived_of_cabinet(limit_c, warm_c, CABINET_TEMPERATURE)
    return (air, DOOR, COMPRESSOR_POWER, DEFROST, BATTERY, *derived)


FRIDGE = DeviceType(
    key="fridge",
    title=Text("Fridge", "冷藏柜"),
    every=EVERY,
    channels=_cabinet(Span(-5, 25), limit_c=8.0, warm_c=6.5),
)
FREEZER = DeviceType(
    key="freezer",
    title=Text("Freezer", "冷冻柜"),
    every=EVERY,
    channels=_cabinet(Span(-32, 10), limit_c=-12.0, warm_c=-16.0),
)
GATEWAY = DeviceType(
    key="gateway",
    title=Text("Gateway", "网关"),
    every=EVERY,
    events=(EventKind(key="started", title=Text("Gateway started", "网关启动")),),
)
COLD_DISH_ROOM = DeviceType(
    key="cold_dish_room",
    title=Text("Cold-dish room", "专间（凉菜间）"),
    every=EVERY,
    channels=(
        _temperature("air_temp", Text("Air temperature", "室内温度"), Span(-10, 60), Span(5, 33)),
        Channel(
            key="humidity",
            title=Text("Relative humidity", "相对湿度"),
            quantity=Quantity.HUMIDITY,
            unit="%",
            possible=Span(0, 100),
            expected=Span(20, 97),
            fastest_per_minute=15.0,
            stuck_after=minutes(30),
        ),
        ROOM_DOOR,
        _power("ac_power", Text("Air conditioner power", "空调功率"), 2500),
    ),
)
HOT_CABINET = DeviceType(
    key="hot_cabinet",
    title=Text("Hot-holding cabinet", "热菜保温柜"),
    every=EVERY,
    channels=(
        _temperature(
            "air_temp", Text("Air temperature", "柜内温度"), Span(-10, 120), Span(5, 95), fastest_per_minute=20.0
        ),
        _temperature(
            "food_temp", Text("Food temperature", "食品温度"), Span(-10, 120), Span(5, 95), fastest_per_minute=40.0
        ),
        DOOR,
        _state("in_use", Text("Switch", "开关"), Text("off", "关"), Text("in use", "使用中")),
        _power("heater_power", Text("Heater power", "加热功率"), 2500),
        MINUTES_IN_USE,
    ),
)
UV_LAMP = DeviceType(
    key="uv_lamp",
    title=Text("Ultraviolet lamp", "紫外线灯"),
    every=EVERY,
    channels=(
        Channel(
            key="irradiance",
            title=Text("Irradiance at 1 m", "1 米处辐照强度"),
            quantity=Quantity.IRRADIANCE,
            unit="µW/cm²",
            possible=Span(0, 1000),
            expected=Span(0, 200),
        ),
        _state("lamp", Text("Lamp", "灯"), Text("off", "关"), Text("on", "亮")),
        ROOM_DOOR,
        _state("presence", Text("Presence", "人员"), Text("nobody", "无人"), Text("somebody", "有人")),
        Channel(
            key="lamp_hours",
            title=Text("Hours of the tube", "灯管使用时间"),
            quantity=Quantity.TIME,
            unit="h",
            possible=Span(0, 20_000),
            expected=Span(0, 1500),
        ),
        MINUTES_BURNING,
    ),
    events=(EventKind(key="burn_done", title=Text("Ultraviolet disinfection done", "紫外线消毒完成")),),
    commands=(
        Command(
            key="lamp_off",
            title=Text("Lamp off", "关闭紫外线灯"),
            channel="lamp",
            to=0,
            input="lamp",
            expires_after=TO_ANSWER,
        ),
        Command(
            key="lamp_auto",
            title=Text("Lamp back to its timetable", "紫外线灯恢复定时"),
            channel="lamp",
            to=1,
            input="lamp",
            holds=False,
            refused_when=Term("presence", Above(0.5)),
            expires_after=TO_ANSWER,
        ),
    ),
)
STERILISER = DeviceType(
    key="steriliser",
    title=Text("Dish steriliser", "餐具热力消毒柜"),
    every=EVERY,
    channels=(
        _temperature(
            "chamber_temp",
            Text("Chamber temperature", "柜腔温度"),
            Span(-10, 250),
            Span(5, 150),
            fastest_per_minute=25.0,
        ),
        _state(
            "cycle",
            Text("Cycle", "消毒程序"),
            Text("idle", "待机"),
            Text("heating", "升温"),
            Text("holding", "保温消毒"),
            Text("cooling", "冷却"),
        ),
        _power("power", Text("Power", "功率"), 8000),
    ),
    events=(
        EventKind(key="cycle_done", title=Text("Sterilising cycle done", "消毒程序完成")),
        EventKind(key="cycle_broken", title=Text("Sterilising cycle broken off", "消毒程序中断")),
    ),
)
GAS_DETECTOR = DeviceType(
    key="gas_detector",
    title=Text("Gas detector", "可燃气体探测器"),
    every=EVERY,
    channels=(
        Channel(
            key="gas",
            title=Text("Combustible gas", "可燃气体浓度"),
            quantity=Quantity.GAS,
            unit="% LEL",
            possible=Span(0, 100),
            expected=Span(0, 60),
        ),
        _state("valve", Text("Gas valve", "燃气阀"), Text("shut", "关闭"), Text("open", "打开")),
        _state("fan", Text("Exhaust fan", "排风机"), Text("off", "停止"), Text("running", "运行")),
        _state("supply", Text("Supply", "供电"), Text("battery", "电池"), Text("mains", "市电")),
    ),
    events=(EventKind(key="alarm", title=Text("Detector sounds its alarm", "探测器报警")),),
    commands=(
        Command(
            key="shut_valve",
            title=Text("Shut the gas valve", "关闭燃气阀"),
            channel="valve",
            to=0,
            input="valve",
            expires_after=TO_ANSWER,
        ),
        Command(
            key="open_valve",
            title=Text("Open the gas valve", "打开燃气阀"),
            channel="valve",
            to=1,
            input="valve",
            refused_when=Term("gas", Above(4.9)),  # told in tenths: 5 % LEL and more
            expires_after=TO_ANSWER,
        ),
        Command(
            key="start_fan",
            title=Text("Start the exhaust fan", "启动排风机"),
            channel="fan",
            to=1,
            input="fan",
            expires_after=TO_ANSWER,
        ),
        Command(
            key="stop_fan",
            title=Text("Exhaust fan back to automatic", "排风机恢复自动"),
            channel="fan",
            to=0,
            input="fan",
            holds=False,
            expires_after=TO_ANSWER,
        ),
    ),
)
WATER_LEAK = DeviceType(
    key="water_leak",
    title=Text("Water leak detector", "漏水探测器"),
    every=EVERY,
    channels=(
        _state("wet", Text("Floor", "地面"), Text("dry", "干燥"), Text("wet", "有水")),
        BATTERY,
    ),
)
CAMERA = DeviceType(
    key="camera",
    title=Text("Camera", "摄像头"),
    every=EVERY,
    events=(
        EventKind(key="no_mask", title=Text("Somebody without a mask", "未戴口罩")),
        EventKind(key="no_hat", title=Text("Somebody without a hat", "未戴工作帽")),
        EventKind(key="smoking", title=Text("Somebody smoking", "吸烟")),
        EventKind(key="rodent", title=Text("Rodent", "鼠患")),
        EventKind(key="open_bin", title=Text("Waste bin left open", "垃圾桶未盖")),
    ),
)
"""It judges the picture itself and tells what it sees."""
STAFF_GATE = DeviceType(
    key="staff_gate",
    title=Text("Staff check terminal", "晨检仪"),
    every=EVERY,
    events=(
        EventKind(key="morning_check", title=Text("Morning check passed", "晨检合格")),
        EventKind(key="unfit", title=Text("Unfit for work at the morning check", "晨检不合格")),
    ),
)

DEVICE_TYPES = (
    FRIDGE,
    FREEZER,
    GATEWAY,
    COLD_DISH_ROOM,
    HOT_CABINET,
    UV_LAMP,
    STERILISER,
    GAS_DETECTOR,
    WATER_LEAK,
    CAMERA,
    STAFF_GATE,
)
