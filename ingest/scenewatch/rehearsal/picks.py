"""Which few places of a run are worth a picture: what was missed, false, slow to be found, and usual."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, Final, Protocol

from scenewatch.model.conditions import compared, limits
from scenewatch.model.words import days, hours
from scenewatch.rehearsal.excerpts import source_of
from scenewatch.rehearsal.report import AlarmEntry, FaultEntry, Mark, Named
from scenewatch.rehearsal.texts import text
from scenewatch.rehearsal.wording import span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scenewatch.model.registry import Registry
    from scenewatch.model.rule import Rule
    from scenewatch.model.scene import Channel, DeviceType, Scene
    from scenewatch.rehearsal.report import Excerpt

MOST: Final = 20
CHANNELS_EACH: Final = 3
OF_EACH: Final = 4
"""Of what was missed, false or slow."""
MOST_MARKS: Final = 24
AT_LEAST_AROUND: Final = hours(1)
GAPS_AROUND: Final = 8
"""Of a channel that is seldom told, at least so many silences."""
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
        self,
        scene: Scene,
        registry: Registry,
        faults: Sequence[FaultEntry],
        alarms: Sequence[AlarmEntry],
        *,
        labelled: bool = True,
    ) -> None:
        """What is not `labelled` has no right or wrong: then every alarm is worth seeing."""
        self._scene = scene
        self._registry = registry
        self._faults = faults
        self._alarms = alarms
        self._labelled = labelled
        self._rules = {rule.key: rule for rule in scene.rules}
        self._fault_titles = {fault.key: Named(fault.title.en, fault.title.zh) for fault in scene.faults}

    def pick(self, excerpts: Around, most: int = MOST) -> list[Excerpt]:
        """At most so many. What has no channel, or nothing was measured of, is passed over."""
        drawn = (excerpt for one in self._worth_seeing() for excerpt in self._draw(one, excerpts))
        return list(islice((one for one in drawn if one.t_ms), most))

    def _worth_seeing(self) -> Iterator[Found]:
        if not self._labelled:
            return iter(_one_of_each(self._alarms, len(self._alarms)))
        counted = [f for f in self._faults if f.findable and not f.censored]
        missed = _one_of_each((f for f in counted if not f.detected), OF_EACH)
        false = _one_of_each((a for a in self._alarms if is_false(a)), OF_EACH)
        found = sorted((f for f in counted if f.delay_s is not None), key=lambda f: -(f.delay_s or 0.0))
        slow = _one_of_each(found, OF_EACH)
        usual = _one_of_each(found[len(found) // 2 :], len(found))
        return iter({id(one): one for one in chain(missed, false, slow, usual)}.values())

    def _draw(self, one: Found, excerpts: Around) -> Iterator[Excerpt]:
        """The channel that shows it, what else its rule compares, and what a derived one follows."""
        device, channel = self._shown_at(one)
        number = self._registry.number(device)
        if channel is None or number is None:
            return
        kind = self._registry.type_of(number)
        begin_ms, end_ms = _span(one)
        at_least_ms = max(AT_LEAST_AROUND, GAPS_AROUND * kind.gap_of(channel))
        around_ms = min(max((end_ms - begin_ms) // 2, at_least_ms), AT_MOST_AROUND)
        from_ms, to_ms = begin_ms - around_ms, min(end_ms + around_ms, begin_ms + LONGEST)
        marks = list(islice(self._marks(one, device, from_ms, to_ms), MOST_MARKS))
        for shown in islice(self._beside(one, channel, kind), CHANNELS_EACH):
            heights = self._limits(one, shown, kind)
            yield excerpts.around(device, shown.key, from_ms, to_ms, self._headline(one), heights, marks)

    def _beside(self, one: Found, channel: Channel, kind: DeviceType) -> Iterator[Channel]:
        """The channel itself first."""
        channels = {c.key: c for c in kind.channels}
        rules = self._rules_of(one) if isinstance(one, AlarmEntry) else []
        keys = [channel.key, source_of(channel), *(on.key for rule in rules for on, _ in compared(rule, kind))]
        return (channels[key] for key in dict.fromkeys(keys) if key in channels)

    def _limits(self, one: Found, channel: Channel, kind: DeviceType) -> list[float]:
        """What the rules that are meant allow of this very channel; a state has no height."""
        if channel.states:
            return []
        found = (is_ for rule in self._rules_of(one) for on, is_ in compared(rule, kind) if on.key == channel.key)
        return sorted({at for comparison in found for at in limits(comparison)})

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

    def _marks(self, one: Found, device: str, from_ms: int, to_ms: int) -> Iterator[Mark]:
        """What befell the device then, be it at the device itself, at its gateway or at its site."""
        alarms = [a for a in self._alarms if a.device == device and _meets(a, from_ms, to_ms)]
        owners = {a.fault for a in alarms}
        for n, fault in enumerate(self._faults):
            if fault is one or n in owners or (fault.device == device and _meets(fault, from_ms, to_ms)):
                yield Mark(kind="fault", title=self._title(fault), from_ms=fault.from_ms, to_ms=fault.to_ms)
        for alarm in alarms:
            yield Mark(kind="alarm", title=self._title(alarm), from_ms=alarm.raised_at, to_ms=alarm.cleared_at)

    def _headline(self, one: Found) -> Named:
        """What it is, and why it is shown."""
        title = self._title(one)
        if not self._labelled:
            return title
        if isinstance(one, AlarmEntry):
            return text("excerpt.repeat" if one.repeat else "excerpt.false", what=title)
        if one.delay_s is None:
            return text("excerpt.missed", what=title)
        return text("excerpt.found", what=title, delay=span(one.delay_s))

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


def _meets(one: Found, from_ms: int, to_ms: int) -> bool:
    begin_ms, end_ms = _span(one)
    return begin_ms < to_ms and end_ms >= from_ms


def _one_of_each(found: Iterable[Found], most: int) -> list[Found]:
    """The first of each kind or rule, then seconds where there is room."""
    ordered = list(found)
    first: dict[str, Found] = {}
    for one in ordered:
        first.setdefault(one.kind if isinstance(one, FaultEntry) else one.rule, one)
    firsts = list(first.values())
    others = (one for one in ordered if not any(one is f for f in firsts))
    return list(islice(chain(firsts, others), most))
