"""What looking for unknown devices costs beside many dead letters: of a few devices, and of topics all invented."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from scenewatch.model.clock import SystemClock
from scenewatch.model.ledger import UNKNOWN_DEVICE, DeadLetter
from scenewatch.scenes import SCENES
from scenewatch.store.deadletters import DeadLetters
from scenewatch.store.relational import Database
from scenewatch.worker.adoption import Adoption

PAYLOAD = b'{"t": 1800000000000, "b": "x", "n": 1, "v": {"air_temp": 4.5, "door": 0, "compressor_power": 120}}'
AT_ONCE = 10_000


def fill(database: Database, letters: int, devices: int) -> None:
    kept = DeadLetters(database)
    scene = SCENES[0].key
    for first in range(0, letters, AT_ONCE):
        kept.add([letter(scene, n, n % devices) for n in range(first, min(first + AT_ONCE, letters))])


def letter(scene: str, position: int, device: int) -> DeadLetter:
    name = f"{scene}.s{device // 10}.d{device}"
    topic = f"sw/{name.replace('.', '/')}/telemetry".encode()
    return DeadLetter(position, position, topic, PAYLOAD, f"{UNKNOWN_DEVICE}{name}: import it into the inventory")


def milliseconds(letters: int, devices: int, rounds: int) -> list[float]:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'rows.sqlite'}")
        fill(database, letters, devices)
        times = []
        for _ in range(rounds):
            ours = Adoption(database, SCENES, "sw", SystemClock())
            began = time.process_time()
            ours.unknown()
            times.append((time.process_time() - began) * 1e3)
        database.close()
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"{'dead letters':>14}{'devices':>10}{'best':>9}{'median':>9}  ms CPU")
    for letters, devices in ((1_000, 10), (100_000, 100), (100_000, 100_000)):
        times = milliseconds(letters, devices, options.rounds)
        print(f"{letters:>14,}{devices:>10,}{min(times):>9.1f}{statistics.median(times):>9.1f}")


if __name__ == "__main__":
    main()
