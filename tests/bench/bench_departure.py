"""What the departure from the usual finds with its shipped defaults, on recorded series and on drawn ones.

    python tests/bench/bench_departure.py --data DIR --seeds 12

DIR has machine_temperature_system_failure.csv, ambient_temperature_system_failure.csv and combined_windows.json of
NAB (https://github.com/numenta/NAB, MIT licence). `found`: windows with a new raise. `outside`: raises a month that
are in none. Of drawn series each seed is one of 120 days, with a fault of 4 to 6 spreads a fortnight.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
from departing import KINDS, Score, departures, drawn, recorded, score, score_drawn, true_windows
from scenewatch.model.insight import UNUSUAL

SHARES = (0.9, 1.0, 1.1)
"""Of the shipped limit: how much depends on it?"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with NAB's files; without it only drawn series")
    parser.add_argument("--seeds", type=int, default=12, help="drawn series of each kind (%(default)s)")
    parser.add_argument("--first-seed", type=int, default=secrets.randbits(31), help="else a random one")
    given = parser.parse_args()
    print(f"{'series':34} limit found      outside/month learning d standing %")
    for file in sorted(given.data.glob("*.csv")) if given.data else []:
        t_ms, value = recorded(file)
        windows = true_windows(given.data / "combined_windows.json", file.name)
        for share in SHARES:
            line(file.stem, share, score(t_ms, value, windows, share * UNUSUAL))
    print(f"drawn from seed {given.first_seed} on")
    for kind in KINDS:
        for share in SHARES:
            seeds = range(given.first_seed, given.first_seed + given.seeds)
            line(kind, share, pooled([score_drawn(np.random.default_rng(s), kind, share * UNUSUAL) for s in seeds]))
    speed()


def line(name: str, share: float, scored: Score) -> None:
    print(
        f"{name:34} x{share:3.1f} {scored.found:4}/{scored.windows:<4} {scored.outside / scored.months:16.2f}"
        f" {scored.learning_days:10.1f} {scored.standing:10.1%}"
    )


def pooled(scores: list[Score]) -> Score:
    return Score(
        windows=sum(s.windows for s in scores),
        found=sum(s.found for s in scores),
        outside=sum(s.outside for s in scores),
        months=sum(s.months for s in scores),
        learning_days=max(s.learning_days for s in scores),
        standing=float(np.mean([s.standing for s in scores])),
    )


def speed() -> None:
    """CPU time of the departure alone, on a reading each half minute."""
    value = np.repeat(drawn(np.random.default_rng(1), "white"), 120)
    t_ms = 1_780_000_000_000 + np.arange(len(value)) * 30_000
    rounds = []
    for _ in range(5):
        begin = time.process_time()
        departures(t_ms, value)
        rounds.append((time.process_time() - begin) / len(value) * 1e9)
    print(f"a reading of its channel: best {min(rounds):.0f} ns, median {np.median(rounds):.0f} ns of CPU time")


if __name__ == "__main__":
    main()
