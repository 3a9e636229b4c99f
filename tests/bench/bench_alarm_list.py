"""How long a page of the alarm list takes while the record holds very many alarms.

    python tests/bench/bench_alarm_list.py --alarms 100000

The alarms are of 700 devices and three rules over a year, on SQLite; a hundred stand. Each question is what the
console's page asks for one look, timed at the table, in milliseconds.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.model.alarm import STANDING, AlarmState, Step
from scenewatch.model.rule import Priority
from scenewatch.store.alarmfilter import Mark, WhichAlarms, Words
from scenewatch.store.alarms import Alarms, Move
from scenewatch.store.relational import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

YEAR_MS = 365 * 24 * 3_600_000
PAST = tuple(state for state in AlarmState if state not in STANDING)
A_PAGE = 51
STANDING_NOW = 100
SEEN = 0.7
"""How many of the others were acknowledged."""


def moves(count: int) -> Iterator[Move]:
    chance = random.Random(1)
    for n in range(count):
        at_ms = chance.randrange(YEAR_MS)
        raised = Move(
            rule=f"kitchen.{chance.choice(('fridge_warm', 'door_ajar', 'sensor_silent'))}",
            device=f"kitchen.s{chance.randrange(60):03d}.fridge-{chance.randrange(12)}",
            raised_at_ms=at_ms,
            step=Step.RAISED,
            at_ms=at_ms,
            value=9.0,
            flag=1,
            priority=chance.choice(tuple(Priority)),
        )
        yield raised
        if n >= STANDING_NOW:
            yield replace(raised, step=Step.CLEARED, at_ms=at_ms + 60_000)
            if chance.random() < SEEN:
                yield replace(raised, step=Step.ACKNOWLEDGED, at_ms=at_ms + 90_000, by="li")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alarms", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    questions = {
        "standing": WhichAlarms(states=STANDING),
        "past": WhichAlarms(states=PAST),
        "past, a deep page": WhichAlarms(states=PAST, before=Mark(YEAR_MS // 10, "", "")),
        "one site": WhichAlarms(states=PAST, site="kitchen.s007"),
        "one rule, high": WhichAlarms(states=PAST, rule="kitchen.door_ajar", priority=Priority.HIGH),
        "words, many": WhichAlarms(states=PAST, words=Words(text="fridge-11")),
        "words, none": WhichAlarms(states=PAST, words=Words(text="nothing of it")),
    }
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'rows.sqlite'}")
        alarms = Alarms(database)
        alarms.record(list(moves(asked.alarms)))
        print(f"{asked.alarms} alarms: milliseconds a page of {A_PAGE}, best and median of {asked.rounds}")
        calls = {name: (lambda which=which: alarms.search(which, A_PAGE)) for name, which in questions.items()}
        calls["how often by rule, 7 days"] = lambda: alarms.raised_since(YEAR_MS - 7 * 24 * 3_600_000)
        for name, call in calls.items():
            took = []
            for _ in range(asked.rounds):
                begin = time.process_time()
                call()
                took.append(1000 * (time.process_time() - begin))
            print(f"{name:28} {min(took):8.1f} {statistics.median(took):8.1f}")
        database.close()


if __name__ == "__main__":
    main()
