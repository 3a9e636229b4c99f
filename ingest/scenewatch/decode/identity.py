"""Which messages were here before: (device, boot, n) for ever, the content of unnumbered ones for a while.

A message that is wrongly called new costs nothing: the store keeps one reading a (series, t). One wrongly
called a duplicate would be lost. So whatever is forgotten here counts as new.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from scenewatch.model.decoded import NOT_NUMBERED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from scenewatch.model.decoded import Decoded

BOOTS_KEPT = 4
"""Boots remembered a device: late messages of the boot before are still told apart."""
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


_NO_BOOTS: Mapping[str, Boot] = MappingProxyType({})


@dataclass(slots=True)
class _State:
    boots: dict[int, dict[str, Boot]] = field(default_factory=dict)
    contents: list[bytes] = field(default_factory=list)


class Identity:
    """Marks duplicate messages. State per device; the same verdicts for any split of the stream."""

    def __init__(self) -> None:
        self._boots: dict[int, dict[str, Boot]] = {}
        self._contents: set[bytes] = set()
        self._order: deque[bytes] = deque()

    def duplicates(self, decoded: Decoded) -> NDArray[np.bool_]:
        """One truth value a message; status messages and dead letters are never duplicates."""
        marks = np.zeros(len(decoded.device), np.bool_)
        unnumbered: list[int] = []
        for i, (device, name, n) in enumerate(zip(decoded.device, decoded.boot, decoded.n, strict=True)):
            if n == NOT_NUMBERED:
                unnumbered.append(i)
                continue
            boot = self._boots.get(device, _NO_BOOTS).get(name)
            if boot is not None and boot.next == n:  # nearly always
                boot.next = n + 1
            elif not self._is_new(device, name, n):
                marks[i] = True
        if unnumbered:
            with_readings = set(np.unique(decoded.batch.message).tolist())
            for i in unnumbered:
                marks[i] = i in with_readings and not self._content(decoded, i)
        return marks

    def missing(self, device: int) -> int:
        """Numbers that the device skipped, over the boots remembered. From any thread."""
        # a copy, which cannot change meanwhile
        return sum(boot.missing for boot in tuple(self._boots.get(device, {}).values()))

    def _is_new(self, device: int, name: str, n: int) -> bool:
        boots = self._boots.get(device)
        if boots is None:
            boots = self._boots[device] = {}
        boot = boots.get(name)
        if boot is not None:
            return boot.is_new(n)
        # What came before we listened is no gap, but may still arrive.
        boots[name] = Boot(n, n + 1, [[0, n]] if n else [])
        if len(boots) > BOOTS_KEPT:
            del boots[next(iter(boots))]
        return True

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

    def snapshot(self) -> bytes:
        return msgspec.msgpack.encode(_State(self._boots, list(self._order)))

    def restore(self, data: bytes) -> None:
        state: Any = msgspec.msgpack.decode(data, type=_State)
        self._boots = state.boots
        self._order = deque(state.contents)
        self._contents = set(state.contents)
