"""Reads single messages once more, long behind the pipeline: for a dead letter that needs its topic and payload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.journal.look import Message
from scenewatch.journal.reader import Cursor
from scenewatch.model.errors import CorruptError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.journal.folder import Folder
    from scenewatch.model.ports import Record


class Revisit:
    """For one thread. As long as it is asked for later and later positions, each segment is read once."""

    def __init__(self, folder: Folder) -> None:
        self._cursor = Cursor(folder)
        self._record: Record | None = None
        """The last one that was read: the next message may be in it too."""

    def close(self) -> None:
        self._cursor.close()

    def messages_at(self, positions: Sequence[int]) -> dict[int, Message | None]:
        """None where no message but another record lies; nothing where it cannot be read. Raises TemporaryError."""
        found: dict[int, Message | None] = {}
        for position in sorted(positions):
            record = self._record
            if record is None or not record.first <= position < record.end:
                record = self._record = self._read(position)
            if record is not None:
                found[position] = _message(record, position)
        return found

    def _read(self, position: int) -> Record | None:
        try:
            records = self._cursor.read(position, 1)
        except CorruptError:  # the pipeline, which reads before, tells of the damage and counts it
            return None
        return records[0] if records else None


def _message(record: Record, position: int) -> Message | None:
    messages, i = record.messages, position - record.first
    if messages is None:
        return None
    return Message(position, record.received_ms, messages.topic(i), messages.payload(i))
