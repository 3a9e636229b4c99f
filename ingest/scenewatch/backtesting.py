"""Runs recorded data through the very stages that judge live readings: what would these rules have done?"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.load.figures import Shown, figures
from scenewatch.model.batch import Batch
from scenewatch.model.conditions import compared
from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.model.insight import Departure
from scenewatch.model.rule import Happened, NoData
from scenewatch.model.words import Duration, Text
from scenewatch.recorded import generic
from scenewatch.recorded.inventory import devices_of, kinds_of
from scenewatch.recorded.mapping import Mapping
from scenewatch.recorded.notes import Trouble
from scenewatch.recorded.reading import Reader
from scenewatch.recorded.units import known_channels
from scenewatch.rehearsal import entries
from scenewatch.rehearsal.excerpts import Excerpts
from scenewatch.rehearsal.labels import Label
from scenewatch.rehearsal.outside import Watched, series_entry
from scenewatch.rehearsal.picks import Picker
from scenewatch.rehearsal.report import Report
from scenewatch.rehearsal.score import AlarmOutcome, Run, judge, moved
from scenewatch.scenes.check import mistakes
from scenewatch.study import Study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from collections.abc import Mapping as Map
    from pathlib import Path

    from numpy.typing import NDArray

    from scenewatch.model.place import Device
    from scenewatch.model.registry import Registry
    from scenewatch.model.scene import Scene
    from scenewatch.recorded.recorded import Recorded
    from scenewatch.recorded.windows import Window
    from scenewatch.rehearsal.labels import RaisedAlarm
    from scenewatch.rehearsal.report import AlarmEntry, FaultEntry, ScoreEntry, SeriesEntry
    from scenewatch.rehearsal.score import Judgement

AT_A_TIME: Final = 200_000
"""Readings; a batch is never cut within an instant."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """What to read, and how."""

    paths: tuple[Path, ...]
    mapping: Mapping = field(default_factory=Mapping)
    map_name: str = "--map"
    zone: str = ""
    """Goes before the map's."""
    inventory: tuple[Device, ...] = ()
    """What is known of the devices of a scene; the map and the channels say it else."""
    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """Recorded readings with the scene that judges them; `devices` are in the order of the recorded ones."""

    scene: Scene
    devices: tuple[Device, ...]
    recorded: Recorded
    mapping: Mapping


def _quietly(_done: float) -> None:
    return


def read(scene: Scene | None, files: Files, *, progress: Callable[[float], None] = _quietly) -> Past:
    """Without a scene one is made of the map. Raises ConfigurationError with all that cannot be used."""
    if not files.paths:
        raise ConfigurationError([Mistake("--data", "names no file")])
    known = known_channels(scene, files.mapping, files.map_name)
    done = iter(np.linspace(0.0, 1.0, len(files.paths) + 1)[1:].tolist())
    types = () if scene is None else scene.device_types
    derived = {c.key for t in types for c in t.channels if c.derived is not None} - set(known)
    reader = Reader(files.mapping, known, files.zone, derived=derived)
    whole = reader.read(files.paths, lambda: progress(next(done)))
    recorded = whole.between(files.from_ms, files.to_ms)
    if not len(recorded):
        raise ConfigurationError([Mistake("--from, --to", f"no reading is within; there are {_span(whole)}")])
    of_kinds: list[str] = []
    if scene is None:
        scene, of_kinds = generic.scene_of(files.mapping, kinds_of(recorded, files.mapping), files.map_name)
        if found := mistakes(scene):
            raise ConfigurationError([_of_map(mistake, files.map_name) for mistake in found])
    if on_events := [rule.key for rule in scene.rules if isinstance(rule.when, Happened)]:
        recorded.notes.tell("", Trouble.NO_EVENTS, at=on_events)
    devices = devices_of(recorded, scene, files.mapping, files.inventory, of_kinds)
    return Past(scene, tuple(devices), recorded, files.mapping)


def backtest(
    past: Past,
    *,
    limits: Map[str, Map[str, float]] | None = None,
    windows: Sequence[Window] = (),
    progress: Callable[[float], None] = _quietly,
) -> Report:
    """`limits` are operators' numbers to try. Raises ConfigurationError with all that is wrong in them."""
    began_s = time.perf_counter()
    run = _Run(past, limits or {}, windows)
    run.feed(progress)
    return run.report(began_s)


