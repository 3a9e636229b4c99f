"""Physical quantities and the units each may be given in. A unit outside its quantity is refused by `check`."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Quantity(StrEnum):
    """What is measured, apart from the unit it is written in."""

    TEMPERATURE = "temperature"
    POWER = "power"
    VOLTAGE = "voltage"
    RATIO = "ratio"
    HUMIDITY = "humidity"
    """Relative."""
    IRRADIANCE = "irradiance"
    CURRENT = "current"
    ENERGY = "energy"
    PRESSURE = "pressure"
    FLOW = "flow"
    """Volume in a time."""
    SPEED = "speed"
    LENGTH = "length"
    """A level or depth too."""
    RAIN = "rain"
    """That fell since the reading before."""
    CONCENTRATION = "concentration"
    CONDUCTIVITY = "conductivity"
    OTHER = "other"
    """A number whose unit nobody knows."""
    GAS = "gas"
    """Combustible, as a share of the concentration that can explode."""
    TIME = "time"
    """A span of it, such as hours of use."""
    RATE = "rate"
    """How fast something else changes."""
    DEPARTURE = "departure"
    """From what is usual, in usual spreads."""
    STATE = "state"


_MEASURED: Mapping[Quantity, frozenset[str]] = MappingProxyType(
    {
        Quantity.TEMPERATURE: frozenset({"°C", "°F"}),
        Quantity.POWER: frozenset({"W", "kW"}),
        Quantity.VOLTAGE: frozenset({"V", "mV"}),
        Quantity.RATIO: frozenset({"%"}),
        Quantity.HUMIDITY: frozenset({"%"}),
        Quantity.IRRADIANCE: frozenset({"µW/cm²", "W/m²"}),
        Quantity.CURRENT: frozenset({"A", "mA"}),
        Quantity.ENERGY: frozenset({"kWh", "Wh", "J"}),
        Quantity.PRESSURE: frozenset({"Pa", "hPa", "kPa", "bar", "psi"}),
        Quantity.FLOW: frozenset({"m³/h", "m³/s", "L/s", "L/min", "mgd"}),
        Quantity.SPEED: frozenset({"m/s", "km/h", "ft/s", "rpm"}),
        Quantity.LENGTH: frozenset({"m", "cm", "mm", "in", "ft"}),
        Quantity.RAIN: frozenset({"mm", "in"}),
        Quantity.CONCENTRATION: frozenset({"mg/L", "µg/m³", "mg/m³", "ppm"}),
        Quantity.CONDUCTIVITY: frozenset({"µS/cm", "mS/cm"}),
        Quantity.OTHER: frozenset({""}),
        Quantity.GAS: frozenset({"% LEL"}),
        Quantity.TIME: frozenset({"h", "min", "s"}),
    }
)
UNITS: Mapping[Quantity, frozenset[str]] = MappingProxyType(
    {
        **_MEASURED,
        Quantity.RATE: frozenset(f"{unit}/h" for units in _MEASURED.values() for unit in units),
        Quantity.DEPARTURE: frozenset({"σ"}),
        Quantity.STATE: frozenset({""}),
    }
)
"""Permitted units; a state has none, its numbers are named by the channel's `states`."""
