"""Simulated devices through quality and alarms as the worker takes history, without broker, disk or scene names."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from scenewatch.alarms.engine import Engine
from scenewatch.devices.fleet import NO_FAULTS, Fleet
from scenewatch.devices.history import past
from scenewatch.model.alarm import Step, Transition
from scenewatch.model.event import encode_event
from scenewatch.model.flags import Flag
from scenewatch.model.ports import Record, RecordKind
from scenewatch.model.quantity import Quantity
from scenewatch.model.scene import NO_DELAY, NoData
from scenewatch.pipeline import Pipeline, encode_inventory
from scenewatch.scenes import demonstration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.devices.faults import FaultPlan
    from scenewatch.model.batch import Batch
    from scenewatch.model.scene import Channel, Rule, Scene

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

    def __iter__(self) -> Iterator[tuple[Batch, list[Transition]]]:
        for made, events in past(self._fleet, self.registry, self.from_ms, self.to_ms):
            now_ms = max([int(made.t_ms.max(initial=0)), *(event.received_ms for event in events)])
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
    """Per device that has a rule on a temperature, and day."""
    longest_excursion: float = 0.0
    """Of all value rules: how long the condition held at most, as a share of the rule's on-delay."""

    @property
    def suspect_share(self) -> float:
        return self.suspect / self.readings


def clean_run(scene: Scene, *, sites: int, seed: int, from_ms: int, days: int) -> CleanRun:
    run = Run(scene, sites=sites, seed=seed, from_ms=from_ms, to_ms=from_ms + days * DAY_MS)
    plain = Engine([_plainly(scene)])
    plain.grow(run.registry)
    found = CleanRun()
    moves: list[Transition] = []
    for batch, transitions in run:
        found.readings += len(batch)
        found.failed += int(np.count_nonzero(batch.flag == Flag.FAIL))
        found.suspect += int(np.count_nonzero(batch.flag == Flag.SUSPECT))
        found.alarms += [f"{t.rule} on {run.devices[t.device].id}" for t in transitions if t.step is Step.RAISED]
        moves += plain.step(batch)
    # What still holds at the end is measured up to there.
    moves += [replace(t, step=Step.CLEARED, at_ms=run.to_ms) for t in plain.standing()]
    shares = [_excursion_share(run, t) for t in moves if t.step is Step.CLEARED]
    found.longest_excursion = max(shares, default=0.0)
    found.plain_raises = _plain_raises(run, moves) / days
    return found


def _plainly(scene: Scene) -> Scene:
    """The scene with its value limits alone: no delays, no deadbands."""
    rules = tuple(
        replace(r, when=replace(r.when, deadband=0.0), on_delay=NO_DELAY, off_delay=NO_DELAY)
        for r in scene.rules
        if not isinstance(r.when, NoData)
    )
    return replace(scene, rules=rules)


def _excursion_share(run: Run, cleared: Transition) -> float:
    """The condition held from the first to the last reading beyond the limit: one before the return."""
    delay_ms = run.scene.rule(cleared.rule.partition(".")[2]).on_delay
    held_ms = cleared.at_ms - cleared.raised_at_ms - run.registry.type_of(cleared.device).every
    return held_ms / delay_ms if delay_ms else float("inf")


def _plain_raises(run: Run, moves: list[Transition]) -> float:
    """A device, of those with a rule on a temperature. States are left out: a door is meant to be opened."""
    quantities = {
        (t.key, r.key): channel.quantity
        for t in run.scene.device_types
        for r in run.scene.rules
        if not isinstance(r.when, NoData) and (channel := watched(run.scene, r, t.key)) is not None
    }
    warm = {type_key for (type_key, _), quantity in quantities.items() if quantity is Quantity.TEMPERATURE}
    devices = [d for d in run.devices if d.type in warm]
    raised = [
        t
        for t in moves
        if t.step is Step.RAISED
        and run.devices[t.device].type in warm
        and quantities[run.devices[t.device].type, t.rule.partition(".")[2]] is not Quantity.STATE
    ]
    return len(raised) / len(devices)


def watched(scene: Scene, rule: Rule, type_key: str) -> Channel | None:
    """The channel of this device type that the rule is on, if any."""
    return next((c for c in scene.device_type(type_key).channels if f"{type_key}.{c.key}" in rule.on), None)
