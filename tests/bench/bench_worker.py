"""CPU time a message of the whole worker, from the broker's socket to the store, and where it goes.

A real `scenewatch work` on a real Mosquitto: 1,000 devices, five values a message, eight rules on
every channel.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import eight_rules
from contestants import Ground, ours_on_duckdb
from load import Fleet, mosquitto, wait_for
from trial import Trial

from scenewatch.model.messages import Messages
from scenewatch.model.ports import Record, RecordKind
from scenewatch.pipeline import Pipeline, encode_inventory
from scenewatch.store.duck import DuckStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scenewatch.model.place import Device

SITES = 200


# --- stage by stage ----------------------------------------------------------------------------------------


class Stopwatch:
    """CPU time of this thread within the calls it wraps."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = {}

    def wrap(self, owner: object, method: str, name: str) -> None:
        inner: Callable[..., Any] = getattr(owner, method)
        self.spent[name] = 0

        def timed(*args: object) -> object:
            started = time.thread_time_ns()
            try:
                return inner(*args)
            finally:
                self.spent[name] += time.thread_time_ns() - started

        setattr(owner, method, timed)


def stages(devices: Sequence[Device], size: int, count: int, folder: Path) -> dict[str, float]:
    """Microseconds a message in each stage, for records of `size` messages, without any other process."""
    now_ms = time.time_ns() // 1_000_000
    pipeline, watch = Pipeline((eight_rules.SCENE,), "sw"), Stopwatch()
    pipeline.run(Record(0, 1, RecordKind.INVENTORY, now_ms, None, encode_inventory(devices)))
    pipeline.run(Record(1, 2, RecordKind.LISTENING, now_ms, None, b""))
    fleet = Fleet(devices)
    watch.wrap(pipeline.decoder, "decode", "decode")
    watch.wrap(pipeline.identity, "duplicates", "identity")
    watch.wrap(pipeline.quality, "check", "quality")
    for method in ("step", "tick"):
        watch.wrap(pipeline.alarms, method, f"alarms' {method}")
    store = DuckStore(folder / f"{size}.duckdb")
    for run, total in enumerate((2 * size, count)):
        before = dict(watch.spent)
        messages = fleet.messages(total, first_ms=now_ms + 10 * run, every_ms=0.2)
        pipeline_ns = store_ns = 0
        for at in range(0, total, size):
            part = Messages.of(messages[at : at + size], now_ms + at // 5)
            record = Record(
                pipeline.position, pipeline.position + len(part), RecordKind.MESSAGES, part.received_ms, part, b""
            )
            started = time.thread_time_ns()
            batch = pipeline.run(record).batch
            ran = time.thread_time_ns()
            store.write(batch, pipeline.registry.series_name)
            pipeline_ns += ran - started
            store_ns += time.thread_time_ns() - ran
    store.close()
    spent = {name: ns - before[name] for name, ns in watch.spent.items()}
    spent["the rest of the pipeline"] = pipeline_ns - sum(spent.values())
    spent["store, a commit a batch"] = store_ns
    return {name: ns / count / 1000 for name, ns in spent.items()}


# --- tables ------------------------------------------------------------------------------------------------


def show_stages(options: argparse.Namespace, folder: Path) -> None:
    devices = eight_rules.devices(SITES)
    tables = [stages(devices, size, min(options.count, 400 * size), folder) for size in options.sizes]
    print(f"{'CPU µs a message, in batches of':<40}" + "".join(f"{size:>9}" for size in options.sizes))
    for name in tables[0]:
        print(f"{name:<40}" + "".join(f"{table[name]:>9.2f}" for table in tables))
    print(f"{'all':<40}" + "".join(f"{sum(table.values()):>9.2f}" for table in tables), flush=True)


def show_worker(options: argparse.Namespace, folder: Path) -> None:
    with mosquitto(folder) as port:
        trial = Trial(ours_on_duckdb("worker", Ground(folder, port, "", eight_rules.devices(SITES))))
        program = trial.contestant.program
        try:
            trial.begin()
            for _ in range(options.rounds):
                trial.round(options.count, options.rate, options.seconds)
            program.start()
            wait_for(trial.drained, "the worker")
            idle = program.usage.cpu_s()
            threading.Event().wait(options.seconds / 2)
            idle_share = (program.usage.cpu_s() - idle) / (options.seconds / 2)
        finally:
            program.stop()
    figures = trial.figures
    print(f"{'worker, CPU µs a message':<40}{'best':>9}{'median':>9}")
    for name, key in (("draining", "drain"), (f"{options.rate} a second", "steady")):
        print(f"{name:<40}{min(figures[key]):>9.2f}{statistics.median(figures[key]):>9.2f}")
    starts = figures["start"]
    print(f"{'start with a few messages, CPU s':<40}{min(starts):>9.2f}{statistics.median(starts):>9.2f}")
    print(f"{'idle, % of a core':<40}{'':>9}{100 * idle_share:>9.2f}")
    print(f"{'peak memory, MiB':<40}{'':>9}{max(figures['peak_drain'] + figures['peak_steady']):>9.0f}")
    late = figures["late"]
    print(
        f"{'published to stored, ms: median, worst':<40}{statistics.median(late):>9.0f}{max(late):>9.0f}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000, help="messages to drain (100000)")
    parser.add_argument("--rate", type=int, default=5_000, help="messages a second of the steady run (5000)")
    parser.add_argument("--seconds", type=float, default=10.0, help="its length (10)")
    parser.add_argument("--rounds", type=int, default=2, help="of each run (2)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 5000], help="batches by stage")
    parser.add_argument("--only", choices=("worker", "stages"), help="leave the other table out")
    options = parser.parse_args()
    for name, show in (("stages", show_stages), ("worker", show_worker)):
        if options.only in (None, name):
            with tempfile.TemporaryDirectory() as folder:
                show(options, Path(folder))


if __name__ == "__main__":
    main()
