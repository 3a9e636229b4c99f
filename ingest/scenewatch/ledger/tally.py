"""Accounts by owner, as columns: what became of the messages of each device, and of those of no known device."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from scenewatch.model.ledger import FATES, NOWHERE, Fate, Shares, of_site, slot
from scenewatch.model.pieces import array_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from scenewatch.model.decoded import Decoded
    from scenewatch.model.ledger import Counts
    from scenewatch.model.pieces import Piece
    from scenewatch.model.registry import Registry

SPARE = 1.5
"""Arrays grow by this factor, so that a new device does not copy all of them."""


class Owners:
    """Who a topic's message belongs to. Sites are numbered in the order of their first devices."""

    def __init__(self) -> None:
        self.sites: dict[str, int] = {}
        self.site_of = array("i")
        """The site of each device."""
        self._registry: Registry | None = None

    def grow(self, registry: Registry) -> None:
        self._registry = registry
        for device in registry.devices[len(self.site_of) :]:
            self.site_of.append(self.sites.setdefault(device.site_id, len(self.sites)))

    def shares(self, decoded: Decoded, duplicate: NDArray[np.bool_], reused: Iterable[int]) -> Shares:
        """The account of a record's messages; its dead letters have their owners already."""
        slots = np.array(decoded.device, np.int64) * FATES + Fate.STORED
        slots[duplicate] += Fate.DUPLICATE - Fate.STORED
        for letter in decoded.dead:
            slots[letter.position - decoded.first] = slot(letter.owner, Fate.DEAD)
        again = [slot(decoded.device[i], Fate.REUSED) for i in reused]
        if again:
            slots = np.concatenate([slots, np.array(again, np.int64)])
        return Shares(slots, np.ones(len(slots), np.int64))

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
        """NOWHERE, then site by site. Slots count down from -1 here, so each one's columns are in reverse."""

    def add(self, shares: Shares) -> None:
        if not len(shares):
            return
        if shares.slot.min() >= 0:
            self._devices = _added(self._devices, shares.slot, shares.change)
            return
        known = shares.slot >= 0
        self._devices = _added(self._devices, shares.slot[known], shares.change[known])
        self._others = _added(self._others, -1 - shares.slot[~known], shares.change[~known])

    def add_nowhere(self, counts: Counts) -> None:
        """What was counted before accounts had owners, or before the state was lost."""
        changes = ((Fate.STORED, counts.stored), (Fate.DUPLICATE, counts.duplicate), (Fate.DEAD, counts.dead))
        self.add(Shares.of([(NOWHERE, fate, count) for fate, count in changes]))

    def devices(self, count: int) -> NDArray[np.int64]:
        """A row a device, a column a fate."""
        return _rows(self._devices, count)

    def others(self, sites: int) -> NDArray[np.int64]:
        """NOWHERE first, then a row a site."""
        return _rows(self._others, 1 + sites)[:, ::-1]

    def copy(self) -> Tally:
        other = Tally()
        other._devices, other._others = self._devices.copy(), self._others.copy()
        return other

    def snapshot(self) -> Iterator[Piece]:
        return array_of(self._devices, self._others)

    def restore(self, data: bytes) -> None:
        """Raises ValueError or MsgspecError."""
        devices, others = msgspec.msgpack.decode(data, type=tuple[memoryview, memoryview])
        self._devices = np.frombuffer(devices, np.int64).copy()
        self._others = np.frombuffer(others, np.int64).copy()


def _added(flat: NDArray[np.int64], slots: NDArray[np.int64], change: NDArray[np.int64]) -> NDArray[np.int64]:
    """All of one type: numpy adds at places twenty times faster then."""
    if not len(slots):
        return flat
    need = int(slots.max()) + 1
    if need > len(flat):
        grown = np.zeros(int(need * SPARE), np.int64)
        grown[: len(flat)] = flat
        flat = grown
    np.add.at(flat, slots, change)
    return flat


def _rows(flat: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    rows = np.zeros(count * FATES, np.int64)
    have = flat[: len(rows)]
    rows[: len(have)] = have
    return rows.reshape(count, FATES)
