"""Simulated devices through quality and alarms as the worker takes history, without broker, disk or scene names."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from scenewatch.alarms.engine import Engine
from scenewatch.devices.fleet import NO_FAULTS, Fleet
from scenewatch.devices.history import past, pieces
from scenewatch.model.alarm import Step, Transition
from scenewatch.model.conditions import watched_types
from scenewatch.model.event import encode_event
from scenewatch.model.flags import Flag
from scenewatch.model.ports import Record, RecordKind
from scenewatch.model.quantity import Quantity
from scenewatch.model.rule import NO_DELAY, Above, Happened, NoData
from scenewatch.pipeline import Pipeline, encode_inventory
from scenewatch.scenes import demonstration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.devices.faults import FaultPlan
    from scenewatch.model.batch import Batch
    from scenewatch.model.rule import Rule
    from scenewatch.model.scene import Channel, Scene

DAY_MS = 86_400_000


class Run:
    """Some demonstration sites of a scene; iterated once, it gives each checked batch and what the alarms did."""

    def __init__(
        self, scene: Scene, *, sites: int, seed: int, from_ms: int, to_ms: int, plan: FaultPlan = NO_FAULTS
    ) -> None:
        self.scene = scene
        self.from_ms, self.to_ms = from_ms, to_ms
        self.devices = demonstration(scene).devices(sites)
        self._pipeline = Pipeline([scene], "sw")
        self._record(RecordKind.INVENTORY, encode_inventory(self.devices), from_ms)
        self._record(RecordKind.LISTENING, b"", from_ms)
        self._fleet = Fleet(scene, self.devices, seed=seed, start_ms=from_ms, plan=plan)
        self.registry = self._pipeline.registry
        self._watched = {r.when.event for r in scene.rules if isinstance(r.when, Happened)}

    def __iter__(self) -> Iterator[tuple[Batch, list[Transition]]]:
        for taken in past(self._fleet, self.registry, self.from_ms, self.to_ms):
            for made, events in pieces(taken, self._watched):
                # Stamps of a wrong clock are no time at which anything was known.
                now_ms = max([int(made.received_ms.max(initial=0)), *(event.received_ms for event in events)])
                batch, transitions = self._record(RecordKind.HISTORY, made.to_bytes(), now_ms)
                for event in events:
                    transitions += self._record(RecordKind.EVENT, encode_event(event), event.received_ms)[1]
                yield batch, transitions + self._pipeline.tick(now_ms)

    def _record(self, kind: RecordKind, body: bytes, received_ms: int) -> tuple[Batch, list[Transition]]:
        at = self._pipeline.position
        outcome = self._pipeline.run(Record(at, at + 1, kind, received_ms, None, body))
        return outcome.batch, outcome.transitions


@dataclass(slots=True)
class CleanRun:
    """What a run without faults came to."""

    readings: int = 0
    alarms: list[str] = field(default_factory=list)
    failed: int = 0
    suspect: int = 0
    plain_raises: float = 0.0
    """Per device with an upper limit of temperature, and day."""
    excursions: dict[str, float] = field(default_factory=dict)
    """Of each rule that waits, and is not held back: how long its condition held, as a share of its delay."""

    @property
    def suspect_share(self) -> float:
        return self.suspect / self.readings

    @property
    def longest_excursion(self) -> tuple[float, str]:
        """The share, and the rule that it is of."""
        return max(((share, key) for key, share in self.excursions.items()), default=(0.0, ""))


def clean_run(scene: Scene, *, sites: int, seed: int, from_ms: int, days: int) -> CleanRun:
    run = Run(scene, sites=sites, seed=seed, from_ms=from_ms, to_ms=from_ms + days * DAY_MS)
    eager, plain = Engine([_eager(scene)]), Engine([_plain(scene)])
    found = CleanRun()
    early: list[Transition] = []
    raises: list[Transition] = []
    for engine in (eager, plain):
        engine.grow(run.registry)
    for batch, transitions in run:
        found.readings += len(batch)
        found.failed += int(np.count_nonzero(batch.flag == Flag.FAIL))
        found.suspect += int(np.count_nonzero(batch.flag == Flag.SUSPECT))
        found.alarms += [f"{t.rule} on {run.devices[t.device].id}" for t in transitions if t.step is Step.RAISED]
        early += eager.step(batch)
        raises += [t for t in plain.step(batch) if t.step is Step.RAISED]
    # What still holds at the end is measured up to there.
    early += [replace(t, step=Step.CLEARED, at_ms=run.to_ms) for t in eager.standing()]
    for cleared in early:
        if cleared.step is Step.CLEARED:
            key, share = cleared.rule.partition(".")[2], _excursion_share(run, cleared)
            found.excursions[key] = max(share, found.excursions.get(key, 0.0))
    cooling = [d for d in run.devices if d.type in _limited_types(scene)]
    found.plain_raises = len(raises) / len(cooling) / days
    return found


def _eager(scene: Scene) -> Scene:
    """Every rule that waits, without its waiting: how long its condition held is seen then.

    Not of what is held back: an alarm that stands is not touched by that, a delay is.
    """
    rules = tuple(
        replace(r, on_delay=NO_DELAY, off_delay=NO_DELAY, follows=())
        for r in scene.rules
        if r.on_delay and not r.suppressed_by and not isinstance(r.when, NoData | Happened)
    )
    return replace(scene, rules=rules)


def _plain(scene: Scene) -> Scene:
    """Limits of temperatures alone, as a thermometer with a buzzer has them: no delay, deadband or suppression."""
    rules = tuple(
        replace(r, when=Above(r.when.limit), on_delay=NO_DELAY, off_delay=NO_DELAY, suppressed_by=(), follows=())
        for r in scene.rules
        if _limits_temperature(scene, r) and isinstance(r.when, Above)
    )
    return replace(scene, rules=rules)


def _limited_types(scene: Scene) -> set[str]:
    return {t.key for r in _plain(scene).rules for t in watched_types(scene, r)}


def _limits_temperature(scene: Scene, rule: Rule) -> bool:
    channels = (watched(scene, rule, t.key) for t in watched_types(scene, rule))
    return all(channel is not None and channel.quantity is Quantity.TEMPERATURE for channel in channels)


def _excursion_share(run: Run, cleared: Transition) -> float:
    """The condition held from the first to the last reading beyond the limit: one before the return."""
    delay_ms = run.scene.rule(cleared.rule.partition(".")[2]).on_delay
    held_ms = cleared.at_ms - cleared.raised_at_ms - run.registry.type_of(cleared.device).every
    return held_ms / delay_ms


def watched(scene: Scene, rule: Rule, type_key: str) -> Channel | None:
    """The channel of this device type that the rule is on, if any."""
    return next((c for c in scene.device_type(type_key).channels if f"{type_key}.{c.key}" in rule.on), None)
