"""Grafana's names of the units that the tables use."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

GRAFANA: Mapping[str, str] = {
    "": "none",
    "°C": "celsius",
    "W": "watt",
    "kW": "kwatt",
    "V": "volt",
    "mV": "mvolt",
    "%": "percent",
}


def unit_id(unit: str) -> str:
    """A unit without a name of Grafana's is written behind the number as it stands."""
    return GRAFANA.get(unit, f"suffix: {unit}")
