"""What figures are made of: rows of numbers at one moment, and what is remembered from one look to the next."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scenewatch.model.point import Point

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from scenewatch.model.level import Level
    from scenewatch.model.registry import Registry

MOST_MARKS = 4096
NEVER_SILENT = np.iinfo(np.int64).max


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A row a point. Columns of numbers, because many sites' points may have to wait for an hour."""

    measurement: str
    t_ms: int
    keep: Level
    tags: Sequence[Mapping[str, str]]
    columns: Mapping[str, NDArray[Any]]
    """A field each; floats or whole numbers."""

    def __len__(self) -> int:
        return len(self.tags)

    def points(self) -> Iterator[Point]:
        rows = zip(*(column.tolist() for column in self.columns.values()), strict=True)
        for tags, row in zip(self.tags, rows, strict=True):
            fields = dict(zip(self.columns, row, strict=True))
            yield Point(measurement=self.measurement, tags=tags, t_ms=self.t_ms, fields=fields, keep=self.keep)


class Ages:
    """How long a message has been on its way, known by the journal's head at moments past; never told too short."""

    def __init__(self, position: int, since_ms: int) -> None:
        """What is at `position` came at or after `since_ms`."""
        self._marks = deque([(position, since_ms)])

    def note(self, head: int, stored: int, now_ms: int) -> None:
        """What is at `head` or above has not come yet. What lies before `stored` is not asked for again."""
        if head <= self._marks[-1][0]:
            self._marks.pop()
        self._marks.append((head, now_ms))
        while len(self._marks) > 1 and self._marks[1][0] <= stored:
            self._marks.popleft()
        if len(self._marks) > MOST_MARKS:
            self._marks = deque([*list(self._marks)[::2], self._marks[-1]])

    def age_ms(self, stored: int, head: int, now_ms: int) -> int:
        """Of the oldest message that is not stored; 0 when there is none."""
        since_ms = max((t_ms for position, t_ms in self._marks if position <= stored), default=now_ms)
        return max(0, now_ms - since_ms) if stored < head else 0


class Heard:
    """When each device was heard last. Told by its growing account, so that nothing need be noted by message."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._messages = np.zeros(0, np.int64)
        self._at_ms = np.zeros(0, np.int64)
        self._gap_ms = np.zeros(0, np.int64)
        self.active = np.zeros(0, np.bool_)
        """Which devices the inventory has now."""
        self.silent = np.zeros(0, np.bool_)
        """Of these, those from which nothing came for more than three intervals."""
        self.measuring = np.zeros(0, np.bool_)
        """Of these, those that measure, and so can be silent."""

    def look(self, messages: NDArray[np.int64], now_ms: int) -> None:
        """`messages` is how many each device ever sent; the silence of one that is new begins now."""
        known, count = len(self._messages), len(messages)
        if count > known:
            types = [self._registry.type_of(number) for number in range(known, count)]
            gaps = np.array([t.gap if t.channels else NEVER_SILENT for t in types], np.int64)
            self._gap_ms = np.concatenate((self._gap_ms, gaps))
            self._messages = np.concatenate((self._messages, messages[known:]))
            self._at_ms = np.concatenate((self._at_ms, np.full(count - known, now_ms, np.int64)))
        self._at_ms[messages != self._messages] = now_ms
        self._messages = messages
        self.active = np.array(self._registry.active[:count], np.bool_)
        self.measuring = self.active & (self._gap_ms != NEVER_SILENT)
        self.silent = self.measuring & (now_ms - self._at_ms > self._gap_ms)
