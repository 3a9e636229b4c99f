"""CPU time that the summaries cost beside a worker's writer, a message, on DuckDB.

1,000 devices send five values each at 5,000 messages a second; each minute is summarised when it is over. Beside
that: what the writer pays to find out that nothing is late, and what one device in a hundred that is an hour late
costs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from ends import HandClock
from scenewatch.model.batch import Batch
from scenewatch.settings import Settings
from scenewatch.store.duck import DuckStore
from scenewatch.store.relational import Database
from scenewatch.worker.lateness import SETTLE_MS
from scenewatch.worker.rollup import open_rollup

if TYPE_CHECKING:
    from collections.abc import Callable

CHANNELS, DEVICES = 5, 1000
START_MS = 1_800_028_800_000
HOUR_MS = 3_600_000


class Ground:
    """A store that is written to, second by second, and its summaries."""

    def __init__(self, folder: Path, rate: int) -> None:
        self.rate = rate
        self.clock = HandClock(START_MS)
        self.store = DuckStore(folder / "readings.duckdb")
        self.database = Database(f"sqlite:///{folder / 'rows.sqlite'}")
        self.summaries, self.lateness = open_rollup(
            Settings(),
            self.store,
            self.database,
            self.clock,
            deletes=True,
            device_of=lambda series: series // CHANNELS,
            id_of="kitchen.s001.fridge-{}".format,
        )

    def second(self, late: int) -> float:
        """CPU seconds of noting what a second brings; the first `late` devices are an hour late."""
        message = np.repeat(np.arange(self.rate), CHANNELS)
        series = message % DEVICES * CHANNELS + np.tile(np.arange(CHANNELS), self.rate)
        t_ms = self.clock.ms + message * 1000 // self.rate
        t_ms -= np.where(message % DEVICES < late, HOUR_MS, 0)
        batch = Batch.of(series, t_ms, t_ms % 100 * 0.5, position=self.store.position() + 1)
        began = time.process_time()
        self.lateness.note(batch)
        spent = time.process_time() - began
        self.store.write(batch, lambda one: f"kitchen.s001.fridge-{one // CHANNELS}.c{one % CHANNELS}")
        self.lateness.stored()
        self.clock.ms += 1000
        return spent

    def minute(self, late: int) -> tuple[float, float]:
        """CPU seconds of noting, and of summarising, what a minute brings."""
        noted = sum(self.second(late) for _ in range(60))
        return noted, cpu_s(self.run)

    def run(self) -> None:
        while self.summaries.step():
            pass

    def close(self) -> None:
        self.store.close()
        self.database.close()


def cpu_s(what: Callable[[], None]) -> float:
    began = time.process_time()
    what()
    return time.process_time() - began


def show(name: str, spent_s: list[float], messages: int) -> None:
    each = [1e6 * s / messages for s in spent_s]
    print(f"{name:<48}{min(each):>9.3f}{statistics.median(each):>9.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=5_000, help="messages a second (5000)")
    parser.add_argument("--minutes", type=int, default=4, help="that are measured (4)")
    options = parser.parse_args()
    messages = 60 * options.rate
    with tempfile.TemporaryDirectory() as folder:
        ground = Ground(Path(folder), options.rate)
        for _ in range(3):
            ground.minute(0)
        in_time = [ground.minute(0) for _ in range(options.minutes)]
        late = [ground.minute(DEVICES // 100) for _ in range(options.minutes)]
        ground.second(0)
        ground.clock.ms += SETTLE_MS
        anew_s = cpu_s(ground.run)
        ground.close()
    print(f"{'CPU µs a message':<48}{'best':>9}{'median':>9}")
    show("seeing that nothing is late", [noted for noted, _ in in_time], messages)
    show("making minutes, hours and days", [made for _, made in in_time], messages)
    show("marking one device in 100 that is late", [noted for noted, _ in late], messages)
    show("making with these marks waiting", [made for _, made in late], messages)
    print(f"making anew the hour of these devices at last: {anew_s:.2f} CPU s")


if __name__ == "__main__":
    main()
