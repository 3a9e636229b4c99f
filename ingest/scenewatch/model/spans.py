"""Puts spans of time and amounts into words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scenewatch.model.words import Text, hours, minutes, seconds

if TYPE_CHECKING:
    from scenewatch.model.words import Duration

UNITS_OF_TIME: Final = (
    (hours(1), Text("h", "小时")),
    (minutes(1), Text("min", "分钟")),
    (seconds(1), Text("s", "秒")),
)


def span_text(span: Duration) -> Text:
    """In the largest unit that it is a whole number of, such as `90 min`."""
    size, unit = next((u for u in UNITS_OF_TIME if span % u[0] == 0), UNITS_OF_TIME[-1])
    return Text(f"{span / size:g} {unit.en}", f" {span / size:g} {unit.zh}")


def amount(number: float, unit: str) -> str:
    """With a true minus sign."""
    return f"{number:g} {unit}".rstrip().replace("-", "−")
