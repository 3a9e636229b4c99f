"""Finds the series that have been silent for too long, without looking at all of them each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.alarms.rows import FOREVER, MOVE, NEVER, NORMAL, OWN, RAISED, STANDING
from scenewatch.model.flags import Flag

if TYPE_CHECKING:
    from numpy.typing import NDArray


def wake(rows: NDArray[np.void], which: NDArray[np.int32] | slice) -> None:
    """Let these series' next reading walk their rules: an empty band is quiet for no value."""
    rows["quiet_low"][which] = np.inf


class Silences:
    """The instances of rules about missing data.

    `_earliest_ms` is a lower bound of when one is due. Readings only put it off, so until then there is
    nothing to look at; what could bring it forward is told by `look_again` and `cleared`.
    """

    def __init__(self, instances: NDArray[np.intp], series: NDArray[np.int32], after_ms: NDArray[np.int64]) -> None:
        self._instances = instances
        self._series = series
        self._after_ms = after_ms
        self._earliest_ms = NEVER

    def look_again(self) -> None:
        self._earliest_ms = NEVER

    def cleared(self, at_ms: int) -> None:
        """An alarm that a reading cleared may be one of these, and so be due again."""
        self._earliest_ms = min(self._earliest_ms, at_ms + int(self._after_ms.min(initial=FOREVER)))

    def any_due(self, now_ms: int, rows: NDArray[np.void], instances: NDArray[np.void]) -> bool:
        """Whether `raise_due` would raise anything."""
        return bool(self._ripe(now_ms, rows, instances).any())

    def raise_due(self, now_ms: int, rows: NDArray[np.void], instances: NDArray[np.void]) -> NDArray[np.void]:
        """Raise what is due at or before `now_ms`; the moves in the order in which they were due."""
        ripe = self._ripe(now_ms, rows, instances)
        if not ripe.any():
            return np.empty(0, MOVE)
        floor, due = self._due(rows)
        which = np.flatnonzero(ripe)
        which = which[np.argsort(due[which], kind="stable")]
        series = self._series[which]

        moves = np.zeros(len(which), MOVE)
        moves["instance"] = self._instances[which]
        moves["step"] = RAISED
        moves["at_ms"] = np.maximum(rows["good_t"][series], floor[which]) + self._after_ms[which]
        moves["raised_at_ms"] = moves["at_ms"]
        moves["value"] = np.nan
        moves["flag"] = Flag.MISSING
        moves["priority"], moves["cause"] = OWN, -1
        at = moves["instance"]
        instances["state"][at] = STANDING
        for name, column in (("raised_at", "raised_at_ms"), ("value", "value"), ("flag", "flag")):
            instances[name][at] = moves[column]
        wake(rows, series)
        return moves

    def _due(self, rows: NDArray[np.void]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """From when each instance's silence counts, and when it is noticed."""
        floor = rows["floor"][self._series]
        return floor, np.maximum(rows["heard"][self._series], floor) + self._after_ms

    def _ripe(self, now_ms: int, rows: NDArray[np.void], instances: NDArray[np.void]) -> NDArray[np.bool_]:
        """Which instances are due. When none is, it is known until when nothing need be looked at."""
        if now_ms < self._earliest_ms:
            return np.zeros(0, np.bool_)
        _, due = self._due(rows)
        waiting = instances["state"][self._instances] == NORMAL
        ripe: NDArray[np.bool_] = waiting & (due <= now_ms)
        if not ripe.any():
            self._earliest_ms = int(due[waiting].min(initial=FOREVER))
        return ripe
