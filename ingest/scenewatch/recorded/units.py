"""What the files' channels are called and in which unit they are, and what the scene wants of them."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Mapping as Map

    from scenewatch.model.scene import Scene
    from scenewatch.recorded.mapping import ChannelEntry, Mapping

FACTORS: Final[Map[str, tuple[str, float]]] = {
    "W": ("W", 1.0),
    "kW": ("W", 1000.0),
    "V": ("V", 1.0),
    "mV": ("V", 0.001),
    "A": ("A", 1.0),
    "mA": ("A", 0.001),
    "s": ("s", 1.0),
    "min": ("s", 60.0),
    "h": ("s", 3600.0),
    "mm": ("m", 0.001),
    "cm": ("m", 0.01),
    "m": ("m", 1.0),
    "in": ("m", 0.0254),
    "ft": ("m", 0.3048),
    "m³/h": ("m³/s", 1 / 3600),
    "m³/s": ("m³/s", 1.0),
    "L/s": ("m³/s", 0.001),
    "L/min": ("m³/s", 0.001 / 60),
    "mgd": ("m³/s", 0.0438126364),
    "m/s": ("m/s", 1.0),
    "km/h": ("m/s", 1 / 3.6),
    "ft/s": ("m/s", 0.3048),
}
"""Units in others of the same kind."""
FAHRENHEIT, CELSIUS = "°F", "°C"
SPELT: Final[Map[str, str]] = {
    "C": CELSIUS,
    "degC": CELSIUS,
    "℃": CELSIUS,
    "F": FAHRENHEIT,
    "degF": FAHRENHEIT,
    "℉": FAHRENHEIT,
    "l/s": "L/s",
    "m3/h": "m³/h",
    "m3/s": "m³/s",
    "MGD": "mgd",
    "fps": "ft/s",
    "inch": "in",
}
"""Other spellings."""
SAME: Final = (1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Known:
    """A channel that is wanted: its key, the unit it is wanted in, and the one it is in by the map."""

    key: str
    unit: str
    given: str


def conversion(given: str, wanted: str) -> tuple[float, float] | None:
    """Factor and what to add behind it; None where one is not the other."""
    given, wanted = SPELT.get(given, given), SPELT.get(wanted, wanted)
    if given == wanted:
        return SAME
    if (given, wanted) == (FAHRENHEIT, CELSIUS):
        return 5 / 9, -160 / 9
    if (given, wanted) == (CELSIUS, FAHRENHEIT):
        return 9 / 5, 32.0
    one, other = FACTORS.get(given), FACTORS.get(wanted)
    if one is None or other is None or one[0] != other[0]:
        return None
    return one[1] / other[1], 0.0


def known_channels(scene: Scene | None, mapping: Mapping, map_name: str) -> dict[str, Known]:
    """By what the files call them; without a scene those of the map. Raises ConfigurationError."""
    if scene is None:
        entries = mapping.measured
        if not entries:
            raise ConfigurationError([Mistake(map_name, "needs at least one [[channel]] for data of no scene")])
        return {e.name: Known(e.key, e.unit or "", e.unit or "") for e in entries}
    units = {c.key: c.unit for t in scene.device_types for c in t.measured}
    known = {key: Known(key, unit, unit) for key, unit in units.items()}
    mistakes = []
    for entry in mapping.channel:
        place = f"{map_name}: channel.{entry.key}"
        mistakes += [Mistake(place, what) for what in _faults(entry, scene, units)]
        if entry.key in units:
            unit = units[entry.key]
            known.pop(entry.key, None)
            known[entry.name] = Known(entry.key, unit, unit if entry.unit is None else entry.unit)
    if mistakes:
        raise ConfigurationError(mistakes)
    return known


def _faults(entry: ChannelEntry, scene: Scene, units: Map[str, str]) -> Iterator[str]:
    if entry.key not in units:
        near = get_close_matches(entry.key, units, 1)
        yield f"{scene.key} has no such channel{f'; is {near[0]} meant?' if near else ''}"
    elif entry.unit is not None and conversion(entry.unit, units[entry.key]) is None:
        yield f"unit {entry.unit!r} cannot be made {units[entry.key]!r}, which {scene.key} has it in"
    for name in ("title", "quantity", "possible", "expected", "fastest_per_minute", "stuck_after", "derived"):
        if getattr(entry, name) is not None:
            yield f"{name} is known of {scene.key}'s channels: leave it out, or use the scene generic"
