"""Writes groups of records behind one another, and takes back what could not be made durable."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scenewatch.journal.segment import part_bytes, record_bytes
from scenewatch.model.ports import Record, RecordKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scenewatch.journal.files import Files
    from scenewatch.journal.folder import Folder, Segment
    from scenewatch.journal.segment import Part
    from scenewatch.model.messages import Messages


@dataclass(eq=False, slots=True)
class Entry:
    """A record on its way to the disk: it gets its positions when it is written."""

    kind: RecordKind
    count: int
    received_ms: int
    parts: tuple[Part, ...]
    messages: Messages | None
    on_durable: Callable[[], None] | None
    end: int | None = None
    """Position behind it, once durable."""
    size: int = field(init=False)
    """Bytes of its body."""

    def __post_init__(self) -> None:
        self.size = sum(part_bytes(part) for part in self.parts)

    def record(self, first: int) -> Record:
        body = b"" if self.messages is not None else b"".join(self.parts)
        return Record(first, first + self.count, self.kind, self.received_ms, self.messages, body)


class SegmentWriter:
    """The only one who writes segments. For one thread."""

    def __init__(self, folder: Folder, files: Files, segment_bytes: int) -> None:
        self._folder = folder
        self._files = files
        self._segment_bytes = segment_bytes
        self._segment: Segment | None = None
        self._fd = -1
        self._torn = False
        """Bytes of a failed group may be behind the last record: they must go before anything else is written."""

    def open(self, segment: Segment, size: int) -> int:
        """Go on writing at `size` in a segment; returns how many bytes of a torn tail were cut."""
        cut = segment.size - size
        self._fd = os.open(segment.path, os.O_RDWR | os.O_CLOEXEC)
        self._segment = segment
        if cut:
            self._files.cut(self._fd, size)
        # A killed process may have left whole records that only the system's memory holds.
        self._files.sync(self._fd)
        return cut

    def leave(self) -> None:
        """Write no more into the last segment: the next group begins a new one."""
        self.close()
        self._segment = None

    def roll(self) -> None:
        """Begin a new segment if there is none or the last is full. Raises OSError."""
        if self._segment is not None and self._segment.size < self._segment_bytes:
            return
        if self._torn:
            self._mend()
        segment, fd = self._folder.add()
        self.close()
        self._segment, self._fd = segment, fd

    def write(self, entries: Sequence[Entry]) -> int:
        """Make all of them durable in the segment that `roll` left; the first one's position.

        Raises OSError, and then nothing of them is there.
        """
        segment = self._segment
        if segment is None or segment.header is None:
            raise OSError("no segment to write to")
        if self._torn:
            self._mend()
        first = position = self._folder.head
        parts: list[Part] = []
        newest_ms = 0
        for entry in entries:
            if entry.count == 0:
                continue
            span = (position, position + entry.count)
            parts += record_bytes(segment.header.mark, entry.kind, span, entry.received_ms, entry.parts)
            position = span[1]
            newest_ms = max(newest_ms, entry.received_ms)
        data = b"".join(parts)
        self._torn = True
        try:
            self._files.write(self._fd, data, segment.size)
            self._files.sync(self._fd)
            self._torn = False
        finally:
            if self._torn:
                self._mend()
        self._folder.extend(segment.size + len(data), position, newest_ms)
        return first

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _mend(self) -> None:
        """A failed sync leaves nobody knowing what is on disk, so the group is cut off and written anew."""
        if self._segment is not None:
            self._files.cut(self._fd, self._segment.size)
        self._torn = False
