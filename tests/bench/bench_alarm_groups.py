"""What rules cost that more than one reading decides: combinations, sequences, and what suppresses.

    python tests/bench/bench_alarm_groups.py

Devices of five channels with eight rules a channel as in bench_signals.py, alone and with six further rules a
device. History: batches of about 100,000 readings; live: of 500, a message of five values each. Faulty: series
that swing across all limits. CPU time of one core.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import bench_signals as signals
import numpy as np

from scenewatch.alarms.engine import Engine
from scenewatch.model.flags import Flag
from scenewatch.model.rule import Above, AtLeast, Below, During, Outside, Term, Then, While, all_of
from scenewatch.model.words import minutes

if TYPE_CHECKING:
    from scenewatch.model.batch import Batch
    from scenewatch.model.rule import Rule
    from scenewatch.model.scene import Scene

HOUR_MS = 3_600_000
SHIFT_MS = 600_000


def shifts(site: str, from_ms: int, to_ms: int, occasion: str) -> list[tuple[int, int]]:
    """A `Calendar`: the first ten minutes of each hour."""
    del site, occasion
    begins = range(from_ms // HOUR_MS * HOUR_MS, to_ms, HOUR_MS)
    cut = ((max(from_ms, begin), min(to_ms, begin + SHIFT_MS)) for begin in begins)
    return [(begin, end) for begin, end in cut if begin < end]


def with_groups(of: Scene) -> Scene:
    """All of it, and six rules more a device: two of each sort."""
    warm, cold, odd = (
        Term(f"c{i}", is_) for i, is_ in enumerate((Above(60.0, 2.0), Below(0.0), Outside(0.0, 60.0)))
    )
    worked, busy = During(occasion="shift", after=minutes(1)), While(term=cold, after=minutes(1))
    a_rule = of.rules[0]

    def rule(key: str, **changes: object) -> Rule:
        return replace(a_rule, key=key, on=("box.c0",), **changes)

    more = (
        rule("all", when=all_of(warm, odd)),
        rule("most", when=AtLeast(2, (warm, cold, odd)), on_delay=minutes(2)),
        rule("then", when=Then(first=warm, second=odd, within=minutes(30))),
        rule("then_worked", when=Then(first=odd, second=warm, within=minutes(30)), suppressed_by=(worked,)),
        rule("while", when=Above(50.0, 2.0), suppressed_by=(busy,), on_delay=minutes(2)),
        rule("during", when=Outside(-20.0, 70.0, 2.0), suppressed_by=(worked,)),
    )
    return replace(of, rules=(*of.rules, *more), calendar=f"{__name__}:shifts")


def batches(series: int, readings: int, size: int, faulty: float) -> list[Batch]:
    """As in bench_signals.py, but good, and each device's readings of one time in one message."""
    made = signals.history(series=series, readings=readings, batch=size, faulty=faulty, start_ms=signals.START_MS)
    for batch in made:
        batch.message = np.arange(len(batch), dtype=np.int32) // signals.CHANNELS
        batch.flag[:] = Flag.GOOD
    return made


def run(of: Scene, series: int, readings: list[Batch]) -> tuple[float, int]:
    """CPU seconds, and how many transitions there were."""
    engine = Engine([of])
    engine.grow(signals.registry(of, series))
    engine.step(readings[0])
    begin = time.process_time()
    moves = sum(len(engine.step(batch)) for batch in readings[1:])
    return time.process_time() - begin, moves


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--readings", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()

    alone = signals.scene(8)
    print(f"{'':48} {'M/s best':>8} {'median':>7} {'µs a message':>13} {'transitions':>12}")
    for size, kind in ((100_000, "history"), (500, "live")):
        count = given.readings if kind == "history" else given.readings // 10
        for faulty in (0.0, 0.02, 1.0):
            made = batches(given.series, count, size, faulty)
            readings = sum(map(len, made[1:]))
            for of, name in ((alone, "8 rules a series"), (with_groups(alone), "and 6 groups a device")):
                rounds = [run(of, given.series, made) for _ in range(given.rounds)]
                best, median = min(rounds)[0], statistics.median(spent for spent, _ in rounds)
                print(
                    f"{f'{kind}, {name}, {faulty:.0%} faulty':48} {readings / best / 1e6:8.1f} "
                    f"{readings / median / 1e6:7.1f} {best / readings * 1e6 * signals.CHANNELS:13.3f} "
                    f"{rounds[0][1]:12,}"
                )


if __name__ == "__main__":
    main()
