"""What disk and memory devices need: simulated kitchens in DuckDB, InfluxDB and the journal, drawn out to a year.

    python tests/bench/bench_sizes.py --devices 100 --days 2

Readings are those of the kitchens' physics, checked as always, and written to both stores; then minutes, hours and
days are made of them. A file's size is taken when it is closed, a server's folder when it has been compacted. What
is measured grows with the readings, so a year of a thousand devices is that many times more. Memory is that of a
worker with a thousand devices that has drained 20 messages of each.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import threading
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

import duckdb
import eight_rules
import load
from programs import Worker

import influx_server
from scenewatch.devices.fleet import Fleet
from scenewatch.devices.history import batches
from scenewatch.devices.payload import SampleBuffer
from scenewatch.journal.journal import FileJournal
from scenewatch.journal.limits import Limits
from scenewatch.model.clock import SystemClock
from scenewatch.model.level import Level
from scenewatch.model.messages import Messages
from scenewatch.model.registry import Registry
from scenewatch.quality.quality import Quality
from scenewatch.scenes import SCENES
from scenewatch.store.duck import DuckStore
from scenewatch.store.influx import InfluxStore
from scenewatch.store.influxurl import InfluxUrl
from scenewatch.store.relational import Database

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenewatch.model.batch import Batch
    from scenewatch.model.place import Device

SCENE = SCENES[0]
NEW_YEAR_MS = 1_767_225_600_000
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
THOUSAND = 1000
YEAR_DAYS = 365
DEVICES_A_SITE = 5
SETTLED_S = 8.0
BLOCK_BYTES = 512
AT_ONCE = {"DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION": "1s", "DATA_COMPACT_FULL_WRITE_COLD_DURATION": "2s"}
"""A server compacts what has rested for hours; here for seconds."""


@dataclass(frozen=True)
class Span:
    """What is simulated, and how many times more a thousand devices have in a year."""

    devices: Sequence[Device]
    days: int

    @property
    def to_ms(self) -> int:
        return NEW_YEAR_MS + self.days * DAY_MS

    @property
    def factor(self) -> float:
        return THOUSAND / len(self.devices) * YEAR_DAYS / self.days

    @property
    def every_ms(self) -> int:
        return min(SCENE.device_type(d.type).every for d in self.devices)

    @property
    def messages(self) -> int:
        return len(self.devices) * self.days * DAY_MS // self.every_ms


@dataclass
class Size:
    """Bytes on disk of one kind of record."""

    what: str
    count: int
    bytes: int


def checked(span: Span, registry: Registry) -> Iterator[Batch]:
    quality = Quality()
    quality.grow(registry)
    fleet = Fleet(SCENE, span.devices, seed=1, start_ms=NEW_YEAR_MS)
    for position, batch in enumerate(batches(fleet, registry, NEW_YEAR_MS, span.to_ms), start=1):
        quality.check(batch)
        batch.position = position
        yield batch


def registry_of(span: Span) -> Registry:
    registry = Registry([SCENE])
    registry.apply(span.devices, at_ms=NEW_YEAR_MS)
    return registry


def in_duckdb(folder: Path, span: Span) -> list[Size]:
    path = folder / "readings.duckdb"
    registry = registry_of(span)
    with closing(DuckStore(path)) as store:
        for batch in checked(span, registry):
            store.write(batch, registry.series_name)
        store.sort_closed_days(span.to_ms)
        readings = store.count()
    sizes = [Size("DuckDB readings", readings, _used(path))]
    with closing(DuckStore(path)) as store:
        made = _summarise(store, span)
    return [*sizes, Size("DuckDB summaries", made, _used(path) - sizes[0].bytes)]


def _summarise(store: DuckStore | InfluxStore, span: Span) -> int:
    """In pieces as small as the worker's; how many windows."""
    made = 0
    for level, piece_ms in ((Level.MINUTE, HOUR_MS), (Level.HOUR, HOUR_MS), (Level.DAY, DAY_MS)):
        for from_ms in range(NEW_YEAR_MS, span.to_ms, piece_ms):
            made += store.summarise(level, from_ms, from_ms + piece_ms)
    return made


def _used(path: Path) -> int:
    """Bytes of a closed file, without the blocks that wait to be used again."""
    with duckdb.connect(path) as con:
        con.execute("checkpoint")
        row = con.execute("select used_blocks * block_size from pragma_database_size()").fetchone()
    return int(row[0]) if row else 0


def in_influxdb(folder: Path, span: Span) -> list[Size]:
    registry = registry_of(span)
    data = folder / "influxd"
    sizes = []
    with influx_server.running(data, **AT_ONCE) as address, closing(_database(folder)) as database:
        for level in Level:
            influx_server.create(address, f"city{level.suffix}")
        store = InfluxStore(
            InfluxUrl.parse(f"influx+{address}/?bucket=city"),
            database=database,
            measurements=lambda series: registry.type_of(registry.series_device[series]).key,
        )
        with closing(store):
            readings = sum(store.write(batch, registry.series_name) for batch in checked(span, registry))
            sizes.append(Size("InfluxDB readings", readings, _settled(data)))
            made = _summarise(store, span)
            sizes.append(Size("InfluxDB summaries", made, _settled(data) - sizes[0].bytes))
    return sizes


