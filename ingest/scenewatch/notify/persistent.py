"""A connection that is made again whenever it is lost, for whatever is published over it."""

from __future__ import annotations

import logging
import random
import threading
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

from scenewatch.model.backoff import Backoff
from scenewatch.model.errors import TemporaryError
from scenewatch.notify.connection import Connection

if TYPE_CHECKING:
    from scenewatch.model.broker import Broker

log = logging.getLogger(__name__)

OneConnection = TypeVar("OneConnection", bound=Connection)


class Persistent(ABC, Generic[OneConnection]):
    """A thread that connects, serves until the connection is lost, waits, and connects anew.

    Each connection is a new client, so that nothing an old one still held overtakes what is newer. `what` names
    in the log what is published.
    """

    def __init__(self, broker: Broker, what: str) -> None:
        broker.check()  # a wrong URL stops the start, not the thread
        self._broker = broker
        self._what = what
        self._closing = False
        self._backoff = Backoff(random.Random())
        self._of_use_since: float | None = None
        """When this connection began to be of use (monotonic); None before that."""
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=f"notify-{what}", daemon=True)

    def close(self) -> None:
        """Leave, once what waits is told, if that is quick."""
        with self._change:
            self._closing = True
            self._change.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    @abstractmethod
    def _make(self) -> OneConnection:
        """One that is not open yet."""

    @abstractmethod
    def _serve(self, connection: OneConnection) -> None:
        """Publish until it is time to close; TemporaryError when the connection is lost."""

    def _ended(self, connection: OneConnection, reason: str) -> bool:  # noqa: ARG002  # for those who want to know
        """The connection is over; True where the next one should be tried at once."""
        return False

    def _run(self) -> None:
        told_reason = ""
        while not self._closing:
            connection, reason = self._make(), ""
            try:
                connection.open()
                log.info("%s are published on %s", self._what, self._broker.url)
                told_reason = ""
                self._serve(connection)
            except TemporaryError as error:
                reason = str(error)
            finally:
                connection.close()
            if self._ended(connection, reason) or not reason:
                continue
            if reason != told_reason:
                told_reason = reason
                log.warning("%s are not published on %s: %s", self._what, self._broker.url, reason)
            self._wait()

    def _wait(self) -> None:
        served_s = 0.0 if self._of_use_since is None else time.monotonic() - self._of_use_since
        self._of_use_since = None
        with self._change:
            self._change.wait_for(lambda: self._closing, self._backoff.next_s(served_s=served_s))
