"""Runs recorded data through the very stages that judge live readings: what would these rules have done?"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.load.figures import Shown, figures
from scenewatch.model.batch import Batch
from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.model.insight import Departure
from scenewatch.model.scene import NoData
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
    from scenewatch.rehearsal.report import ScoreEntry
    from scenewatch.study import Found

AT_A_TIME: Final = 200_000
"""Readings; a batch is never cut within an instant."""
WINDOW: Final = Text("labelled window", "标注窗口")
READING, JUDGING = 0.3, 0.7
"""Of the whole progress."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """What to read, and how."""

    paths: tuple[Path, ...]
    mapping: Mapping = field(default_factory=Mapping)
    map_name: str = "--map"
    zone: str = ""
    """Goes before the map's."""
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
    reader = Reader(files.mapping, known, files.zone)
    whole = reader.read(files.paths, lambda: progress(next(done)))
    recorded = whole.between(files.from_ms, files.to_ms)
    if not len(recorded):
        raise ConfigurationError([Mistake("--from, --to", f"no reading is within; there are {_span(whole)}")])
    types = None
    if scene is None:
        scene, types = generic.scene_of(files.mapping, kinds_of(recorded, files.mapping), files.map_name)
        if found := mistakes(scene):
            raise ConfigurationError([_of_map(mistake, files.map_name) for mistake in found])
    devices = devices_of(recorded, scene, files.mapping, types)
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
        self._past, self._windows = past, windows
        self._from_ms, self._to_ms = int(past.recorded.t_ms[0]), int(past.recorded.t_ms[-1]) + 1
        self._study = Study([past.scene], past.devices, limits, from_ms=self._from_ms)
        self._registry = self._study.registry
        self._excerpts = Excerpts(self._registry)
        self._study.listeners.append(self._excerpts.take)
        self._silence = {rule.key for rule in past.scene.rules if isinstance(rule.when, NoData)}
        self._spans = list(_spans(past))

    def feed(self, progress: Callable[[float], None]) -> None:
        recorded = self._past.recorded
        for begin, end in _cuts(recorded.t_ms):
            self._study.take(_batch(self._past, self._registry, begin, end))
            progress(end / len(recorded))

    def report(self, began_s: float) -> Report:
        found = self._study.finish(self._to_ms)
        scene, recorded, study = self._past.scene, self._past.recorded, self._study
        alarms = self._counted(found)
        labels = [self._label(window) for window in self._windows]
        run = Run(self._from_ms, self._to_ms, len(self._past.devices))
        judgement = judge(labels, [a for a in alarms if a.rule not in self._silence], run)
        outcomes = self._outcomes(judgement.alarms, alarms)
        faults, entered = entries.fault_entries(judgement.faults), entries.alarm_entries(outcomes)
        titles = {window.kind: WINDOW for window in self._windows}
        chance = judge(labels, moved([o.alarm for o in judgement.alarms], run, seed=0), run)
        score: ScoreEntry | None = entries.score_entry(judgement, titles) if labels else None
        ...
