"""Some simulated sites through the stages, with faults and without: one process's share of a rehearsal.

The stages get batches and events and nothing else; what is known of the faults stays on this side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from scenewatch.alarms.engine import Engine
from scenewatch.devices.faults import FaultPlan, PlannedFault
from scenewatch.devices.fleet import Fleet
from scenewatch.devices.history import arrived
from scenewatch.model.alarm import Step
from scenewatch.rehearsal.excerpts import Excerpts
from scenewatch.rehearsal.labels import RaisedAlarm
from scenewatch.rehearsal.plain import apart, plain_scene
from scenewatch.rehearsal.spoilt import Spoilt
from scenewatch.rehearsal.twin import Layout, Twin
from scenewatch.study import Study

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scenewatch.devices.fleet import Block
    from scenewatch.model.batch import Batch
    from scenewatch.model.flags import Test
    from scenewatch.model.place import Device
    from scenewatch.model.scene import Channel, Scene
    from scenewatch.rehearsal.draw import Drawn
    from scenewatch.rehearsal.spoilt import Counts
    from scenewatch.study import Found


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """Whole sites and what befalls them. Goes to another process whole."""

    scene: Scene
    devices: tuple[Device, ...]
    drawn: tuple[Drawn, ...]
    seed: int
    from_ms: int
    """Where the physics begins and learning with it."""
    judged_ms: int
    """From when on it is judged."""
    to_ms: int
    limits: Mapping[str, Mapping[str, float]]
    plain: bool
    """Whether the plain limits run along."""
    budget_bytes: int
    """Of the thin copy that excerpts are cut from."""


@dataclass(frozen=True, slots=True)
class SitesFound:
    """What one share came to."""

    study: Found
    effects: list[float | None]
    """Of each of the share's faults."""
    spoilt: dict[Test, Counts]
    plain: dict[int, list[RaisedAlarm]]
    """What plain limits raised, by their delay in minutes; empty where they were not asked for."""


class SiteRun:
    """Runs a share once, then answers for it."""

    def __init__(self, share: Share) -> None:
        """Raises ConfigurationError with all that is wrong in limits and faults."""
        self._share = s = share
        self._study = Study([s.scene], s.devices, s.limits, from_ms=s.from_ms)
        plan = FaultPlan(tuple(PlannedFault(d.fault.key, d.device.id, d.from_ms, d.to_ms, d.size) for d in s.drawn))
        self._fleet = Fleet(s.scene, s.devices, seed=s.seed, start_ms=s.from_ms, plan=plan)
        self._clean = Fleet(s.scene, s.devices, seed=s.seed, start_ms=s.from_ms) if s.drawn else None
        layout = self._layout()
        self._twin = Twin(layout, s.drawn)
        self._spoilt = Spoilt(layout, s.drawn, self._channel, s.judged_ms)
        self._study.listeners.append(self._spoilt.flagged)
        self._plain = PlainLimits(self._study, s.scene) if s.plain else None
        self.excerpts = Excerpts(self._study.registry, budget_bytes=s.budget_bytes)
        self._study.listeners.append(self.excerpts.take)

    def run(self, told: Callable[[int], None]) -> SitesFound:
        """`told` is called with the time that is reached, again and again."""
        s = self._share
        for batch, events in arrived(self._fleet, self._study.registry, self._blocks(told)):
            self._study.take(batch, events)
        return SitesFound(
            self._study.finish(s.to_ms),
            self._twin.effects(),
            self._spoilt.found(),
            {} if self._plain is None else self._plain.raised(),
        )

    def _blocks(self, told: Callable[[int], None]) -> Iterator[Block]:
        """The fleet's, each held against its twin's, which is as long: both have the same devices."""
        for block in self._fleet.advance(self._share.to_ms):
            if self._clean is not None:
                (clean,) = self._clean.advance(self._fleet.at_ms)
                self._twin.take(block.t_ms, block.values, clean.values)
                self._spoilt.take((block.t_ms, block.sent_ms), block.values, clean.values)
            told(self._fleet.at_ms)
            yield block

    def _layout(self) -> Layout:
        registry, fleet = self._study.registry, self._fleet
        series = [
            s
            for n, keys in enumerate(fleet.channels)
            for s in registry.series_of(n)[: len(keys)]  # those that are derived come behind
        ]
        kinds = [f"{d.type}.{c}" for d, keys in zip(fleet.devices, fleet.channels, strict=True) for c in keys]
        return Layout(tuple(d.id for d in fleet.devices), fleet.channels, tuple(kinds), tuple(series))

    def _channel(self, kind: str) -> Channel:
        type_key, _, channel_key = kind.partition(".")
        return next(c for c in self._share.scene.device_type(type_key).channels if c.key == channel_key)


class PlainLimits:
    """The limits in force, applied plainly to the same readings."""

    def __init__(self, study: Study, scene: Scene) -> None:
        in_force = (study.rules[f"{scene.key}.{rule.key}"] for rule in scene.rules)
        bare = plain_scene(scene, in_force)
        on = {channel for rule in bare.rules for channel in rule.on}
        self._engine = Engine([bare])
        registry = study.registry
        self._engine.grow(registry)
        self._watched = np.array([f"{t.key}.{c.key}" in on for _, t, c in registry.kinds])[registry.series_kind]
        self._ids = registry.ids
        self._alarms: list[RaisedAlarm] = []
        study.listeners.append(self._take)

    def _take(self, batch: Batch) -> None:
        for t in self._engine.step(batch.select(np.flatnonzero(self._watched[batch.series]))):
            if t.step is Step.RAISED:
                self._alarms.append(
                    RaisedAlarm(
                        rule=t.rule.partition(".")[2],
                        device=self._ids[t.device],
                        priority="",
                        raised_at_ms=t.raised_at_ms,
                        cleared_at_ms=None,
                    )
                )

    def raised(self) -> dict[int, list[RaisedAlarm]]:
        return apart(self._alarms)


def split(share: Share, parts: int) -> list[Share]:
    """Whole sites, dealt out in turn; never an empty share."""
    sites = list(dict.fromkeys(d.site_id for d in share.devices))
    parts = min(parts, len(sites))
    part_of = {site: n % parts for n, site in enumerate(sites)}
    return [
        replace(
            share,
            budget_bytes=share.budget_bytes // parts,
            devices=tuple(d for d in share.devices if part_of[d.site_id] == part),
            drawn=tuple(d for d in share.drawn if part_of[d.device.site_id] == part),
        )
        for part in range(parts)
    ]
