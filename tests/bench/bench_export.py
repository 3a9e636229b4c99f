"""What exporting readings from DuckDB costs a reading, as CSV and as Parquet, and the most memory it takes."""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scenewatch.export.files import write
from scenewatch.export.pages import forwards
from scenewatch.export.tables import READINGS, Series, reading_rows
from scenewatch.model.batch import Batch
from scenewatch.store.duck import DuckStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.export.tables import Row

EVERY_MS = 30_000
SERIES = 100


def name(series: int) -> str:
    return f"kitchen.s{series}.d.temp"


def fill(store: DuckStore, readings: int) -> None:
    times = readings // SERIES
    for position in range(times // 1000):
        t_ms = (np.arange(1000, dtype=np.int64) + position * 1000).repeat(SERIES) * EVERY_MS + 1_800_000_000_000
        value = np.random.default_rng(position).normal(4.0, 0.5, len(t_ms)).round(2)
        store.write(
            Batch.of(np.tile(np.arange(SERIES, dtype=np.int32), 1000), t_ms, value, position=position + 1), name
        )


def rows(store: DuckStore) -> Iterator[Row]:
    for number in range(SERIES):
        series = Series(name(number).rpartition(".")[0], "temp", "°C")
        for page in forwards(partial(store.readings, series.name), 0, 2**53):
            yield from reading_rows(series, page)


def run(store: DuckStore, out: Path, rounds: int) -> None:
    times = []
    for _ in range(rounds):
        began = time.process_time()
        count = write(out, READINGS, rows(store))
        times.append((time.process_time() - began) / count * 1e6)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    size = out.stat().st_size / count
    print(
        f"{count:>12,}{out.suffix:>10}{min(times):>9.2f}{statistics.median(times):>9.2f}{size:>9.1f}{peak_mb:>9,}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(
        f"{'readings':>12}{'file':>10}{'best':>9}{'median':>9}{'bytes':>9}{'peak MB':>9}  µs CPU, bytes a reading"
    )
    for readings in (200_000, 2_000_000):
        with tempfile.TemporaryDirectory() as folder, closing(DuckStore(Path(folder) / "r.duckdb")) as store:
            fill(store, readings)
            for suffix in (".csv", ".parquet"):
                run(store, Path(folder) / f"r{suffix}", options.rounds)


if __name__ == "__main__":
    main()
