"""What judging a reading and running it past its rules costs, over history and live.

    python tests/bench/bench_signals.py

History: every series once a step, in batches of about 100,000 readings, so that readings of one series lie far
apart. Live: batches of 500. Faulty: series that swing across all limits, so that their alarms come and go.
CPU time of one core; compiling is measured in processes of its own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from scenewatch.alarms.engine import Engine
from scenewatch.model.batch import Batch
from scenewatch.model.place import Device
from scenewatch.model.quantity import Quantity
from scenewatch.model.registry import Registry
from scenewatch.model.rule import Above, Below, Mark, NoData, Priority, Rule, Source
from scenewatch.model.scene import Channel, DeviceType, Scene, Span
from scenewatch.model.words import Text, minutes, seconds
from scenewatch.quality.quality import Quality

START_MS = 1_700_000_000_000
STEP_MS = 30_000
CHANNELS = 5
WORD = Text("x", "x")

COMPILE = """
import sys, time
sys.path.insert(0, {here!r})
import bench_signals as bench
batches = bench.history(series=50, readings=500, batch=500, faulty=0.1, start_ms=bench.START_MS)
scene = bench.scene(8)
begin = time.perf_counter()
bench.run(scene, 50, batches)
print(time.perf_counter() - begin)
"""


def scene(rules: int) -> Scene:
    channels = tuple(
        Channel(
            key=f"c{i}",
            title=WORD,
            quantity=Quantity.TEMPERATURE,
            unit="°C",
            possible=Span(-100.0, 200.0),
            expected=Span(-50.0, 150.0),
            fastest_per_minute=300.0,
            stuck_after=minutes(30),
        )
        for i in range(CHANNELS)
    )
    limits = [Above(60.0 + 5 * i, 2.0) for i in range(rules // 2)]
    limits += [Below(0.0 - 5 * i, 2.0) for i in range(rules - len(limits) - 1)]
    device_type = DeviceType(key="box", title=WORD, every=seconds(30), channels=channels)
    table = tuple(
        Rule(
            key=f"{channel.key}_{i}",
            title=WORD,
            on=(f"box.{channel.key}",),
            when=when,
            on_delay=minutes(i % 3),
            off_delay=minutes(i % 2),
            priority=Priority.LOW,
            source=Source(document=WORD, mark=Mark.PROPOSAL),
            proof="x",
            advice=WORD,
        )
        for channel in channels
        for i, when in enumerate([*limits, NoData(minutes(10))])
    )
    return Scene(
        key="bench",
        title=WORD,
        site_title=WORD,
        device_types=(device_type,),
        rules=table,
        faults=(),
        simulator="",
        mishap="",
    )


def history(*, series: int, readings: int, batch: int, faulty: float, start_ms: int) -> list[Batch]:
    """Noise around 20 °C; the faulty share swings between -40 and 100 with a period of twelve hours."""
    rng = np.random.default_rng(1)
    steps = -(-readings // series)
    t = start_ms + STEP_MS * np.arange(steps)
    value = 20.0 + rng.normal(0.0, 0.5, (steps, series))
    swinging = int(series * faulty)
    phase = rng.uniform(0.0, 6.28, swinging)
    value[:, :swinging] += 70.0 * np.sin(t[:, None] / 1000 / 43_200 * 6.28 + phase)
    columns = (np.tile(np.arange(series), steps), np.repeat(t, series), value.ravel())
    cuts = range(0, steps * series, batch)
    return [Batch.of(*(column[at : at + batch] for column in columns)) for at in cuts]


def registry(of: Scene, series: int) -> Registry:
    found = Registry([of])
    count = -(-series // CHANNELS)
    devices = [Device(scene=of.key, site="s", device=f"d{i}", type="box") for i in range(count)]
    found.apply(devices, at_ms=START_MS)
    return found


def run(of: Scene, series: int, batches: list[Batch]) -> tuple[float, float, int]:
    """CPU seconds of quality and of alarms, and how many transitions there were."""
    known = registry(of, series)
    quality, engine = Quality(), Engine([of])
    quality.grow(known)
    engine.grow(known)
    begin = time.process_time()
    for batch in batches:
        quality.check(batch)
    between = time.process_time()
    moves = 0
    for batch in batches:
        moves += len(engine.tick(int(batch.received_ms[0])))
        moves += len(engine.step(batch))
    return between - begin, time.process_time() - between, moves


def compile_seconds() -> tuple[float, float]:
    """First batch in a new process, with nothing compiled and with everything cached."""
    script = COMPILE.format(here=str(Path(__file__).parent))
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
        command = [sys.executable, "-c", script]
        cold, cached = (
            float(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
            for _ in range(2)
        )
    return cold, cached


def show(line: str) -> None:
    print(line)


def report(what: str, rounds: list[tuple[float, float, int]], readings: int) -> None:
    for stage, column in (("quality", 0), ("alarms", 1)):
        spent = [row[column] for row in rounds]
        best, median = min(spent), statistics.median(spent)
        show(
            f"{what:32} {stage:8} {readings / best / 1e6:7.1f} {readings / median / 1e6:7.1f} "
            f"{best / readings * 1e6:9.4f} {rounds[0][2]:12,}"
        )


def tick_milliseconds(devices: int) -> tuple[float, float]:
    """A full look at every device, and one that finds nothing can be due yet."""
    of = scene(8)
    warm, engine = Engine([of]), Engine([of])
    warm.grow(registry(of, CHANNELS))
    warm.tick(START_MS)
    engine.grow(registry(of, devices * CHANNELS))
    spent = []
    for now_ms in (START_MS + 1, START_MS + 2):
        begin = time.process_time()
        engine.tick(now_ms)
        spent.append((time.process_time() - begin) * 1000)
    return spent[0], spent[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--readings", type=int, default=3_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()

    show("compile, s: cold {:.2f}, cached {:.2f}".format(*compile_seconds()))
    show("tick at 100,000 devices, ms: full {:.2f}, nothing due {:.4f}".format(*tick_milliseconds(100_000)))
    show(f"{'':32} {'':8} {'M/s best':>7} {'median':>7} {'µs each':>9} {'transitions':>12}")
    for rules in (4, 8):
        of = scene(rules)
        for size, kind in ((100_000, "history"), (500, "live")):
            readings = given.readings if kind == "history" else given.readings // 10
            for faulty in (0.0, 0.02, 1.0):
                rounds = []
                for _ in range(given.rounds):
                    batches = history(
                        series=given.series, readings=readings, batch=size, faulty=faulty, start_ms=START_MS
                    )
                    run(of, given.series, batches[:1])
                    rounds.append(run(of, given.series, batches))
                report(f"{kind}, {rules} rules, {faulty:.0%} faulty", rounds, sum(map(len, batches)))


if __name__ == "__main__":
    main()
