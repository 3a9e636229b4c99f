"""The time before going live: simulated, then taken through journal, quality, alarms and store like all else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from scenewatch.devices.faults import FaultPlan, mishap
from scenewatch.devices.faults import PlannedFault as FleetFault
from scenewatch.devices.fleet import Fleet
from scenewatch.devices.history import past, pieces
from scenewatch.embedded.plan import Demonstration, Plan, PlannedFault
from scenewatch.model.event import encode_event
from scenewatch.model.ports import RecordKind
from scenewatch.model.rule import Happened
from scenewatch.scenes import demonstration

if TYPE_CHECKING:
    from pathlib import Path

    from scenewatch.app import Worker
    from scenewatch.model.scene import Scene

MOST_WAITING = 4_000_000
"""Readings the store may be behind before more are made."""
LOOK_S = 0.05


class History:
    """One step before the worker goes live. Runs in the worker's keeper thread."""

    def __init__(self, worker: Worker, scene: Scene, piece: Demonstration, plan_path: Path) -> None:
        self._worker = worker
        self._scene = scene
        self._piece = piece
        self._plan_path = plan_path
        self._devices = demonstration(scene).devices(piece.sites)

    def write(self) -> None:
        """Fill the time from the newest reading there is, or the whole span, up to going live."""
        plan = self._plan()
        plan.write(self._plan_path)
        worker = self._worker
        steps = max(0, plan.live_from_ms - plan.from_ms) // self._every_ms
        total = steps * sum(len(self._scene.device_type(d.type).measured) for d in self._devices)
        worker.history = (0, total)
        if steps:
            faults = FaultPlan(
                tuple(FleetFault(f.fault, f.device, f.from_ms, f.to_ms, f.size) for f in plan.faults)
            )
            fleet = Fleet(self._scene, self._devices, seed=self._piece.seed, start_ms=plan.from_ms, plan=faults)
            made = 0
            watched = {rule.when.event for rule in self._scene.rules if isinstance(rule.when, Happened)}
            for taken in past(fleet, worker.pipeline.registry, plan.from_ms, plan.live_from_ms):
                for batch, events in pieces(taken, watched):
                    if len(batch):
                        worker.journal.append_record(RecordKind.HISTORY, batch.to_bytes(), worker.clock.now_ms())
                    for event in events:
                        worker.journal.put_record(RecordKind.EVENT, encode_event(event), worker.clock.now_ms())
                made += len(taken.batch)
                worker.history = (min(made, total - 1), total)
                if not worker.pause(LOOK_S, until=lambda: worker.waiting_readings() < MOST_WAITING):
                    return
        head = worker.journal.head
        if worker.pause(LOOK_S, until=lambda: worker.store.position() >= head):
            worker.history = (total, total)

    @property
    def _every_ms(self) -> int:
        return max(t.every for t in self._scene.device_types if t.channels)

    def _plan(self) -> Plan:
        """A worker that fell over and came again goes on with the piece that the devices already play."""
        piece, every_ms = self._piece, self._every_ms
        newest_ms = self._newest_ms() // every_ms * every_ms
        if self._plan_path.exists():
            former = Plan.read(self._plan_path)
            if former.piece == piece:
                return msgspec.structs.replace(former, from_ms=max(former.from_ms, newest_ms))
        from_ms = max(piece.live_from_ms - piece.history_ms, newest_ms)
        faults = mishap(self._scene, self._devices, piece.show_at_ms, not_before_ms=from_ms).faults
        return Plan(
            piece=piece,
            live_from_ms=max(piece.live_from_ms, newest_ms),
            from_ms=from_ms,
            faults=[PlannedFault(fault=f.fault, device=f.device, from_ms=f.from_ms, to_ms=f.to_ms) for f in faults],
        )

    def _newest_ms(self) -> int:
        registry = self._worker.pipeline.registry
        last = self._worker.pipeline.quality.last().t_ms
        numbers = (registry.number(d.id) for d in self._devices)
        newest = (last[list(registry.series_of(n))].max(initial=0) for n in numbers if n is not None)
        return max(0, int(max(newest, default=0)))
