"""How long it takes to explain one alarm while the record holds very many.

    python tests/bench/bench_explanations.py --alarms 100000

The alarms are those of `bench_alarm_list`, on SQLite; with `--one-site` all of them are of one site and one rule,
which is as bad as it gets. The readings come from memory: what is timed is the record of alarms and the putting
together, in milliseconds of processor time.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from bench_alarm_list import moves

from scenewatch.model.alarm import Step
from scenewatch.model.ports import Readings
from scenewatch.model.registry import Registry
from scenewatch.scenes import SCENES
from scenewatch.store.alarms import Alarms, Move
from scenewatch.store.relatedalarms import RelatedAlarms
from scenewatch.store.relational import Database
from scenewatch.store.ruleversions import RuleVersions
from scenewatch.worker.explaining import Explaining, Kept

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR_OF_READINGS = 360


def readings(_series: str, _from_ms: int, to_ms: int, _limit: int) -> Readings:
    at_ms = to_ms - 10_000 * np.arange(HOUR_OF_READINGS, 0, -1, dtype=np.int64)
    flags = np.ones(HOUR_OF_READINGS, np.uint8)
    return Readings(at_ms, np.full(HOUR_OF_READINGS, 9.0), flags, np.zeros(HOUR_OF_READINGS, np.uint8), False)


def told(count: int, *, one_site: bool) -> Iterator[Move]:
    """Some follow from others, so that there is something to look for."""
    for n, move in enumerate(moves(count)):
        known = replace(move, device_type="fridge", cause="kitchen.sensor_silent kitchen.s001.fridge-1")
        alike = replace(known, rule="kitchen.fridge_warm", device=f"kitchen.s001.{move.device.rpartition('.')[2]}")
        yield alike if one_site else known if n % 10 == 0 else replace(known, cause="")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alarms", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--one-site", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'rows.sqlite'}")
        record = list(told(asked.alarms, one_site=asked.one_site))
        begin = time.process_time()
        Alarms(database).record(record)
        print(f"{len(record)} steps of {asked.alarms} alarms put on record in {time.process_time() - begin:.1f} s")
        explaining = Explaining(
            Kept(
                related=RelatedAlarms(database),
                versions=RuleVersions(database),
                registry=Registry(SCENES),
                written=SCENES,
                rules=lambda: {f"{scene.key}.{rule.key}": rule for scene in SCENES for rule in scene.rules},
                readings=readings,
                events=lambda _: (),
                now_ms=lambda: 2**50,
            )
        )
        identities = [move.identity for move in record if move.step is Step.RAISED]
        took = []
        for identity in identities[:: max(1, len(identities) // asked.rounds)]:
            begin = time.process_time()
            explaining.explain(*identity)
            took.append(1000 * (time.process_time() - begin))
        print(
            f"explained: best {min(took):.1f} ms, median {statistics.median(took):.1f} ms, worst {max(took):.1f} ms"
        )
        database.close()


if __name__ == "__main__":
    main()
