"""How fast InfluxStore makes line protocol, and a real InfluxDB 1.8 takes it; CPU time is this process's alone.

python tests/bench/bench_influxstore.py
"""

import argparse
import gzip
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


def measure(store, devices, rounds):
    """Name of a figure to its values, one a round; and the bytes of one message's line, plain and as gzip."""
    store.write(batch(1, devices), name)
    figures = {"line protocol": [], "gzip of it": [], "whole write, plain": [], "whole write, gzip": []}
    position = 2
    for _ in range(rounds):
        made = batch(position, devices)
        ids = store._series.ids(made.series, name, store._measurements)
        rows = store._new_rows(made, ids, np.ones(len(ids), np.bool_))[1:]
        figures["line protocol"].append(cpu_us(lambda rows=rows: store._series.texts.encode(*rows), devices))
        lines = store._series.texts.encode(*rows)
        figures["gzip of it"].append(cpu_us(lambda lines=lines: gzip.compress(lines, 1), devices))
        for what, compresses in (("plain", False), ("gzip", True)):
            position += 1
            store._server._compresses = compresses
            later = batch(position, devices)
            figures[f"whole write, {what}"].append(cpu_us(lambda later=later: store.write(later, name), devices))
        position += 1
    return figures, len(lines) / devices, len(gzip.compress(lines, 1)) / devices


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
            figures, plain, packed = measure(store, chosen.devices, chosen.rounds)
    print(f"{'µs of CPU a message':<24}{'best':>8}{'median':>8}")
    for what, took in figures.items():
        print(f"{what:<24}{min(took):>8.2f}{statistics.median(took):>8.2f}")
    print(f"bytes a message: {plain:.0f} plain, {packed:.0f} as gzip")


if __name__ == "__main__":
    main()
