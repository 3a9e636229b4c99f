"""How well quality's flags find the readings that faults spoilt.

Three tests have faults of their own: a sensor that stands still, one that jumps, a clock that is wrong. What a
fault spoilt is known reading by reading. A jump is two steps, there and back, and both are the fault's; a sensor
stands still from when it has done so for as long as its channel's table says. Faults too small to be found count
neither way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.model.fault import Frozen, Spikes, WrongClock
from scenewatch.model.flags import Flag, Test
from scenewatch.rehearsal.report import FlagScore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from scenewatch.model.batch import Batch
    from scenewatch.model.scene import Channel
    from scenewatch.rehearsal.draw import Drawn
    from scenewatch.rehearsal.twin import Layout

    Keys = NDArray[np.int64]

TESTS: Final = {Frozen: Test.STUCK, Spikes: Test.FASTEST, WrongClock: Test.CLOCK}
RECEIVED_BITS: Final = 42
"""Epoch milliseconds fit; the series number stands above them."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Readings of one test, as `FlagScore` has them."""

    spoilt: int
    flagged: int
    right: int

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.spoilt + other.spoilt, self.flagged + other.flagged, self.right + other.right)


@dataclass(frozen=True, slots=True)
class _Spoiling:
    """One fault of one device that spoils readings."""

    test: Test
    step: float
    """A change of the error from one reading to the next that is the fault's."""
    device: int
    columns: NDArray[np.intp]
    from_ms: int
    to_ms: int
    counts: bool
    """False for one too small to be found."""


@dataclass(slots=True)
class Spoilt:
    """Told by the run what was spoilt, and by quality what was flagged."""

    layout: Layout
    faults: Iterable[Drawn]
    channel: Callable[[str], Channel]
    """By `<device type>.<channel>`."""
    since_ms: int
    """What was received before is not counted."""
    _spoiling: list[_Spoiling] = field(init=False)
    _series: NDArray[np.int64] = field(init=False)
    _truth: dict[tuple[Test, bool], list[Keys]] = field(init=False, default_factory=dict)
    _flagged: list[tuple[Keys, NDArray[np.uint8]]] = field(init=False, default_factory=list)
    _before: dict[int, float] = field(init=False, default_factory=dict)
    """By how much what each fault spoils was wrong when last seen."""

    def __post_init__(self) -> None:
        numbers, columns = self.layout.numbers(), self.layout.columns()
        self._series = np.array(self.layout.series, np.int64)
        self._spoiling = [
            self._of(drawn, numbers[device], columns[numbers[device]])
            for drawn in self.faults
            if type(drawn.fault.effect) in TESTS
            for device in sorted(drawn.reaches)
        ]

    def _of(self, drawn: Drawn, device: int, columns: range) -> _Spoiling:
        effect, from_ms, to_ms, counts = drawn.fault.effect, drawn.from_ms, drawn.to_ms, drawn.findable
        which = list(columns)
        if isinstance(effect, Frozen | Spikes):
            which = [columns[self.layout.channels[device].index(effect.channel)]]
        if isinstance(effect, Frozen):
            after = self.channel(self.layout.kinds[which[0]]).stuck_after
            from_ms, counts = from_ms + (after or 0), counts and after is not None
        step = (drawn.size or 0.0) / 2
        test = next(test for of, test in TESTS.items() if isinstance(effect, of))
        return _Spoiling(test, step, device, np.array(which, np.intp), from_ms, to_ms, counts)

    def take(
        self,
        times_ms: tuple[NDArray[np.int64], NDArray[np.int64]],
        values: NDArray[np.float64],
        clean: NDArray[np.float64],
    ) -> None:
        """A block: when each device took and sent its samples, (steps, devices), and the columns of both runs."""
        t_ms, sent_ms = times_ms
        for number, one in enumerate(self._spoiling):
            at_ms = t_ms[:, one.device]
            over = one.to_ms <= at_ms[0] and not self._before.get(number)
            if over or one.from_ms > at_ms[-1]:
                continue
            now = (one.from_ms <= at_ms) & (at_ms < one.to_ms)
            if one.test is Test.FASTEST:
                column = int(one.columns[0])
                error = values[:, column] - clean[:, column]
                now = np.abs(np.diff(error, prepend=self._before.get(number, 0.0))) > one.step
                self._before[number] = float(error[-1])
            rows = np.flatnonzero(now & (sent_ms[:, one.device] >= self.since_ms))
            keys = _keys(self._series[one.columns], sent_ms[rows, one.device, None])
            self._truth.setdefault((one.test, one.counts), []).append(keys.ravel())

    def flagged(self, batch: Batch) -> None:
        """A checked batch."""
        doubted = (batch.flag == Flag.SUSPECT) | (batch.flag == Flag.FAIL)
        rows = np.flatnonzero(doubted & (batch.received_ms >= self.since_ms))
        if len(rows):
            self._flagged.append(
                (_keys(batch.series[rows].astype(np.int64), batch.received_ms[rows]), batch.test[rows])
            )

    def found(self) -> dict[Test, Counts]:
        """Of each test. A spoilt reading that another test flagged first is found as well."""
        doubted = np.concatenate([np.empty(0, np.int64), *(keys for keys, _ in self._flagged)])
        tests = np.concatenate([np.empty(0, np.uint8), *(tests for _, tests in self._flagged)])
        counts = {}
        for test in TESTS.values():
            spoilt, neutral = (
                np.unique(np.concatenate([np.empty(0, np.int64), *self._truth.get((test, which), ())]))
                for which in (True, False)
            )
            right = np.intersect1d(doubted, spoilt)
            named = np.setdiff1d(doubted[tests == test], neutral)
            counts[test] = Counts(len(spoilt), len(np.union1d(named, right)), len(right))
        return counts


def score(found: Sequence[dict[Test, Counts]]) -> list[FlagScore]:
    """Over all parts of a run."""
    scores = []
    for test in TESTS.values():
        counts = sum((part[test] for part in found), Counts(0, 0, 0))
        scores.append(
            FlagScore(
                test=test.name.lower(),
                spoilt=counts.spoilt,
                flagged=counts.flagged,
                right=counts.right,
                recall=counts.right / counts.spoilt if counts.spoilt else None,
                precision=counts.right / counts.flagged if counts.flagged else None,
            )
        )
    return scores


def _keys(series: NDArray[np.int64], received_ms: NDArray[np.int64]) -> Keys:
    return (series << RECEIVED_BITS) + received_ms