def _database(folder: Path) -> Database:
    return Database(f"sqlite:///{folder / 'scenewatch.sqlite'}")


def _settled(folder: Path) -> int:
    """Bytes of the data on disk once they no longer change, the log of what is not yet among them left out."""
    pause, size, same_s = threading.Event(), -1, 0.0
    while same_s < SETTLED_S:
        pause.wait(1.0)
        now = sum(path.stat().st_blocks for path in (folder / "data").rglob("*") if path.is_file()) * BLOCK_BYTES
        same_s = same_s + 1.0 if now == size else 0.0
        size = now
    return size


def in_journal(folder: Path, span: Span) -> Size:
    """An hour of the messages that devices write, in groups as they come."""
    values = [SCENE.device_type(d.type).channels for d in span.devices]
    buffers = [SampleBuffer([c.key for c in v], boot="1a2b3c4d", capacity=1) for v in values]
    topics = [f"sw/{d.scene}/{d.site}/{d.device}/telemetry".encode() for d in span.devices]
    fleet = Fleet(SCENE, span.devices, seed=1, start_ms=NEW_YEAR_MS)
    count = 0
    with closing(FileJournal(folder / "journal", clock=SystemClock(), limits=Limits())) as journal:
        for block in fleet.advance(NEW_YEAR_MS + HOUR_MS):
            for step, row in zip(block.t_ms, block.values, strict=True):
                pairs = []
                for i, buffer in enumerate(buffers):
                    first, end = fleet.first_column[i], fleet.first_column[i + 1]
                    buffer.add(int(step[i]), int(step[i]), [round(float(value), 3) for value in row[first:end]])
                    pairs.append((topics[i], buffer.take()))
                journal.append(Messages.of(pairs, int(step[0])))
                count += len(pairs)
    size = sum(path.stat().st_size for path in (folder / "journal").glob("*.segment"))
    return Size("journal, messages", count, size)


def in_memory(folder: Path) -> tuple[float, float]:
    """MiB of a worker with a thousand devices on DuckDB: at its most, and afterwards."""
    devices = eight_rules.devices(THOUSAND // DEVICES_A_SITE, SCENE)
    with load.mosquitto(folder) as port:
        worker = Worker(folder, port, devices, store=f"duckdb:{folder / 'memory.duckdb'}")
        worker.start()
        load.wait_for(worker.ready, "the worker")
        fleet = load.Fleet(devices)
        load.publish(port, fleet.backlog(20 * THOUSAND), 0)
        load.wait_for(lambda: worker.stored() >= fleet.sent, "all to be stored")
        found = worker.usage.peak_mib(), worker.usage.memory_mib()
        worker.stop()
    return found


def say(span: Span, sizes: list[Size], journal: Size, memory: tuple[float, float]) -> None:
    every_s = span.every_ms / 1000
    print(
        f"{len(span.devices)} devices, {span.days} days, a message each {every_s:g} s; and a year of 1,000 devices:"
    )
    print(f"{'':<22}{'records':>12}{'MB':>9}{'bytes each':>12}{'GB in a year':>14}")
    for size in sizes:
        each, year = size.bytes / max(size.count, 1), size.bytes * span.factor / 1e9
        print(f"{size.what:<22}{size.count:>12,}{size.bytes / 1e6:>9.1f}{each:>12.2f}{year:>14.1f}")
    each = journal.bytes / journal.count
    day = each * THOUSAND * DAY_MS / span.every_ms / 1e9
    print(f"{journal.what:<22}{journal.count:>12,}{journal.bytes / 1e6:>9.1f}{each:>12.1f}{day:>9.2f} a day")
    print(f"worker's memory: {memory[0]:.0f} MiB at its most, {memory[1]:.0f} afterwards")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=100, help="how many are simulated")
    parser.add_argument("--days", type=int, default=2, help="and for how long")
    parser.add_argument("--stores", nargs="*", default=["duckdb", "influxdb"], choices=["duckdb", "influxdb"])
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    span = Span(eight_rules.devices(chosen.devices // DEVICES_A_SITE, SCENE), chosen.days)
    ways = {"duckdb": in_duckdb, "influxdb": in_influxdb}
    with tempfile.TemporaryDirectory() as folder:
        sizes = []
        for name in chosen.stores:
            (Path(folder) / name).mkdir()
            sizes += ways[name](Path(folder) / name, span)
        say(span, sizes, in_journal(Path(folder), span), in_memory(Path(folder)))


if __name__ == "__main__":
    main()
