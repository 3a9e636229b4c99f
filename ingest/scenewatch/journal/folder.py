"""The journal's folder: who holds it, which segments are in it, and when an old one may go."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import threading
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scenewatch.journal.files import UNFINISHED, Files
from scenewatch.journal.segment import HEADER_BYTES, SUFFIX, Header, new_mark, read_header, segment_name
from scenewatch.model.errors import CorruptError, InUseError, RefusedError

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

IDENTITY = "identity"
LOCK = "lock"
_IDENTITY = re.compile(rb"[0-9a-f]{32}")
_NUMBER = re.compile(r"[0-9]{20}")
_MOST = 2**62
"""Positions are kept as whole numbers of 64 bits, and no journal comes near that."""


@dataclass(eq=False, slots=True)
class Segment:
    """One file. `header` is None where it is damaged: nothing in the file can be trusted then."""

    path: Path
    first: int
    header: Header | None
    size: int
    """Bytes that are durable; the last segment grows."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A segment as a reader may see it now: `size` bytes, and positions up to `end`."""

    segment: Segment
    size: int
    end: int


@dataclass(slots=True)
class Folder:
    """Segments in order of position. Any thread may call; the lock is never held over a slow write."""

    path: Path
    files: Files
    head: int = 0
    """Position behind the last durable record."""
    bytes_on_disk: int = 0
    segments: list[Segment] = field(default_factory=list)
    _newest_ms: int = 0
    _lock_fd: int = -1
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def hold(self) -> None:
        """Nobody else may write here until `close`. Raises InUseError."""
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock_fd = _lock_file(self.path)

    def identity(self) -> str:
        """Random, made once: tells this folder from every other. For whoever holds it. Raises OSError."""
        path = self.path / IDENTITY
        known = path.read_bytes() if path.exists() else b""
        if not _IDENTITY.fullmatch(known):
            known = os.urandom(16).hex().encode()
            os.close(self.files.create(path, known))
        return known.decode()

    def load(self) -> None:
        """Take stock of what earlier runs left."""
        for unfinished in self.path.glob(f"*{UNFINISHED}"):
            unfinished.unlink()
        self._name_strangers()
        self.segments = sorted((read_segment(path) for path in self.path.glob(f"*{SUFFIX}")), key=lambda s: s.first)
        self.bytes_on_disk = sum(segment.size for segment in self.segments)

    def _name_strangers(self) -> None:
        ours = {IDENTITY, LOCK}
        strangers = [p.name for p in self.path.iterdir() if p.name not in ours and p.suffix != SUFFIX]
        if strangers:
            named = ", ".join(sorted(strangers)[:3])
            log.warning(
                "%s holds %d files that are not of a journal, and leaves them alone: %s",
                self.path,
                len(strangers),
                named,
            )

    def close(self) -> None:
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1

    @property
    def oldest(self) -> int:
        """The first position that is still kept."""
        with self._lock:
            return self.segments[0].first if self.segments else self.head

    def at(self, position: int) -> Stretch | None:
        """Where `position` is; None at the head. Raises CorruptError for what never was or is no longer."""
        with self._lock:
            if position == self.head:
                return None
            if position > self.head:
                raise CorruptError(
                    f"{self.path} ends at position {self.head}, asked for {position}: "
                    "it is not the journal that the asker has read before",
                )
            i = bisect_right(self.segments, position, key=lambda segment: segment.first) - 1
            if i < 0:
                raise CorruptError(
                    f"{self.path} keeps nothing before position {self._oldest()}, asked for {position}"
                )
            segment = self.segments[i]
            end = self.segments[i + 1].first if i + 1 < len(self.segments) else self.head
            return Stretch(segment, segment.size, end)

    def add(self) -> tuple[Segment, int]:
        """A new last segment and its descriptor. Raises OSError."""
        header = Header(new_mark(), self.head, self._newest_ms)
        path = self.path / segment_name(self.head)
        fd = self.files.create(path, header.to_bytes())
        segment = Segment(path, self.head, header, HEADER_BYTES)
        with self._lock:
            self.segments.append(segment)
            self.bytes_on_disk += segment.size
            self._newest_ms = 0
        return segment, fd

    def extend(self, size: int, head: int, newest_ms: int) -> None:
        """The last segment is durable up to `size`, which is position `head`."""
        with self._lock:
            self.bytes_on_disk += size - self.segments[-1].size
            self.segments[-1].size = size
            self.head = head
            self._newest_ms = max(self._newest_ms, newest_ms)

    def drop(self, position: int, *, older_than_ms: int, max_bytes: int) -> None:
        """Remove old segments whose every record is before `position`.

        They go when all in them is older than `older_than_ms`, and sooner while the folder holds `max_bytes`:
        taking in what is new is worth more than an archive of what every stage is past.
        """
        dropped: list[Segment] = []
        with self._lock:
            while len(self.segments) > 1 and self.segments[1].first <= position:
                if self._oldest_newest_ms() >= older_than_ms and self.bytes_on_disk < max_bytes:
                    break
                dropped.append(self.segments.pop(0))
                self.bytes_on_disk -= dropped[-1].size
        for segment in dropped:
            try:
                segment.path.unlink()
            except OSError as error:
                log.warning("cannot remove %s, please remove it by hand: %s", segment.path, error)

    def _oldest(self) -> int:
        return self.segments[0].first if self.segments else self.head

    def _oldest_newest_ms(self) -> int:
        """The newest receive time in the oldest segment; a later one where its neighbour's header is damaged."""
        headers = (segment.header for segment in self.segments[1:])
        return next((header.newest_before_ms for header in headers if header is not None), self._newest_ms)


def clear(path: Path) -> None:
    """Remove all segments of a folder that nobody holds."""
    path.mkdir(parents=True, exist_ok=True)
    lock_fd = _lock_file(path)
    try:
        for segment in path.glob(f"*{SUFFIX}"):
            segment.unlink()
    finally:
        os.close(lock_fd)


def _lock_file(folder: Path) -> int:
    fd = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(fd)
        raise InUseError(
            f"the journal {folder} is in use by another process: stop it, or give this one a folder of its own",
        ) from error
    return fd


def read_segment(path: Path) -> Segment:
    """What the file says of itself. Raises CorruptError for another's file, RefusedError for another version's."""
    first = int(path.stem) if _NUMBER.fullmatch(path.stem) else _MOST
    if first >= _MOST:
        raise CorruptError(f"{path} is not a segment of a journal: move it away")
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(fd).st_size
        try:
            header: Header | None = read_header(fd)
        except CorruptError as error:
            log.error("%s: %s; its positions cannot be read", path, error)  # noqa: TRY400 - a file's fault, no trace
            header = None
        except RefusedError as error:
            raise RefusedError(f"{path}: {error}; use the release that wrote it, or another journal.path") from None
    finally:
        os.close(fd)
    if header is not None and header.first != first:
        log.error("%s begins at position %d, against its name; its positions cannot be read", path, header.first)
        header = None
    return Segment(path, first, header, size)
