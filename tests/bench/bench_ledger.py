"""What accounts by owner cost a message: one share a message, added up in the chain and again behind the store."""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np

from scenewatch.ledger.tally import Owners, Tally
from scenewatch.model.batch import Batch
from scenewatch.model.decoded import Decoded
from scenewatch.model.messages import Messages


def decoded(devices: int, messages: int) -> Decoded:
    device = np.random.default_rng(1).integers(0, devices, messages).tolist()
    empty = Batch.of(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0))
    return Decoded(Messages.of([], 0), 0, empty, device, [], [])


def microseconds(devices: int, messages: int, rounds: int) -> list[float]:
    owners, tallies = Owners(), (Tally(), Tally())
    one = decoded(devices, messages)
    duplicate = np.zeros(messages, np.bool_)
    times = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(100):
            shares = owners.shares(one, duplicate, ())
            for tally in tallies:
                tally.add(shares)
        times.append((time.process_time() - began) / 100 / messages * 1e6)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    print(f"{'devices':>10}{'messages a batch':>18}{'best':>9}{'median':>9}  µs CPU a message")
    for devices in (1_000, 100_000):
        for messages in (100, 1_000, 20_000):
            times = microseconds(devices, messages, options.rounds)
            print(f"{devices:>10,}{messages:>18,}{min(times):>9.3f}{statistics.median(times):>9.3f}")


if __name__ == "__main__":
    main()
