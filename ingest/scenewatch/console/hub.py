"""Follows the worker's stream, keeps the picture, tells every open page; each change is encoded once for all."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING, Any

import msgspec

from scenewatch.console.picture import KEPT_ALARMS, Picture
from scenewatch.console.shapes import Alarms, Commands, DeviceEvents, Ledger, Values
from scenewatch.console.wording import announcement
from scenewatch.model.errors import TemporaryError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scenewatch.console.worker import Event, Worker
    from scenewatch.model.ports import Clock

log = logging.getLogger(__name__)

QUEUE = 64
"""Messages a page may lag behind before it is cut; it reconnects and begins with a snapshot."""
BEAT_S = 1.0
COUNT_UNKNOWN_S = 3.0
FIRST_LOOK_S = 1.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 2.0


class Client:
    """One open page: a bounded queue, and the sign that it overflowed."""

    def __init__(self, first: str) -> None:
        self.queue: asyncio.Queue[str] = asyncio.Queue(QUEUE)
        self.queue.put_nowait(first)
        self.cut = asyncio.Event()

    def offer(self, message: str) -> None:
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            self.cut.set()


class Hub:
    """Run `run` as a task for as long as pages are served. Everything here is in the event loop's thread."""

    def __init__(self, worker: Worker, clock: Clock) -> None:
        self.picture = Picture()
        self._worker = worker
        self._clock = clock
        self._clients: set[Client] = set()
        self._began_ms = clock.now_ms()
        self._changes = 0
        self._tried = asyncio.Event()
        self._strange: set[str] = set()
        """Ids the stream named and the inventory does not have even when asked again."""

    def now_ms(self) -> int:
        return self._clock.now_ms()

    @property
    def edition(self) -> str:
        """Changes whenever parts of a page must be rendered again: other devices or other alarms."""
        return f"{self._began_ms}-{self._changes}"

    def join(self) -> Client:
        client = Client(self._encode("snapshot", self._snapshot()))
        self._clients.add(client)
        return client

    def leave(self, client: Client) -> None:
        self._clients.discard(client)

    async def first_look(self) -> None:
        """Waits until the worker was asked once, so that the first page of all is not empty for nothing."""
        try:
            async with asyncio.timeout(FIRST_LOOK_S):
                await self._tried.wait()
        except TimeoutError:
            log.debug("the worker takes its time; pages fill when it answers")

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            tasks.create_task(self._beat())
            tasks.create_task(self._count_unknown())

    async def _follow(self) -> None:
        """For ever: open the stream, load everything, then take what changes."""
        wait_s = FIRST_WAIT_S
        while True:
            try:
                async with self._worker.stream() as events:
                    await self._load()
                    wait_s = FIRST_WAIT_S
                    async for event in events:
                        await self._take(event)
                self._lost("its stream ended")
            except TemporaryError as error:
                self._lost(str(error))
            self._tried.set()
            await asyncio.sleep(wait_s * random.uniform(0.5, 1))
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    async def _beat(self) -> None:
        """A sign of life to every page, with how far the worker's start has come."""
        while True:
            try:
                self.picture.readiness = await self._worker.readiness()
            except TemporaryError as error:
                self.picture.readiness = None
                log.debug("no readiness: %s", error)
            self._tell("beat", self._health())
            await asyncio.sleep(BEAT_S)

    async def _count_unknown(self) -> None:
        """Where a message is refused, or taken at last, the number of unknown devices may be another."""
        counted: int | None = None
        while True:
            dead = self.picture.ledger.dead if self.picture.ledger else None
            if dead != counted:
                try:
                    self.picture.unknown = await self._worker.unknown_count()
                except TemporaryError as error:
                    log.debug("unknown devices are counted later: %s", error)
                else:
                    counted = dead
                    self._tell("states", {"states": self.picture.states()})
            await asyncio.sleep(COUNT_UNKNOWN_S)

    async def _load(self) -> None:
        self.picture.take_inventory(await self._worker.inventory())
        self.picture.alarms.clear()
        self.picture.take_alarms(await self._worker.alarms(KEPT_ALARMS))
        self.picture.take_ledger(await self._worker.ledger(), self.now_ms())
        self._strange.clear()
        self._changes += 1
        self.picture.live = True
        self._tried.set()
        log.info("the worker is there: %d devices", len(self.picture.devices))
        self._tell("snapshot", self._snapshot())

    def _lost(self, why: str) -> None:
        if self.picture.live:
            self.picture.live = False
            log.warning("the worker is lost: %s", why)
            self._tell("beat", self._health())

    async def _take(self, event: Event) -> None:
        match event:
            case Values():
                await self._know(event.devices)
                first_words = self.picture.take_values(event.devices)
                self._tell("values", {"devices": event.devices})
                if first_words:
                    self._tell("states", {"states": self.picture.states()})
            case Alarms():
                await self._know(a.device for a in event.alarms)
                fresh = self.picture.take_alarms(event.alarms)
                self._changes += 1
                said = [announcement(self.picture, a) for a in fresh]
                self._tell("alarms", {"edition": self.edition, "said": said, "states": self.picture.states()})
            case Ledger():
                self.picture.take_ledger(event, self.now_ms())
                self._tell("ledger", {"ledger": self._ledger()})
            case Commands():
                self._tell("commands", {"commands": event.commands})
            case DeviceEvents():
                self._tell("events", {"events": event.events})
            case dict():
                await self._know(event)
                self.picture.take_online(event)
                self._tell("states", {"states": self.picture.states()})

    async def _know(self, ids: Iterable[str]) -> None:
        """Ask for the inventory again when the stream names a device that came since."""
        new = {i for i in ids if i not in self.picture.devices} - self._strange
        if new:
            self.picture.take_inventory(await self._worker.inventory())
            self._strange |= new - self.picture.devices.keys()
            self._changes += 1
            self._tell("snapshot", self._snapshot())

    def _health(self) -> dict[str, Any]:
        return {"live": self.picture.live, "readiness": self.picture.readiness}

    def _ledger(self) -> dict[str, Any] | None:
        ledger = self.picture.ledger
        if ledger is None:
            return None
        rate = self.picture.readings_per_s()
        return {**msgspec.structs.asdict(ledger), "balanced": ledger.balanced, "readings_per_s": rate}

    def _snapshot(self) -> dict[str, Any]:
        return {
            **self._health(),
            "edition": self.edition,
            "devices": self.picture.values,
            "states": self.picture.states() if self.picture.known else None,
            "ledger": self._ledger(),
        }

    def _encode(self, kind: str, body: dict[str, Any]) -> str:
        return msgspec.json.encode({"kind": kind, "now": self.now_ms(), **body}).decode()

    def _tell(self, kind: str, body: dict[str, Any]) -> None:
        if self._clients:
            message = self._encode(kind, body)
            for client in self._clients:
                client.offer(message)
