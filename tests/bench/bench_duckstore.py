"""How fast DuckStore takes readings in bulk and in small commits, and draws a chart before and after sorting.

python tests/bench/bench_duckstore.py --rounds 3
"""

import argparse
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from scenewatch.model.batch import Batch
from scenewatch.store.duck import DuckStore

DAY_MS = 86_400_000
EVERY_MS = 30_000
SERIES = 1_000
DAYS = 5
TIMES_A_BATCH = 200


def say(what, best, median, unit):
    sys.stdout.write(f"{what:<46}{best:>12,.2f}{median:>12,.2f}  {unit}\n")


def name(series):
    return f"kitchen.site{series % 10}.device{series}.temp"


def batch(first, times, series, position):
    t_ms = np.repeat(np.arange(first, first + times, dtype=np.int64) * EVERY_MS, series)
    value = np.random.default_rng(position).normal(4.0, 0.5, len(t_ms))
    return Batch.of(np.tile(np.arange(series, dtype=np.int32), times), t_ms, value, position=position)


def bulk(store):
    """All days in batches; rows a second of wall and of CPU time, a batch each."""
    wall, cpu = [], []
    for k in range(DAYS * DAY_MS // EVERY_MS // TIMES_A_BATCH):
        made = batch(k * TIMES_A_BATCH, TIMES_A_BATCH, SERIES, k + 1)
        at, cpu_at = time.perf_counter(), time.process_time()
        store.write(made, name)
        wall.append(len(made) / (time.perf_counter() - at))
        cpu.append(len(made) / (time.process_time() - cpu_at))
    say("bulk, batches of 200,000: wall", max(wall) / 1e6, np.median(wall) / 1e6, "M rows/s")
    say("bulk, batches of 200,000: CPU", max(cpu) / 1e6, np.median(cpu) / 1e6, "M rows/s")


def small(store, commits, late):
    """Commits of 100 rows; the first `late` rows of each repeat the commit before."""
    position, first = store.position(), store.newest_ms() // EVERY_MS + 1
    spans = []
    for k in range(commits):
        made = batch(first + k, 1, 100, position + k + 1)
        made.t_ms[:late] -= EVERY_MS
        at = time.perf_counter()
        store.write(made, name)
        spans.append((time.perf_counter() - at) * 1e3)
    p50, p99, longest = np.percentile(spans, [50, 99, 100])
    say(f"{commits:,} commits of 100 rows, {late} late: p50, p99", p50, p99, "ms")
    say("  longest", longest, longest, "ms")


def chart(store, rounds, what):
    spans = []
    for k in range(rounds):
        at = time.perf_counter()
        found = store.readings(name(k * 37 % SERIES), 0, DAYS * DAY_MS, 100_000)
        spans.append((time.perf_counter() - at) * 1e3)
        if len(found.t_ms) != DAYS * DAY_MS // EVERY_MS:
            raise SystemExit("the chart is not whole")
    say(f"chart of {DAYS} days of 1 in {SERIES:,} series, {what}", min(spans), np.median(spans), "ms")


def measure(store, path, chosen):
    bulk(store)
    chart(store, chosen.rounds, "unsorted")
    at = time.perf_counter()
    days = store.sort_closed_days(DAYS * DAY_MS)
    span = (time.perf_counter() - at) * 1e3 / days
    say("sorting a day of 2.88 M rows", span, span, "ms")
    chart(store, chosen.rounds, "sorted")
    small(store, chosen.commits, late=0)
    small(store, chosen.commits, late=5)
    size = path.stat().st_size / store.count()
    say("on disk", size, size, "bytes a row")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="charts drawn each time")
    parser.add_argument("--commits", type=int, default=2_000, help="small commits measured")
    parser.add_argument("--threads", type=int, default=1, help="DuckDB's threads")
    chosen = parser.parse_args()
    sys.stdout.write(f"{'':<46}{'best':>12}{'median':>12}\n")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "readings.duckdb"
        with closing(DuckStore(path, threads=chosen.threads)) as store:
            measure(store, path, chosen)


if __name__ == "__main__":
    main()
