"""Accounts by owner, as columns: what became of the messages of each device, and of those of no known device."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from scenewatch.model.ledger import NOWHERE, Counts, Fate, Shares, of_site

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from scenewatch.model.decoded import Decoded
    from scenewatch.model.registry import Registry

FATES = len(Fate)
SPARE = 1.5
"""Arrays grow by this factor, so that a new device does not copy all of them."""


class Owners:
    """Who a topic's message belongs to. Sites are numbered in the order of their first devices."""

    def __init__(self) -> None:
        self.sites: dict[str, int] = {}
        self._registry: Registry | None = None
        self._seen = 0

    def grow(self, registry: Registry) -> None:
        self._registry = registry
        for device in registry.devices[self._seen :]:
            self.sites.setdefault(device.site_id, len(self.sites))
        self._seen = len(registry.devices)

    def shares(self, decoded: Decoded, duplicate: NDArray[np.bool_], reused: Iterable[int]) -> Shares:
        """The account of a record's messages; its dead letters have their owners already."""
        owner = np.array(decoded.device, np.int32)
        fate = np.where(duplicate, Fate.DUPLICATE, Fate.STORED).astype(np.uint8)
        for letter in decoded.dead:
            owner[letter.position - decoded.first] = letter.owner
            fate[letter.position - decoded.first] = Fate.DEAD
        change = np.ones(len(owner), np.int32)
        again = Shares.of([(int(owner[i]), Fate.REUSED, 1) for i in reused])
        return Shares.concat([Shares(owner, fate, change), again]) if len(again) else Shares(owner, fate, change)

    def of(self, topic: bytes) -> int:
        """The device a topic names, else its site, else NOWHERE. For the few: dead letters."""
        levels = topic.decode("utf-8", "replace").split("/")
        if self._registry is None or len(levels) < 4:
            return NOWHERE
        _, scene, site, device = levels[:4]
        number = self._registry.number(f"{scene}.{site}.{device}")
        if number is not None:
            return number
        place = self.sites.get(f"{scene}.{site}")
        return NOWHERE if place is None else of_site(place)


class Tally:
    """Adds up shares. One thread writes; whoever else reads takes the writer's lock."""

    def __init__(self) -> None:
        self._devices = np.zeros(0, np.int64)
        """FATES numbers a device, one device after the other."""
        self._others = np.zeros(FATES, np.int64)
        """Likewise NOWHERE, then site by site."""

    def add(self, shares: Shares) -> None:
        if not len(shares):
            return
        owner = shares.owner.astype(np.intp)
        slot = owner * FATES + shares.fate
        if owner.min() >= 0:
            self._devices = _added(self._devices, slot, shares.change)
            return
        known = owner >= 0
        self._devices = _added(self._devices, slot[known], shares.change[known])
        other = (NOWHERE - owner) * FATES + shares.fate
        self._others = _added(self._others, other[~known], shares.change[~known])

    def add_nowhere(self, counts: Counts) -> None:
        """What was counted before accounts had owners, or before the state was lost."""
        self._others[: FATES - 1] += (counts.stored, counts.duplicate, counts.dead)

    def devices(self, count: int) -> NDArray[np.int64]:
        """A row a device, a column a fate."""
        return _rows(self._devices, count)

    def others(self, sites: int) -> NDArray[np.int64]:
        """NOWHERE first, then a row a site."""
        return _rows(self._others, 1 + sites)

    def copy(self) -> Tally:
        other = Tally()
        other._devices, other._others = self._devices.copy(), self._others.copy()
        return other

    def snapshot(self) -> bytes:
        return msgspec.msgpack.encode((self._devices.tobytes(), self._others.tobytes()))

    def restore(self, data: bytes) -> None:
        """Raises ValueError or MsgspecError."""
        devices, others = msgspec.msgpack.decode(data, type=tuple[bytes, bytes])
        self._devices = np.frombuffer(devices, np.int64).copy()
        self._others = np.frombuffer(others, np.int64).copy()


def _added(flat: NDArray[np.int64], slot: NDArray[np.intp], change: NDArray[np.int32]) -> NDArray[np.int64]:
    if not len(slot):
        return flat
    need = int(slot.max()) + 1
    if need > len(flat):
        grown = np.zeros(int(need * SPARE), np.int64)
        grown[: len(flat)] = flat
        flat = grown
    np.add.at(flat, slot, change)
    return flat


def _rows(flat: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    rows = np.zeros(count * FATES, np.int64)
    have = flat[: len(rows)]
    rows[: len(have)] = have
    return rows.reshape(count, FATES)
