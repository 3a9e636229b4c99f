"""Marks what reaches the store after its summaries were made. Stands between the store's writer and the summaries.

The mark is durable before the store has the readings, so that a crash at any moment leaves the hour marked.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from scenewatch.model.flags import Place
from scenewatch.model.level import Level
from scenewatch.model.words import minutes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from scenewatch.model.batch import Batch
    from scenewatch.model.ports import Clock
    from scenewatch.store.latemarks import LateMarks
    from scenewatch.worker.windows import Windows
    from scenewatch.worker.writer import Account

SETTLE_MS = minutes(1)
"""An hour is made anew when nothing late has come for it for so long: a buffer arrives in many batches."""
LONGEST_SETTLE_MS = minutes(10)
"""But it does not wait longer: some devices are always late."""
DEVICE_BITS = 32
NO_MARKS = np.empty(0, np.int64)


@dataclass(slots=True)
class _Settling:
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True)
class _InFlight:
    """The batch that the store is being given."""

    from_ms: int | None = None
    """Its oldest reading that no summary is claimed for."""
    hours: frozenset[int] = field(default_factory=frozenset)
    """Which it was marked for."""


class Lateness:
    """`note` and `stored` from the writer's thread, the rest from that of the summaries.

    Summaries are made up to a claimed time. A batch is compared with the claim before the store has it, and
    the claim never passes a batch on its way: each reading is there before its minute is made, or marked.
    `device_of` gives the device's number of a series number, `id_of` the id of that.
    """

    def __init__(
        self,
        marks: LateMarks,
        windows: Windows,
        clock: Clock,
        *,
        claimed_ms: int | None,
        device_of: Callable[[int], int],
        id_of: Callable[[int], str],
    ) -> None:
        self._marks = marks
        self._windows = windows
        self._clock = clock
        self._device_of = device_of
        self._id_of = id_of
        self._lock = threading.Lock()
        self._claimed_ms = claimed_ms
        self._in_flight = _InFlight()
        self._marked = NO_MARKS
        """Hour and device of the marks that this life has set and no summary has taken: not to be set again."""
        now_ms = clock.now_ms()
        self._settling = {hour_ms: _Settling(now_ms, now_ms) for hour_ms in marks.hours_ms()}

    def note(self, batch: Batch) -> None:
        """Before the store has the batch; may come again for one. Raises TemporaryError."""
        with self._lock:
            late = self._late_marks(batch)
        if not len(late):
            return
        new = late[~np.isin(late, self._marked, assume_unique=True)]
        if len(new):
            # A device that changed its type has two numbers and one id.
            self._marks.add(dict.fromkeys(zip(self._hours_ms(new), self._ids(new), strict=True)))
        now_ms = self._clock.now_ms()
        with self._lock:
            self._marked = np.union1d(self._marked, new)
            for hour_ms in self._in_flight.hours:
                self._settling.setdefault(hour_ms, _Settling(now_ms, now_ms)).last_ms = now_ms

    def stored(self) -> None:
        """The store has the batch."""
        with self._lock:
            self._in_flight = _InFlight()

    def claim(self, until_ms: int) -> int:
        """What comes for before `until_ms` is late from now on; or from an earlier time, which is returned."""
        with self._lock:
            from_ms = self._in_flight.from_ms
            if from_ms is not None:
                until_ms = min(until_ms, self._windows.begin_ms(Level.MINUTE, from_ms))
            if self._claimed_ms is not None:
                until_ms = max(until_ms, self._claimed_ms)
            self._claimed_ms = until_ms
            return until_ms

    def take(self) -> list[int]:
        """The marked hours of one day for which nothing more is coming, ascending; they are the caller's now."""
        now_ms = self._clock.now_ms()
        with self._lock:
            settled = sorted(h for h, s in self._settling.items() if self._is_settled(h, s, now_ms))
            taken = [h for h in settled if self._day_ms(h) == self._day_ms(settled[0])]
            for hour_ms in taken:
                del self._settling[hour_ms]
            self._marked = self._marked[~np.isin(self._marked >> DEVICE_BITS, self._hour_numbers(taken))]
            return taken

    def put_back(self, hours_ms: Iterable[int]) -> None:
        """They could not be made anew now."""
        now_ms = self._clock.now_ms()
        with self._lock:
            for hour_ms in hours_ms:
                self._settling.setdefault(hour_ms, _Settling(now_ms, now_ms))

    def _day_ms(self, hour_ms: int) -> int:
        return self._windows.begin_ms(Level.DAY, hour_ms)

    def _is_settled(self, hour_ms: int, settling: _Settling, now_ms: int) -> bool:
        if hour_ms in self._in_flight.hours:
            return False
        return now_ms - settling.last_ms >= SETTLE_MS or now_ms - settling.first_ms >= LONGEST_SETTLE_MS

    def _late_marks(self, batch: Batch) -> NDArray[np.int64]:
        """Hour and device of each late reading in one number, unique. Most batches are told by their oldest."""
        self._in_flight = _InFlight()
        if not len(batch):
            return NO_MARKS
        oldest_ms, claimed_ms = int(batch.t_ms.min()), self._claimed_ms
        if claimed_ms is None or oldest_ms >= claimed_ms:
            self._in_flight = _InFlight(oldest_ms)
            return NO_MARKS
        is_late = batch.t_ms < claimed_ms
        in_time = batch.t_ms[~is_late]
        is_late &= batch.place != Place.DUPLICATE
        hours = (batch.t_ms[is_late] + self._windows.shift_ms) // Level.HOUR.span_ms
        pairs = np.unique(hours << DEVICE_BITS | batch.series[is_late])
        late = self._by_device(pairs)
        self._in_flight = _InFlight(int(in_time.min()) if len(in_time) else None, frozenset(self._hours_ms(late)))
        return late

    def _by_device(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """The device in place of the series."""
        series, which = np.unique(pairs & ((1 << DEVICE_BITS) - 1), return_inverse=True)
        devices = np.fromiter((self._device_of(one) for one in series.tolist()), np.int64, len(series))
        return np.unique(pairs >> DEVICE_BITS << DEVICE_BITS | devices[which])

    def _ids(self, marks: NDArray[np.int64]) -> list[str]:
        return [self._id_of(device) for device in (marks & ((1 << DEVICE_BITS) - 1)).tolist()]

    def _hours_ms(self, marks: NDArray[np.int64]) -> list[int]:
        """Where the hour of each mark begins."""
        hours_ms: list[int] = ((marks >> DEVICE_BITS) * Level.HOUR.span_ms - self._windows.shift_ms).tolist()
        return hours_ms

    def _hour_numbers(self, hours_ms: list[int]) -> list[int]:
        return [(hour_ms + self._windows.shift_ms) // Level.HOUR.span_ms for hour_ms in hours_ms]


class Marking:
    """Implements `writer.Account` around another one: what is late is marked before the store has it."""

    def __init__(self, account: Account, lateness: Lateness) -> None:
        self._account = account
        self._lateness = lateness

    def keep(self, batch: Batch) -> None:
        self._account.keep(batch)
        self._lateness.note(batch)

    def stored(self, batch: Batch) -> None:
        self._lateness.stored()
        self._account.stored(batch)
