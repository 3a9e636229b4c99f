"""The worker as the console sees it: a few GETs and one stream. Its errors are translated here and nowhere else."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

import httpx
import msgspec

from scenewatch.console.security import no_cookies
from scenewatch.console.shapes import (
    Alarm,
    AlarmPage,
    Alarms,
    DeadLetter,
    DeadLetters,
    Device,
    DeviceAccounts,
    DeviceEvent,
    DeviceEvents,
    Devices,
    Ledger,
    Online,
    Readiness,
    Reason,
    Reasons,
    Scene,
    Scenes,
    Site,
    SiteAccounts,
    Sites,
    Values,
)
from scenewatch.console.shapes_desk import (
    Command,
    Commands,
    RaisedByRule,
    Session,
    UnknownCount,
    UnknownDevice,
    UnknownDevices,
)
from scenewatch.console.shapes_explain import Explanation
from scenewatch.model.errors import TemporaryError
from scenewatch.model.load import Load
from scenewatch.model.operators import SESSION_COOKIE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping

T = TypeVar("T")
Event = Values | Alarms | Ledger | Online | Commands | DeviceEvents

QUIET_S = 12.0
"""The stream has a heartbeat each 5 s: two missed ones and the line counts as dead."""
ANSWER_S = 5.0
READY_S = 2.0
LOAD_S = 20.0
"""A month of alarms is counted."""
WISH_S = 20.0
"""Adopting a device waits until the worker has it."""
EVENTS: dict[str, type[Event]] = {
    "values": Values,
    "alarms": Alarms,
    "ledger": Ledger,
    "online": Online,
    "commands": Commands,
    "events": DeviceEvents,
}


@dataclass(frozen=True, slots=True)
class Inventory:
    """What exists, as three answers of one moment."""

    scenes: tuple[Scene, ...]
    sites: tuple[Site, ...]
    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What the worker says to a wish; a refusal too is an answer."""

    status: int
    body: Any
    set_cookies: tuple[str, ...]

    @property
    def done(self) -> bool:
        return httpx.codes.is_success(self.status)

    @property
    def why(self) -> str:
        """Of a refusal: the detail of its problem."""
        detail = self.body.get("detail") if isinstance(self.body, dict) else None
        return str(detail) if detail else httpx.codes.get_reason_phrase(self.status)


