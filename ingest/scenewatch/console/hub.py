"""Follows the worker's stream, keeps the picture, tells every open page what it shows.

Pages that show the same (all, one site, or the sums alone) share each message: it is encoded once for all of them.
"""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from scenewatch.console.picture import KEPT_ALARMS, Picture
from scenewatch.console.shapes import Alarms, DeviceEvents, Ledger, Values
from scenewatch.console.shapes_desk import Commands
from scenewatch.console.wording import announcement
from scenewatch.model.errors import TemporaryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scenewatch.console.shapes import Value
    from scenewatch.console.worker import Event, Worker
    from scenewatch.model.ports import Clock

log = logging.getLogger(__name__)

Body: TypeAlias = dict[str, Any]
Scope: TypeAlias = str | None
"""What a page shows devices of: the site of this id, no site (the empty id), or all (None)."""

QUEUE = 64
"""Messages a page may lag behind before it is cut; it reconnects and begins with a snapshot."""
BEAT_S = 1.0
COUNT_UNKNOWN_S = 3.0
FIRST_LOOK_S = 1.0
FIRST_WAIT_S, LONGEST_WAIT_S = 0.2, 2.0


class Client:
    """One open page: a bounded queue, and the sign that it overflowed."""

    def __init__(self, scope: Scope, first: str) -> None:
        self.scope = scope
        self.queue: asyncio.Queue[str] = asyncio.Queue(QUEUE)
        self.queue.put_nowait(first)
        self.cut = asyncio.Event()

    def offer(self, message: str) -> None:
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            self.cut.set()


