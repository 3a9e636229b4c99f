"""What a cold cabinet's readings say together: how hard it works, what is usual of it, where it is heading."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.model.insight import Departure, Lasting, LastRun, MeanWhile, Share, TimeTo, Usual
from scenewatch.model.quantity import Quantity
from scenewatch.model.rule import Above, Term
from scenewatch.model.scene import Channel, Span
from scenewatch.model.words import Text, hours, minutes

if TYPE_CHECKING:
    from scenewatch.model.insight import Derived

RUNS = Term("compressor_power", Above(30.0))
A_DAY = hours(24)
HORIZON = hours(4)


def derived_of_cabinet(limit_c: float, warm_c: float, temperature: Span) -> tuple[Channel, ...]:
    """All are told slowly, so they are few readings beside those they are made of.

    `limit_c` is the food's; a thermostat keeps the air below `warm_c` but for defrosts and doors.
    """
    return (
        Channel(
            key="duty_day",
            title=Text("Compressor duty, 24 h", "压缩机 24 小时运行率"),
            quantity=Quantity.RATIO,
            unit="%",
            possible=Span(0, 100),
            derived=Share(term=RUNS, over=A_DAY),
        ),
        Channel(
            key="running_power",
            title=Text("Compressor power while it runs, 24 h", "压缩机 24 小时运行功率"),
            quantity=Quantity.POWER,
            unit="W",
            possible=Span(0, 3000),
            derived=MeanWhile(of="compressor_power", term=RUNS, over=A_DAY),
        ),
        _minutes(
            "pull_down",
            Text("Pull-down after the last warm spell", "上次升温后的降温时长"),
            LastRun(term=Term("air_temp", Above(warm_c))),
        ),
        _minutes(
            "minutes_warm",
            Text("Minutes too warm", "超温时长"),
            Lasting(term=Term("air_temp", Above(limit_c)), every=hours(1)),
        ),
        _minutes(
            "time_to_warm",
            Text("Time until too warm", "预计超温时间"),
            TimeTo(of="air_temp", limit=limit_c, over=hours(1), every=minutes(10), horizon=HORIZON),
        ),
        Channel(
            key="temp_departure",
            title=Text("Departure from usual", "温度偏离常态"),
            quantity=Quantity.DEPARTURE,
            unit="σ",
            possible=Span(-6, 6),
            derived=Departure(of="air_temp"),
        ),
        Channel(
            key="temp_usual",
            title=Text("Usual air temperature", "柜内常态温度"),
            quantity=Quantity.TEMPERATURE,
            unit="°C",
            possible=temperature,
            derived=Usual(of="air_temp", departure="temp_departure"),
        ),
    )


def _minutes(key: str, title: Text, derived: Derived) -> Channel:
    return Channel(
        key=key, title=title, quantity=Quantity.TIME, unit="min", possible=Span(0, 60_000_000), derived=derived
    )


MINUTES_IN_USE = _minutes(
    "minutes_in_use",
    Text("Minutes in use", "已使用时长"),
    Lasting(term=Term("in_use", Above(0.5)), every=minutes(5)),
)
MINUTES_BURNING = _minutes(
    "minutes_burning",
    Text("Minutes since the lamp was lit", "本次亮灯时长"),
    Lasting(term=Term("lamp", Above(0.5)), every=minutes(2)),
)
