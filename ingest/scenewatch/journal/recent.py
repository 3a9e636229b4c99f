"""The newest records in memory, so that a reader close behind the writer never touches the disk."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenewatch.model.ports import Record

OVERHEAD_BYTES = 1024
"""What a record costs in Python objects besides its bytes."""


class Recent:
    """A bounded window that ends at the head. Reading lets go of what is before: there is one reader."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._records: deque[Record] = deque()

    def add(self, record: Record) -> None:
        self._records.append(record)
        self._bytes += _bytes(record)
        while self._bytes > self._most_bytes:
            self._drop()

    def read(self, position: int, most: int) -> list[Record]:
        """Records from `position` on, up to about `most` positions; empty if it is not in the window."""
        while self._records and self._records[0].end <= position:
            self._drop()
        records: list[Record] = []
        if self._records and self._records[0].first <= position:
            for record in self._records:
                if records and record.first - position >= most:
                    break
                records.append(record)
        return records

    def _drop(self) -> None:
        self._bytes -= _bytes(self._records.popleft())


def _bytes(record: Record) -> int:
    if record.messages is None:
        return OVERHEAD_BYTES + len(record.body)
    return OVERHEAD_BYTES + len(record.messages.data) + 16 * len(record.messages)
