"""Simulated time: begins in the past, runs faster than the wall's, and joins it when it has caught up."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenewatch.model.ports import Clock


class SpeedClock:
    """Implements `Clock`. Never ahead of `wall`; a speed of 1 keeps its distance."""

    def __init__(self, start_ms: int, speed: float, wall: Clock) -> None:
        if speed < 1:
            raise ValueError(f"simulated time cannot run at {speed:g} times the wall's: at least 1")
        self._start_ms = start_ms
        self._speed = speed
        self._wall = wall
        self._wall_start_ms = wall.now_ms()

    def now_ms(self) -> int:
        wall_ms = self._wall.now_ms()
        gone_ms = wall_ms - self._wall_start_ms
        return min(wall_ms, self._start_ms + round(gone_ms * self._speed))
