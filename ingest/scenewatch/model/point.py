"""What is kept in the store beside readings: alarms, events, and the pipeline's own figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenewatch.model.level import Level

MEASUREMENTS = ("alarm", "event", "pipeline", "site")
"""Readings have their device type's key for a measurement, so no device type may have one of these."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """Its place is (measurement, tags, time); written again, its fields take the place of the earlier ones."""

    measurement: str
    tags: Mapping[str, str]
    t_ms: int
    fields: Mapping[str, float | int | str]
    """A field has one type for ever."""
    keep: Level
    """It is kept as long as this level's summaries are."""
