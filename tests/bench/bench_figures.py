"""What the figures and the alarms beside the readings cost a worker of a large city, in processor time.

python tests/bench/bench_figures.py --sites 2000 --devices 100000
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from ends import HandClock
from influx_server import create, running
from records import START_MS
from scenewatch.app import Worker
from scenewatch.model.alarm import Step
from scenewatch.model.ledger import Fate, Shares
from scenewatch.model.level import Level
from scenewatch.model.place import Device
from scenewatch.model.ports import Record, RecordKind
from scenewatch.model.rule import Priority
from scenewatch.pipeline import encode_inventory
from scenewatch.settings import load
from scenewatch.store.alarms import Alarms, Move
from scenewatch.store.relational import Database
from scenewatch.worker.memory import resident_mib

BUCKET = "figures"


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--sites", type=int, default=2000)
    p.add_argument("--devices", type=int, default=100_000)
    p.add_argument("--alarms", type=int, default=50_000, help="raised at once")
    p.add_argument("--rounds", type=int, default=5)
    options = p.parse_args()
    print(f"{options.devices:,} devices of {options.sites:,} sites; processor time of the worker's process alone\n")
    print(f"{'store':8} {'what':42} {'best':>10} {'median':>10}")
    for store in ("duckdb", "influxdb"):
        with tempfile.TemporaryDirectory() as folder, ExitStack() as opened:
            measure(store, Path(folder), options, opened)


def measure(store: str, folder: Path, options: argparse.Namespace, opened: ExitStack) -> None:
    url = "duckdb:r.duckdb"
    if store == "influxdb":
        address = opened.enter_context(running(folder / "influx"))
        for level in Level:
            create(address, f"{BUCKET}{level.suffix}")
        url = f"influx+{address}/?bucket={BUCKET}"
    clock = HandClock(START_MS)
    worker = a_worker(folder, url, clock, options)
    opened.callback(worker._opened.close)
    figures, mirror = worker.records._figures, worker.records._mirror

    def tell(what: str, spans_s: list[float]) -> None:
        print(f"{store:8} {what:42} {min(spans_s) * 1e3:7.1f} ms {statistics.median(spans_s) * 1e3:7.1f} ms")

    def looked(step_ms: int) -> float:
        clock.ms += step_ms
        count = np.arange(options.devices, dtype=np.int64) * len(Fate) + Fate.STORED
        worker.pipeline.tally.add(Shares(count, np.ones(len(count), np.int64)))
        return spent(figures.look)

    looked(10_000)
    tell("look, pipeline alone (each 10 s)", [looked(10_000) for _ in range(4)])
    tell("look, pipeline and sites (each 60 s)", [looked(60_000) for _ in range(options.rounds)])
    write = []
    for _ in range(options.rounds):
        looked(60_000)
        write.append(spent(lambda: drain(figures.deliver)))
    tell("write, pipeline and sites", write)
    before = resident_mib()
    for _ in range(60):
        looked(60_000)
    print(f"{store:8} {'an hour of them waiting takes':42} {resident_mib() - before:7.1f} MiB")
    drain(figures.deliver)
    with closing(Database(worker.settings.database.url)) as database:
        Alarms(database).record([alarm(n) for n in range(options.alarms)])
    tell(f"copy of {options.alarms:,} alarms", [spent(lambda: drain(mirror.step))])
    tell("look, with these standing", [looked(10_000) for _ in range(3)])


def a_worker(folder: Path, url: str, clock: HandClock, options: argparse.Namespace) -> Worker:
    """It is never started, so that nothing else takes time."""
    config = folder / "scenewatch.toml"
    config.write_text(
        f'[broker]\nurl = "mqtt://127.0.0.1:1"\n[store]\nurl = "{url}"\n'
        '[database]\nurl = "sqlite:///rows.sqlite"\n[journal]\npath = "journal"\n'
    )
    worker = Worker(load(config, {}), clock)
    body = encode_inventory(device(n, options.sites) for n in range(options.devices))
    worker.pipeline.run(Record(0, 1, RecordKind.INVENTORY, START_MS, None, body))
    return worker


def device(n: int, sites: int) -> Device:
    return Device(scene="kitchen", site=f"s{n % sites:04d}", device=f"fridge-{n}", type="fridge")


def alarm(n: int) -> Move:
    return Move(
        rule="kitchen.fridge_warm",
        device=device(n, 2000).id,
        raised_at_ms=START_MS,
        step=Step.RAISED,
        at_ms=START_MS,
        value=9.5,
        flag=1,
        priority=Priority.HIGH,
        device_type="fridge",
    )


def drain(step) -> None:
    while step():
        pass


def spent(work) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


if __name__ == "__main__":
    main()
