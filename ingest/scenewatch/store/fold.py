"""Summaries made of readings, and of finer summaries, as columns. No store in here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scenewatch.model.flags import Flag
from scenewatch.model.level import Summaries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scenewatch.model.ports import Readings

COLUMNS = ("t_ms", "low", "high", "mean", "count", "good", "flag")


def of_readings(readings: Readings) -> Summaries:
    """Each reading as a window of its own."""
    good = readings.flag != Flag.FAIL
    return Summaries(
        t_ms=readings.t_ms,
        low=readings.value,
        high=readings.value,
        mean=np.where(good, readings.value, np.nan),
        count=np.ones(len(good), np.int64),
        good=good.astype(np.int64),
        flag=readings.flag,
        truncated=readings.truncated,
    )


def joined(parts: Sequence[Summaries]) -> Summaries:
    """One behind the other; one part at least."""
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in COLUMNS}
    return Summaries(**columns, truncated=any(part.truncated for part in parts))


def chosen(s: Summaries, which: slice | NDArray[np.bool_] | NDArray[np.intp], *, truncated: bool) -> Summaries:
    return Summaries(**{name: getattr(s, name)[which] for name in COLUMNS}, truncated=truncated)


def folded(s: Summaries, begins: NDArray[np.int64]) -> Summaries:
    """One of all windows that have the same begin here; ascending, one of each window in `s`."""
    first = np.flatnonzero(np.diff(begins, prepend=begins[:1] - 1))
    if len(first) == len(begins):
        return replace(s, t_ms=begins)
    good = np.add.reduceat(s.good, first)
    total = np.add.reduceat(np.where(s.good > 0, s.mean * s.good, 0.0), first)
    return Summaries(
        t_ms=begins[first],
        low=np.minimum.reduceat(s.low, first),
        high=np.maximum.reduceat(s.high, first),
        mean=np.divide(total, good, out=np.full(len(first), np.nan), where=good > 0),
        count=np.add.reduceat(s.count, first),
        good=good,
        flag=np.maximum.reduceat(s.flag, first),
        truncated=s.truncated,
    )
