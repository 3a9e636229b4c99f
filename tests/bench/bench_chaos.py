"""Let everything around the worker go wrong in random order while devices publish; count what is lost or double.

python tests/bench/bench_chaos.py --rounds 200 --broker nats --store influx
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import fields
from pathlib import Path

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "integration")]

from chaos_readback import Differences
from chaos_rounds import Rounds, Verdict
from chaos_scene import BROKERS, STORES, Setup

ROUNDS_A_SCENE = 25
"""Then all begins anew in an empty folder."""


class Tally:
    """What each kind of mishap has led to; a round counts for each kind it had."""

    COLUMNS = ("rounds", "bad", "lost", "twice", "strange", "dead lost", "unbalanced")

    def __init__(self) -> None:
        self._rows: dict[str, Counter[str]] = {}
        self.all: Counter[str] = Counter()

    def add(self, verdict: Verdict) -> None:
        d = verdict.differences
        found = {
            "rounds": 1,
            "bad": not verdict.good,
            "lost": d.lost,
            "twice": d.twice,
            "strange": d.strange + d.letters_strange,
            "dead lost": d.letters_lost,
            "unbalanced": not verdict.balanced,
        }
        self.all.update(found)
        for name in verdict.mishaps:
            self._rows.setdefault(name, Counter()).update(found)

    def print(self) -> None:
        print(f"\n{'':25s}" + "".join(f"{name:>11s}" for name in self.COLUMNS))
        for name, row in [*sorted(self._rows.items()), ("all", self.all)]:
            print(f"{name:25s}" + "".join(f"{row[column]:11d}" for column in self.COLUMNS))


def main() -> int:
    options = _options()
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    setup = Setup(options.broker, options.store)
    print(f"seed {seed}, {setup}")
    chance, tally = random.Random(seed), Tally()
    messages = 0
    for first in range(0, options.rounds, ROUNDS_A_SCENE):
        count = min(ROUNDS_A_SCENE, options.rounds - first)
        with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
            messages += _scene(Path(folder), setup, chance.getrandbits(32), range(first, first + count), tally)
    tally.print()
    print(f"\n{options.rounds} rounds, {messages} messages, {tally.all['bad']} rounds bad, seed {seed}, {setup}")
    return 1 if tally.all["bad"] else 0


def _scene(folder: Path, setup: Setup, seed: int, numbers: range, tally: Tally) -> int:
    """Some rounds in one folder; returns how many messages there were."""
    rounds = Rounds(folder, setup, seed, len(numbers))
    if not rounds.scene.mounted:
        print("no disk is filled here: this user may not mount one")
    verdict = None
    try:
        for number in numbers:
            began = time.monotonic()
            verdict = rounds.round()
            tally.add(verdict)
            _say(number, verdict, time.monotonic() - began)
    finally:
        rounds.end()
    return verdict.sent if verdict else 0


def _say(number: int, v: Verdict, took_s: float) -> None:
    wrong = [
        f"{f.name} {getattr(v.differences, f.name)}" for f in fields(Differences) if getattr(v.differences, f.name)
    ]
    if not v.balanced:
        wrong.append(f"NOT BALANCED {v.ledger}")
    if v.missing:
        wrong.append(f"{v.missing} numbers missing")
    if v.alarms_differ:
        wrong.append(v.alarms_differ)
    told = "; ".join(wrong).upper() or "good"
    fell = f"  ended by itself: {dict(Counter(v.fell))}" if v.fell else ""
    print(
        f"round {number + 1:3d}  {took_s:5.1f} s, calm after {v.calm_after_s:4.1f} s  sent {v.sent:6d}  "
        f"redelivered {v.ledger['duplicate']:5d}  {told}  {', '.join(v.mishaps)}{fell}",
        flush=True,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="how many (10)")
    parser.add_argument("--seed", type=int, default=None, help="draw the same mishaps again (random)")
    parser.add_argument("--broker", choices=BROKERS, default="nats", help="(nats)")
    parser.add_argument("--store", choices=STORES, default="influx", help="(influx; needs Go, once)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
