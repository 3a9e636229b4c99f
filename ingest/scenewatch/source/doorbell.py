"""Wakes the I/O thread out of its wait for the socket."""

from __future__ import annotations

import contextlib
import selectors
import socket


class Doorbell:
    """Rung from any thread; costs a system call only while the I/O thread sleeps.

    The I/O thread calls `listen`, looks at what others left for it, waits for `fileno` among other things and
    calls `hush`. What is left after `listen` is announced by a ring, so nothing is overlooked.
    """

    def __init__(self) -> None:
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        self._listening = False

    def fileno(self) -> int:
        return self._receiver.fileno()

    def ring(self) -> None:
        if self._listening:
            self._listening = False
            with contextlib.suppress(OSError):  # full of rings not yet heard, or closed: nobody sleeps any more
                self._sender.send(b"\0")

    def listen(self) -> None:
        self._listening = True

    def hush(self) -> None:
        self._listening = False
        with contextlib.suppress(BlockingIOError):  # nobody rang
            self._receiver.recv(4096)

    def wait(self, timeout_s: float | None) -> None:
        """After `listen`: until the next ring."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._receiver, selectors.EVENT_READ)
            selector.select(timeout_s)
        self.hush()

    def close(self) -> None:
        self._receiver.close()
        self._sender.close()
