"""One worker an identity: takes the lease before anything is read, renews it, and says when another has taken it.

No clock is compared with another machine's: a lease has run out when whoever wants it has seen, by its own steady
clock, that it was not renewed for `EXPIRED_S`. A worker that was killed need not be waited for where it held the
same journal folder: the folder's lock is free only when it is dead.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from scenewatch.model.errors import InUseError, TemporaryError
from scenewatch.store.lease import Lease

if TYPE_CHECKING:
    from typing import Self

    from scenewatch.model.ports import Clock

log = logging.getLogger(__name__)

RENEW_S = 3.0
EXPIRED_S = 15.0
LOOK_S = 0.25


class Table(Protocol):
    """Where the lease is kept, for all to see: `store.lease.Leases`."""

    def read(self) -> Lease | None: ...

    def take(self, lease: Lease, now_ms: int, *, instead_of: Lease | None) -> bool: ...

    def renew(self, holder: str, now_ms: int) -> bool: ...

    def give_back(self, holder: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """The spans, all by this machine's steady clock."""

    renew_s: float = RENEW_S
    expired_s: float = EXPIRED_S
    look_s: float = LOOK_S


class Tenure:
    """A context: inside it the lease is held, and renewed by a thread of its own.

    While the database is away the worker goes on, as what it takes in is safe in its journal. When it is back and
    another has taken the lease meanwhile, `failure` is set, and the worker must end.
    """

    def __init__(self, table: Table, folder: str, clock: Clock, patience: Patience | None = None) -> None:
        self._table = table
        self._clock = clock
        self._patience = patience or Patience()
        self._me = Lease(secrets.token_hex(16), folder, socket.gethostname(), os.getpid())
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)
        self.failure: BaseException | None = None
        """Why the worker must end, if it must."""
        self.last_folder = ""
        """Whose journal this database was last used with; empty when nobody's."""

    def __enter__(self) -> Self:
        """Raises InUseError when another worker lives; for a dead one's lease it waits until it has run out."""
        seen = self._table.read()
        if seen is not None and seen.holder and seen.folder != self._me.folder:
            seen = self._outlast(seen)
        if not self._table.take(self._me, self._clock.now_ms(), instead_of=seen):
            raise _in_use(self._table.read())
        self.last_folder = seen.folder if seen is not None else ""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        try:
            self._table.give_back(self._me.holder)
        except TemporaryError as error:
            log.warning("the lease stays until it runs out: %s", error)

    def _outlast(self, seen: Lease) -> Lease | None:
        """Watch another's lease until it has run out or was given back. Raises InUseError when it is renewed."""
        expired_s = self._patience.expired_s
        log.info(
            "the database was last used by the worker on %s, process %d: waiting up to %g s for a sign of life",
            seen.host,
            seen.pid,
            expired_s,
        )
        until_s = time.monotonic() + expired_s
        while time.monotonic() < until_s:
            self._stopping.wait(self._patience.look_s)
            now = self._table.read()
            if now is None or not now.holder:
                return now
            if (now.holder, now.beat) != (seen.holder, seen.beat):
                raise _in_use(now)
        return seen

    # --- the lease's thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        away = False
        while self.failure is None and not self._stopping.wait(self._patience.renew_s):
            try:
                self._renew()
            except TemporaryError as error:
                if not away:
                    log.warning("the lease cannot be renewed, the worker goes on: %s", error)
                away = True
            except Exception as error:
                log.exception("the lease cannot be kept")
                self.failure = error
            else:
                if away:
                    log.info("the lease is renewed again")
                away = False

    def _renew(self) -> None:
        now_ms = self._clock.now_ms()
        if self._table.renew(self._me.holder, now_ms):
            return
        # A database put back from a copy may know of no lease at all: then it is ours again.
        other = self._table.read()
        if other is not None or not self._table.take(self._me, now_ms, instead_of=None):
            self.failure = _in_use(other)


def _in_use(other: Lease | None) -> InUseError:
    who = "another worker" if other is None else f"the worker on {other.host}, process {other.pid}"
    return InUseError(
        f"the database is in use by {who}: stop that one, or give this one a broker.client_id, journal.path, "
        "database.url and store.url of its own"
    )
