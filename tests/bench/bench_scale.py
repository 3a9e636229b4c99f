"""One worker with a hundred thousand devices beside one with a thousand: memory, and CPU time a message.

    python tests/bench/bench_scale.py --store duckdb

Both are real workers on one Mosquitto, taken in turns. First every device publishes, so that all series exist; then
as many messages as it takes come as fast as the broker gives them, and then at a steady rate. `--rules eight`
watches every channel with eight rules instead of the kitchen's own.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

import eight_rules
from load import Fleet, mosquitto, publish, wait_for
from programs import Worker
from trial import LOOK_S, say

from influx_server import create, running
from scenewatch.scenes import SCENES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DEVICES_A_SITE = 5
SCENE = {"kitchen": SCENES[0], "eight": eight_rules.SCENE}


class Size:
    """A worker with so many devices, and its figures."""

    def __init__(self, folder: Path, port: int, devices: int, *, store: str, rules: str) -> None:
        self.name = f"d{devices}"
        scene = SCENE[rules]
        self._port = port
        self.devices = eight_rules.devices(devices // DEVICES_A_SITE, scene)
        self.worker = Worker(folder / self.name, port, self.devices, store=store, name=self.name)
        self._fleet = Fleet(self.devices, self.name)
        self.figures: dict[str, list[float]] = defaultdict(list)

    def begin(self) -> None:
        """Every device's first messages: the series are made in quality, alarms and store."""
        started = time.monotonic()
        self.worker.start()
        wait_for(self.worker.ready, f"{self.name} to be ready")
        self.note("start_s", time.monotonic() - started)
        self.note("started_mib", self.worker.usage.memory_mib())
        self.note("first", self._spent(len(self.devices), 0))
        self.note("all_series_mib", self.worker.usage.memory_mib())

    def round(self, count: int, rate: int, seconds: float) -> None:
        self.note("flood", self._spent(count, 0))
        self.note("steady", self._spent(int(rate * seconds), rate))

    def end(self) -> None:
        self.note("peak_mib", self.worker.usage.peak_mib())
        self.worker.stop()

    def note(self, what: str, figure: float) -> None:
        self.figures[what].append(figure)
        say(f"{self.name}: {what} {figure:.2f}")

    def _spent(self, count: int, rate: int) -> float:
        """Microseconds a message, from publishing until all are stored."""
        messages = self._fleet.live(count, rate)[0] if rate else self._fleet.backlog(count)
        before = self.worker.usage.cpu_s()
        publish(self._port, messages, rate)
        wait_for(lambda: self.worker.stored() >= self._fleet.sent, f"{self.name} to store all", look_s=LOOK_S)
        return (self.worker.usage.cpu_s() - before) / count * 1e6


ROWS: tuple[tuple[str, str, Callable[[Sequence[float]], float]], ...] = (
    ("CPU µs a message, as fast as may be: best", "flood", min),
    ("  median", "flood", statistics.median),
    ("CPU µs a message, steady: best", "steady", min),
    ("  median", "steady", statistics.median),
    ("CPU µs a device's first message", "first", max),
    ("from start to ready, s", "start_s", max),
    ("memory when ready, MiB", "started_mib", max),
    ("memory with all series, MiB", "all_series_mib", max),
    ("peak memory, MiB", "peak_mib", max),
)


def show(sizes: Sequence[Size]) -> None:
    few, many = sizes
    print(f"{'devices':<44}{len(few.devices):>10}{len(many.devices):>10}{'ratio':>10}")
    for text, key, of in ROWS:
        one, other = of(few.figures[key]), of(many.figures[key])
        print(f"{text:<44}{one:>10.2f}{other:>10.2f}{other / one:>10.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, default=100_000, help="of the large one (%(default)s)")
    parser.add_argument("--store", choices=("duckdb", "influx"), default="duckdb", help="(%(default)s)")
    parser.add_argument("--rules", choices=SCENE, default="kitchen", help="(%(default)s)")
    parser.add_argument("--count", type=int, default=200_000, help="messages as fast as may be (%(default)s)")
    parser.add_argument("--rate", type=int, default=5_000, help="messages a second of the steady run (%(default)s)")
    parser.add_argument("--seconds", type=float, default=30.0, help="its length (%(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="(%(default)s)")
    options = parser.parse_args()
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        port = opened.enter_context(mosquitto(folder))
        influx = opened.enter_context(running(folder / "influxd")) if options.store == "influx" else None
        sizes = []
        for devices in (1_000, options.devices):
            store = "duckdb:readings.duckdb"
            if influx is not None:
                create(influx, f"d{devices}")
                store = f"influx+{influx}/?org=-&bucket=d{devices}"
            size = Size(folder, port, devices, store=store, rules=options.rules)
            opened.callback(size.worker.stop)
            sizes.append(size)
        for size in sizes:
            size.begin()
        for _ in range(options.rounds):
            for size in sizes:
                size.round(options.count, options.rate, options.seconds)
        for size in sizes:
            size.end()
        show(sizes)


if __name__ == "__main__":
    main()
