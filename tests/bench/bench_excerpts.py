"""What keeping a thin copy of a run costs: CPU time a reading, and memory, for kitchens as they are simulated."""

import argparse
import statistics
import time

import numpy as np

from scenewatch.model.batch import Batch
from scenewatch.model.registry import Registry
from scenewatch.rehearsal.excerpts import Excerpts
from scenewatch.scenes import SCENES, demonstration

HOUR_MS, EVERY_MS = 3_600_000, 30_000
BEGIN_MS = 20_000 * 24 * HOUR_MS


def hours_of(series: int, hours: int) -> list[Batch]:
    """A batch an hour, every series each half minute; one hour's values serve for all."""
    a_step = HOUR_MS // EVERY_MS
    numbers = np.tile(np.arange(series, dtype=np.int32), a_step)
    value = np.random.default_rng(7).normal(4.0, 1.0, len(numbers))
    since_ms = np.repeat(np.arange(a_step) * EVERY_MS, series)
    return [Batch.of(numbers, BEGIN_MS + hour * HOUR_MS + since_ms, value) for hour in range(hours)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=20)
    parser.add_argument("--hours", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    registry = Registry(SCENES)
    registry.apply(demonstration(SCENES[0]).devices(options.sites), at_ms=0)
    batches = hours_of(registry.series_count, options.hours)
    readings = sum(map(len, batches))
    took_ns = []
    for _ in range(options.rounds + 1):
        excerpts = Excerpts(registry)
        begin_s = time.process_time()
        for batch in batches:
            excerpts.take(batch)
        took_ns.append((time.process_time() - begin_s) / readings * 1e9)
    took_ns = took_ns[1:]  # the first one compiles
    a_month_mb = excerpts.bytes_kept / options.hours * 720 / 1e6
    print(f"{'series':>8} {'readings':>12} {'best, ns':>10} {'median, ns':>11} {'MB a month':>11}")
    best, median = min(took_ns), statistics.median(took_ns)
    print(f"{registry.series_count:>8,} {readings:>12,} {best:>10.1f} {median:>11.1f} {a_month_mb:>11.0f}")


if __name__ == "__main__":
    main()
