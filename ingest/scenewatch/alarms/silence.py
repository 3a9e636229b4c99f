"""Finds the series that have been silent for too long, without looking at all of them each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.alarms.kernel import FOREVER, MISSING, MOVE, NEVER, NORMAL, RAISED, STANDING

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

    def raise_due(self, now_ms: int, rows: NDArray[np.void], instances: NDArray[np.void]) -> NDArray[np.void]:
        """Raise what is due at or before `now_ms`; the moves in the order in which they were due."""
        if now_ms < self._earliest_ms:
            return np.empty(0, MOVE)
        floor = rows["floor"][self._series]
        due = np.maximum(rows["heard"][self._series], floor) + self._after_ms
        waiting = instances["state"][self._instances] == NORMAL
        ripe = waiting & (due <= now_ms)
        self._earliest_ms = int(due[waiting & ~ripe].min(initial=FOREVER))
        which = np.flatnonzero(ripe)
        which = which[np.argsort(due[which], kind="stable")]
        series = self._series[which]

        moves = np.zeros(len(which), MOVE)
        moves["instance"] = self._instances[which]
        moves["step"] = RAISED
        moves["at_ms"] = np.maximum(rows["good_t"][series], floor[which]) + self._after_ms[which]
        moves["raised_at_ms"] = moves["at_ms"]
        moves["value"] = np.nan
        moves["flag"] = MISSING
        at = moves["instance"]
        instances["state"][at] = STANDING
        for name, column in (("raised_at", "raised_at_ms"), ("value", "value"), ("flag", "flag")):
            instances[name][at] = moves[column]
        wake(rows, series)
        return moves
