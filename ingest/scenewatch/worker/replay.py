"""Runs what the journal keeps once more, into another store or under other limits; the worker may be running.

The first positions of a replay only bring the pipeline to where it was: nothing is told or written of them.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from scenewatch.journal.reader import Damage
from scenewatch.model.batch import Batch
from scenewatch.model.errors import CorruptError, RefusedError, TemporaryError
from scenewatch.model.ledger import Counts
from scenewatch.model.ports import RecordKind
from scenewatch.pipeline import Outcome, Pipeline, encode_limits
from scenewatch.worker.snapshots import files, load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from scenewatch.journal.look import Look
    from scenewatch.model.alarm import Transition
    from scenewatch.model.ports import Record, Store
    from scenewatch.pipeline import OperatorLimits

log = logging.getLogger(__name__)

READINGS_A_WRITE = 200_000
RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""After so many tries the replay ends; given again, it goes on where the store is."""


class Start(StrEnum):
    """What a replay knew when it began."""

    ORIGIN = "origin"
    """It began with the journal itself: everything."""
    SAVED = "saved"
    """It began from a state that the worker had saved: everything."""
    FRESH = "fresh"
    """Which devices there are, and nothing else: what came before is no longer kept."""


@dataclass(slots=True)
class Replayed:
    """What became of positions [first, end)."""

    first: int
    end: int
    start: Start
    began: int
    """Where the run for the state began."""
    counts: Counts = field(default_factory=Counts)
    readings: int = 0
    added: int = 0
    """Readings that the store did not have."""
    refused: int = 0
    """Readings that it would not take."""
    lost: int = 0
    """Positions that damage made unreadable."""
    damaged: list[Damage] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)


class Into:
    """A store that takes batches in order, many in one write. What it has taken already is passed over."""

    def __init__(self, store: Store, names: Callable[[int], str]) -> None:
        self._store = store
        self._names = names
        self._waiting: list[Batch] = []
        self._readings = 0
        self.added = 0
        self.refused = 0

    def check(self, first: int) -> None:
        """Its account must stay that of one stretch of positions: so it can be gone on with, by a worker too."""
        position = self._store.position()
        begins = position - self._store.counts().positions
        if position > 0 and not begins <= first <= position:
            raise RefusedError(
                f"the store has taken positions {begins} to {position - 1}: begin at one of them or at {position}, "
                "or give a store of its own"
            )

    @property
    def position(self) -> int:
        return self._store.position()

    def put(self, batch: Batch) -> None:
        if batch.position <= self._store.position():
            return
        self._waiting.append(batch)
        self._readings += len(batch)
        if self._readings >= READINGS_A_WRITE:
            self.flush()

    def flush(self) -> None:
        """Raises TemporaryError when the store does not take them after some tries."""
        if not self._waiting:
            return
        batch = Batch.concat(self._waiting)
        pause = threading.Event()
        for wait_s in (*RETRY_S, None):
            try:
                self.added += self._store.write(batch, self._names, self._keep_apart)
                break
            except TemporaryError as error:
                if wait_s is None:
                    raise
                log.warning("the store does not take readings, tried again: %s", error)
                pause.wait(wait_s)
        self._waiting.clear()
        self._readings = 0

    def _keep_apart(self, _: Batch, reasons: Mapping[int, str]) -> Counts:
        """Only counted: the letters of these messages are the worker's to keep."""
        self.refused += len(reasons)
        return Counts()


