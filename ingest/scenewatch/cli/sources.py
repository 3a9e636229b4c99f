"""Where an export reads: from the stores themselves, or from the API of a worker that has them open."""

from __future__ import annotations

import math
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from scenewatch.export.pages import backwards
from scenewatch.export.tables import FLAGS, TESTS, Row, Series, iso, site_of
from scenewatch.model.errors import InUseError, RefusedError, TemporaryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scenewatch.model.ports import Readings
    from scenewatch.settings import Settings
    from scenewatch.store.relational import Database

ANSWER_S: Final = 60.0
PAGE: Final = 10_000
MOST_ALARMS: Final = 100_000
Span = tuple[int, int]
Json = dict[str, Any]


class Source(Protocol):
    """What can be exported. Spans are [from, to) in milliseconds; alarms and events come newest first."""

    def series(self) -> Iterable[Series]:
        """Of the devices that the inventory has."""
        ...

    def readings(self, series: str, from_ms: int, to_ms: int, limit: int) -> Readings: ...

    def alarms(self, span: Span) -> Iterable[Row]: ...

    def events(self, span: Span) -> Iterable[Row]: ...


class _Page(msgspec.Struct):
    readings: list[_Reading]
    truncated: bool


class _Reading(msgspec.Struct):
    t: int
    value: float
    flag: str
    test: str


class FromWorker:
    """By the API of a worker that runs."""

    def __init__(self, url: str) -> None:
        self._url = url

    def series(self) -> Iterator[Series]:
        units = {
            (scene["key"], kind["key"], channel["key"]): channel["unit"]
            for scene in self._ask("scenes")["scenes"]
            for kind in scene["device_types"]
            for channel in kind["channels"]
        }
        for device in self._ask("devices")["devices"]:
            for channel in device["channels"]:
                key = channel["key"]
                yield Series(device["id"], key, units[device["scene"], device["type"], key])

    def readings(self, series: str, from_ms: int, to_ms: int, limit: int) -> Readings:
        import numpy as np

        from scenewatch.model.ports import Readings

        device, _, channel = series.rpartition(".")
        asked = {"device": device, "channel": channel, "from": from_ms, "to": to_ms, "limit": limit}
        page = self._decoded(self._get("readings", asked), _Page)
        rows = page.readings
        flags, tests = ({name: number for number, name in names.items()} for names in (FLAGS, TESTS))
        return Readings(
            np.array([r.t for r in rows], np.int64),
            np.array([r.value for r in rows], np.float64),
            np.array([flags[r.flag] for r in rows], np.uint8),
            np.array([tests[r.test] for r in rows], np.uint8),
            page.truncated,
        )

    def alarms(self, span: Span) -> Iterator[Row]:
        found = self._ask("alarms", limit=MOST_ALARMS)["alarms"]
        if len(found) == MOST_ALARMS:
            raise RefusedError(f"there are over {MOST_ALARMS} alarms: read the stores themselves, with --config")
        for a in found:
            if span[0] <= a["raised_at"] < span[1]:
                times = (iso(a["raised_at"]), a["raised_at"], iso(a["cleared_at"]), a["cleared_at"])
                device, seen_at = a["device"], a["acknowledged_at"]
                head = (site_of(device), device, a["rule"], a["priority"], a["state"])
                seen = (a["acknowledged_by"] or "", iso(seen_at), seen_at)
                yield *head, *times, a["value"], a["flag"], *seen, a["version"], a["hidden"], a["cause"] or ""

    def events(self, span: Span) -> Iterator[Row]:
        def fetch(to_ms: int, limit: int) -> Sequence[Json]:
            found: list[Json] = self._ask("events", **{"from": span[0], "to": to_ms, "limit": limit})["events"]
            return found

        for e in backwards(fetch, lambda e: e["at"], lambda e: e["position"], span[1], PAGE):
            times = (iso(e["at"]), e["at"], iso(e["received_at"]), e["received_at"])
            told = (
                e["text"],
                e["lat"],
                e["lon"],
                e["media"],
                msgspec.json.encode(e["data"]).decode(),
                e["position"],
            )
            yield site_of(e["device"]), e["device"], e["kind"], e["level"], *times, *told

    def _ask(self, path: str, **query: Any) -> Json:
        answer: Json = self._decoded(self._get(path, query), Json)
        return answer

    def _get(self, path: str, query: Json) -> bytes:
        from scenewatch.cli.asking import get

        return get(f"{self._url}/api/v1/{path}", ANSWER_S, **query)

    def _decoded(self, answer: bytes, shape: type[Any]) -> Any:
        try:
            return msgspec.json.decode(answer, type=shape)
        except msgspec.MsgspecError as error:
            raise TemporaryError(f"what answers at {self._url} is no worker of this release") from error


