"""Runs an ASGI application by uvicorn: a taken port is one clear line, and open event streams end at once.

On loopback only requests that name this machine are answered: else a page from anywhere, whose name its owner
lets point to 127.0.0.1, could read here through the browser of whoever opens it (DNS rebinding). On other addresses
the names are told, where somebody else (a container's published port) puts this server on loopback.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING

import uvicorn
from starlette.middleware.trustedhost import TrustedHostMiddleware

from scenewatch.model.errors import InUseError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import FrameType

    from starlette.types import ASGIApp

CLOSING_S = 1
TICK_S = 1.0
"""The date in answers is of the second."""
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1", "[::1]")


def listen(host: str, port: int) -> socket.socket:
    """Raises InUseError when the address is taken or not ours."""
    try:
        return socket.create_server((host, port), backlog=2048, family=_family(host))
    except OSError as error:
        reason = str(error.strerror).partition(" (")[0]  # Python adds the address, which the line has already
        raise InUseError(f"cannot listen on {host}:{port} ({reason}); choose another port") from None


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


class Server(uvicorn.Server):
    """Serves on one socket until SIGINT or SIGTERM. `before_end` lets long answers finish before that.

    `names` are those that requests may call this server by; without any: on loopback its names, else all.
    """

    def __init__(
        self,
        app: ASGIApp,
        address: socket.socket,
        before_end: Callable[[], None] = lambda: None,
        names: Sequence[str] = (),
    ) -> None:
        on_loopback = ip_address(address.getsockname()[0]).is_loopback
        answered = (*LOOPBACK_NAMES, *names) if on_loopback else names
        guarded = TrustedHostMiddleware(app, answered, www_redirect=False) if answered else app
        super().__init__(uvicorn.Config(guarded, log_level="warning", timeout_graceful_shutdown=CLOSING_S))
        self._address = address
        self._before_end = before_end
        self._tell: Callable[[], object] = _nobody

    def serve_until_told(self) -> None:
        self.run(sockets=[self._address])

    async def main_loop(self) -> None:
        """Told of its end: uvicorn's own looks for it ten times a second, though nobody asks anything for hours."""
        loop, told = asyncio.get_running_loop(), asyncio.Event()
        self._tell = lambda: loop.call_soon_threadsafe(told.set)
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(told.wait(), TICK_S)
        self._tell = _nobody

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._before_end()
        await super().shutdown(sockets)

    def end(self) -> None:
        """From any thread."""
        self.should_exit = True
        self._tell()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self._tell()


def _nobody() -> None:
    """Before it serves and once it ends there is nobody to be told."""