class Replay:
    """One run over what a journal keeps. `states` is the folder with the worker's snapshots."""

    def __init__(
        self,
        look: Look,
        *,
        fresh: Callable[[], Pipeline],
        states: Path,
        limits: OperatorLimits | None,
    ) -> None:
        self._look = look
        self._fresh = fresh
        self._states = [(position, path) for position, path in files(states) if look.oldest <= position]
        self._limits = limits
        """In the place of those the journal holds; they are in force from the very beginning of the run."""

    def prepare(self, first: int, end: int) -> tuple[Pipeline, Replayed]:
        """The pipeline at a position at or before `first`. Raises RefusedError for what is not kept."""
        oldest, head = self._look.oldest, self._look.end
        if first < oldest:
            raise RefusedError(f"nothing is kept before position {oldest}: it can begin there")
        end = min(end, head)
        if first >= end:
            raise RefusedError(f"nothing is kept there: positions {oldest} to {head - 1} are")
        pipeline, start = self._pipeline(first)
        if self._limits is not None:
            pipeline.change_limits(self._limits)
        return pipeline, Replayed(first, end, start, pipeline.position)

    def run(self, pipeline: Pipeline, replayed: Replayed, into: Into | None, tell: Callable[[int], None]) -> None:
        """Fills `replayed`. `tell` is given the position now and then."""
        first, end = replayed.first, replayed.end
        # Cut where the store is too: of a record that it has taken a part of it could not tell what is counted.
        cuts = {pipeline.position, first, end} | ({into.position} if into is not None else set())
        for begin, stop in pairwise(sorted(cut for cut in cuts if pipeline.position <= cut <= end)):
            for item in self._look.records(begin, stop):
                outcome = self._step(pipeline, item)
                if begin >= first:
                    _account(replayed, item, outcome)
                    if into is not None:
                        into.put(outcome.batch)
                tell(pipeline.position)
            _follows(pipeline, stop)
        if into is not None:
            into.flush()
            replayed.added, replayed.refused = into.added, into.refused

    def _step(self, pipeline: Pipeline, item: Record | Damage) -> Outcome:
        _follows(pipeline, item.first)
        if isinstance(item, Damage):
            return Outcome(pipeline.skip(item.end))
        if item.kind is RecordKind.LIMITS and self._limits is not None:
            item = replace(item, body=encode_limits(self._limits))
        return pipeline.run(item)

    def _pipeline(self, first: int) -> tuple[Pipeline, Start]:
        """From the state nearest to `first`; under other limits from the one they have the longest effect from."""
        if self._limits is not None and self._look.oldest == 0:
            return self._fresh(), Start.ORIGIN
        before = [state for state in self._states if state[0] <= first]
        if found := self._first_usable(before if self._limits is None else before[::-1], Pipeline.restore):
            return found, Start.SAVED
        if self._look.oldest == 0:
            return self._fresh(), Start.ORIGIN
        begin = partial(Pipeline.begin, position=self._look.oldest, at_ms=self._oldest_ms())
        if found := self._first_usable(self._states[::-1], lambda pipeline, data: begin(pipeline, data=data)):
            return found, Start.FRESH
        raise RefusedError("no state is kept that knows the devices of what is left of the journal")

    def _first_usable(
        self, states: Sequence[tuple[int, Path]], take: Callable[[Pipeline, bytes], None]
    ) -> Pipeline | None:
        for position, path in states:
            pipeline, data = self._fresh(), load(path)
            try:
                if data is not None:
                    take(pipeline, data)
                    return pipeline
            except CorruptError as error:
                log.warning("the state at %d cannot be used: %s", position, error)
        return None

    def _oldest_ms(self) -> int:
        items = self._look.records(self._look.oldest, self._look.end)
        return next((item.received_ms for item in items if not isinstance(item, Damage)), 0)


def _follows(pipeline: Pipeline, position: int) -> None:
    if pipeline.position != position:
        gone = f"positions {pipeline.position} to {position - 1} are gone"
        raise CorruptError(f"{gone}: the worker has let go of them meanwhile, begin later")


def _account(replayed: Replayed, item: Record | Damage, outcome: Outcome) -> None:
    replayed.counts += outcome.batch.counts
    replayed.readings += len(outcome.batch)
    replayed.transitions += outcome.transitions
    if isinstance(item, Damage):
        replayed.damaged.append(item)
        replayed.lost += item.end - item.first
