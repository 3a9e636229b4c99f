"""Suggests limits from recorded data: sets of them are judged side by side by the very alarms of the worker."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.alarms.engine import Engine
from scenewatch.alarms.overrides import in_force, mistakes
from scenewatch.backtesting import batches, spans
from scenewatch.model.alarm import Step
from scenewatch.model.conditions import watched_types
from scenewatch.model.flags import Flag, Place
from scenewatch.model.rule import Above, Below, NoData, Outside
from scenewatch.model.ruleversion import version_of
from scenewatch.model.speech import rule_text
from scenewatch.model.words import Text
from scenewatch.rehearsal.entries import named
from scenewatch.rehearsal.levels import Levels, Silences, ladder
from scenewatch.rehearsal.suggestion import MONTH_MS, Suggestion, Suggestions, Tried, choose
from scenewatch.study import Study

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scenewatch.backtesting import Past
    from scenewatch.model.alarm import Transitions
    from scenewatch.model.batch import Batch
    from scenewatch.model.registry import Registry
    from scenewatch.model.rule import Rule

    Numbers = dict[str, float]

RUNGS: Final = 14
"""How many limits are tried of each rule, at most."""
WITHOUT: Final = {
    "kind": Text("has no limit of one channel", "不是单通道限值规则"),
    "state": Text("is about a state", "针对状态通道"),
    "data": Text("has no readings", "没有读数"),
    "one": Text("no other limit would do", "没有其他可用限值"),
}


def _quietly(_done: float) -> None:
    return


def suggest(
    past: Past,
    *,
    limits: Mapping[str, Mapping[str, float]] | None = None,
    a_month: float = 0.2,
    progress: Callable[[float], None] = _quietly,
) -> Suggestions:
    """`limits` are those in force; `a_month` how many alarms a rule may give, a device and 30 days.

    Raises ConfigurationError with all that is wrong in `limits`.
    """
    return _Suggesting(past, limits or {}).run(a_month, progress)


class _Suggesting:
    def __init__(self, past: Past, limits: Mapping[str, Mapping[str, float]]) -> None:
        self._past, self._limits = past, limits
        self._from_ms, self._to_ms = int(past.recorded.t_ms[0]), int(past.recorded.t_ms[-1]) + 1
        self._spans = spans(past)
        self._left_out: dict[str, Text] = {}

    def run(self, a_month: float, progress: Callable[[float], None]) -> Suggestions:
        ladders = self._ladders(lambda done: progress(done / 2))
        counts = self._count(ladders, lambda done: progress((1 + done) / 2))
        past, at_most = self._past, a_month * (self._to_ms - self._from_ms) / MONTH_MS
        return Suggestions(
            scene=past.scene.key,
            title=named(past.scene.title),
            from_ms=self._from_ms,
            to_ms=self._to_ms,
            readings=len(past.recorded),
            a_month=a_month,
            rules=[self._suggestion(key, ladder, counts, at_most) for key, ladder in ladders.items()],
            left_out={key: named(why) for key, why in self._left_out.items()},
            notes=[named(text) for text in past.recorded.notes],
        )

    def _study(self) -> Study:
        return Study([self._past.scene], self._past.devices, self._limits, from_ms=self._from_ms)

    def _ladders(self, progress: Callable[[float], None]) -> dict[str, list[Numbers]]:
        """Of each rule the numbers worth trying and those in force, from the outermost inwards."""
        study = self._study()
        seen = {key: _Seen(rule, study.registry) for key, rule in study.rules.items() if self._can(key, rule)}
        study.listeners.extend(one.take for one in seen.values())
        for batch, done in batches(self._past, study.registry):
            study.take(batch)
            progress(done)
        found = {}
        for key, one in seen.items():
            worth = [n for n in one.worth_trying() if not mistakes([self._past.scene], {key: self._with(key, n)})]
            if not one.any:
                self._left_out[key] = WITHOUT["data"]
            elif not worth:
                self._left_out[key] = WITHOUT["one"]
            else:
                found[key] = _from_outside(one.rule, [_own_numbers(one.rule), *worth])
        return found

    def _can(self, key: str, rule: Rule) -> bool:
        channels = (c for t in watched_types(self._past.scene, rule) for c in t.channels)
        if not isinstance(rule.when, Above | Below | Outside | NoData) or not any("." in on for on in rule.on):
            self._left_out[key] = WITHOUT["kind"]
        elif not isinstance(rule.when, NoData) and any(c.states and _is_on(rule, c.key) for c in channels):
            self._left_out[key] = WITHOUT["state"]
        return key not in self._left_out

    def _with(self, key: str, numbers: Numbers) -> Numbers:
        return {**self._limits.get(key, {}), **numbers}

    def _count(
        self, ladders: Mapping[str, Sequence[Numbers]], progress: Callable[[float], None]
    ) -> list[Counter[tuple[str, str]]]:
        """Alarms by rule and device, for each rung of all ladders at once."""
        study = self._study()
        rungs = [
            _Rung(self._past, study.registry, self._rung_limits(ladders, n), self._spans, self._from_ms)
            for n in range(max(map(len, ladders.values()), default=0))
        ]
        study.listeners.extend(rung.take for rung in rungs)
        for batch, done in batches(self._past, study.registry):
            study.take(batch)
            progress(done)
        return [rung.finish(self._to_ms) for rung in rungs]

    def _rung_limits(self, ladders: Mapping[str, Sequence[Numbers]], rung: int) -> dict[str, Numbers]:
        tried = {key: self._with(key, ladder[min(rung, len(ladder) - 1)]) for key, ladder in ladders.items()}
        return {**{key: dict(numbers) for key, numbers in self._limits.items()}, **tried}

    def _suggestion(
        self, key: str, ladder: Sequence[Numbers], counts: Sequence[Counter[tuple[str, str]]], at_most: float
    ) -> Suggestion:
        rule = in_force([self._past.scene], self._limits)[key]
        types = {t.key for t in watched_types(self._past.scene, rule)}
        devices = [device.id for device in self._past.devices if device.type in types]
        tried = []
        for numbers, found in zip(ladder, counts, strict=False):
            by_device = {device: n for device in devices if (n := found[key, device])}
            tried.append(Tried(numbers=numbers, raised=sum(by_device.values()), raised_by_device=by_device))
        suggested, of_devices = choose(tried, devices, at_most)
        return Suggestion(
            rule=key,
            version=version_of(self._past.scene, rule),
            text=named(rule_text(self._past.scene, rule)),
            source=named(rule.source.document),
            devices=devices,
            tried=tried,
            in_force=ladder.index(_own_numbers(rule)),
            suggested=suggested,
            of_devices=of_devices,
        )


def _is_on(rule: Rule, channel: str) -> bool:
    return any(on.partition(".")[2] == channel for on in rule.on)


def _own_numbers(rule: Rule) -> Numbers:
    match rule.when:
        case Above(limit) | Below(limit):
            return {"limit": limit}
        case Outside(low, high):
            return {"low": low, "high": high}
        case NoData(after):
            return {"after_s": after / 1000}
        case _:
            return {}


def _from_outside(rule: Rule, tried: list[Numbers]) -> list[Numbers]:
    """Each once. Of two limits the wider pair is the outer one."""
    each = [numbers for place, numbers in enumerate(tried) if numbers not in tried[:place]]
    if isinstance(rule.when, Outside):
        return sorted(each, key=lambda n: n["low"] - n["high"])
    return sorted(each, key=lambda n: list(n.values()), reverse=not isinstance(rule.when, Below))


class _Seen:
    """What the series that one rule watches were like."""

    def __init__(self, rule: Rule, registry: Registry) -> None:
        self.rule = rule
        self.any = False
        series, every = _watched(rule, registry)
        self._levels = Levels(series, registry.series_count, max(rule.on_delay // 2, every))
        self._silences = Silences(series, 2 * every)

    def take(self, checked: Batch) -> None:
        good = (checked.flag == Flag.GOOD) & checked.live & (checked.place == Place.NEW)
        of = checked.series[good], checked.t_ms[good]
        if isinstance(self.rule.when, NoData):
            self.any = self._silences.take(*of) or self.any
        else:
            self.any = self._levels.take(*of, checked.value[good]) or self.any

    def worth_trying(self) -> list[Numbers]:
        if isinstance(self.rule.when, NoData):
            return [{"after_s": after / 1000} for after in self._silences.ladder(RUNGS)]
        stayed = self._levels.stayed()
        if isinstance(self.rule.when, Outside):
            low, high = (ladder(stayed, rising=rising, rungs=RUNGS) for rising in (False, True))
            longest = max(len(low), len(high))
            pairs = zip(_as_long(low, longest), _as_long(high, longest), strict=True)
            return [{"low": under, "high": over} for under, over in pairs]
        rising = isinstance(self.rule.when, Above)
        return [{"limit": limit} for limit in ladder(stayed, rising=rising, rungs=RUNGS)]


def _as_long(limits: list[float], length: int) -> list[float]:
    return limits + limits[-1:] * (length - len(limits))


def _watched(rule: Rule, registry: Registry) -> tuple[list[int], int]:
    """The series, and how often they are told at most."""
    found, every = [], 0
    for device in range(len(registry)):
        device_type = registry.type_of(device)
        for series, channel in zip(registry.series_of(device), device_type.channels, strict=True):
            if f"{device_type.key}.{channel.key}" in rule.on:
                found.append(series)
                every = max(every, device_type.gap_of(channel) // 3)
    return found, max(every, 1)


class _Rung:
    """The alarms once more, with other limits, behind the same quality and insight."""

    def __init__(
        self,
        past: Past,
        registry: Registry,
        limits: Mapping[str, Mapping[str, float]],
        known: Mapping[str, tuple[int, int]],
        from_ms: int,
    ) -> None:
        self._registry, self._known = registry, known
        self._found: Counter[tuple[str, str]] = Counter()
        self._silence = {f"{past.scene.key}.{r.key}" for r in past.scene.rules if isinstance(r.when, NoData)}
        self._engine = Engine([past.scene], limits)
        self._engine.grow(registry)
        self._engine.listening(from_ms)

    def take(self, checked: Batch) -> None:
        self._note(self._engine.step(checked))
        self._note(self._engine.tick(int(np.max(checked.received_ms, initial=0))))

    def finish(self, to_ms: int) -> Counter[tuple[str, str]]:
        self._note(self._engine.tick(to_ms))
        return self._found

    def _note(self, transitions: Transitions) -> None:
        for t in transitions:
            if t.step is Step.RAISED:
                device = self._registry.ids[t.device]
                begin, end = self._known[device]
                if t.rule not in self._silence or begin <= t.raised_at_ms < end:
                    self._found[t.rule, device] += 1
