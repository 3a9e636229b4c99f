"""The pipeline's thread: reads the journal by position, delivers what comes of it, and ticks while it is idle."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from scenewatch.model.errors import CorruptError, TemporaryError
from scenewatch.model.ports import RecordKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scenewatch.model.alarm import Transitions
    from scenewatch.model.batch import Batch
    from scenewatch.model.event import Event, Result
    from scenewatch.model.pieces import Piece
    from scenewatch.model.ports import Clock, Journal, Record
    from scenewatch.worker.snapshots import Snapshots

log = logging.getLogger(__name__)

READ_MOST = 20_000
"""Positions asked of the journal at once."""
TICK_MS = 1000
SNAPSHOT_MS = 30_000
SNAPSHOT_REST = 500
"""What was saved is left alone for so many times as long as that took: with many devices a tenth of a second."""
SNAPSHOT_MOST_MS = 120_000
"""But not longer than this: what came since the last one is derived again after a crash."""
RETRY_S = 0.5


class Outcome(Protocol):
    """What one record led to."""

    @property
    def batch(self) -> Batch: ...

    @property
    def transitions(self) -> Transitions: ...

    @property
    def events(self) -> list[Event]: ...

    @property
    def results(self) -> list[Result]: ...


class Chain(Protocol):
    """The stages behind the journal."""

    @property
    def position(self) -> int: ...

    def run(self, record: Record) -> Outcome: ...

    def skip(self, end: int) -> Batch:
        """Go on from `end` although nothing is known of what lies before it."""
        ...

    def overdue(self, now_ms: int) -> bool: ...

    def snapshot(self) -> Iterator[Piece]:
        """All state at `position`, in pieces. To be taken before anything else is run."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Ends:
    """Where the loop's results go, and what it must know. All but `connected` are called in its thread."""

    put: Callable[[Batch], None]
    """Hands a batch to the outbox; never waits."""
    tell: Callable[[Transitions], None]
    """Puts alarms on record and tells the outside; raises TemporaryError when it must be tried again."""
    keep: Callable[[list[Event], list[Result]], None]
    """Puts what devices told and answered on record; the same again changes nothing. Raises as `tell`."""
    ruled: Callable[[], None]
    """Puts the rules in force on record, at the start and when they have changed. Raises as `tell`."""
    stored: Callable[[], int]
    """The store's position."""
    past_damage: Callable[[int], int]
    """Where the journal can be read again behind damage at a position."""
    connected: Callable[[], bool]
    """Whether the source hears the devices: else silence means nothing."""
    had: Callable[[Batch], None]
    """Told of a batch that the store took in an earlier life, and that is not put."""


