"""How fast InfluxStore makes line protocol, and a real InfluxDB 1.8 takes it; CPU time is this process's alone.

python tests/bench/bench_influxstore.py
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "store"))

import stores

from influx_server import ADDRESS, program, running
from scenewatch.model.batch import Batch

CHANNELS = 5


def name(series):
    return f"kitchen.site.room{series // CHANNELS}.channel{series % CHANNELS}"


def batch(k, devices):
    """Every device once, all its channels at one time."""
    series = np.arange(devices * CHANNELS)
    value = np.random.default_rng(k).normal(4, 1, len(series)).round(2)
    return Batch.of(series, np.full(len(series), 1_700_000_000_000 + k * 10_000), value, position=k)


def cpu_us(work, count):
    """Microseconds of CPU for each of `count`."""
    began = time.process_time_ns()
    work()
    return (time.process_time_ns() - began) / 1000 / count


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--devices", type=int, default=1000, help=f"messages a batch, of {CHANNELS} values each")
    parser.add_argument("--rounds", type=int, default=20, help="batches")
    chosen = parser.parse_args()
    if program() is None:
        sys.exit("needs InfluxDB 1.8: install Go, and it is built")
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "influx") as address:
        os.environ[ADDRESS] = address
        with closing(stores.OwnInfluxStore(Path(folder))) as store:
            store.write(batch(1, chosen.devices), name)
            encoded, written = [], []
            for k in range(2, chosen.rounds + 2):
                made = batch(k, chosen.devices)
                rows = store._new_rows(made, name)
                encoded.append(cpu_us(lambda rows=rows: store._series.texts.encode(*rows), chosen.devices))
                later = batch(k + chosen.rounds, chosen.devices)
                written.append(cpu_us(lambda later=later: store.write(later, name), chosen.devices))
    print(f"{'µs of CPU a message':<24}{'best':>8}{'median':>8}")
    for what, took in (("line protocol", encoded), ("whole write", written)):
        print(f"{what:<24}{min(took):>8.2f}{statistics.median(took):>8.2f}")


if __name__ == "__main__":
    main()
