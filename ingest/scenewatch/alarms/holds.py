"""What keeps alarms from being shown at one moment, and what is planned to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.alarms.rows import FOREVER
from scenewatch.model.alarm import Hidden

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scenewatch.model.action import Hold

    Key = tuple[Hidden, str, str]


class Holds:
    """One a kind, rule and target. Knows no clock: a hold begins or ends when `move_on` is told of its time."""

    def __init__(self, active: Iterable[Hold] = (), planned: Iterable[Hold] = ()) -> None:
        self._active = {_key(hold): hold for hold in active}
        self._planned = {_key(hold): hold for hold in planned}

    def __bool__(self) -> bool:
        return bool(self._active or self._planned)

    @property
    def active(self) -> list[Hold]:
        return list(self._active.values())

    @property
    def planned(self) -> list[Hold]:
        return list(self._planned.values())

    @property
    def due_ms(self) -> int:
        """When the next one begins or ends."""
        begins = (hold.from_ms for hold in self._planned.values())
        ends = (hold.until_ms for hold in self._active.values() if hold.until_ms)
        return min((*begins, *ends), default=FOREVER)

    def find(self, kind: Hidden, rule: str, target: str) -> Hold | None:
        key = (kind, rule, target)
        return self._active.get(key) or self._planned.get(key)

    def put(self, hold: Hold) -> None:
        """In the place of one of its kind, rule and target; planned if it begins after it was said."""
        self.end(hold.kind, hold.rule, hold.target)
        where = self._planned if hold.from_ms > hold.at_ms else self._active
        where[_key(hold)] = hold

    def end(self, kind: Hidden, rule: str, target: str) -> None:
        self._active.pop((kind, rule, target), None)
        self._planned.pop((kind, rule, target), None)

    def move_on(self, at_ms: int) -> None:
        """Begin and end what does so at this time or should have before."""
        for key, hold in list(self._planned.items()):
            if hold.from_ms <= at_ms:
                self._active[key] = self._planned.pop(key)
        for key, hold in list(self._active.items()):
            if hold.until_ms and hold.until_ms <= at_ms:
                del self._active[key]

    def hiding(self, rule: str, device: str) -> Hidden:
        """What hides this rule's alarm of the device; of several what lasts longest comes first."""
        for kind in (Hidden.OUT_OF_SERVICE, Hidden.SHELVED):
            if (kind, rule, device) in self._active:
                return kind
        maintained = (device, device.rpartition(".")[0])
        is_maintained = any((Hidden.MAINTENANCE, "", target) in self._active for target in maintained)
        return Hidden.MAINTENANCE if is_maintained else Hidden.NOT


def _key(hold: Hold) -> Key:
    return hold.kind, hold.rule, hold.target