class Hub:
    """Run `run` as a task for as long as pages are served. Everything here is in the event loop's thread.

    `version` names the scripts that pages are served with.
    """

    def __init__(self, worker: Worker, clock: Clock, version: str = "") -> None:
        self.picture = Picture()
        self._version = version
        self._worker = worker
        self._clock = clock
        self._clients: set[Client] = set()
        self._began_ms = clock.now_ms()
        self._changes = 0
        self._loaded = 0
        """The change at which everything was loaded anew."""
        self._changed: dict[str, int] = {}
        """By site, its newest change since then."""
        self._tried = asyncio.Event()
        self._strange: set[str] = set()
        """Ids the stream named and the inventory does not have even when asked again."""

    def now_ms(self) -> int:
        return self._clock.now_ms()

    @property
    def edition(self) -> str:
        """Changes whenever parts of a page must be rendered again: other devices or other alarms."""
        return f"{self._began_ms}-{self._changes}"

    def edition_of(self, scope: Scope) -> str:
        """The edition of a page of one site, which other sites do not change."""
        return f"{self._began_ms}-{self._changed.get(scope, self._loaded)}" if scope else self.edition

    @property
    def build(self) -> str:
        """With what scripts and tables pages are made now: one made with others cannot show what comes live."""
        return f"{self._version}-{self.picture.tables}"

    def changed_since(self, edition: str) -> set[str] | None:
        """Sites that have changed since an edition; None when that may be all of them."""
        began, _, change = edition.partition("-")
        if (
            began != str(self._began_ms)
            or not (change.isascii() and change.isdigit())
            or int(change) < self._loaded
        ):
            return None
        return {site for site, at in self._changed.items() if at > int(change)}

    def join(self, scope: Scope) -> Client:
        client = Client(scope, self._encode("snapshot", self._snapshot(scope)))
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
            if self.picture.live and self.picture.readiness and self.picture.readiness.ready:
                self._change(self.picture.notice_silence(self.now_ms()))
            self._tell("beat", lambda _: self._health())
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
                    self._tell_states()
            await asyncio.sleep(COUNT_UNKNOWN_S)

    async def _load(self) -> None:
        inventory = await self._worker.inventory()
        alarms = await self._worker.alarms(KEPT_ALARMS)
        ledger = await self._worker.ledger()
        self.picture.take_inventory(inventory)
        self.picture.forget_alarms()
        self.picture.take_alarms(alarms)
        self.picture.take_ledger(ledger, self.now_ms())
        self._strange.clear()
        self._all_changed()
        self.picture.live = True
        self._tried.set()
        log.info("the worker is there: %d devices", len(self.picture.devices))
        self._tell("snapshot", self._snapshot)

    def _lost(self, why: str) -> None:
        if self.picture.live:
            self.picture.live = False
            log.warning("the worker is lost: %s", why)
            self._tell("beat", lambda _: self._health())

    async def _take(self, event: Event) -> None:
        match event:
            case Values():
                await self._know(event.devices)
                self._take_values(event.devices)
            case Alarms():
                await self._know(a.device for a in event.alarms)
                fresh = self.picture.take_alarms(event.alarms)
                said = [announcement(self.picture, a) for a in fresh]
                self._change({a.device.rpartition(".")[0] for a in event.alarms}, {"said": said}, kind="alarms")
            case DeviceEvents():
                await self._know(e.device for e in event.events)
                self._change({e.device.rpartition(".")[0] for e in event.events})
            case Ledger():
                self.picture.take_ledger(event, self.now_ms())
                self._tell("ledger", lambda _: {"ledger": self._ledger()})
            case Commands():
                self._take_commands(event)
            case dict():
                await self._know(event)
                self._change(self.picture.take_online(event))

    def _take_values(self, devices: dict[str, dict[str, Value]]) -> None:
        first_heard = self.picture.take_values(devices)

        def values(scope: Scope) -> Body | None:
            shown = devices if scope is None else {d: v for d, v in devices.items() if self._shows(scope, d)}
            return {"devices": shown} if shown else None

        self._tell("values", values)
        self._change(first_heard)

    def _change(self, sites: set[str], more: Body | None = None, *, kind: str = "states") -> None:
        """Pages that show these sites get their states, and fetch their parts again."""
        if not sites:
            return
        self._changes += 1
        self._changed.update(dict.fromkeys(sites, self._changes))
        self._tell_states(more or {}, kind)

    def _tell_states(self, more: Body | None = None, kind: str = "states") -> None:
        totals = self.picture.totals()

        def states(scope: Scope) -> Body:
            told = {"edition": self.edition_of(scope), "states": self._states(scope, totals)}
            return told | (more or {})

        self._tell(kind, states)

    def _take_commands(self, event: Commands) -> None:
        def commands(scope: Scope) -> Body | None:
            shown = [c for c in event.commands if not scope or self._shows(scope, c.device)]
            return {"commands": shown} if shown else None

        self._tell("commands", commands)

    def _all_changed(self) -> None:
        self._changes += 1
        self._loaded = self._changes
        self._changed.clear()

    async def learn(self, device: str) -> None:
        """A device that somebody took into the inventory; the stream may not name it for long."""
        self._strange.discard(device)
        try:
            await self._know([device])
        except TemporaryError as error:
            log.debug("the new device is known when it speaks: %s", error)

    async def _know(self, ids: Iterable[str]) -> None:
        """Ask for the inventory again when the stream names a device that came since."""
        new = {i for i in ids if i not in self.picture.devices} - self._strange
        if new:
            self.picture.take_inventory(await self._worker.inventory())
            self._strange |= new - self.picture.devices.keys()
            self._all_changed()
            self._tell("snapshot", self._snapshot)

    def _shows(self, scope: Scope, device: str) -> bool:
        return scope is None or device.rpartition(".")[0] == scope

    def _states(self, scope: Scope, totals: dict[str, int]) -> Body:
        """A page of no site asks for the rows of sites when it needs them."""
        picture = self.picture
        if scope is None:
            return {"devices": picture.device_states, "sites": picture.site_states, "totals": totals}
        devices = {d.id: picture.device_states[d.id] for d in picture.devices_of(scope)}
        sites = {scope: picture.site_states[scope]} if scope in picture.site_states else {}
        return {"devices": devices, "sites": sites, "totals": totals}

    def _health(self) -> Body:
        picture = self.picture
        return {
            "live": picture.live,
            "readiness": picture.readiness,
            "newest": picture.newest_at,
            "build": self.build,
        }

    def _ledger(self) -> Body | None:
        ledger = self.picture.ledger
        if ledger is None:
            return None
        rate = self.picture.readings_per_s()
        return {**msgspec.structs.asdict(ledger), "balanced": ledger.balanced, "readings_per_s": rate}

    def _snapshot(self, scope: Scope) -> Body:
        picture = self.picture
        values = picture.values
        if scope is not None:
            values = {d.id: values[d.id] for d in picture.devices_of(scope) if d.id in values}
        return {
            **self._health(),
            "edition": self.edition_of(scope),
            "devices": values,
            "states": self._states(scope, picture.totals()) if picture.known else None,
            "ledger": self._ledger(),
        }

    def _encode(self, kind: str, body: Body) -> str:
        return msgspec.json.encode({"kind": kind, "now": self.now_ms(), **body}).decode()

    def _tell(self, kind: str, body: Callable[[Scope], Body | None]) -> None:
        """To each page what `body` is for its scope; None is not told."""
        messages: dict[Scope, str | None] = {}
        for client in self._clients:
            if client.scope not in messages:
                told = body(client.scope)
                messages[client.scope] = None if told is None else self._encode(kind, told)
            message = messages[client.scope]
            if message is not None:
                client.offer(message)
