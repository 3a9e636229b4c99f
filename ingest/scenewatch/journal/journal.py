"""The journal on files: group commit in a thread of its own, reading by position from memory or disk."""

from __future__ import annotations

import logging
import threading
from collections import deque
from contextlib import closing
from typing import TYPE_CHECKING

from scenewatch.journal.files import Files
from scenewatch.journal.folder import Folder
from scenewatch.journal.limits import Health, Limits, Status
from scenewatch.journal.reader import Cursor, recover
from scenewatch.journal.recent import Recent
from scenewatch.journal.revisit import Revisit
from scenewatch.journal.segment import MAX_BODY_BYTES, messages_body
from scenewatch.journal.writer import Entry, SegmentWriter
from scenewatch.model.errors import CorruptError, RefusedError, TemporaryError
from scenewatch.model.ports import RecordKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from scenewatch.journal.look import Message
    from scenewatch.journal.reader import Damage
    from scenewatch.model.messages import Messages
    from scenewatch.model.ports import Clock, Record

log = logging.getLogger(__name__)

FIRST_RETRY_S = 0.05
LONGEST_RETRY_S = 2.0

_FULLNESS = {
    True: (logging.WARNING, "journal %s holds all it may in memory: the source leaves"),
    False: (logging.INFO, "journal %s has written all it held: the source may return"),
}


class _HeldError(OSError):
    """The folder holds all it may: what came in waits, unacknowledged, until older segments go."""


