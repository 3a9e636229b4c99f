"""Server-sent events: what changed, encoded once for all listeners."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from scenewatch.api import present
from scenewatch.api.commands import command_json
from scenewatch.api.controls import CommandQuery
from scenewatch.api.events import shown
from scenewatch.api.views import EventQuery

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from scenewatch.api.controls import CommandView
    from scenewatch.api.views import Now, View

log = logging.getLogger(__name__)

LOOK_S = 0.25
"""How often values and alarms are looked at."""
LEDGER_EVERY = 8
HEARTBEAT_EVERY = 20
"""In looks."""
NEWEST = 200
"""Alarms, and events, in a listener's first snapshot."""
NEWEST_COMMANDS = CommandQuery(limit=100)
QUEUE = 64
"""Events a listener may be behind; a slower one is let go and connects again to a fresh snapshot."""


class Stream:
    """One look at the view for all listeners; each has a bounded queue."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._queues: set[asyncio.Queue[bytes | None]] = set()
        self._now: Now | None = None
        self._alarms_seen = 0
        self._commands_seen = 0
        self._events_seen = 0
        self._online: dict[str, bool] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            self.close()

    def close(self) -> None:
        """Tell every listener to go: the server is ending."""
        for queue in self._queues:
            _put(queue, None)

    async def listen(self) -> AsyncIterator[bytes]:
        """First everything, then what changes, until the listener is too slow or the server ends."""
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE)
        if not self._queues:
            self._note()
        for chunk in self._snapshot():
            queue.put_nowait(chunk)
        self._queues.add(queue)
        try:
            while (waiting := await queue.get()) is not None:
                yield waiting
        finally:
            self._queues.discard(queue)

    def _note(self) -> None:
        """What the first listener's snapshot holds is no change."""
        self._now = self._view.now()
        self._alarms_seen = self._view.alarm_changes(self._alarms_seen)[0]
        self._commands_seen = self._view.controls.commands.changes(self._commands_seen)[0]
        self._events_seen = self._view.event_changes(self._events_seen)[0]
        self._online = present.online_states(self._view)

    def _snapshot(self) -> list[bytes]:
        view = self._view
        now = view.now()
        return [
            event("values", {"at": view.now_ms(), "devices": present.changed_values(view, None, now)}),
            event("online", present.online_states(view)),
            event("alarms", {"alarms": [present.alarm(a) for a in view.alarms("all", NEWEST)]}),
            event("ledger", present.ledger(view.ledger())),
            event("events", shown(view.events(EventQuery(limit=NEWEST)))),
            event("commands", _commands(view.controls.commands.commands(NEWEST_COMMANDS))),
        ]

    async def _run(self) -> None:
        looks = 0
        while True:
            await asyncio.sleep(LOOK_S)
            looks += 1
            if not self._queues:
                continue  # looking is dear: a hundred thousand values may have changed
            try:
                chunks = self._changes(looks)
            except Exception:
                # one failed look must not end the stream for everybody
                log.exception("could not look at the worker's state")
                continue
            for queue in list(self._queues):
                for chunk in chunks:
                    if not _put(queue, chunk):
                        self._queues.discard(queue)
                        break

    def _changes(self, looks: int) -> list[bytes]:
        view = self._view
        chunks: list[bytes] = []
        now = view.now()
        if values := present.changed_values(view, self._now, now):
            chunks.append(event("values", {"at": view.now_ms(), "devices": values}))
        self._now = now
        self._alarms_seen, alarms = view.alarm_changes(self._alarms_seen)
        if alarms:
            chunks.append(event("alarms", {"alarms": [present.alarm(a) for a in alarms]}))
        self._commands_seen, commands = view.controls.commands.changes(self._commands_seen)
        if commands:
            chunks.append(event("commands", _commands(commands)))
        self._events_seen, happened = view.event_changes(self._events_seen)
        if happened:
            chunks.append(event("events", shown(reversed(happened))))
        online = present.online_states(view)
        if changed := {device: state for device, state in online.items() if self._online.get(device) != state}:
            chunks.append(event("online", changed))
        self._online = online
        if looks % LEDGER_EVERY == 0:
            chunks.append(event("ledger", present.ledger(view.ledger())))
        if looks % HEARTBEAT_EVERY == 0:
            chunks.append(b": alive\n\n")
        return chunks


def _commands(commands: Sequence[CommandView]) -> Any:
    return {"commands": [command_json(command) for command in commands]}


def event(name: str, data: Any) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(data) + b"\n\n"


def _put(queue: asyncio.Queue[bytes | None], chunk: bytes | None) -> bool:
    """False when the listener is too far behind: it is then told to go."""
    try:
        queue.put_nowait(chunk)
    except asyncio.QueueFull:
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)
        return False
    return True
