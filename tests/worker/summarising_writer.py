"""Writes batches into a DuckDB and has them summarised by a thread meanwhile, for ever; its parent kills it.

Batch k is the same in every run, and says its position once it is durable.
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import numpy as np

from ends import HandClock
from scenewatch.model.batch import Batch
from scenewatch.settings import Settings
from scenewatch.store.duck import DuckStore
from scenewatch.store.relational import Database
from scenewatch.worker import summaries as module
from scenewatch.worker.rollup import open_rollup
from summary_rig import CHANNELS, HOUR_MS, MIDNIGHT_MS, MINUTE_MS, NAMES, device_id

EVERY_MS = 20_000
BATCH_MS = 10 * MINUTE_MS
SPREAD = (HOUR_MS, 30 * HOUR_MS, 7 * MINUTE_MS)


def clock_ms(k: int) -> int:
    return MIDNIGHT_MS + (k + 1) * BATCH_MS


def batch(k: int) -> Batch:
    """Ten minutes of two devices; and of another one something that is late, by turns more and less."""
    t_ms = np.arange(clock_ms(k) - BATCH_MS, clock_ms(k), EVERY_MS)
    late_ms = t_ms[::6] - SPREAD[k % 3] - 1
    series = np.concatenate([np.zeros(len(t_ms)), np.full(len(t_ms), 2), np.full(len(late_ms), 5)])
    times = np.concatenate([t_ms, t_ms + 1, late_ms])
    return Batch.of(series.astype(np.int32), times, (times // 1000 % 977).astype(float), position=k)


class Going:
    """A store with its summaries, as the files in the folder have it."""

    def __init__(self, folder: Path) -> None:
        self.store = DuckStore(folder / "readings.duckdb")
        self.database = Database(f"sqlite:///{folder / 'rows.sqlite'}")
        self.clock = HandClock(clock_ms(self.store.position()))
        self.summaries, self.lateness = open_rollup(
            Settings(),
            self.store,
            self.database,
            self.clock,
            deletes=True,
            device_of=lambda series: series // CHANNELS,
            id_of=device_id,
        )

    def write(self, k: int) -> None:
        made = batch(k)
        self.lateness.note(made)
        self.store.write(made, NAMES.__getitem__)
        self.lateness.stored()
        self.clock.ms = clock_ms(k)

    def close(self) -> None:
        self.summaries.stop()
        self.store.close()
        self.database.close()


def main() -> None:
    module.LOOK_S = 0.001
    with closing(Going(Path(sys.argv[1]))) as going:
        going.summaries.start()
        for k in range(going.store.position() + 1, 1_000_000):
            going.write(k)
            sys.stdout.write(f"{k}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
