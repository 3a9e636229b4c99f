"""The end of a worker's life, within a time that is known before: what each part does with it, what is left."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

log = logging.getLogger(__name__)

LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Ending:
    """Where everything was left. Positions: journal, state and store each hold all before theirs."""

    received: int
    derived: int
    stored: int
    hanging: tuple[str, ...]
    """Parts that did not end in time: nothing they hold is lost, but their threads are still there."""

    def __str__(self) -> str:
        parts = [f"received to position {self.received}, derived to {self.derived}, stored to {self.stored}"]
        if self.stored < self.received:
            parts.append(
                f"{self.received - self.stored} positions wait in the journal and follow at the next start"
            )
        if self.hanging:
            parts.append(f"did not end in time: {', '.join(self.hanging)}")
        return "; ".join(parts)


class Deadline:
    """A span of time that several waits share."""

    def __init__(self, span_s: float) -> None:
        self._ends_at_s = time.monotonic() + span_s

    def left_s(self, keep_s: float = 0.0) -> float:
        """What is left if `keep_s` of it are kept for later."""
        return max(0.0, self._ends_at_s - keep_s - time.monotonic())

    def wait(self, there: Callable[[], bool], *, keep_s: float = 0.0) -> bool:
        pause = threading.Event()
        while not (reached := there()) and self.left_s(keep_s) > 0:
            pause.wait(LOOK_S)
        return reached

    def join(self, threads: Iterable[threading.Thread], *, keep_s: float = 0.0) -> None:
        for thread in threads:
            thread.join(self.left_s(keep_s))


def aside(name: str, end: Callable[[], None]) -> threading.Thread:
    """Have a part ended in a thread of its own, so that one that hangs holds nobody else."""

    def run() -> None:
        try:
            end()
        except Exception:
            log.exception("%s did not end well", name)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread
