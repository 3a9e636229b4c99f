"""Checked batches on their way to a store that may be slow or away, so that nothing before it ever waits."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from itertools import accumulate, islice, takewhile
from typing import TYPE_CHECKING

from scenewatch.journal.files import UnsyncedFiles
from scenewatch.journal.folder import clear
from scenewatch.journal.journal import FileJournal
from scenewatch.journal.limits import Limits
from scenewatch.model.batch import Batch
from scenewatch.model.ports import RecordKind
from scenewatch.model.words import Duration

if TYPE_CHECKING:
    from pathlib import Path

    from scenewatch.model.ports import Clock

TEBIBYTE = 1024**4
SPILL = Limits(
    segment_bytes=16 * 1024 * 1024,
    max_bytes=TEBIBYTE,  # the journal's own bounds come first: what is here comes from there
    hard_max_bytes=2 * TEBIBYTE,
    keep_ms=Duration(0),
    memory_bytes=4 * 1024 * 1024,
)


@dataclass(frozen=True, slots=True)
class Depth:
    """How far the store lags."""

    batches: int
    readings: int
    oldest_position: int | None
    """Journal position of the batch that waits longest; None when nothing waits."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """One place in the line; `batch` is None where it waits on disk."""

    batch: Batch | None
    position: int
    readings: int
    weight: int
    """Readings and dead letters: both take memory."""


class Outbox:
    """First in, first out, between the pipeline's thread (`put`) and the store writer's (`get`, `done`, `gather`).

    What waits together is handed out together, up to `bundle_readings`: a store's commit costs about the same
    for a hundred readings as for ten thousand. Beyond `memory_readings` batches go to files, in order, not
    synced. What an earlier run left there is removed: those batches are derived again from the journal.
    """

    def __init__(
        self, path: Path, *, clock: Clock, memory_readings: int = 2_000_000, bundle_readings: int = 100_000
    ) -> None:
        clear(path)
        self._spill = FileJournal(path, clock=clock, limits=SPILL, files=UnsyncedFiles())
        self._read_to = 0
        """Place in the spill behind the last batch that is done."""
        self._memory_readings = memory_readings
        self._bundle_readings = bundle_readings
        self._line: deque[_Waiting] = deque()
        self._front: Batch | None = None
        """What was got and is not done: the oldest batches as one."""
        self._front_places = 0
        """How many places of the line it takes."""
        self._in_memory = self._readings = 0
        self._arrived = threading.Condition()

    def put(self, batch: Batch) -> None:
        """Never blocks on the disk or the store."""
        readings = len(batch)
        weight = readings + len(batch.dead)
        with self._arrived:
            spills = len(self._line) > 0 and self._in_memory + weight > self._memory_readings
            if spills:
                self._spill.put_record(RecordKind.HISTORY, batch.to_bytes(), 0)
            else:
                self._in_memory += weight
            self._line.append(_Waiting(None if spills else batch, batch.position, readings, weight))
            self._readings += readings
            # Waking the store's thread for each batch would cost more than the batch.
            if len(self._line) == 1 or self._readings >= self._bundle_readings:
                self._arrived.notify()

    def get(self, wait_s: float) -> Batch | None:
        """The oldest batches as one, which stay until it is `done`; None if there is none within `wait_s`."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: self._line, wait_s):
                return None
            oldest = self._oldest()
        if self._front is None:
            batches = self._in_hand(oldest, wait_s)
            if batches:
                self._front = batches[0] if len(batches) == 1 else Batch.concat(batches)
                self._front_places = len(batches)
        return self._front

    def done(self, batch: Batch) -> None:
        """The batch that `get` gave is in the store."""
        if batch is not self._front:
            raise ValueError("only the oldest batch, as it was got, can be done")
        self._front = None
        read_to = self._read_to
        with self._arrived:
            for _ in range(self._front_places):
                oldest = self._line.popleft()
                self._readings -= oldest.readings
                if oldest.batch is None:
                    self._read_to += 1
                else:
                    self._in_memory -= oldest.weight
        if self._read_to > read_to:
            self._spill.release(self._read_to)

    def gather(self, most_s: float) -> None:
        """Wait until a whole bundle is there, but not longer."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._readings >= self._bundle_readings, most_s)

    def depth(self) -> Depth:
        with self._arrived:
            oldest = self._line[0].position if self._line else None
            return Depth(len(self._line), self._readings, oldest)

    def close(self) -> None:
        self._spill.close()

    def _oldest(self) -> list[_Waiting]:
        """The first of the line, and those behind it that fit into a bundle with it."""
        weights = accumulate(waiting.weight for waiting in self._line)
        fitting = sum(1 for _ in takewhile(lambda weight: weight <= self._bundle_readings, weights))
        return list(islice(self._line, max(1, fitting)))

    def _in_hand(self, line: list[_Waiting], wait_s: float) -> list[Batch]:
        """The batches of these places; fewer where the disk has not taken the next one yet."""
        batches: list[Batch] = []
        at = self._read_to
        for waiting in line:
            batch = waiting.batch
            if batch is None:
                records = self._spill.read(at, most=1, wait_s=0.0 if batches else wait_s)
                if not records:
                    break
                batch = Batch.from_bytes(records[0].body)
                at += 1
            batches.append(batch)
        return batches
