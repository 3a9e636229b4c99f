"""Kill -9 worker, broker or both at random moments while devices publish; count what is lost or comes twice.

python tests/bench/bench_chaos.py --rounds 100
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

from chaos import Rounds


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="how many kills (10)")
    parser.add_argument("--seed", type=int, default=None, help="draw the same moments again (random)")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    print(f"seed {seed}")
    victims: Counter[str] = Counter()
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        rounds = Rounds(Path(folder), seed)
        try:
            for number in range(options.rounds):
                v = rounds.round()
                victims["+".join(v.victims)] += 1
                good = v.lost == v.twice == 0 and v.balanced and v.standing == rounds.raised
                bad += not good
                print(
                    f"round {number + 1:3d}  killed {'+'.join(v.victims):13s} sent {v.sent:7d}  lost {v.lost}  "
                    f"twice {v.twice}  redelivered {v.ledger['duplicate']:6d}  "
                    f"{'balanced' if v.balanced else 'NOT BALANCED'}  "
                    f"{'alarms stand' if v.standing == rounds.raised else f'ALARMS {v.standing}'}",
                    flush=True,
                )
        finally:
            rounds.end()
    print(f"{options.rounds} rounds ({dict(victims)}), {bad} of them bad, seed {seed}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
