"""Let everything around the worker go wrong in random order while devices publish; count what is lost or double.

python tests/bench/bench_chaos.py --rounds 200 --broker nats --store influx
python tests/bench/bench_chaos.py --rounds 50 --telegraf
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

sys.path += [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "integration")]

from chaos_disk import NOT_HERE
from chaos_rounds import Rounds, Verdict
from chaos_scene import BROKERS, STORES, Setup

from influx_server import program

ROUNDS_A_SCENE = 25
"""Then all begins anew in an empty folder."""


class Tally:
    """What each kind of mishap has led to; a round counts for each kind it had."""

    OURS = ("lost", "twice", "strange", "letters lost", "unbalanced", "alarms")
    TELEGRAFS = ("T behind", "T twice", "T strange", "T dropped")

    def __init__(self, setup: Setup) -> None:
        self.columns = ("rounds", *self.OURS, *(self.TELEGRAFS if setup.with_telegraf else ()))
        self.all: Counter[str] = Counter()
        self.bad = self.messages = self.telegraf_lost = 0
        self._rows: dict[str, Counter[str]] = {}

    def add(self, verdict: Verdict) -> None:
        d = verdict.differences
        found = Counter(
            {
                "rounds": 1,
                "lost": d.lost,
                "twice": d.twice,
                "strange": d.strange + d.letters_strange,
                "letters lost": d.letters_lost,
                "unbalanced": not verdict.balanced or verdict.missing > 0,
                "alarms": bool(verdict.alarms_differ),
            }
        )
        if verdict.telegraf:
            found |= {f"T {name}": count for name, count in asdict(verdict.telegraf).items()}
        self.bad += not verdict.good
        self.all.update(found)
        for name in verdict.mishaps:
            self._rows.setdefault(name, Counter()).update(found)

    def print(self) -> None:
        print(f"\n{'':26s}" + "".join(f"{name:>13s}" for name in self.columns))
        for name, row in [*sorted(self._rows.items()), ("all", self.all)]:
            print(f"{name:26s}" + "".join(f"{row[column]:13d}" for column in self.columns))


def main() -> int:
    options = _options()
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    setup = Setup(options.broker, options.store, options.telegraf)
    print(f"seed {seed}, {setup}")
    chance, tally = random.Random(seed), Tally(setup)
    for first in range(0, options.rounds, ROUNDS_A_SCENE):
        count = min(ROUNDS_A_SCENE, options.rounds - first)
        folder = Path(tempfile.mkdtemp(prefix="chaos-"))
        spans = {"longest_s": options.longest, "a_second": options.rate}
        rounds = Rounds(folder, setup, chance.getrandbits(32), count, **spans)
        _run(rounds, range(first, first + count), tally)
        if tally.bad:
            print(f"kept: {folder}")
            break
        shutil.rmtree(folder)
    tally.print()
    print(
        f"\n{tally.all['rounds']} rounds, {tally.messages} messages, {tally.bad} rounds bad, seed {seed}, {setup}"
    )
    if setup.with_telegraf:
        print(f"T: Telegraf. Behind: not stored when a round was over; {tally.telegraf_lost} of these not either")
        print("when it was started anew. Dropped: not JSON, or an array of samples; logged, but not kept.")
    return 1 if tally.bad else 0


def _run(rounds: Rounds, numbers: range, tally: Tally) -> None:
    """Of one scene, which is ended; up to the first bad round."""
    if not rounds.scene.disk.mounted:
        print(NOT_HERE)
    try:
        for number in numbers:
            began = time.monotonic()
            verdict = rounds.round()
            tally.add(verdict)
            _say(number, verdict, time.monotonic() - began)
            if not verdict.good:
                rounds.scene.keep()
                break
        tally.messages += verdict.sent
        tally.telegraf_lost += rounds.telegraf_lost()
    finally:
        rounds.end()


def _say(number: int, v: Verdict, took_s: float) -> None:
    wrong = [f"{count} {name}" for name, count in asdict(v.differences).items() if count]
    if not v.balanced:
        wrong.append(f"not balanced: {v.ledger}")
    if v.missing:
        wrong.append(f"{v.missing} numbers missing")
    if v.alarms_differ:
        wrong.append(v.alarms_differ)
    told = f"BAD: {'; '.join(wrong)}" if wrong else "good"
    telegraf = f"  T {v.telegraf.behind} behind, {v.telegraf.dropped} dropped" if v.telegraf else ""
    fell = f"  ended by itself: {dict(Counter(v.fell))}" if v.fell else ""
    print(
        f"round {number + 1:3d}  {took_s:5.1f} s, calm after {v.calm_after_s:4.1f} s  sent {v.sent:6d}  "
        f"double {v.ledger['duplicate']:5d}  {told}{telegraf}  {', '.join(v.mishaps)}{fell}",
        flush=True,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="how many (10)")
    parser.add_argument("--seed", type=int, default=None, help="draw the same mishaps again (random)")
    parser.add_argument("--broker", choices=BROKERS, default="nats", help="(nats)")
    parser.add_argument("--store", choices=STORES, help="(influx, where it is there or Go can build it)")
    parser.add_argument(
        "--longest", type=float, default=3.0, metavar="S", help="how long a mishap may last, in seconds (3)"
    )
    parser.add_argument("--rate", type=int, default=400, metavar="N", help="messages a second (400)")
    parser.add_argument("--telegraf", action="store_true", help="Telegraf beside it; needs --store influx and Go")
    options = parser.parse_args()
    if options.store != "duck" and program() is None:
        if options.store == "influx":
            parser.error("there is no InfluxDB 1.8, and without Go it cannot be built; use --store duck")
        print("no InfluxDB: it is built where Go is installed")
    options.store = options.store or ("duck" if program() is None else "influx")
    if options.telegraf and options.store != "influx":
        parser.error("--telegraf needs --store influx")
    return options


if __name__ == "__main__":
    sys.exit(main())