class _Run:
    """One pass of recorded readings."""

    def __init__(self, past: Past, limits: Map[str, Map[str, float]], windows: Sequence[Window]) -> None:
        self._past = past
        self._from_ms, self._to_ms = int(past.recorded.t_ms[0]), int(past.recorded.t_ms[-1]) + 1
        self._study = Study([past.scene], past.devices, limits, from_ms=self._from_ms)
        self._excerpts = Excerpts(self._study.registry)
        self._study.listeners.append(self._excerpts.take)
        self._silence = {rule.key for rule in past.scene.rules if isinstance(rule.when, NoData)}
        self._spans = spans(past)
        ids = dict(zip(past.recorded.devices, (device.id for device in past.devices), strict=True))
        self._labels = [self._label(window, ids[window.device]) for window in windows]

    def feed(self, progress: Callable[[float], None]) -> None:
        for batch, done in batches(self._past, self._study.registry):
            self._study.take(batch)
            progress(done)

    def report(self, began_s: float) -> Report:
        found = self._study.finish(self._to_ms)
        scene, alarms = self._past.scene, self._within(found.alarms)
        run = Run(self._from_ms, self._to_ms, len(self._past.devices))
        judgement = judge(self._labels, [a for a in alarms if a.rule not in self._silence], run)
        outcomes = self._outcomes(judgement.alarms, alarms)
        faults, entered = entries.fault_entries(judgement.faults), entries.alarm_entries(outcomes)
        return Report(
            what="backtest",
            scene=scene.key,
            title=entries.named(scene.title),
            from_ms=self._from_ms,
            to_ms=self._to_ms,
            learning_until_ms=self._from_ms,
            sites=len({device.site_id for device in self._past.devices}),
            devices=len(self._past.devices),
            readings=len(self._past.recorded),
            seed=None,
            files=list(self._past.recorded.files),
            took_s=time.perf_counter() - began_s,
            faults=faults,
            alarms=entered,
            score=self._score(judgement),
            chance=self._score(judge(self._labels, moved((o.alarm for o in judgement.alarms), run, seed=0), run)),
            plain=None,
            load=figures([_shown(a) for a in alarms], self._from_ms, self._to_ms),
            raised_while_learning=0,
            quality=[],
            flags=found.flags,
            rules=entries.rule_entries(scene, self._study.rules.values(), outcomes),
            excerpts=self._picker(faults, entered).pick(self._excerpts),
            notes=[entries.named(text) for text in self._past.recorded.notes],
            series=self._series(judgement),
        )

    def _picker(self, faults: Sequence[FaultEntry], alarms: Sequence[AlarmEntry]) -> Picker:
        labelled = bool(self._labels)
        return Picker(self._past.scene, self._study.registry, faults, alarms, labelled=labelled)

    def _label(self, window: Window, device: str) -> Label:
        """Any rule may find it, as long as it lasts, but for missing data: a window is about what was measured."""
        return Label(
            kind=window.kind,
            device=device,
            reaches=frozenset({device}),
            from_ms=window.from_ms,
            to_ms=window.to_ms,
            size=None,
            effect=None,
            findable=True,
            rules=frozenset(rule.key for rule in self._past.scene.rules) - self._silence,
            deadline=Duration(window.to_ms - window.from_ms),
            tail=Duration(0),
        )

    def _within(self, alarms: Sequence[RaisedAlarm]) -> list[RaisedAlarm]:
        """Without silences before a device's first reading or behind its last: nobody knows of these."""
        kept = [
            a
            for a in alarms
            if a.rule not in self._silence or self._spans[a.device][0] <= a.raised_at_ms < self._spans[a.device][1]
        ]
        self._past.recorded.notes.tell("", Trouble.NOT_YET, len(alarms) - len(kept))
        return kept

    def _outcomes(self, judged: Sequence[AlarmOutcome], alarms: Sequence[RaisedAlarm]) -> list[AlarmOutcome]:
        """Of every alarm. Without windows, and for missing data, none is right or wrong."""
        silent = [a for a in alarms if a.rule in self._silence]
        more = [AlarmOutcome(a, None, neutral=True, repeat=False) for a in silent]
        if not self._labels:
            judged = [replace(outcome, neutral=True) for outcome in judged]
        return sorted([*judged, *more], key=lambda o: (o.alarm.raised_at_ms, o.alarm.rule, o.alarm.device))

    def _score(self, judgement: Judgement) -> ScoreEntry | None:
        titles = {label.kind: Text(f"labelled {label.kind}", f"标注：{label.kind}") for label in self._labels}
        return entries.score_entry(judgement, titles) if self._labels else None

    def _series(self, judgement: Judgement) -> list[SeriesEntry]:
        if not self._labels:
            return []
        found = []
        for device in self._past.devices:
            watched = Watched(device.id, *self._spans[device.id], _learning(self._past.scene, device.type))
            windows = [f for f in judgement.faults if f.label.device == device.id]
            found.append(
                series_entry(watched, windows, [o.alarm for o in judgement.alarms if o.alarm.device == device.id])
            )
        return found


