"""How long the load figures of many alarms take, from alarms as they come from the record."""

import argparse
import random
import statistics
import time

from scenewatch.load.figures import Shown, figures

DAY_MS = 86_400_000


def drawn(count: int, days: int) -> list[Shown]:
    chance = random.Random(7)
    times_ms = sorted(chance.randrange(days * DAY_MS) for _ in range(count))
    return [
        Shown(
            f"k.r{chance.randrange(30)}", f"k.s.d{chance.randrange(2000)}", "low", at, at + chance.randrange(10**7)
        )
        for at in times_ms
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alarms", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    alarms = drawn(options.alarms, options.days)
    took_s = []
    for _ in range(options.rounds):
        begin_s = time.process_time()
        figures(alarms, 0, options.days * DAY_MS)
        took_s.append(time.process_time() - begin_s)
    print(f"{'alarms':>12} {'best, s CPU':>12} {'median, s CPU':>14}")
    print(f"{options.alarms:>12,} {min(took_s):>12.2f} {statistics.median(took_s):>14.2f}")


if __name__ == "__main__":
    main()