class FileJournal:
    """Keeps `ports.Journal`. Append from any thread; `on_durable` comes from the writer's thread.

    While the disk refuses, nothing is acknowledged and everything is tried again, in order. `on_full(True)` asks
    the source to leave because more waits than may be held in memory; `on_full(False)` says all of it is written.
    It comes from the thread that appends or from the writer's, and must neither block nor call the journal.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        limits: Limits | None = None,
        files: Files | None = None,
        on_full: Callable[[bool], None] | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._clock = clock
        self._on_full = on_full
        self._full = False
        self._room = self.limits.hard_max_bytes - self.limits.max_bytes
        self._telling = threading.Lock()
        files = files or Files()
        self._folder = Folder(path, files)
        self._writer = SegmentWriter(self._folder, files, self.limits.segment_bytes)
        self._cursor = Cursor(self._folder)
        self._revisit = Revisit(self._folder)
        self._recent = Recent(self.limits.memory_bytes)
        self._released = 0
        self._health, self._reason = Health.WRITING, ""
        self._groups = self._failures = 0
        self.failure: BaseException | None = None
        """What ended the writer's thread, if anything did: the worker must then stop."""
        self._retry_s = FIRST_RETRY_S
        self._queue: deque[Entry] = deque()
        self._queued_bytes = self._queued_positions = 0
        self._pacing = self._closing = self._ended = self._stirred = False
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        """What the writer waits on."""
        self._durable = threading.Condition(self._lock)
        """What readers and writers of single records wait on."""
        self._open()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    # --- any thread ----------------------------------------------------------------------------------------

    def append(self, messages: Messages, on_durable: Callable[[], None] | None = None) -> None:
        parts = messages_body(messages)
        self._put(Entry(RecordKind.MESSAGES, len(messages), messages.received_ms, parts, messages, on_durable))

    def put_record(self, kind: RecordKind, body: bytes, received_ms: int) -> None:
        """Queue one control record without waiting for the disk."""
        self._put(_control(kind, body, received_ms))

    def append_record(self, kind: RecordKind, body: bytes, received_ms: int) -> int:
        """Raises TemporaryError, and then the record is not in the journal and never will be."""
        entry = _control(kind, body, received_ms)
        self._put(entry)
        with self._lock:
            self._stir()
            self._durable.wait_for(lambda: self._settled(entry), self.limits.patience_s)
            # Out of the queue it is being written at this moment, and only the disk knows the outcome.
            self._durable.wait_for(lambda: self._settled(entry) or entry in self._queue)
            if entry.end is not None:
                return entry.end
            if entry in self._queue:
                self._queue.remove(entry)
                self._account(entry, -1)
        self._tell_fullness()
        raise TemporaryError(f"the journal cannot be written: {self._reason or 'the disk is too slow'}")

    @property
    def head(self) -> int:
        return self._folder.head

    @property
    def damaged(self) -> tuple[Damage, ...]:
        """What is known to be unreadable; `read` raises there, and goes on from a damage's `end`."""
        return self._cursor.damaged

    def identity(self) -> str:
        """Tells this journal's folder from every other, for as long as the folder is there."""
        try:
            return self._folder.identity()
        except OSError as error:
            raise self._cannot_open(error) from error

    def go_on_from(self, position: int) -> None:
        """It was cut short: no position before this one is given away again. Before anything is appended."""
        with self._lock:
            self._writer.leave()
            self._folder.head = position

    def status(self) -> Status:
        with self._lock:
            return Status(
                health=self._health,
                reason=self._reason,
                oldest=self._folder.oldest,
                head=self._folder.head,
                bytes_on_disk=self._folder.bytes_on_disk,
                queued_positions=self._queued_positions,
                queued_bytes=self._queued_bytes,
                groups=self._groups,
                failures=self._failures,
                full=self._full,
            )

    def release(self, position: int) -> None:
        self._released = max(self._released, position)
        self._drop_released()
        with self._lock:
            if self._health is Health.HOLDING:
                self._stir()

    def close(self) -> None:
        """What cannot be written now is let go of unacknowledged: the broker sends it again."""
        with self._lock:
            self._closing = True
            self._stir()
            self._durable.notify_all()
        self._thread.join()
        self._cursor.close()
        self._revisit.close()
        self._writer.close()
        self._folder.close()
        if self._queue:
            log.warning(
                "journal closed with %d messages not written: they were not acknowledged", self._queued_positions
            )

    def messages_at(self, positions: Sequence[int]) -> dict[int, Message | None]:
        """As in `Revisit`, for one thread besides the reader's."""
        return self._revisit.messages_at(positions)

    def received_ms_at(self, position: int) -> int | None:
        """When the record at a position came; None where there is none that can be read. Reads the disk: seldom."""
        with closing(Cursor(self._folder)) as cursor:
            try:
                records = cursor.read(position, 1)
            except CorruptError:
                return None
        return records[0].received_ms if records else None

    # --- the one reader's thread ---------------------------------------------------------------------------

    def read(self, position: int, *, most: int, wait_s: float) -> Sequence[Record]:
        """As in the port. A position inside a record gives that whole record; CorruptError tells where to go on."""
        with self._lock:
            self._durable.wait_for(lambda: self._folder.head > position or self._closing, wait_s)
            if self._closing:
                raise ValueError("the journal is closed")
            records = self._recent.read(position, most)
        return records or self._cursor.read(position, most)

    # --- under the lock ------------------------------------------------------------------------------------

    def _put(self, entry: Entry) -> None:
        with self._lock:
            if self._closing or self._ended:
                raise ValueError("the journal is closed")
            self._queue.append(entry)
            self._account(entry, 1)
            if not self._pacing or self._queued_bytes >= self.limits.group_bytes:
                self._work.notify()
        if self._queued_bytes > self._room and not self._full:
            self._tell_fullness()

    def _account(self, entry: Entry, sign: int) -> None:
        self._queued_bytes += sign * entry.size
        self._queued_positions += sign * entry.count

    def _stir(self) -> None:
        """End the writer's pause, whatever it pauses for."""
        self._stirred = True
        self._work.notify()

    def _settled(self, entry: Entry) -> bool:
        return entry.end is not None or self._ended

    # --- the writer's thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while group := self._next_group():
                try:
                    self._writer.roll()
                    self._hold_at_limit()
                    first = self._writer.write(group)
                except OSError as error:
                    self._give_back(group, error)
                else:
                    self._committed(group, first)
                    self._tell_fullness()
                    self._gather()
        except Exception as error:
            log.exception("the journal's thread ended")
            self._turn(Health.FAILING, f"its thread ended on a fault of its own: {error!r}")
            self.failure = error
        finally:
            with self._lock:
                self._ended = True
                self._durable.notify_all()

    def _next_group(self) -> list[Entry]:
        """All that waits, up to a group's size; empty when it is time to end."""
        with self._lock:
            self._work.wait_for(lambda: self._queue or self._closing)
            if self._closing and self._health is not Health.WRITING:
                return []
            group: list[Entry] = []
            size = 0
            while self._queue and size < self.limits.group_bytes:
                group.append(self._queue.popleft())
                size += group[-1].size
            return group

    def _gather(self) -> None:
        """Pause after a group, so that under load many share one sync; after a silence nobody has to wait."""
        with self._lock:
            self._pacing = True
            self._work.wait_for(self._pressing, self.limits.group_ms / 1000)
            self._pacing = False
            self._stirred = False

    def _pressing(self) -> bool:
        return self._stirred or self._closing or self._queued_bytes >= self.limits.group_bytes

    def _hold_at_limit(self) -> None:
        self._drop_released()
        if self._folder.bytes_on_disk >= self.limits.max_bytes:
            raise _HeldError(
                f"{self._folder.path} holds {self._folder.bytes_on_disk} bytes of at most {self.limits.max_bytes}: "
                "waiting for the stages behind to read on",
            )

    def _drop_released(self) -> None:
        self._folder.drop(
            self._released,
            older_than_ms=self._clock.now_ms() - self.limits.keep_ms,
            max_bytes=self.limits.max_bytes,
        )

    def _committed(self, group: Sequence[Entry], first: int) -> None:
        with self._lock:
            self._groups += 1
            self._retry_s = FIRST_RETRY_S
            position = first
            for entry in group:
                self._account(entry, -1)
                if entry.count:
                    self._recent.add(entry.record(position))
                position += entry.count
        self._turn(Health.WRITING, "")
        for entry in group:
            if entry.on_durable is not None:
                _call(entry.on_durable)
        with self._lock:
            position = first
            for entry in group:
                position += entry.count
                entry.end = position
            self._durable.notify_all()

    def _give_back(self, group: Sequence[Entry], error: OSError) -> None:
        self._turn(Health.HOLDING if isinstance(error, _HeldError) else Health.FAILING, str(error))
        self._tell_fullness()
        with self._lock:
            self._failures += 1
            self._queue.extendleft(reversed(group))
            self._durable.notify_all()
            self._work.wait_for(lambda: self._stirred or self._closing, self._retry_s)
            self._stirred = False
            self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S)

    def _turn(self, health: Health, reason: str) -> None:
        """One line in the log for each change, not for each attempt."""
        with self._lock:
            was = self._health
            self._health, self._reason = health, reason
        if health is was:
            return
        if health is Health.WRITING:
            log.info("journal %s is written again", self._folder.path)
        else:
            log.error("journal %s is not written, nothing is acknowledged: %s", self._folder.path, reason)

    def _tell_fullness(self) -> None:
        with self._telling:
            was = self._full
            self._full = self._queued_bytes > (0 if was else self._room)
            if self._full is was:
                return
            log.log(*_FULLNESS[self._full], self._folder.path)
            if self._on_full is not None:
                self._on_full(self._full)

    # --- at the start --------------------------------------------------------------------------------------

    def _open(self) -> None:
        try:
            self._folder.hold()
            self._folder.load()
            self._recover()
        except BaseException as error:
            self._writer.close()
            self._folder.close()
            if isinstance(error, OSError):
                raise self._cannot_open(error) from error
            raise

    def _cannot_open(self, error: OSError) -> TemporaryError:
        where = error.filename or self._folder.path
        return TemporaryError(
            f"cannot open the journal {self._folder.path}: {where}: {error.strerror}; "
            "check journal.path, who may write there, and whether the disk has room"
        )

    def _recover(self) -> None:
        if not self._folder.segments:
            return
        last = self._folder.segments[-1]
        found = recover(last)
        for damage in found.damaged:
            log.error("%s", damage)
            self._cursor.note(damage)
        if last.header is not None:
            cut = self._writer.open(last, found.offset)
            if cut:
                log.warning("cut %d bytes of an unfinished group from the end of %s", cut, last.path)
        self._folder.extend(found.offset, found.head, found.newest_ms)


def _control(kind: RecordKind, body: bytes, received_ms: int) -> Entry:
    if len(body) > MAX_BODY_BYTES:
        raise RefusedError(f"{len(body)} bytes are more than one record holds ({MAX_BODY_BYTES})")
    return Entry(kind, 1, received_ms, (body,), None, None)


def _call(on_durable: Callable[[], None]) -> None:
    try:
        on_durable()
    except Exception:
        log.exception("an acknowledgement failed; its messages are on disk and will come again")
