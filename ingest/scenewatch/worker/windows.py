"""Where the windows of each level begin and end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scenewatch.model.words import minutes

if TYPE_CHECKING:
    from scenewatch.model.level import Level


class Windows:
    """Days begin at midnight of a fixed offset from UTC, hours and minutes with them."""

    def __init__(self, utc_offset_minutes: int) -> None:
        self.utc_offset_minutes = utc_offset_minutes
        self.shift_ms = minutes(utc_offset_minutes)

    def begin_ms(self, level: Level, t_ms: int) -> int:
        """Of the window that has `t_ms`."""
        return t_ms - (t_ms + self.shift_ms) % level.span_ms

    def border_ms(self, level: Level, t_ms: int) -> int:
        """The first border of two windows at or after `t_ms`."""
        return t_ms + -(t_ms + self.shift_ms) % level.span_ms


def utc_minute(t_ms: int) -> str:
    """For people to read."""
    return f"{datetime.fromtimestamp(t_ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"
