"""The one WebSocket of an open page: a snapshot first, then changes, until one side has enough."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.websockets import WebSocketDisconnect

from scenewatch.console.security import same_origin

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from scenewatch.console.hub import Client, Hub

POLICY_VIOLATION, TRY_AGAIN_LATER = 1008, 1013
CLOSING_S = 1.0


class Live:
    """Serves pages of this server only, and cuts those too slow to follow."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def endpoint(self, socket: WebSocket) -> None:
        if not same_origin(socket.headers):
            await socket.close(POLICY_VIOLATION)
            return
        await socket.accept()
        client = self._hub.join(socket.query_params.get("site"))
        tasks = {
            asyncio.create_task(_send(socket, client)),
            asyncio.create_task(_until_closed(socket)),
            asyncio.create_task(client.cut.wait()),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hub.leave(client)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if client.cut.is_set():
            await _close(socket)


async def _send(socket: WebSocket, client: Client) -> None:
    try:
        while True:
            await socket.send_text(await client.queue.get())
    except WebSocketDisconnect:
        return  # the page was closed in mid-message


async def _until_closed(socket: WebSocket) -> None:
    """Pages say nothing; what they send is read away."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        continue


async def _close(socket: WebSocket) -> None:
    """A slow page may not even take the goodbye; the server then drops the connection."""
    try:
        async with asyncio.timeout(CLOSING_S):
            await socket.close(TRY_AGAIN_LATER)
    except (TimeoutError, RuntimeError, WebSocketDisconnect):
        return
