"""Scenewatch beside a tuned Telegraf in one run: CPU time a message, memory, and how soon a reading can be read.

    python tests/bench/bench_telegraf.py

Same Mosquitto, same InfluxDB, 1,000 devices, five values a message; Scenewatch checks quality and eight rules on
every channel. Each round drains a queue that was full when the program started, then takes messages at a steady
rate. What a start with a few messages costs is subtracted from draining, for all alike. At the end the stores'
values are counted and summed against what was sent. Needs Mosquitto, and Go for InfluxDB and Telegraf, which are
built once.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

import eight_rules
from contestants import Ground, ours_on_duckdb, ours_on_influx, telegraf
from load import mosquitto, percentile
from trial import Trial, say

from influx_server import running

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SITES = 200


ROWS: tuple[tuple[str, str, Callable[[Sequence[float]], float]], ...] = (
    ("CPU µs a message, draining: best", "drain", min),
    ("  median", "drain", statistics.median),
    ("CPU µs a message, steady: best", "steady", min),
    ("  median", "steady", statistics.median),
    ("published to readable, ms: median", "late", statistics.median),
    ("  p99", "late", partial(percentile, share=0.99)),
    ("peak memory draining, MiB", "peak_drain", max),
    ("peak memory steady, MiB", "peak_steady", max),
    ("draining with its start, s", "drain_wall_s", statistics.median),
    ("start with few messages, CPU s", "start", statistics.median),
)


def show(trials: Sequence[Trial]) -> None:
    """The last trial is the yardstick."""
    names = [trial.contestant.name for trial in trials]
    ratios = [f"{name}/{names[-1]}" for name in names[:-1]]
    print(f"{'':<36}" + "".join(f"{name:>10}" for name in names) + "".join(f"{ratio:>16}" for ratio in ratios))
    for text, key, of in ROWS:
        figures = [of(trial.figures[key]) for trial in trials]
        shares = "".join(f"{figure / figures[-1]:>16.3f}" for figure in figures[:-1])
        print(f"{text:<36}" + "".join(f"{figure:>10.2f}" for figure in figures) + shares)
    accounts = [trial.account() for trial in trials]
    print(f"{'messages sent':<36}" + "".join(f"{trial.contestant.fleet.sent:>10}" for trial in trials))
    for which, text in enumerate(("values lost", "values too many", "channels with a wrong sum")):
        print(f"{text:<36}" + "".join(f"{account[which]:>10}" for account in accounts), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=600_000, help="messages queued (%(default)s)")
    parser.add_argument("--rate", type=int, default=5_000, help="messages a second of the steady run (%(default)s)")
    parser.add_argument("--seconds", type=float, default=15.0, help="its length (%(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="of each contestant, in turns (%(default)s)")
    parser.add_argument(
        "--gogc", default="100", help="Telegraf's garbage collection target (%(default)s, Go's own)"
    )
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        mosquitto(Path(name)) as port,
        running(Path(name) / "influxd") as influx,
    ):
        ground = Ground(Path(name), port, influx, eight_rules.devices(SITES))
        contestants = (
            ours_on_influx("influx", ground),
            ours_on_duckdb("duckdb", ground),
            telegraf("telegraf", ground, gogc=options.gogc),
        )
        trials = [Trial(contestant) for contestant in contestants]
        try:
            for trial in trials:
                trial.begin()
            for number in range(options.rounds):
                for trial in trials:
                    say(f"round {number + 1} of {options.rounds}: {trial.contestant.name}")
                    trial.round(options.count, options.rate, options.seconds)
        finally:
            for trial in trials:
                trial.contestant.program.stop()
        show(trials)


if __name__ == "__main__":
    main()
