"""Looks into a journal's folder beside the worker that writes it: nothing is held, changed or removed.

What is read is what lies in the files now. The last group of a running worker may be among it, or a part of it.
"""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from scenewatch.journal.folder import read_segment
from scenewatch.journal.reader import Damage, SegmentReader, recover
from scenewatch.journal.segment import SUFFIX
from scenewatch.model.errors import CorruptError, RefusedError
from scenewatch.model.messages import Messages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scenewatch.journal.folder import Segment
    from scenewatch.model.ports import Record

FOREVER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Contents:
    """One segment, read through: its records hold positions [first, end), received in [oldest_ms, newest_ms]."""

    path: Path
    first: int
    end: int
    records: int
    bytes: int
    oldest_ms: int | None
    newest_ms: int | None
    damaged: tuple[Damage, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """Positions [first, end) that were received in [from_ms, to_ms)."""

    first: int = 0
    end: int = FOREVER
    from_ms: int = 0
    to_ms: int = FOREVER


@dataclass(frozen=True, slots=True)
class Message:
    """One received message and its place in the journal."""

    position: int
    received_ms: int
    topic: bytes
    payload: bytes


@dataclass(frozen=True, slots=True)
class _Known:
    """A segment, and what its successor tells of it; None while it has none."""

    segment: Segment
    end: int | None
    newest_ms: int | None


class Look:
    """The segments that are in the folder when this is made. Raises RefusedError if there is no such folder."""

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise RefusedError(f"{path}: there is no journal; has a worker run with these settings?")
        self._path = path
        self._segments = _known(path)

    @property
    def oldest(self) -> int:
        """The first position that is kept; 0 of a journal without any."""
        return self._segments[0].segment.first if self._segments else 0

    @property
    def end(self) -> int:
        """Behind the newest record. Reads the last segment."""
        return _contents(self._segments[-1]).end if self._segments else 0

    def position_at(self, at_ms: int) -> int:
        """Of the first record that was received then or later; the end, if none was."""
        for item in self._items(Range(from_ms=at_ms)):
            if not isinstance(item, Damage) and item.received_ms >= at_ms:
                return item.first
        return self.end

    def records(self, first: int, end: int) -> Iterator[Record | Damage]:
        """Everything in positions [first, end), in order, cut to them."""
        if first < end:
            for item in self._items(Range(first, end)):
                yield _cut(item, max(first, item.first), min(end, item.end))

    def contents(self) -> Iterator[Contents]:
        """Reads every byte, to find damage."""
        for known in self._segments:
            yield _contents(known)

    def record(self, position: int) -> Record:
        """The record that holds `position`. Raises CorruptError (damaged) or RefusedError (not there)."""
        for item in self._items(Range(position, position + 1)):
            if item.first <= position < item.end:
                if isinstance(item, Damage):
                    raise CorruptError(str(item))
                return item
        raise RefusedError(f"{self._path}: position {position} is not there")

    def messages(self, wanted: Range) -> Iterator[Message | Damage]:
        """In order of position; damage in its place, as nobody knows when what is lost came in."""
        for item in self._items(wanted):
            if isinstance(item, Damage):
                yield item
            elif item.messages is not None and wanted.from_ms <= item.received_ms < wanted.to_ms:
                yield from _messages(item, wanted)

    def _items(self, wanted: Range) -> Iterator[Record | Damage]:
        for known in self._segments:
            if known.segment.first >= wanted.end:
                return
            passed = known.end is not None and known.end <= wanted.first
            too_old = known.newest_ms is not None and known.newest_ms < wanted.from_ms
            if passed or too_old:
                continue
            for item in _read(known):
                if item.first >= wanted.end:
                    return
                if item.end > wanted.first:
                    yield item


def _cut(item: Record | Damage, first: int, end: int) -> Record | Damage:
    if (first, end) == (item.first, item.end):
        return item
    if isinstance(item, Damage) or item.messages is None:
        return replace(item, first=first, end=end)
    m, which = item.messages, slice(first - item.first, end - item.first)
    columns = (column[which].copy() for column in (m.topic_at, m.topic_len, m.payload_at, m.payload_len))
    return replace(item, first=first, end=end, messages=Messages(m.received_ms, m.data, *columns))


def _known(path: Path) -> list[_Known]:
    segments: list[Segment] = []
    for file in path.glob(f"*{SUFFIX}"):
        with suppress(FileNotFoundError):  # the worker has let go of it since
            segments.append(read_segment(file))
    segments.sort(key=lambda segment: segment.first)
    return [_told_by(segment, after) for segment, after in zip_longest(segments, segments[1:])]


def _told_by(segment: Segment, after: Segment | None) -> _Known:
    header = None if after is None else after.header
    return _Known(
        segment,
        None if after is None else after.first,
        None if header is None else header.newest_before_ms,
    )


def _read(known: _Known) -> Iterator[Record | Damage]:
    if known.segment.header is None and known.end is None:
        yield from recover(known.segment).damaged
        return
    try:
        reader = SegmentReader(known.segment)
    except FileNotFoundError:
        return  # the worker has let go of it since: it is no longer kept, and no damage
    with closing(reader):
        while (item := reader.next(known.segment.size, known.end)) is not None:
            yield item


def _contents(known: _Known) -> Contents:
    segment = known.segment
    records, end = 0, segment.first
    oldest_ms, newest_ms = FOREVER, 0
    damaged: list[Damage] = []
    for item in _read(known):
        end = item.end
        if isinstance(item, Damage):
            damaged.append(item)
        else:
            records += 1
            oldest_ms, newest_ms = min(oldest_ms, item.received_ms), max(newest_ms, item.received_ms)
    return Contents(
        path=segment.path,
        first=segment.first,
        end=end,
        records=records,
        bytes=segment.size,
        oldest_ms=oldest_ms if records else None,
        newest_ms=newest_ms if records else None,
        damaged=tuple(damaged),
    )


def _messages(record: Record, wanted: Range) -> Iterator[Message]:
    messages = record.messages
    if messages is None:
        return
    for position in range(max(record.first, wanted.first), min(record.end, wanted.end)):
        i = position - record.first
        yield Message(position, record.received_ms, messages.topic(i), messages.payload(i))