def batches(past: Past, registry: Registry) -> Iterator[tuple[Batch, float]]:
    """Unchecked, in the order of time, each with how much is done then."""
    recorded = past.recorded
    series = _series(past, registry)
    for begin, end in _cuts(recorded.t_ms):
        yield _batch(recorded, series, begin, end), end / len(recorded)


def spans(past: Past) -> dict[str, tuple[int, int]]:
    """Of each device from its first reading to behind its last: of silences elsewhere nobody knows."""
    return {device.id: span for device, span in zip(past.devices, _spans(past.recorded), strict=True)}


def _batch(recorded: Recorded, series: NDArray[np.int32], begin: int, end: int) -> Batch:
    """A message is what one device told at one time."""
    cut = slice(begin, end)
    device, t_ms = recorded.device[cut], recorded.t_ms[cut]
    of = series[device, recorded.channel[cut]]
    batch = Batch.of(of, t_ms, recorded.value[cut])
    begins = (np.diff(t_ms, prepend=t_ms[:1]) != 0) | (np.diff(device, prepend=device[:1]) != 0)
    batch.message = np.cumsum(begins, dtype=np.int32)
    return batch


def _series(past: Past, registry: Registry) -> NDArray[np.int32]:
    """By recorded device and channel. Raises ConfigurationError for a channel that a device cannot have."""
    found = np.full((len(past.recorded.devices), len(past.recorded.channels)), -1, np.int32)
    mistakes = []
    for number, (name, channels) in enumerate(zip(past.recorded.devices, past.recorded.channels_of(), strict=True)):
        device_type = registry.type_of(number)
        places = {c.key: registry.first_series[number] + at for at, c in enumerate(device_type.channels)}
        for key in channels:
            if key not in places:
                what = f"has readings of {key}, which a {device_type.key} does not measure: say its type in the map"
                mistakes.append(Mistake(f'devices."{name}"', what))
            else:
                found[number, past.recorded.channels.index(key)] = places[key]
    if mistakes:
        raise ConfigurationError(mistakes)
    return found


def _cuts(t_ms: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    begin = 0
    while begin < len(t_ms):
        last = t_ms[min(begin + AT_A_TIME, len(t_ms)) - 1]
        end = int(np.searchsorted(t_ms, last, side="right"))
        yield begin, end
        begin = end


def _spans(recorded: Recorded) -> Iterator[tuple[int, int]]:
    """Of each device from its first reading to behind its last."""
    for number in range(len(recorded.devices)):
        t_ms = recorded.t_ms[recorded.device == number]
        yield int(t_ms[0]), int(t_ms[-1]) + 1


def _learning(scene: Scene, device_type: str) -> int:
    """The longest of what its rules look at."""
    watched = (
        found.channel.derived for rule in scene.rules for found in compared(rule, scene.device_type(device_type))
    )
    return max((d.learning for d in watched if isinstance(d, Departure)), default=0)


def _shown(alarm: RaisedAlarm) -> Shown:
    return Shown(
        rule=alarm.rule,
        device=alarm.device,
        priority=alarm.priority,
        raised_at_ms=alarm.raised_at_ms,
        cleared_at_ms=alarm.cleared_at_ms,
        hidden=bool(alarm.hidden),
        cause=alarm.cause,
    )


def _span(recorded: Recorded) -> str:
    first, last = (np.datetime64(int(t), "ms").astype("datetime64[m]") for t in recorded.t_ms[[0, -1]])
    return f"readings from {first}Z to {last}Z"


def _of_map(mistake: Mistake, map_name: str) -> Mistake:
    return Mistake(f"{map_name}: {mistake.place.removeprefix(generic.KEY).lstrip(': ')}", mistake.what)
