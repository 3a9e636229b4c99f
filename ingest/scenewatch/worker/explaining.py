"""Puts together why an alarm was raised: from its record, the rule as it was, and the readings then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scenewatch.api.explain import CauseView, Explained, StepView, WindowView
from scenewatch.api.ruletables import rule as entry_of
from scenewatch.api.views import EventQuery
from scenewatch.model.alarm import Step
from scenewatch.model.insight import Departure, Lasting, LastRun, MeanWhile, Share, Slope, TimeTo, Usual
from scenewatch.model.words import days, hours, minutes
from scenewatch.store.alarms import Alarms
from scenewatch.store.relatedalarms import RelatedAlarms
from scenewatch.store.ruleversions import RuleVersions
from scenewatch.worker.book import view_of
from scenewatch.worker.thatmoment import Moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from scenewatch.api.views import EventView
    from scenewatch.app import Worker
    from scenewatch.model.registry import Registry
    from scenewatch.model.rule import Rule
    from scenewatch.model.scene import Channel, DeviceType, Scene
    from scenewatch.store.alarms import AlarmRow
    from scenewatch.store.relational import Database
    from scenewatch.worker.thatmoment import ReadSeries, Roles

    Json = dict[str, Any]

MOST_RELATED: Final = 10
SIMILAR_OVER: Final = days(30)
BEFORE: Final = hours(1)
"""A chart begins at least so long before an alarm was raised, and ends so long after it was cleared."""
AFTER: Final = minutes(30)
DELAYS_BEFORE: Final = 3
READINGS_BEFORE: Final = 24
"""Of a channel that is told rarely a chart begins before so many of its readings."""
WATCHED: Final = "watched"
SOURCE: Final = "source"


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """Where is looked. `rules` gives those in force by `<scene>.<rule>`, `written` has the scenes' tables."""

    alarms: Alarms
    related: RelatedAlarms
    versions: RuleVersions
    registry: Registry
    written: Sequence[Scene]
    rules: Callable[[], Mapping[str, Rule]]
    readings: ReadSeries
    events: Callable[[EventQuery], Sequence[EventView]]
    now_ms: Callable[[], int]


def explaining_of(worker: Worker, database: Database) -> Explaining:
    kept = Kept(
        alarms=Alarms(database),
        related=RelatedAlarms(database),
        versions=RuleVersions(database),
        registry=worker.pipeline.registry,
        written=worker.scenes,
        rules=lambda: worker.pipeline.alarms.rules,
        readings=worker.store.readings,
        events=worker.chronicle.events,
        now_ms=worker.clock.now_ms,
    )
    return Explaining(kept)


