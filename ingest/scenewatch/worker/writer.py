"""The store's thread: drains the outbox, several batches in one commit, and waits out a store that is away."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Protocol

from scenewatch.model.errors import TemporaryError
from scenewatch.model.words import minutes
from scenewatch.worker.outage import Outage

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenewatch.model.batch import Batch
    from scenewatch.model.ports import Clock, KeepApart, Store

log = logging.getLogger(__name__)

RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
LONGEST_RETRY_S = 60.0
"""A server may wish for a longer pause; this much is granted."""
IDLE_S = 0.5
GATHER_S = 0.6
"""How long batches gather for one commit."""
TIDY_EVERY = minutes(1)


class Waiting(Protocol):
    """The outbox as its reader sees it: what it gives, maybe several batches as one, stays until it is done."""

    def get(self, wait_s: float) -> Batch | None: ...

    def done(self, batch: Batch) -> None: ...

    def gather(self, most_s: float) -> None: ...


class Account(Protocol):
    """Follows what becomes of messages, beside the store."""

    def keep(self, batch: Batch) -> None:
        """Put on record what does not go into the store, before the batch does. May come again for one batch."""
        ...

    def stored(self, batch: Batch) -> None:
        """The store has it. Once a batch."""
        ...


class Writer:
    """Moves batches from the outbox into the store, in order, each until it is durable."""

    def __init__(
        self,
        *,
        outbox: Waiting,
        store: Store,
        clock: Clock,
        names: Callable[[int], str],
        account: Account,
        keep_apart: KeepApart,
        tidy: Callable[[], None],
    ) -> None:
        self._outbox = outbox
        self._store = store
        self._clock = clock
        self._names = names
        self._account = account
        self._keep_apart = keep_apart
        self._tidy = tidy
        self._tidied_at_ms = clock.now_ms()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._outage = Outage(clock)
        self.failure: BaseException | None = None
        self.rows = 0

    @property
    def state(self) -> str:
        reason = self._outage.reason
        return f"waiting: {reason}" if reason else "ok"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the batch at hand."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                batch = self._outbox.get(IDLE_S)
                if batch is not None and self._write(batch):
                    self._outbox.done(batch)
                    # After a silence nobody has to wait; under load many batches share one commit.
                    self._outbox.gather(GATHER_S)
                self._tidy_when_due()
        except BaseException as error:
            log.exception("the store's writer ended")
            self.failure = error

    def _tidy_when_due(self) -> None:
        now_ms = self._clock.now_ms()
        if now_ms - self._tidied_at_ms < TIDY_EVERY:
            return
        self._tidied_at_ms = now_ms
        try:
            self._tidy()
        except TemporaryError as error:
            log.warning("the store could not be tidied, that is tried again: %s", error)

    def _write(self, batch: Batch) -> bool:
        """True when it is in the store; False when asked to stop before."""
        tries = 0
        while True:
            try:
                self._account.keep(batch)
                self.rows += self._store.write(batch, self._names, self._keep_apart)
            except TemporaryError as error:
                self._outage.goes_on(str(error))
                retry_s = max(RETRY_S[min(tries, len(RETRY_S) - 1)], min(error.retry_after_s, LONGEST_RETRY_S))
                if self._stopping.wait(retry_s):
                    return False
                tries += 1
            else:
                self._outage.is_over()
                self._account.stored(batch)
                return True
