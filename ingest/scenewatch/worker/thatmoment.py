"""What one device's channels read when an alarm was raised, and how good the readings before it were."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.api.explain import QualityView, ValueView
from scenewatch.model.flags import Flag, Test
from scenewatch.model.ports import Readings
from scenewatch.model.words import hours

if TYPE_CHECKING:
    from scenewatch.model.scene import Channel, DeviceType
    from scenewatch.store.alarms import AlarmRow

ReadSeries = Callable[[str, int, int, int], Readings]
"""The earliest readings of a series in [from, to), at most so many; as `ports.Store.readings`."""
Roles = Mapping[str, str]
"""Why a channel is looked at, by its key."""
MOST_READINGS: Final = 20_000
JUDGED_BEFORE: Final = hours(1)
FLAGS, TESTS = ({int(one): one.name.lower() for one in kind} for kind in (Flag, Test))


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """`silence_ms`: the newest reading may be so old, because the alarm is about silence.

    `own` is the channel whose reading the alarm itself has: the store may not have it yet.
    """

    row: AlarmRow
    device_type: DeviceType
    readings: ReadSeries
    silence_ms: int = 0
    own: str = ""

    def values(self, roles: Roles) -> list[ValueView]:
        """The newest reading of each channel when the alarm was raised, in the order of `roles`."""
        channels = {channel.key: channel for channel in self.device_type.channels}
        return [self._value(channels[key], role) for key, role in roles.items()]

    def quality(self, roles: Roles) -> QualityView:
        """Of all that is measured among these channels, together."""
        to_ms = self.row.raised_at_ms
        from_ms = to_ms - JUDGED_BEFORE
        measured = [c for c in self.device_type.measured if c.key in roles]
        found = [self._read(c, from_ms, to_ms).flag for c in measured]
        flags = np.concatenate(found) if found else np.empty(0, np.uint8)
        shares = {flag: float(np.mean(flags == flag)) if len(flags) else None for flag in Flag}
        return QualityView(
            from_ms=from_ms,
            to_ms=to_ms,
            readings=len(flags),
            expected=len(measured) * (JUDGED_BEFORE // self.device_type.every),
            good_share=shares[Flag.GOOD],
            suspect_share=shares[Flag.SUSPECT],
            fail_share=shares[Flag.FAIL],
        )

    def _value(self, channel: Channel, role: str) -> ValueView:
        at_ms, value, flag, test = self._newest(channel)
        return ValueView(
            channel=channel.key,
            title=channel.title,
            unit=channel.unit,
            at=at_ms,
            value=value if math.isfinite(value) else None,
            said=next((text for number, text in channel.states if number == value), None),
            flag=FLAGS[flag],
            test=TESTS[test],
            role=role,
        )

    def _newest(self, channel: Channel) -> tuple[int | None, float, int, int]:
        """Time, value, flag and test of the newest reading by then."""
        row = self.row
        every = self.device_type.every if channel.derived is None else channel.derived.every
        back_ms = min(self.device_type.gap_of(channel) + self.silence_ms, (MOST_READINGS - 1) * every)
        found = self._read(channel, row.raised_at_ms - back_ms, row.raised_at_ms)
        newest_ms = int(found.t_ms[-1]) if len(found.t_ms) else None
        if channel.key == self.own and newest_ms != row.raised_at_ms and math.isfinite(row.value):
            return row.raised_at_ms, row.value, row.flag, Test.NONE
        if newest_ms is None:
            return None, math.nan, Flag.MISSING, Test.NONE
        return newest_ms, float(found.value[-1]), int(found.flag[-1]), int(found.test[-1])

    def _read(self, channel: Channel, from_ms: int, to_ms: int) -> Readings:
        """Both ends are in it."""
        return self.readings(f"{self.row.device}.{channel.key}", from_ms, to_ms + 1, MOST_READINGS)
