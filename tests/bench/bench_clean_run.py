"""Kitchens without faults over random seeds and seasons: nothing may be raised, yet plain limits would raise often.

    python tests/bench/bench_clean_run.py --seeds 5

`plain` are raises a cooling device and day if the same limits had neither delay nor deadband; `longest` is how near
the run came to an alarm: the longest time beyond a limit, as a share of the rule's on-delay, and of which
rule. Alarms are named in lines of their own.
"""

from __future__ import annotations

import argparse
import random
import secrets
import sys
import time
from pathlib import Path

from scenewatch.scenes import SCENES

sys.path.insert(0, str(Path(__file__).parents[1]))
from scene_runs import DAY_MS, clean_run

NEW_YEAR_MS = 1_767_225_600_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, help="how many runs (%(default)s)")
    parser.add_argument("--first-seed", type=int, help="play this seed and those after it, not random ones")
    parser.add_argument("--sites", type=int, default=10, help="kitchens in a run (%(default)s)")
    parser.add_argument("--days", type=int, default=14, help="length of a run (%(default)s)")
    given = parser.parse_args()
    print(f"{'seed':>10} day of year {'readings':>11} alarms failed suspect % plain longest % CPU s of")
    for number in range(given.seeds):
        seed = secrets.randbits(32) if given.first_seed is None else given.first_seed + number
        day = random.Random(seed).randrange(365)
        begin = time.process_time()
        run = clean_run(
            SCENES[0], sites=given.sites, seed=seed, from_ms=NEW_YEAR_MS + day * DAY_MS, days=given.days
        )
        share, rule = run.longest_excursion
        print(
            f"{seed:10} {day:11} {run.readings:11,} {len(run.alarms):6} {run.failed:6} {run.suspect_share:9.4%}"
            f" {run.plain_raises:5.2f} {share:9.0%} {time.process_time() - begin:5.1f} {rule}"
        )
        for alarm in run.alarms:
            print(f"{'':10} {alarm}")


if __name__ == "__main__":
    main()
