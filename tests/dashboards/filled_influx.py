"""A real InfluxDB with days of simulated kitchens in it, brought there by the project's own code alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from influx_server import create
from kept_figures import points
from provisional import record
from scenewatch.devices.faults import FaultPlan, PlannedFault
from scenewatch.devices.fleet import Fleet
from scenewatch.devices.history import batches
from scenewatch.model.level import Level
from scenewatch.model.ports import Record, RecordKind
from scenewatch.pipeline import Pipeline, encode_inventory
from scenewatch.scenes import KITCHEN, demonstration
from scenewatch.store.influx import InfluxStore
from scenewatch.store.influxurl import InfluxUrl
from scenewatch.store.relational import Database

if TYPE_CHECKING:
    from pathlib import Path

    from scenewatch.model.alarm import Transition
    from scenewatch.model.batch import Batch
    from scenewatch.model.registry import Registry

BUCKET = "scenewatch"
SITES = 5
SEED = 7
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MINUTE_MS = 60_000
LOCAL_MS = 8 * HOUR_MS
"""The kitchens' midnight comes so long before that of UTC."""
FROM_MS = 1_772_409_600_000 - LOCAL_MS
"""2 March 2026, midnight in the kitchens."""
NOW_MS = FROM_MS + DAY_MS + 6 * HOUR_MS
"""One day is closed, the next is at six in the morning."""


def _at(days: float) -> int:
    return FROM_MS + round(days * DAY_MS)


DEVICES = [
    device
    for device in demonstration(KITCHEN).devices(SITES)
    if device.site == "s001" or device.device.endswith(("gw", "fridge-1", "freezer-1"))
]
"""All of the first site, of the others one of each type."""
CABINETS = [device.device for device in DEVICES if device.type != "gateway"]
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
        ("door_ajar", "s002-fridge-1", NOW_MS - 10 * MINUTE_MS, LATER_MS),
        *(
            ("sensor_silent", device, NOW_MS - 3 * HOUR_MS, LATER_MS)
            for device in CABINETS
            if device in ("s001-freezer-2", "s003-freezer-1") or device.startswith("s005")
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
    Damage("kitchen.s002.s002-freezer-1.air_temp", _at(1.05), _at(1.05) + 2 * HOUR_MS, -18.25),
    Damage("kitchen.s003.s003-fridge-1.battery", _at(0.2), NOW_MS, 2.55),
    Damage("kitchen.s001.s001-freezer-1.door", _at(1.2), _at(1.2) + 3 * MINUTE_MS, ahead_ms=2 * HOUR_MS),
    *(
        Damage(f"kitchen.s003.s003-{t.key}-1.{c.key}", _at(1.08), _at(1.08) + MINUTE_MS, c.possible.high + 0.5)
        for t in KITCHEN.device_types
        for c in t.channels
    ),
)
"""Every quality test finds something, and every channel has something that a test found."""


def _damaged(batch: Batch, registry: Registry) -> Batch:
    for damage in DAMAGES:
        device, _, channel = damage.series.rpartition(".")
        number = registry.number(device)
        channels = [c.key for c in registry.type_of(number).channels]
        series = registry.series_of(number)[channels.index(channel)]
        hit = (batch.series == series) & (damage.from_ms <= batch.t_ms) & (batch.t_ms < damage.to_ms)
        if damage.value is not None:
            batch.value[hit] = damage.value
        batch.t_ms[hit] += damage.ahead_ms
    return batch


def fill(address: str, folder: Path) -> None:
    """Fills the databases of a server that has none of them yet; `folder` is for the worker's own database."""
    for level in Level:
        create(address, BUCKET + level.suffix)
    pipeline = Pipeline([KITCHEN], "sw")
    registry = pipeline.registry
    database = Database(f"sqlite:///{folder / 'scenewatch.sqlite'}")
    store = InfluxStore(
        InfluxUrl.parse(f"influx+{address}/?bucket={BUCKET}"),
        database=database,
        measurements=lambda series: registry.kinds[registry.series_kind[series]][1].key,
    )
    transitions: list[Transition] = []

    def run(kind: RecordKind, body: bytes, received_ms: int) -> None:
        at = pipeline.position
        outcome = pipeline.run(Record(at, at + 1, kind, received_ms, None, body))
        store.write(outcome.batch, registry.series_name)
        transitions.extend(outcome.transitions + pipeline.tick(received_ms))

    run(RecordKind.INVENTORY, encode_inventory(DEVICES), FROM_MS)
    run(RecordKind.LISTENING, b"", FROM_MS)
    fleet = Fleet(KITCHEN, DEVICES, seed=SEED, start_ms=FROM_MS, plan=FaultPlan(FAULTS))
    for batch in batches(fleet, registry, FROM_MS, NOW_MS):
        run(RecordKind.HISTORY, _damaged(batch, registry).to_bytes(), int(batch.received_ms.max()))
    for level in (Level.MINUTE, Level.HOUR, Level.DAY):
        whole = (NOW_MS - FROM_MS) // level.span_ms
        store.summarise(level, FROM_MS, FROM_MS + whole * level.span_ms)
    record(address, BUCKET, points(KITCHEN, DEVICES, transitions, FROM_MS, NOW_MS))
    store.close()
    database.close()
