"""A real InfluxDB with days of simulated kitchens in it, brought there by the project's own code alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from influx_server import create
from kept_figures import points
from provisional import record
from scene_runs import DAY_MS, Run
from scenewatch.devices.faults import FaultPlan, PlannedFault
from scenewatch.model.batch import Batch
from scenewatch.model.level import Level
from scenewatch.model.ports import RecordKind
from scenewatch.scenes import KITCHEN
from scenewatch.scenes.kitchen import demonstration as kitchen
from scenewatch.store.influx import InfluxStore
from scenewatch.store.influxurl import InfluxUrl
from scenewatch.store.relational import Database

if TYPE_CHECKING:
    from pathlib import Path

    from scenewatch.model.alarm import Transition

BUCKET = "scenewatch"
SITES = 5
SEED = 7
HOUR_MS = 3_600_000
MINUTE_MS = 60_000
LOCAL_MS = 8 * HOUR_MS
"""The kitchens' midnight comes so long before that of UTC."""
FROM_MS = 1_772_409_600_000 - LOCAL_MS
"""2 March 2026, midnight in the kitchens."""
NOW_MS = FROM_MS + DAY_MS + 14 * HOUR_MS
"""One day is closed, the next is at two in the afternoon."""


def _at(days: float) -> int:
    return FROM_MS + round(days * DAY_MS)


CABINETS = [f"s{site:03d}-{cabinet}" for site in range(1, SITES + 1) for cabinet, _, _ in kitchen.CABINETS]
SHOWN = ("s001-fridge-1", "s001-freezer-1")
"""One of each type that has had an alarm of each priority within a day."""
LATER_MS = NOW_MS + HOUR_MS
FAULTS = tuple(
    PlannedFault(fault, f"kitchen.{device[:4]}.{device}", from_ms, to_ms)
    for fault, device, from_ms, to_ms in (
        # All doors at once are a flood of alarms.
        *(("door_ajar", device, _at(0.95), _at(0.95) + 12 * MINUTE_MS) for device in CABINETS),
        *(("compressor_dead", device, _at(0.62), _at(0.87)) for device in SHOWN),
        *(("sensor_silent", device, _at(1.1), _at(1.15)) for device in SHOWN),
        # These still stand: three alarms at s001, one at s002, one at s003, none at s004, and s005 is silent.
        ("compressor_dead", "s001-fridge-3", NOW_MS - 8 * HOUR_MS, LATER_MS),
        ("door_ajar", "s001-fridge-2", NOW_MS - 10 * MINUTE_MS, LATER_MS),
        ("door_ajar", "s002-fridge-2", NOW_MS - 10 * MINUTE_MS, LATER_MS),
        *(
            ("sensor_silent", device, NOW_MS - 3 * HOUR_MS, LATER_MS)
            for device in CABINETS
            if device in ("s001-freezer-2", "s003-freezer-2") or device.startswith("s005")
        ),
    )
)


@dataclass(frozen=True)
class Damage:
    """Readings of one series that come otherwise than they were measured."""

    series: str
    from_ms: int
    to_ms: int
    value: float | None = None
    ahead_ms: int = 0


HOT_C = 24.0
SPIKE = Damage("kitchen.s001.s001-freezer-2.air_temp", _at(0.7), _at(0.7) + MINUTE_MS // 2, HOT_C)
"""One reading alone: it changes faster than air can, and must be seen at every level."""
DAMAGES = (
    SPIKE,
    Damage("kitchen.s002.s002-freezer-1.air_temp", _at(1.1), _at(1.1) + 2 * HOUR_MS, -18.25),
    Damage("kitchen.s003.s003-fridge-1.battery", _at(0.2), NOW_MS, 2.55),
    Damage("kitchen.s001.s001-freezer-1.door", _at(1.4), _at(1.4) + 3 * MINUTE_MS, ahead_ms=2 * HOUR_MS),
    *(
        Damage(f"kitchen.s003.s003-{t.key}-1.{c.key}", _at(1.2), _at(1.2) + MINUTE_MS, c.possible.high + 0.5)
        for t in KITCHEN.device_types
        for c in t.channels
    ),
)
"""Every quality test finds something, and every channel has something that a test found."""


class DamagedRun(Run):
    """The demonstration's sites, with some readings damaged on their way."""

    def _record(self, kind, body, received_ms):
        if kind is RecordKind.HISTORY:
            body = self._damaged(Batch.from_bytes(body)).to_bytes()
        return super()._record(kind, body, received_ms)

    def _damaged(self, batch):
        for damage in DAMAGES:
            device, _, channel = damage.series.rpartition(".")
            number = self.registry.number(device)
            channels = [c.key for c in self.registry.type_of(number).channels]
            series = self.registry.series_of(number)[channels.index(channel)]
            hit = (batch.series == series) & (damage.from_ms <= batch.t_ms) & (batch.t_ms < damage.to_ms)
            if damage.value is not None:
                batch.value[hit] = damage.value
            batch.t_ms[hit] += damage.ahead_ms
        return batch


@dataclass(frozen=True)
class Filled:
    """Where it is, and what was written."""

    address: str
    run: DamagedRun
    transitions: list[Transition]


def filled(address: str, folder: Path) -> Filled:
    """Fills the databases of a server that has none of them yet; `folder` is for the worker's own database."""
    for level in Level:
        create(address, BUCKET + level.suffix)
    database = Database(f"sqlite:///{folder / 'scenewatch.sqlite'}")
    run = DamagedRun(
        KITCHEN, sites=SITES, seed=SEED, from_ms=FROM_MS, to_ms=NOW_MS, plan=FaultPlan(FAULTS)
    )
    registry = run.registry
    store = InfluxStore(
        InfluxUrl.parse(f"influx+{address}/?bucket={BUCKET}"),
        database=database,
        measurements=lambda series: registry.kinds[registry.series_kind[series]][1].key,
    )
    transitions: list[Transition] = []
    for batch, moves in run:
        store.write(batch, registry.series_name)
        transitions += moves
    for level in (Level.MINUTE, Level.HOUR, Level.DAY):
        whole = (NOW_MS - FROM_MS) // level.span_ms
        store.summarise(level, FROM_MS, FROM_MS + whole * level.span_ms)
    record(address, BUCKET, points(run, transitions, FROM_MS, NOW_MS))
    store.close()
    database.close()
    return Filled(address, run, transitions)
