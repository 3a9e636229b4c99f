"""Ends of the worker that tests can hold up: a clock moved by hand, and waiting for what threads bring about."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from scenewatch.model.errors import TemporaryError

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE_S = 10.0


class HandClock:
    """Stands still until it is moved."""

    def __init__(self, now_ms: int) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms


def wait_for(there: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(round(DEADLINE_S / 0.005)):
        if there():
            return
        pause.wait(0.005)
    raise AssertionError("it did not come about in time")


class Gate:
    """A function in front of another one that refuses for now while it is shut."""

    def __init__(self, behind: Callable[..., object]) -> None:
        self.behind = behind
        self.shut = False
        self.refused = 0

    def __call__(self, *arguments: object) -> object:
        if self.shut:
            self.refused += 1
            raise TemporaryError("the gate is shut")
        return self.behind(*arguments)
