"""How numbers, spans, states and alarms are put into words. The scripts' `words.js` does the same live."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from scenewatch.console.texts import Language, translate
from scenewatch.model.quantity import Quantity
from scenewatch.model.speech import PARTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenewatch.console.picture import Picture
    from scenewatch.console.shapes import Alarm, Channel, Device
    from scenewatch.model.words import Text

DECIMALS: Mapping[str, int] = {
    Quantity.TEMPERATURE: 1,
    Quantity.POWER: 0,
    Quantity.VOLTAGE: 2,
    Quantity.RATIO: 0,
    Quantity.HUMIDITY: 0,
    Quantity.IRRADIANCE: 0,
    Quantity.GAS: 0,
    Quantity.TIME: 0,
    Quantity.STATE: 0,
}
NOTHING = "–"
CALM_FROM_S = 600
UNITS_OF_TIME = {
    Language.EN: ((86400, " d"), (3600, " h"), (60, " min"), (1, " s")),
    Language.ZH: ((86400, "天"), (3600, "小时"), (60, "分钟"), (1, "秒")),
}


def decimals(channel: Channel) -> int:
    return DECIMALS.get(channel.quantity, 1)


def number(value: float, places: int) -> str:
    """With a true minus sign, never a minus before zero, and halves away from zero as scripts round them."""
    text = str(Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))
    return text.replace("-", "" if float(text) == 0 else "−")


def value_text(channel: Channel, value: float | None, language: Language) -> str:
    """A reading without its unit; a state's word."""
    if value is None:
        return NOTHING
    word = next((s.text for s in channel.states if s.value == value), None)
    return of(word, language) if word else number(value, decimals(channel))


def with_unit(channel: Channel, value: float | None, language: Language) -> str:
    text = value_text(channel, value, language)
    return f"{text} {channel.unit}" if channel.unit and value is not None else text


def span_text(span_s: float, language: Language) -> str:
    """The two largest units, such as `1 h 20 min`; no seconds from ten minutes on, which would only flicker."""
    left = max(0, int(span_s))
    left -= left % 60 if left >= CALM_FROM_S else 0
    parts: list[str] = []
    for size, name in UNITS_OF_TIME[language]:
        if left >= size and len(parts) < 2:
            parts.append(f"{left // size}{name}")
            left %= size
        elif parts:
            break
    return (" " if language is Language.EN else "").join(parts) or f"0{UNITS_OF_TIME[language][-1][1]}"


def of(text: Text, language: Language) -> str:
    return str(getattr(text, language))


def clauses(text: Text, language: Language) -> list[str]:
    """Of a rule's text: when it is raised, then each thing else that it does."""
    return of(text, language).split(of(PARTED, language))


def device_name(device: Device, language: Language) -> str:
    return of(device.name, language) or device.device


def announcement(picture: Picture, alarm: Alarm) -> dict[str, str]:
    """One sentence about a new alarm in every language, for screen readers."""
    rule, device = picture.rule(alarm.rule), picture.devices.get(alarm.device)
    return {
        language: translate(
            "alarm.new",
            language,
            priority=translate(f"state.{alarm.priority}", language),
            title=of(rule.title, language) if rule else alarm.rule,
            device=device_name(device, language) if device else alarm.device,
        )
        for language in Language
    }
