"""Messages to write, records to compare, and a disk that fails on command."""

from __future__ import annotations

import errno
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scenewatch.journal.files import Files
from scenewatch.journal.journal import FileJournal
from scenewatch.journal.limits import Limits
from scenewatch.model.messages import Messages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from scenewatch.model.ports import Record

DEADLINE_S = 10.0
KIB = 1024
SMALL = Limits(segment_bytes=2 * KIB, max_bytes=1024 * KIB, hard_max_bytes=2048 * KIB)
"""So small that a few messages fill a segment."""


class HandClock:
    """A clock that stands until it is moved."""

    def __init__(self, now_ms: int = 0) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms


class FailingFiles(Files):
    """The real disk, with a room that runs out and a sync that can fail; remembers what it did."""

    def __init__(self) -> None:
        self.room = 1 << 40
        self.sync_fails = False
        self.did: list[str] = []
        self.gate = threading.Event()
        """Closed, `sync` waits."""
        self.gate.set()
        self.at_gate = threading.Event()

    def write(self, fd: int, data: bytes, offset: int) -> None:
        fits = data[: max(0, self.room - offset)]
        super().write(fd, fits, offset)
        self.did.append("write")
        if len(fits) < len(data):
            raise OSError(errno.ENOSPC, "No space left on device")

    def sync(self, fd: int) -> None:
        self.at_gate.set()
        assert self.gate.wait(DEADLINE_S)
        if self.sync_fails:
            raise OSError(errno.EIO, "Input/output error")
        super().sync(fd)
        self.did.append("sync")


def some(n: int, tag: str = "m", size: int = 20, received_ms: int = 1000) -> Messages:
    """`n` messages that are told apart by tag and number."""
    pairs = [(f"sw/t/{tag}".encode(), f"{tag}-{i}".encode().ljust(size, b".")) for i in range(n)]
    return Messages.of(pairs, received_ms)


def plain(records: Sequence[Record]) -> list[tuple[object, ...]]:
    """Records as values that compare."""
    return [
        (r.first, r.end, r.kind, r.received_ms, r.body)
        if r.messages is None
        else (r.first, r.end, r.kind, r.received_ms, pairs(r.messages))
        for r in records
    ]


def pairs(messages: Messages) -> list[tuple[bytes, bytes]]:
    return [(messages.topic(i), messages.payload(i)) for i in range(len(messages))]


def payloads(records: Sequence[Record]) -> list[bytes]:
    return [m.payload(i) for r in records if (m := r.messages) is not None for i in range(len(m))]


def append_durably(journal: FileJournal, messages: Messages) -> None:
    durable = threading.Event()
    journal.append(messages, durable.set)
    assert durable.wait(DEADLINE_S)


def read_all(journal: FileJournal, position: int = 0, most: int = 7) -> list[Record]:
    records: list[Record] = []
    while position < journal.head:
        records += journal.read(position, most=most, wait_s=0)
        position = records[-1].end
    return records


@contextmanager
def opened(path: Path, limits: Limits = SMALL, **more: object) -> Iterator[FileJournal]:
    journal = FileJournal(path, clock=more.pop("clock", None) or HandClock(), limits=limits, **more)
    try:
        yield journal
    finally:
        journal.close()


def until(condition) -> None:
    """For states nothing announces."""
    tick = threading.Event()
    for _ in range(int(DEADLINE_S / 0.005)):
        if condition():
            return
        tick.wait(0.005)
    raise AssertionError("it did not come to pass")
