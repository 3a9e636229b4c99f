"""TCP links through a relay of ours that can be cut, silenced, slowed, refused, or answered for.

All links of a network are served by one thread. Every method may be called from any thread and has taken
effect when it returns.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

PIECE = 16 * 1024
RESET_AT_CLOSE = struct.pack("ii", 1, 0)
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n"
BUSY_BODY = b'{"error":"chaos"}'
GONE = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError)


class Network:
    """Makes links and runs them in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._links: list[Link] = []
        self._thread = threading.Thread(target=self._loop.run_forever, name="network", daemon=True)
        self._thread.start()

    def link(self, target_port: int) -> Link:
        """A new way to a port of this machine, whether anybody listens there or not."""
        link = Link(self._do, target_port)
        self._links.append(link)
        return link

    def end(self) -> None:
        for link in self._links:
            link.refuse()
        self._do(self._all_ended())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _all_ended(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)


class Link:
    """Connections to `port` go on to the target's; what is done to the link is done to all of them."""

    def __init__(self, do: Callable[[Coroutine[Any, Any, Any]], Any], target_port: int) -> None:
        self._do = do
        self._target_port = target_port
        self._connections: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._bytes_s = 0.0
        self._busy = False
        self._flowing = asyncio.Event()
        self.port = 0
        self.restore()

    # --- what can be done to it ----------------------------------------------------------------------------

    def restore(self) -> None:
        """As at the beginning; what was silenced flows on."""
        self._do(self._restore())

    def cut(self) -> None:
        """Reset every connection; new ones can be made."""
        self._do(self._cut())

    def refuse(self) -> None:
        """Reset every connection and refuse new ones."""
        self._do(self._refuse())

    def silence(self) -> None:
        """Nothing passes any more, either way, and nobody is told."""
        self._do(self._silence())

    def slow(self, bytes_s: float) -> None:
        """Each connection passes so many bytes a second, each way."""
        self._do(self._slow(bytes_s))

    def answer_busy(self) -> None:
        """Reset every connection; to new ones, every HTTP request is answered with 503."""
        self._do(self._answer_busy())

    # --- in the network's thread ---------------------------------------------------------------------------

    async def _restore(self) -> None:
        if self._busy:
            await self._cut()
        self._busy, self._bytes_s = False, 0.0
        self._flowing.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        for connection in list(self._connections):
            _reset(connection)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._cut()

    async def _silence(self) -> None:
        self._flowing.clear()

    async def _slow(self, bytes_s: float) -> None:
        self._bytes_s = bytes_s

    async def _answer_busy(self) -> None:
        self._busy = True
        await self._cut()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with self._held(writer):
            await (self._be_busy(reader, writer) if self._busy else self._pass_on(reader, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flowing.wait()
        there, back = await asyncio.open_connection("127.0.0.1", self._target_port)
        with self._held(back):
            await _first_done(self._pump(reader, back), self._pump(there, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(PIECE):
            if self._bytes_s:
                await asyncio.sleep(len(data) / self._bytes_s)
            await self._flowing.wait()
            writer.write(data)
            await writer.drain()

    async def _be_busy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_content_length(head))
            writer.write(BUSY + BUSY_BODY)
            await writer.drain()

    @contextlib.contextmanager
    def _held(self, writer: asyncio.StreamWriter) -> Any:
        """Among the link's connections; one that ends by an error is reset, as its other side was."""
        self._connections.add(writer)
        try:
            yield
            writer.close()
        except GONE:
            _reset(writer)
        finally:
            self._connections.discard(writer)


async def _first_done(*works: Awaitable[None]) -> None:
    """End all of them when one has ended, and raise what it raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _reset(writer: asyncio.StreamWriter) -> None:
    peer: socket.socket | None = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):  # closed already
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    writer.transport.abort()