class Loop:
    """Runs the chain over the journal in a thread of its own.

    `lock` is held while state changes, so that views see one moment. Alarms are handed on before their batch;
    a batch goes to the outbox, which never waits for the store. A snapshot taken at some position is written once
    the store is past it: so from the newest snapshot everything not yet stored can be derived again.
    """

    def __init__(
        self,
        *,
        chain: Chain,
        journal: Journal,
        clock: Clock,
        snapshots: Snapshots,
        ends: Ends,
    ) -> None:
        self.lock = threading.Lock()
        self._chain = chain
        self._journal = journal
        self._clock = clock
        self._snapshots = snapshots
        self._ends = ends
        self._candidate: int | None = None
        """The position of a snapshot that is written but not valid before the store is past it."""
        self._snapshot_due_ms = clock.now_ms() + SNAPSHOT_MS
        self._saved = self.delivered = chain.position
        """Up to `delivered` all who listen were told of the alarms."""
        self._untold = False
        self._next_look_ms = 0
        self._tick_waits = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pipeline", daemon=True)
        self.failure: BaseException | None = None
        """What ended the thread, if anything did: the worker must then stop."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish the record at hand, then end. The journal keeps the rest."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._follow()
        except BaseException as error:
            log.exception("the pipeline ended")
            self.failure = error

    def _follow(self) -> None:
        # Those who are told of an alarm can then read by which rule, also where it was the rule of a moment.
        ruled = self._on_record("rules", self._ends.ruled)
        while ruled and not self._stopping.is_set():
            for record in self._read():
                if self._stopping.is_set():
                    return
                with self.lock:
                    outcome = self._chain.run(record)
                if record.kind is RecordKind.LIMITS and not self._on_record("rules", self._ends.ruled):
                    return
                if not self._deliver(outcome):
                    return
                self.delivered = outcome.batch.position
                self._put(outcome.batch)
                self._tick_waits = self._tick_waits and record.kind is not RecordKind.TICK
            now_ms = self._clock.now_ms()
            self._look_for_silence(now_ms)
            self._keep_snapshot(now_ms)

    def _look_for_silence(self, now_ms: int) -> None:
        """Only when all that came in is taken and the devices can be heard does silence mean something."""
        caught_up = self._chain.position == self._journal.head
        if self._tick_waits or not caught_up or now_ms < self._next_look_ms or not self._ends.connected():
            return
        self._next_look_ms = now_ms + TICK_MS
        if self._chain.overdue(now_ms):
            self._journal.put_record(RecordKind.TICK, b"", now_ms)
            self._tick_waits = True

    def _read(self) -> Sequence[Record]:
        """The next records. Damage costs what it covers and no more: it is named, counted, and passed over."""
        try:
            return self._journal.read(self._chain.position, most=READ_MOST, wait_s=TICK_MS / 1000)
        except CorruptError as error:
            end = self._ends.past_damage(self._chain.position)
            log.error("%s; positions %d to %d are lost", error, self._chain.position, end - 1)  # noqa: TRY400  # no bug
            with self.lock:
                batch = self._chain.skip(end)
            self._put(batch)
            return ()

    def _put(self, batch: Batch) -> None:
        """What the store took in an earlier life is derived again but not handed on.

        The outbox joins batches, and of a joined one the store could not tell what it has counted already.
        """
        if batch.position > self._ends.stored():
            self._ends.put(batch)
        else:
            self._ends.had(batch)

    def _deliver(self, outcome: Outcome) -> bool:
        """What is told once must be on record before the position moves on.

        False when asked to stop before that: the state then knows of what nobody was told, and is not kept.
        """
        transitions, events, results = outcome.transitions, outcome.events, outcome.results
        if (events or results) and not self._on_record("events", lambda: self._ends.keep(events, results)):
            return False
        return not transitions or self._on_record("alarms", lambda: self._ends.tell(transitions))

    def _on_record(self, what: str, put: Callable[[], None]) -> bool:
        """Wait for the database rather than lose one; False when asked to stop before that."""
        said = False
        while True:
            try:
                put()
            except TemporaryError as error:
                if not said:
                    log.warning("%s wait: %s", what, error)
                    said = True
                if self._stopping.wait(RETRY_S):
                    self._untold = True
                    return False
            else:
                if said:
                    log.info("%s are on record again", what)
                return True

    def _keep_snapshot(self, now_ms: int) -> None:
        due = now_ms >= self._snapshot_due_ms and self._chain.position > self._saved
        if self._candidate is None and due:
            self._write_candidate()
            rest_ms = SNAPSHOT_REST * (self._clock.now_ms() - now_ms)
            self._snapshot_due_ms = now_ms + min(max(SNAPSHOT_MS, rest_ms), SNAPSHOT_MOST_MS)
        if self._candidate is not None and self._ends.stored() >= self._candidate:
            self._save_candidate()

    def _write_candidate(self) -> None:
        with self._tried():
            self._snapshots.write(self._chain.position, self._chain.snapshot())
            self._candidate = self._chain.position

    def _save_candidate(self) -> None:
        if self._candidate is None:
            return
        position, self._candidate = self._candidate, None
        with self._tried():
            self._snapshots.keep(position)
            self._saved = position
            self._journal.release(position)

    @contextmanager
    def _tried(self) -> Iterator[None]:
        try:
            yield
        except TemporaryError as error:
            log.warning("%s; the one before stays, the next is tried in %d s or more", error, SNAPSHOT_MS // 1000)

    def final_snapshot(self) -> None:
        """After `stop` and once the store has drained: so that the next start has nothing to derive again."""
        if self.failure is not None or self._untold:
            return
        if self._ends.stored() == self._chain.position > self._saved:
            self._write_candidate()
            self._save_candidate()