class FromStores:
    """By the settings. DuckDB's file belongs to one process: while a worker has it, that is asked for readings."""

    def __init__(self, settings: Settings, worker_url: str | None, opened: ExitStack) -> None:
        """`worker_url` is where the worker of these settings has its API; None if nobody can know."""
        from scenewatch.parts import scenes_of
        from scenewatch.store.relational import ExistingDatabase

        self._scenes = scenes_of(settings)
        self._database = opened.enter_context(closing(ExistingDatabase(settings.database.url)))
        self._settings = settings
        self._worker_url = worker_url
        self._opened = opened
        self._readings: Any = None

    def series(self) -> Iterator[Series]:
        from scenewatch.store.devices import Inventory

        kinds = {(scene.key, kind.key): kind for scene in self._scenes for kind in scene.device_types}
        for device in Inventory(self._database).each():
            kind = kinds.get((device.scene, device.type))
            yield from (Series(device.id, c.key, c.unit) for c in (kind.channels if kind else ()))

    def readings(self, series: str, from_ms: int, to_ms: int, limit: int) -> Readings:
        if self._readings is None:
            self._readings = self._open()
        found: Readings = self._readings(series, from_ms, to_ms, limit)
        return found

    def _open(self) -> Any:
        from scenewatch.parts import open_store
        from scenewatch.store.relational import Database

        url = self._settings.store.url
        file = Path(url.removeprefix("duckdb:")) if url.startswith("duckdb:") else None
        if file is not None and not file.is_file():
            raise RefusedError(f"{file}: there is no store; has a worker run with these settings?")
        database: Database = self._opened.enter_context(closing(Database(self._settings.database.url)))
        try:
            store = open_store(self._settings, database, lambda _: "")
        except InUseError:
            if self._worker_url is None:
                raise
            return FromWorker(self._worker_url).readings
        return self._opened.enter_context(closing(store)).readings

    def alarms(self, span: Span) -> Iterator[Row]:
        from scenewatch.store.alarms import AlarmRow, Alarms

        alarms = Alarms(self._database)

        def fetch(to_ms: int, limit: int) -> list[AlarmRow]:
            return alarms.alarms(limit=limit, from_ms=span[0], to_ms=to_ms)

        known_by = lambda a: (a.rule, a.device, a.raised_at_ms)  # noqa: E731  # a key, as sorted() takes one
        for a in backwards(fetch, lambda a: a.raised_at_ms, known_by, span[1], PAGE):
            times = (iso(a.raised_at_ms), a.raised_at_ms, iso(a.cleared_at_ms), a.cleared_at_ms)
            value = None if math.isnan(a.value) else a.value
            head = (site_of(a.device), a.device, a.rule, str(a.priority), str(a.state))
            seen = (a.acknowledged_by or "", iso(a.acknowledged_at_ms), a.acknowledged_at_ms)
            yield *head, *times, value, FLAGS[a.flag], *seen, a.version, str(a.hidden), a.cause

    def events(self, span: Span) -> Iterator[Row]:
        from scenewatch.store.events import EventFilter, EventRow, Events

        events = Events(self._database)

        def fetch(to_ms: int, limit: int) -> list[EventRow]:
            return events.events(limit, EventFilter(from_ms=span[0], to_ms=to_ms))

        for e in backwards(fetch, lambda e: e.at_ms, lambda e: e.position, span[1], PAGE):
            times = (iso(e.at_ms), e.at_ms, iso(e.received_ms), e.received_ms)
            told = (e.text, e.lat, e.lon, e.media, msgspec.json.encode(e.data).decode(), e.position)
            yield e.site, e.device, e.kind, str(e.level), *times, *told
