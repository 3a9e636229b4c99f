"""Which messages were here before: (device, boot, n) for ever, the content of unnumbered ones for a while.

A message that is wrongly called new costs nothing: the store keeps one reading a (series, t). One wrongly
called a duplicate would be lost. So whatever is forgotten here counts as new.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from scenewatch.decode.latest import Latest, next_in_line
from scenewatch.model.decoded import NOT_NUMBERED
from scenewatch.model.pieces import array_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from scenewatch.model.decoded import Decoded
    from scenewatch.model.pieces import Piece

BOOTS_KEPT = 16
"""Boots remembered a device, those heard of last: a device may reboot often within one backlog."""
MOST_HOLES = 256
"""Gaps remembered a boot; beyond, neighbours are joined, so that what lies between counts as new."""
UNNUMBERED_KEPT = 262_144
"""Contents remembered: more than a broker redelivers after a crash (65,535 in flight)."""


@dataclass(slots=True)
class Boot:
    """The numbers seen since one boot: all below `next` but those in `holes`, pairs [from, to)."""

    since: int
    next: int
    holes: list[list[int]]
    missing: int = 0
    """Numbers skipped since we began to listen to this boot, and not come since."""

    @classmethod
    def first(cls, n: int) -> Boot:
        """What came before we listened is no gap, but may still arrive."""
        return cls(n, n + 1, [[0, n]] if n else [])

    def is_new(self, n: int) -> bool:
        if n >= self.next:
            if n > self.next:
                self.holes.append([self.next, n])
                self.missing += n - self.next
                if len(self.holes) > MOST_HOLES:
                    first, second = self.holes.pop(0), self.holes[0]
                    second[0] = first[0]
            self.next = n + 1
            return True
        for at, (low, high) in enumerate(self.holes):
            if low <= n < high:
                self.holes[at : at + 1] = [pair for pair in ([low, n], [n + 1, high]) if pair[0] < pair[1]]
                self.missing -= n >= self.since
                return True
        return False


class _Saved(msgspec.Struct, array_like=True):
    """What a snapshot is read as."""

    boots: dict[int, dict[bytes, Boot]]
    contents: list[bytes]
    devices: int
    boot: memoryview
    since: memoryview
    next: memoryview


class Identity:
    """Marks duplicate messages. State per device; the same verdicts for any split of the stream.

    Of most devices only one boot is known, its numbers came in order, and columns hold all of it. Where there
    is more to know, `_boots` has it, the boot heard of latest at the end.
    """

    def __init__(self) -> None:
        self._latest = Latest.of(0)
        self._boots: dict[int, dict[bytes, Boot]] = {}
        self._missing = np.zeros(0, np.int64)
        """By device, of the boots remembered; as long as `_latest`."""
        self._contents: set[bytes] = set()
        self._order: deque[bytes] = deque()

    def duplicates(self, decoded: Decoded) -> NDArray[np.bool_]:
        """One truth value a message; status messages, results and dead letters are never duplicates."""
        marks = np.zeros(len(decoded.device), np.bool_)
        self._grow(int(decoded.device.max(initial=-1)) + 1)
        others = np.empty(len(marks), np.int32)
        waits = np.zeros(len(self._latest.next), np.bool_)
        count = next_in_line(decoded.device, decoded.boot, decoded.n, self._latest, waits, others)
        for i in others[:count].tolist():
            marks[i] = not self._is_new(int(decoded.device[i]), decoded.boot[i].tobytes(), int(decoded.n[i]))
        unnumbered = decoded.n == NOT_NUMBERED
        if unnumbered.any():
            with_content = np.zeros(len(marks), np.bool_)
            with_content[decoded.batch.message] = True
            with_content[[event.position - decoded.first for event in decoded.events]] = True
            for i in np.flatnonzero(unnumbered & with_content).tolist():
                marks[i] = not self._content(decoded, i)
        return marks

    def missing(self, device: int) -> int:
        """Numbers that the device skipped, over the boots remembered. From any thread."""
        missing = self._missing
        return int(missing[device]) if device < len(missing) else 0

    def missing_of_all(self, devices: int) -> NDArray[np.int64]:
        """As `missing`, of as many devices."""
        have = self._missing[:devices]
        return np.concatenate((have, np.zeros(devices - len(have), np.int64)))

    def _grow(self, devices: int) -> None:
        if devices > len(self._latest.next):
            self._latest = self._latest.grown(max(devices, 2 * len(self._latest.next)))
            self._missing = self.missing_of_all(len(self._latest.next))

    def _is_new(self, device: int, name: bytes, n: int) -> bool:
        boots = self._known(device)
        boot = boots.pop(name, None)
        new = boot is None or boot.is_new(n)
        boots[name] = boot = boot or Boot.first(n)
        if len(boots) > BOOTS_KEPT:
            del boots[next(iter(boots))]
        self._missing[device] = sum(known.missing for known in boots.values())
        self._latest.boot[device] = np.frombuffer(name, np.uint8)
        self._latest.next[device] = boot.next
        return new

    def _known(self, device: int) -> dict[bytes, Boot]:
        """All that is known of the device's boots, with what the columns know."""
        latest = self._latest
        boots = self._boots.get(device)
        if boots is None:
            first = Boot.first(int(latest.since[device]))
            boots = self._boots[device] = {latest.boot[device].tobytes(): first}
        boots[latest.boot[device].tobytes()].next = int(latest.next[device])
        return boots

    def _content(self, decoded: Decoded, i: int) -> bool:
        messages = decoded.messages
        digest = blake2b(messages.topic(i) + b"\0" + messages.payload(i), digest_size=16).digest()
        if digest in self._contents:
            return False
        self._contents.add(digest)
        self._order.append(digest)
        if len(self._order) > UNNUMBERED_KEPT:
            self._contents.discard(self._order.popleft())
        return True

    def snapshot(self) -> Iterator[Piece]:
        return array_of(self._boots, list(self._order), len(self._latest.next), *self._latest)

    def restore(self, data: bytes) -> None:
        saved = msgspec.msgpack.decode(data, type=_Saved)
        empty = Latest.of(saved.devices)
        self._latest = Latest(
            **{
                name: np.frombuffer(getattr(saved, name), column.dtype).reshape(column.shape).copy()
                for name, column in empty._asdict().items()
            }
        )
        self._boots = saved.boots
        self._missing = np.zeros(saved.devices, np.int64)
        for device, boots in saved.boots.items():
            self._missing[device] = sum(boot.missing for boot in boots.values())
        self._order = deque(saved.contents)
        self._contents = set(saved.contents)
