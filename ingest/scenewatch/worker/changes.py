"""The newest changes of something, for listeners that look a few times a second."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Change = TypeVar("Change")
KEPT = 10_000
"""One that is further behind asks for all anew."""


class Changes(Generic[Change]):
    """Any thread."""

    def __init__(self, kept: int = KEPT) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._newest: deque[Change] = deque(maxlen=kept)

    def add(self, changes: Iterable[Change]) -> None:
        added = list(changes)
        with self._lock:
            self._newest.extend(added)
            self._count += len(added)

    def since(self, after: int) -> tuple[int, Sequence[Change]]:
        """What came since the count was `after`, and the count now."""
        with self._lock:
            new = min(self._count - after, len(self._newest))
            return self._count, list(self._newest)[len(self._newest) - new :] if new > 0 else []
