"""Devices that speak and are in no inventory: who they are by what they said, and how they come into it.

Works on the database alone, so that it serves beside a worker, within one, and without any.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec

from scenewatch.api.unknown import Adopted, StrangersView, StrangerView
from scenewatch.inventory.checks import Checks
from scenewatch.model.errors import InUseError, RefusedError, TemporaryError
from scenewatch.model.fitting import best_fit, by_fit
from scenewatch.model.ledger import UNKNOWN_DEVICE
from scenewatch.store.deadletters import DeadLetters
from scenewatch.store.devices import Inventory
from scenewatch.store.lease import Leases
from scenewatch.store.letterfilter import Which
from scenewatch.store.retries import Retries
from scenewatch.store.strangers import Stranger, Strangers, Whose
from scenewatch.worker.taking import taken

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scenewatch.model.place import Device
    from scenewatch.model.ports import Clock
    from scenewatch.model.scene import Scene
    from scenewatch.store.relational import Database

MOST_TOPICS = 4000
"""Of strangers that are looked at; each speaks on one to three."""
MOST_CHANNELS = MOST_LETTERS = 64
MOST_SAMPLE = 1000
"""Letters of a payload that are shown."""
FRESH_S = 2.0
"""For so long an answer serves everybody who asks."""
REST = 20
"""And for so many times as long as it took: of a million dead letters that is seconds."""


class Adoption:
    """Any thread."""

    def __init__(self, database: Database, scenes: Iterable[Scene], root: str, clock: Clock) -> None:
        self._scenes = {scene.key: scene for scene in scenes}
        self._root = root
        self._clock = clock
        self._strangers = Strangers(database)
        self._inventory = Inventory(database)
        self._retries = Retries(database, DeadLetters(database))
        self._leases = Leases(database)
        self._lock = threading.Lock()
        self._seen: tuple[float, StrangersView] | None = None
        """Until when it serves, and the answer."""

    def unknown(self) -> StrangersView:
        """Those heard of last come first."""
        with self._lock:
            began_s = time.monotonic()
            if self._seen is None or began_s > self._seen[0]:
                seen = self._look()
                now_s = time.monotonic()
                self._seen = now_s + max(FRESH_S, REST * (now_s - began_s)), seen
            return self._seen[1]

    def suggested(self, device_id: str) -> str | None:
        """The type that fits what one device said."""
        parts = device_id.split(".")
        stranger = self._strangers.one(self._root, Whose(*parts)) if len(parts) == len(Whose._fields) else None
        return None if stranger is None else self._views([stranger])[0].suggested_type

    def adopt(self, device: Device) -> Adopted:
        """Into the inventory, and what was kept of it is asked for again once a worker that runs knows it.

        Raises ConfigurationError with all mistakes; RefusedError where nothing was heard of it; InUseError if
        the inventory has it otherwise; TemporaryError if the worker does not take it now: asking again goes on.
        """
        known = self._inventory.of_site(device.scene, device.site)
        there = next((d for d in known if d.id == device.id), None)
        if there is not None and there != device:
            raise InUseError(f"{device.id} is in the inventory already, as a {there.type}")
        self._check(device, known)
        whose = Whose(device.scene, device.site, device.device)
        if there is None and self._strangers.one(self._root, whose) is None:
            raise RefusedError(f"nothing was heard of {device.id}: is its topic {self._topics(whose)}?")
        self._take(self._inventory.upsert([device]), device.id)
        with self._lock:
            self._seen = None
        kept = Which(topic=self._topics(whose), reason=f"{UNKNOWN_DEVICE}{device.id}:")
        return Adopted(device.id, self._retries.ask(kept, self._clock.now_ms()))

    def _check(self, device: Device, known: Iterable[Device]) -> None:
        checks = Checks(device.id, self._scenes.values(), known)
        checks.word = ""
        words = {"scene": device.scene, "site": device.site, "device": device.device, "type": device.type}
        name = {"name_en": device.name.en, "name_zh": device.name.zh}
        checks.add(0, {**words, "parent": device.parent, **name, "lat": "", "lon": ""})
        checks.devices()

    def _topics(self, whose: Whose) -> str:
        return "/".join((self._root, *whose, "+"))

    def _take(self, revision: int, device_id: str) -> None:
        """Asked for before that, its messages would be tried by the inventory without it."""
        if taken(self._inventory, self._leases, revision) is False:
            raise TemporaryError(f"{device_id} is in the inventory; no worker has taken it yet: adopt it again")

    # --- what they said ------------------------------------------------------------------------------------

    def _look(self) -> StrangersView:
        seen = self._strangers.seen(MOST_TOPICS)
        known = self._inventory.ids_at({(s.whose.scene, s.whose.site) for s in seen.strangers})
        strangers = [s for s in seen.strangers if s.whose.id not in known]
        return StrangersView(self._views(strangers), seen.beyond)

    def _views(self, strangers: list[Stranger]) -> list[StrangerView]:
        payloads = dict(_brief(self._strangers, (s.sample for s in strangers)))
        sites = {site_of(id_) for id_ in self._inventory.ids_at({(s.whose.scene, s.whose.site) for s in strangers})}
        return [self._view(s, *payloads.get(s.sample, ((), "")), sites) for s in strangers]

    def _view(self, stranger: Stranger, channels: tuple[str, ...], sample: str, sites: set[str]) -> StrangerView:
        scene = self._scenes.get(stranger.whose.scene)
        types = () if scene is None else scene.device_types
        fit = best_fit(types, channels)
        return StrangerView(
            scene=stranger.whose.scene,
            site=stranger.whose.site,
            device=stranger.whose.device,
            site_known=site_of(stranger.whose.id) in sites,
            messages=stranger.messages,
            first_at=stranger.first_ms,
            last_at=stranger.last_ms,
            channels=channels,
            suggested_type=None if fit is None else fit.key,
            types=tuple(t.key for t in by_fit(types, channels)),
            sample=sample,
        )


def site_of(device_id: str) -> str:
    return device_id.rpartition(".")[0]


def _brief(strangers: Strangers, positions: Iterable[int]) -> Iterable[tuple[int, tuple[tuple[str, ...], str]]]:
    """Of each message its channels and how it begins: payloads are large, and anybody's."""
    for position, payload in strangers.payloads(positions):
        yield position, (channels_of(payload), payload[:MOST_SAMPLE].decode("utf-8", "backslashreplace"))


def channels_of(payload: bytes) -> tuple[str, ...]:
    """What a message has readings of; nothing where it cannot be read."""
    try:
        body: Any = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ()
    values = body.get("v") if isinstance(body, dict) else None
    return tuple(key[:MOST_LETTERS] for key in [*values][:MOST_CHANNELS]) if isinstance(values, dict) else ()
