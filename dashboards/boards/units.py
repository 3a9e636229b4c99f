"""Grafana's names of the units that the tables use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from boards.panels import Json

GRAFANA: Mapping[str, str] = {
    "": "none",
    "°C": "celsius",
    "W": "watt",
    "kW": "kwatt",
    "V": "volt",
    "mV": "mvolt",
    "%": "percent",
    "W/m²": "Wm2",
    "min": "m",
    "s": "s",
}
"""Hours are not among them: Grafana's make weeks of a lamp's 1,000 h."""

DECIMALS: Mapping[str, int] = {"celsius": 1}
"""Of single values: else Grafana writes 9 beside 9.10 beside 10.1."""


def in_unit(unit: str) -> Json:
    """The properties of a single value in one of Grafana's units."""
    return {"unit": unit, **({"decimals": DECIMALS[unit]} if unit in DECIMALS else {})}


def unit_id(unit: str) -> str:
    """A unit without a name of Grafana's is written behind the number as it stands."""
    return GRAFANA.get(unit, f"suffix:{unit}")