class Explaining:
    """Implements `api.explain.Explains`. Any thread."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def keep_rules(self) -> None:
        """Put those in force on record. Raises TemporaryError."""
        entries = {name: entry for name in self._kept.rules() if (entry := self._entry_now(name)) is not None}
        self._kept.versions.keep(entries, self._kept.now_ms())

    def explain(self, rule: str, device: str, raised_at_ms: int) -> Explained | None:
        related = self._kept.related
        row = self._kept.alarms.alarm(rule, device, raised_at_ms)
        if row is None:
            return None
        now = self._entry_now(row.rule)
        then = self._kept.versions.entry(row.rule, row.version) if row.version else None
        entry = then or now
        moment = self._moment(row, entry)
        roles = dict(_concerned(moment.device_type, entry)) if moment and entry else {}
        before = related.before(row, MOST_RELATED)
        elsewhere = related.at_site_before(row, MOST_RELATED - len(before)) if len(before) < MOST_RELATED else []
        cause = related.cause(row)
        return Explained(
            alarm=view_of(row),
            rule=entry,
            as_raised=then is not None,
            now=now if then and now and now["version"] != then["version"] else None,
            values=moment.values(roles) if moment else [],
            quality=moment.quality(roles) if moment and roles else None,
            events=self._told(row, entry),
            causes=self._causes(row, entry),
            raised_priority=row.raised_priority,
            course=_course(row),
            cause=None if cause is None else view_of(cause),
            follows=[view_of(one) for one in related.follows(row, MOST_RELATED)],
            similar=[view_of(one) for one in (*before, *elsewhere)],
            similar_count=related.count_before(row, row.raised_at_ms - SIMILAR_OVER),
            chart=self._chart(row, entry, moment, roles),
        )

    def _entry_now(self, name: str) -> Json | None:
        """The rule in force as `/scenes` tells it; None if there is no such rule (any more)."""
        rule = self._kept.rules().get(name)
        scene_key, _, key = name.partition(".")
        scene = next((s for s in self._kept.written if s.key == scene_key), None)
        return None if rule is None or scene is None else entry_of(scene, rule, scene.rule(key))

    def _moment(self, row: AlarmRow, entry: Json | None) -> Moment | None:
        """None for a device of a type that is in no table any more."""
        found = self._kept.registry.types.get((row.device.partition(".")[0], row.device_type))
        if found is None:
            return None
        return Moment(
            row=row,
            device_type=found,
            readings=self._kept.readings,
            silence_ms=round(1000 * ((entry or {}).get("after_s") or 0)),
            own=_own(found, entry) if entry is not None and not entry["terms"] else "",
        )

    def _told(self, row: AlarmRow, entry: Json | None) -> Sequence[EventView]:
        if entry is None or entry["event"] is None:
            return ()
        at_ms = row.raised_at_ms
        wanted = EventQuery(limit=1, device=row.device, kind=entry["event"], from_ms=at_ms, to_ms=at_ms + 1)
        return self._kept.events(wanted)

    def _causes(self, row: AlarmRow, entry: Json | None) -> list[CauseView]:
        """Faults that the rule finds, first the one that proves it."""
        scene_key, _, key = row.rule.partition(".")
        scene = self._kept.registry.scenes.get(scene_key)
        if scene is None:
            return []
        proof = None if entry is None else entry["proof"]
        found = [
            CauseView(fault=f.key, title=f.title, minimum_s=f.minimum / 1000, proof=f.key == proof)
            for f in scene.faults
            if key in f.rules
        ]
        return sorted(found, key=lambda cause: not cause.proof)

    def _chart(self, row: AlarmRow, entry: Json | None, moment: Moment | None, roles: Roles) -> WindowView | None:
        """Of the first channel that is watched; None where there is none."""
        if entry is None or moment is None or not roles:
            return None
        key = next(iter(roles))
        channel = next(c for c in moment.device_type.channels if c.key == key)
        delay_ms = 1000 * max(entry["on_delay_s"], entry["after_s"] or 0, entry["within_s"] or 0)
        sparse_ms = 0 if channel.derived is None else READINGS_BEFORE * channel.derived.every
        now_ms = self._kept.now_ms()
        until_ms = now_ms if row.cleared_at_ms is None else min(now_ms, row.cleared_at_ms + AFTER)
        return WindowView(
            device=row.device,
            channel=key,
            from_ms=row.raised_at_ms - round(max(BEFORE, DELAYS_BEFORE * delay_ms, sparse_ms)),
            to_ms=max(until_ms, row.raised_at_ms + AFTER),
            lines=[line for line in entry["lines"] if line["channel"] == key],
        )


def _own(device_type: DeviceType, entry: Json) -> str:
    """The channel that the rule names for this type; empty where it names none."""
    on = (name.partition(".") for name in entry["on"])
    return next((key for kind, _, key in on if kind == device_type.key), "")


def _concerned(device_type: DeviceType, entry: Json) -> Iterator[tuple[str, str]]:
    """Channels that the rule watches, then those from which a watched one is derived; each with its role."""
    channels = {channel.key: channel for channel in device_type.channels}
    named = dict.fromkeys([_own(device_type, entry), *(term["channel"] for term in entry["terms"])])
    watched = [key for key in named if key in channels]
    yield from ((key, WATCHED) for key in watched)
    sources = (source for key in watched for source in _sources(channels[key], device_type))
    yield from ((key, SOURCE) for key in dict.fromkeys(sources) if key in channels and key not in watched)


def _sources(channel: Channel, device_type: DeviceType) -> Iterator[str]:
    match channel.derived:
        case None:
            return
        case Departure(of=of):
            yield of
            yield from (c.key for c in device_type.channels if _is_usual_of(c, channel.key))
        case Share(term=term) | Lasting(term=term) | LastRun(term=term):
            yield term.channel
        case MeanWhile(of=of, term=term):
            yield from (of, term.channel)
        case Usual(of=of) | Slope(of=of) | TimeTo(of=of):
            yield of


def _is_usual_of(channel: Channel, departure: str) -> bool:
    return isinstance(channel.derived, Usual) and channel.derived.departure == departure


def _course(row: AlarmRow) -> list[StepView]:
    """What is on record of it, in the order of time."""
    found = [
        (Step.RAISED, row.raised_at_ms, None),
        (Step.ACKNOWLEDGED, row.acknowledged_at_ms, row.acknowledged_by),
        (Step.AGAIN, row.again_at_ms, None),
        (Step.RETURNED, row.returned_at_ms, None),
        (Step.CLEARED, row.cleared_at_ms, row.cleared_by),
    ]
    steps = [StepView(step=step, at=at, by=by) for step, at, by in found if at is not None]
    return sorted(steps, key=lambda one: one.at)
