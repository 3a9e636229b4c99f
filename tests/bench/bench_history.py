"""How fast history is written: simulated kitchens through journal, quality, insight, alarms and DuckDB.

    python tests/bench/bench_history.py

One thread does one stage after the other, batch by batch, on real files; each stage's share is measured in the same
pass, and the sums are its stages taken together. `worker` is the whole worker with its threads, from the first step
of physics to the last row in the store. Times are wall-clock, CPU beside them: DuckDB and the
journal have threads of their own.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from scenewatch.app import Worker
from scenewatch.devices.fleet import Fleet
from scenewatch.devices.history import batches
from scenewatch.embedded.history import History
from scenewatch.embedded.plan import Demonstration
from scenewatch.insight.insight import inserted
from scenewatch.journal.journal import FileJournal
from scenewatch.journal.limits import Limits
from scenewatch.judging import Judging
from scenewatch.model.batch import Batch
from scenewatch.model.clock import SystemClock
from scenewatch.model.ledger import Counts
from scenewatch.model.ports import RecordKind
from scenewatch.model.registry import Registry
from scenewatch.model.words import hours
from scenewatch.scenes import SCENES, demonstration
from scenewatch.settings import BrokerSettings, DatabaseSettings, JournalSettings, Settings, StoreSettings
from scenewatch.store.devices import Inventory
from scenewatch.store.duck import DuckStore
from scenewatch.store.relational import Database

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SCENE = SCENES[0]
NEW_YEAR_MS = 1_767_225_600_000
LOOK_S = 0.01
NO_BROKER = "mqtt://127.0.0.1:1"
STAGES = ("physics", "journal", "quality", "insight", "alarms", "store")
SUMS = {
    "without physics": ("quality", "insight", "alarms", "store"),
    "with physics": ("physics", "quality", "insight", "alarms", "store"),
    "with journal too": STAGES,
}
GOALS = {"without physics": 1.0, "with physics": 0.5}
"""Million readings a second."""


class Spent(NamedTuple):
    """Seconds by the wall clock, and of the whole process's CPU."""

    wall_s: float
    cpu_s: float


class Meter(dict[str, Spent]):
    """What each stage has spent so far."""

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        yield
        before = self.get(stage, Spent(0.0, 0.0))
        self[stage] = Spent(
            before.wall_s + time.perf_counter() - wall_s, before.cpu_s + time.process_time() - cpu_s
        )

    def total(self, stages: Sequence[str]) -> Spent:
        return Spent(sum(self[s].wall_s for s in stages), sum(self[s].cpu_s for s in stages))


Way = Callable[[int, int, Path], tuple[int, Meter]]
"""Takes the number of sites, the milliseconds of history, and an empty folder; returns how many were stored."""


def stage_by_stage(sites: int, span_ms: int, folder: Path) -> tuple[int, Meter]:
    """Readings in the store, and what each stage spent on them."""
    devices = demonstration(SCENE).devices(sites)
    registry = Registry([SCENE])
    registry.apply(devices, at_ms=NEW_YEAR_MS)
    judging = Judging([SCENE])
    judging.grow(registry)
    fleet = Fleet(SCENE, devices, seed=1, start_ms=NEW_YEAR_MS)
    made = batches(fleet, registry, NEW_YEAR_MS, NEW_YEAR_MS + span_ms)
    meter = Meter()
    journal = FileJournal(folder / "journal", clock=SystemClock(), limits=Limits())
    with closing(journal), closing(DuckStore(folder / "readings.duckdb")) as store:
        while True:
            with meter.of("physics"):
                batch = next(made, None)
            if batch is None:
                return store.count(), meter
            with meter.of("journal"):
                batch = through(journal, batch)
            with meter.of("quality"):
                judging.quality.check(batch)
            with meter.of("insight"):
                derived, before = judging.insight.derive(batch)
                judging.quality.check(derived)
                batch = inserted(batch, derived, before)
            with meter.of("alarms"):
                judging.judge(batch, (), batch.first)
            with meter.of("store"):
                store.write(batch, registry.series_name)


def through(journal: FileJournal, batch: Batch) -> Batch:
    """Durable as a record and read again, with the position and the account that the pipeline gives it."""
    end = journal.append_record(RecordKind.HISTORY, batch.to_bytes(), SystemClock().now_ms())
    (record,) = journal.read(end - 1, most=1, wait_s=1.0)
    read = Batch.from_bytes(record.body)
    read.position, read.counts = record.end, Counts(control=1)
    return read


def whole_worker(sites: int, span_ms: int, folder: Path) -> tuple[int, Meter]:
    settings = Settings(
        broker=BrokerSettings(url=NO_BROKER),
        store=StoreSettings(url=f"duckdb:{folder / 'readings.duckdb'}"),
        database=DatabaseSettings(url=f"sqlite:///{folder / 'scenewatch.sqlite'}"),
        journal=JournalSettings(path=folder / "journal"),
    )
    with closing(Database(settings.database.url)) as database:
        Inventory(database).upsert(demonstration(SCENE).devices(sites))
    live_ms = NEW_YEAR_MS + span_ms
    piece = Demonstration(
        scene=SCENE.key, sites=sites, seed=1, history_ms=span_ms, live_from_ms=live_ms, show_at_ms=live_ms
    )
    worker, meter, written = Worker(settings, SystemClock()), Meter(), threading.Event()
    history = History(worker, SCENE, piece, folder / "plan.json")

    def write() -> None:
        with meter.of("worker"):
            history.write()
        written.set()

    worker.before_live(write)
    worker.start()
    while not written.wait(LOOK_S):
        if worker.failure is not None:
            raise worker.failure
    readings = worker.store.count()
    worker.stop()
    return readings, meter


def row(what: str, readings: int, rounds: list[Spent]) -> str:
    wall = [readings / spent.wall_s / 1e6 for spent in rounds]
    cpu = [spent.cpu_s / readings * 1e6 for spent in rounds]
    return (
        f"{what:16} {max(wall):8.2f} {statistics.median(wall):8.2f} {GOALS.get(what, ''):>5}"
        f" {min(cpu):11.3f} {statistics.median(cpu):7.3f}"
    )


def measured(way: Way, given: argparse.Namespace) -> tuple[int, list[Meter]]:
    meters, readings = [], 0
    for _ in range(given.rounds):
        with tempfile.TemporaryDirectory() as folder:
            readings, meter = way(given.sites, hours(given.hours), Path(folder))
        meters.append(meter)
    return readings, meters


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=60, help="kitchens (%(default)s)")
    parser.add_argument("--hours", type=float, default=24.0, help="of history (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of each way (%(default)s)")
    given = parser.parse_args()
    logging.disable(logging.WARNING)  # there is no broker, and that is meant
    with tempfile.TemporaryDirectory() as folder:
        stage_by_stage(1, hours(1), Path(folder))  # compiled code is loaded before it is measured

    readings, meters = measured(stage_by_stage, given)
    print(f"{given.sites} sites, {given.hours:g} h: {readings:,} readings")
    print(f"{'':16} {'M/s best':>8} {'median':>8} {'goal':>5} {'CPU µs best':>11} {'median':>7}")
    for stage in STAGES:
        print(row(stage, readings, [meter[stage] for meter in meters]))
    for what, stages in SUMS.items():
        print(row(what, readings, [meter.total(stages) for meter in meters]))
    readings, meters = measured(whole_worker, given)
    print(row("worker", readings, [meter["worker"] for meter in meters]))


if __name__ == "__main__":
    main()
