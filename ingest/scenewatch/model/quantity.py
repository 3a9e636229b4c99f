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
    STATE = "state"


UNITS: Mapping[Quantity, frozenset[str]] = MappingProxyType(
    {
        Quantity.TEMPERATURE: frozenset({"°C"}),
        Quantity.POWER: frozenset({"W", "kW"}),
        Quantity.VOLTAGE: frozenset({"V", "mV"}),
        Quantity.RATIO: frozenset({"%"}),
        Quantity.STATE: frozenset({""}),
    }
)
"""Permitted units; a state has none, its numbers are named by the channel's `states`."""