class Worker:
    """One connection pool to one worker. Every method raises TemporaryError when the worker does not answer."""

    def __init__(self, base_url: str) -> None:
        self._client = httpx.AsyncClient(base_url=base_url, trust_env=False, cookies=no_cookies())

    async def close(self) -> None:
        await self._client.aclose()

    async def inventory(self) -> Inventory:
        scenes = await self._get("/api/v1/scenes", Scenes)
        sites = await self._get("/api/v1/sites", Sites)
        devices = await self._get("/api/v1/devices", Devices)
        return Inventory(scenes.scenes, sites.sites, devices.devices)

    async def alarms(self, limit: int) -> tuple[Alarm, ...]:
        """All that stand, and the newest of all others."""
        standing = await self._get("/api/v1/alarms?state=standing&limit=10000", Alarms)
        newest = await self._get(f"/api/v1/alarms?state=all&limit={limit}", Alarms)
        return newest.alarms + standing.alarms

    async def ledger(self) -> Ledger:
        return await self._get("/api/v1/ledger", Ledger)

    async def site_accounts(self) -> SiteAccounts:
        return await self._get("/api/v1/ledger/sites", SiteAccounts)

    async def device_accounts(self, site: str) -> DeviceAccounts:
        return await self._get(f"/api/v1/ledger/devices?{urlencode({'site': site})}", DeviceAccounts)

    async def dead_letters(self, query: Mapping[str, str]) -> tuple[DeadLetter, ...]:
        return (await self._get(f"/api/v1/dead-letters?{urlencode(query)}", DeadLetters)).dead_letters

    async def dead_letter_reasons(self) -> tuple[Reason, ...]:
        return (await self._get("/api/v1/dead-letters/reasons", Reasons)).reasons

    async def events(self, query: Mapping[str, str]) -> tuple[DeviceEvent, ...]:
        """Newest first."""
        return (await self._get(f"/api/v1/events?{urlencode(query)}", DeviceEvents)).events

    async def find_alarms(self, query: Mapping[str, str]) -> AlarmPage:
        return await self._get(f"/api/v1/alarms?{urlencode(query)}", AlarmPage)

    async def explanation(self, identity: Mapping[str, str]) -> Explanation | None:
        """Of one alarm by rule, device and time; None if there is no such alarm."""
        told = await self.tell("GET", f"/api/v1/alarms/explanation?{urlencode(identity)}", None, "")
        if told.status in (httpx.codes.NOT_FOUND, httpx.codes.UNPROCESSABLE_ENTITY):
            return None
        if not told.done:
            raise TemporaryError(f"the worker explains no alarm: {told.why}")
        return _decode(msgspec.json.encode(told.body), Explanation, "explanation")

    async def raised(self, from_ms: int) -> dict[str, int]:
        """How often since then, by rule."""
        found = await self._get(f"/api/v1/alarms/raised?from={from_ms}", RaisedByRule)
        return {one.rule: one.count for one in found.rules}

    async def alarm_load(self, query: Mapping[str, str]) -> Load:
        return await self._get(f"/api/v1/alarm-load?{urlencode(query)}", Load, timeout_s=LOAD_S)

    async def unknown_devices(self) -> tuple[UnknownDevice, ...]:
        return (await self._get("/api/v1/unknown-devices", UnknownDevices)).unknown_devices

    async def unknown_count(self) -> int:
        found = await self._get("/api/v1/unknown-devices", UnknownCount)
        return len(found.unknown_devices) + found.beyond

    async def commands(self, query: Mapping[str, str]) -> tuple[Command, ...]:
        return (await self._get(f"/api/v1/commands?{urlencode(query)}", Commands)).commands

    async def session(self, cookie: str) -> Session:
        """Whose a reader's cookie is."""
        told = await self.tell("GET", "/api/v1/sessions/current", None, cookie)
        return _decode(msgspec.json.encode(told.body), Session, "session") if told.done else Session()

    async def tell(self, method: str, path: str, body: Any, cookie: str) -> Told:
        """A reader's wish, in the reader's name. The worker wants to see that no strange page sent it."""
        url = self._client.base_url
        headers = {"origin": f"{url.scheme}://{url.netloc.decode()}"}
        if cookie:
            headers["cookie"] = f"{SESSION_COOKIE}={cookie}"
        try:
            answer = await self._client.request(method, path, json=body, headers=headers, timeout=WISH_S)
            said = answer.json() if answer.content else None
        except httpx.HTTPError as error:
            raise TemporaryError(f"the worker does not answer {path}: {error!r}") from error
        except ValueError as error:
            raise TemporaryError(f"the worker's answer to {path} is not understood: {error}") from error
        return Told(answer.status_code, said, tuple(answer.headers.get_list("set-cookie")))

    async def readiness(self) -> Readiness:
        """Asked every second, so it waits less than pages do before they call the line dead."""
        return await self._get("/readyz", Readiness, also=httpx.codes.SERVICE_UNAVAILABLE, timeout_s=READY_S)

    @asynccontextmanager
    async def stream(self) -> AsyncGenerator[AsyncIterator[Event], None]:
        """The stream, open before the body runs: nothing that happens from then on is missed."""
        timeout = httpx.Timeout(ANSWER_S, read=QUIET_S)
        try:
            async with self._client.stream("GET", "/api/v1/stream", timeout=timeout) as response:
                if response.status_code != httpx.codes.OK:
                    raise TemporaryError(f"the worker's stream answers {response.status_code}")
                yield _events(response.aiter_lines())
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise TemporaryError(f"the worker's stream broke: {error!r}") from error

    async def _get(self, path: str, shape: type[T], *, also: int = 200, timeout_s: float = ANSWER_S) -> T:
        try:
            response = await self._client.get(path, timeout=timeout_s)
        except httpx.HTTPError as error:
            raise TemporaryError(f"the worker does not answer {path}: {error!r}") from error
        if response.status_code not in (httpx.codes.OK, also):
            raise TemporaryError(f"the worker answers {path} with {response.status_code}")
        return _decode(response.content, shape, path)


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[Event]:
    """Server-sent events as shapes. Comments (the heartbeat) and events of unknown names are passed over."""
    name, data = "message", ""
    async for line in lines:
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            data += line.removeprefix("data:")
        elif not line:
            if data and name in EVENTS:
                yield _decode(data.encode(), EVENTS[name], name)
            name, data = "message", ""


def _decode(body: bytes, shape: type[T], what: str) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.MsgspecError as error:
        raise TemporaryError(f"the worker's {what} is not understood: {error}") from error
