"""Which few places of a run are worth a picture: what was missed, false, slow to be found, and usual."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Final, Protocol

from scenewatch.model.conditions import lines
from scenewatch.model.words import days, hours
from scenewatch.rehearsal.report import AlarmEntry, FaultEntry, Mark, Named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scenewatch.model.registry import Registry
    from scenewatch.model.scene import Channel, Rule, Scene
    from scenewatch.rehearsal.report import Excerpt

MOST: Final = 16
OF_EACH: Final = 4
"""Of what was missed, false or slow."""
MOST_MARKS: Final = 24
AT_LEAST_AROUND: Final = hours(1)
AT_MOST_AROUND: Final = days(1)
LONGEST: Final = days(7)

Found = FaultEntry | AlarmEntry


class Around(Protocol):
    """Whoever has the run's readings: `Excerpts`, or one that asks those of its parts."""

    def around(
        self,
        device: str,
        channel: str,
        from_ms: int,
        to_ms: int,
        title: Named,
        limits: Sequence[float],
        marks: Sequence[Mark],
        /,
    ) -> Excerpt: ...


class Picker:
    """Of one run, whose faults and alarms are as its report has them."""

    def __init__(
        self, scene: Scene, registry: Registry, faults: Sequence[FaultEntry], alarms: Sequence[AlarmEntry]
    ) -> None:
        self._scene = scene
        self._registry = registry
        self._faults = faults
        self._alarms = alarms
        self._rules = {rule.key: rule for rule in scene.rules}
        self._fault_titles = {fault.key: Named(fault.title.en, fault.title.zh) for fault in scene.faults}

    def pick(self, excerpts: Around, most: int = MOST) -> list[Excerpt]:
        """At most so many. What has no channel, or nothing was measured of, is passed over."""
        drawn = (self._draw(one, excerpts) for one in self._worth_seeing())
        return list(islice((one for one in drawn if one is not None and one.t_ms), most))

    def _worth_seeing(self) -> Iterator[Found]:
        counted = [f for f in self._faults if f.findable and not f.censored]
        missed = _one_of_each((f for f in counted if not f.detected), OF_EACH)
        false = _one_of_each((a for a in self._alarms if is_false(a)), OF_EACH)
        found = sorted((f for f in counted if f.delay_s is not None), key=lambda f: -(f.delay_s or 0.0))
        slow = _one_of_each(found, OF_EACH)
        usual = _one_of_each(found[len(found) // 2 :], len(found))
        return iter({id(one): one for one in chain(missed, false, slow, usual)}.values())

    def _draw(self, one: Found, excerpts: Around) -> Excerpt | None:
        begin_ms, end_ms = _span(one)
        device, channel = self._shown_at(one)
        if channel is None:
            return None
        around_ms = min(max((end_ms - begin_ms) // 2, AT_LEAST_AROUND), AT_MOST_AROUND)
        from_ms, to_ms = begin_ms - around_ms, min(end_ms + around_ms, begin_ms + LONGEST)
        marks = list(islice(self._marks(device, from_ms, to_ms), MOST_MARKS))
        limits = sorted({line.at for rule in self._rules_of(one) for line in lines(self._scene, rule)
                         if line.channel == channel.key})  # fmt: skip
        return excerpts.around(device, channel.key, from_ms, to_ms, self._title(one), limits, marks)

    def _shown_at(self, one: Found) -> tuple[str, Channel | None]:
        """Device and channel that show it; of a fault that has none itself, where its first alarm is."""
        on = [entry for rule in self._rules_of(one) for entry in rule.on]
        if isinstance(one, AlarmEntry):
            return one.device, self._channel(one.device, on)
        shows = next((fault.shows for fault in self._scene.faults if fault.key == one.kind), ())
        place = next((n for n, fault in enumerate(self._faults) if fault is one), None)
        owned = (alarm.device for alarm in self._alarms if alarm.fault == place)
        for device in (one.device, *islice(owned, 1)):
            if (channel := self._channel(device, [*shows, *on])) is not None:
                return device, channel
        return one.device, None

    def _channel(self, device: str, named: Iterable[str]) -> Channel | None:
        """The first of `<device type>.<channel>` that the device has; one that is no state where there is one."""
        number = self._registry.number(device)
        if number is None:
            return None
        kind = self._registry.type_of(number)
        channels = {f"{kind.key}.{channel.key}": channel for channel in kind.channels}
        found = [channels[entry] for entry in named if entry in channels]
        return next((channel for channel in found if not channel.states), found[0] if found else None)

    def _rules_of(self, one: Found) -> list[Rule]:
        if isinstance(one, AlarmEntry):
            return [self._rules[one.rule]] if one.rule in self._rules else []
        fault = next((fault for fault in self._scene.faults if fault.key == one.kind), None)
        keys = fault.rules if fault else (one.rule,) if one.rule else tuple(self._rules)
        return [self._rules[key] for key in keys if key in self._rules]

    def _marks(self, device: str, from_ms: int, to_ms: int) -> Iterator[Mark]:
        both: tuple[Found, ...] = (*self._faults, *self._alarms)
        for one in both:
            begin_ms, end_ms = _span(one)
            if one.device == device and begin_ms < to_ms and end_ms >= from_ms:
                kind = "alarm" if isinstance(one, AlarmEntry) else "fault"
                open_end = isinstance(one, AlarmEntry) and one.cleared_at is None
                yield Mark(kind=kind, title=self._title(one), from_ms=begin_ms, to_ms=None if open_end else end_ms)

    def _title(self, one: Found) -> Named:
        if isinstance(one, FaultEntry):
            return self._fault_titles.get(one.kind, Named(one.kind, one.kind))
        rule = self._rules.get(one.rule)
        return Named(rule.title.en, rule.title.zh) if rule else Named(one.rule, one.rule)


def is_false(alarm: AlarmEntry) -> bool:
    """Owned by nobody, or once too often."""
    return not alarm.neutral and (alarm.fault is None or alarm.repeat)


def _span(one: Found) -> tuple[int, int]:
    if isinstance(one, FaultEntry):
        return one.from_ms, one.to_ms
    return one.raised_at, one.raised_at if one.cleared_at is None else one.cleared_at


def _one_of_each(found: Iterable[Found], most: int) -> list[Found]:
    """The first of each kind or rule, then seconds where there is room."""
    ordered = list(found)
    first: dict[str, Found] = {}
    for one in ordered:
        first.setdefault(one.kind if isinstance(one, FaultEntry) else one.rule, one)
    firsts = list(first.values())
    others = (one for one in ordered if not any(one is f for f in firsts))
    return list(islice(chain(firsts, others), most))
