"""Reads records back, in order of position, and says exactly what cannot be read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenewatch.journal.segment import HEADER_BYTES, Found, find_record, read_record
from scenewatch.model.errors import CorruptError, TemporaryError

if TYPE_CHECKING:
    from pathlib import Path

    from scenewatch.journal.folder import Folder, Segment
    from scenewatch.model.ports import Record


@dataclass(frozen=True, slots=True)
class Damage:
    """Positions [first, end) cannot be read; whoever wants to go on reads from `end`."""

    path: Path
    offset: int
    first: int
    end: int

    def __str__(self) -> str:
        return (
            f"{self.path} is damaged at byte {self.offset}: positions {self.first} to {self.end - 1} are lost, "
            f"it can be read again from position {self.end}"
        )


class SegmentReader:
    """Walks one segment from its beginning. `offset` and `position` are behind what was returned last."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.offset = HEADER_BYTES
        self.position = segment.first
        self._fd = os.open(segment.path, os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        os.close(self._fd)

    def next(self, end_offset: int, end: int | None) -> Record | Damage | None:
        """The next record, or the damage in its place; None at `end_offset`.

        `end` is the position the segment must reach; None when nobody knows, and then a tail without a valid
        record is no damage: None is returned with `offset` at its beginning.
        """
        while self.offset < end_offset or (end is not None and self.position < end):
            found = self._at(self.offset, end_offset)
            if found is not None and found.record.first == self.position:
                return self._take(found)
            damage = self._behind(end_offset, end)
            if damage is None or damage.end > damage.first:
                return damage
        return None

    def _at(self, offset: int, end_offset: int) -> Found | None:
        if self.segment.header is None:
            return None
        return read_record(self._fd, self.segment.header.mark, offset, end_offset)

    def _take(self, found: Found) -> Record:
        self.offset = found.next_offset
        self.position = found.record.end
        return found.record

    def _behind(self, end_offset: int, end: int | None) -> Damage | None:
        """Step over what is unreadable, to the next valid record or to the end."""
        at, first = self.offset, self.position
        behind = self._find(end_offset)
        if behind is None and end is None:
            return None
        self.offset, self.position = behind or (end_offset, end or first)
        return Damage(self.segment.path, at, first, self.position)

    def _find(self, end_offset: int) -> tuple[int, int] | None:
        """Offset and position of the next valid record that is no older than what was read."""
        if self.segment.header is None:
            return None
        offset = self.offset
        while (hit := find_record(self._fd, self.segment.header.mark, offset, end_offset)) is not None:
            offset, found = hit
            if found.record.first >= self.position:
                return offset, found.record.first
            offset = found.next_offset
        return None


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the last segment holds: whole records up to `offset`, which is position `head`."""

    offset: int
    head: int
    newest_ms: int
    damaged: tuple[Damage, ...]


def recover(segment: Segment) -> Recovered:
    """Read a whole segment of which nobody knows where it ends."""
    if segment.header is None:
        # A position takes at least one byte: none of the lost ones is ever given away again.
        end = segment.first + max(1, segment.size)
        return Recovered(segment.size, end, 0, (Damage(segment.path, 0, segment.first, end),))
    reader = SegmentReader(segment)
    newest_ms = 0
    damaged: list[Damage] = []
    try:
        while (item := reader.next(segment.size, None)) is not None:
            if isinstance(item, Damage):
                damaged.append(item)
            else:
                newest_ms = max(newest_ms, item.received_ms)
    finally:
        reader.close()
    return Recovered(reader.offset, reader.position, newest_ms, tuple(damaged))


class Cursor:
    """Reads on from where it was left, over all segments. For one thread."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._reader: SegmentReader | None = None
        self._damaged: dict[int, Damage] = {}

    @property
    def damaged(self) -> tuple[Damage, ...]:
        return tuple(self._damaged.values())

    def note(self, damage: Damage) -> None:
        self._damaged[damage.first] = damage

    def close(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def read(self, position: int, most: int) -> list[Record]:
        """Whole records from `position` on; empty at the head. Raises CorruptError where they are damaged."""
        records: list[Record] = []
        start = position
        while not records or position - start < most:
            try:
                item = self._next(position)
            except FileNotFoundError as error:
                raise CorruptError(f"{error.filename} is gone: position {position} cannot be read") from error
            except OSError as error:
                raise TemporaryError(f"cannot read the journal at position {position}: {error}") from error
            if item is None:
                break
            if isinstance(item, Damage):
                if records:
                    break
                raise CorruptError(str(item))
            records.append(item)
            position = item.end
        return records

    def _next(self, position: int) -> Record | Damage | None:
        """The record or damage that holds `position`."""
        known = next((d for d in self._damaged.values() if d.first <= position < d.end), None)
        if known is not None:
            return known
        while (stretch := self._folder.at(position)) is not None:
            item = self._reader_at(stretch.segment, position).next(stretch.size, stretch.end)
            if isinstance(item, Damage):
                self.note(item)
            if item is not None and item.end > position:
                return item
        return None

    def _reader_at(self, segment: Segment, position: int) -> SegmentReader:
        reader = self._reader
        if reader is not None and reader.segment is segment and reader.position <= position:
            return reader
        self.close()
        self._reader = SegmentReader(segment)
        return self._reader
