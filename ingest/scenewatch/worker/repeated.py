"""Threads that do one small thing again and again until they are stopped."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from scenewatch.model.errors import TemporaryError
from scenewatch.worker.outage import Lines, Outage

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenewatch.model.ports import Clock

log = logging.getLogger(__name__)

LOOK_S = 1.0
RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0)


class Repeated:
    """`step` says whether it has more to do at once; what it raises ends the thread and is its `failure`."""

    def __init__(self, name: str, step: Callable[[], bool]) -> None:
        self._name = name
        self._step = step
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.failure: BaseException | None = None

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """One more step, then no more."""
        self._stopping.set()

    def join(self) -> None:
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            more = True
            while not self._stopping.wait(0 if more else LOOK_S):
                more = self._step()
            self._step()
        except BaseException as error:
            log.exception("%s ended", self._name)
            self.failure = error


class Delivery:
    """A step that waits out a store that is away, at first shortly, then longer."""

    def __init__(self, what: str, deliver: Callable[[], bool], clock: Clock) -> None:
        self._deliver = deliver
        self._outage = Outage(clock, _lines(what))
        self._tries = 0
        self._not_before_s = 0.0

    def step(self) -> bool:
        if time.monotonic() < self._not_before_s:
            return False
        try:
            more = self._deliver()
        except TemporaryError as error:
            self._outage.goes_on(str(error))
            retry_s = max(RETRY_S[min(self._tries, len(RETRY_S) - 1)], min(error.retry_after_s, RETRY_S[-1]))
            self._not_before_s = time.monotonic() + retry_s
            self._tries += 1
            return False
        self._outage.is_over()
        self._tries = 0
        return more


def _lines(what: str) -> Lines:
    return Lines(
        f"the store does not take {what}, they wait: %s",
        f"the store still takes no {what}, now: %s",
        f"the store takes {what} again",
    )
