"""Runs an ASGI application by uvicorn: a taken port is one clear line, and open event streams end at once."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import uvicorn

from scenewatch.model.errors import InUseError

if TYPE_CHECKING:
    from collections.abc import Callable

CLOSING_S = 1


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
    """Ends at SIGINT and SIGTERM. `before_end` lets long answers finish before connections are waited for."""

    def __init__(self, app: Any, before_end: Callable[[], None] = lambda: None) -> None:
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=CLOSING_S)
        super().__init__(config)
        self._before_end = before_end

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._before_end()
        await super().shutdown(sockets)

    def end(self) -> None:
        """From any thread."""
        self.should_exit = True
