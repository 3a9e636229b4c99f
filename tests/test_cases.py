"""Case folders: what devices sent, and what must have come of it, through the whole pipeline.

`messages.jsonl` has one line a step: a message (`topic`, `received_ms`, and its payload as `payload` (JSON),
`text`, `base64`, or `padded` to so many bytes), or `tick_ms`, or `listening_ms`. `expected.json` has the readings
as [series, t, value, flag, test, place], the transitions as [rule, device, step, at, raised at], the counts of
messages, the events as [device, kind, level, at, text] (left out where there is none), the reasons of what was
kept apart, how many numbers are missing and how many were used twice, and who is online. Times are
milliseconds after `START_MS` where they are near it; the inventory is a gateway and two vats behind it.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from records import START_MS, control, messages
from scenewatch.model.flags import Flag, Place
from scenewatch.model.flags import Test as QualityTest
from scenewatch.model.ledger import Fate
from scenewatch.model.ports import RecordKind
from scenewatch.pipeline import Pipeline, encode_inventory

FOLDER = Path(__file__).parent / "cases"
CASES = sorted(path.parent.name for path in FOLDER.glob("*/messages.jsonl"))
YEAR_MS = 366 * 86_400_000


def payload_of(step):
    if "text" in step:
        return step["text"].encode()
    if "base64" in step:
        return base64.b64decode(step["base64"])
    return json.dumps(step["payload"]).encode().ljust(step.get("padded", 0))


def play(scene, devices, steps):
    pipeline = Pipeline([scene], "sw")
    outcomes = [pipeline.run(control(0, START_MS, RecordKind.INVENTORY, encode_inventory(devices)))]
    transitions = []
    for step in steps:
        at = pipeline.position
        if "tick_ms" in step:
            transitions += pipeline.tick(START_MS + step["tick_ms"])
            continue
        if "listening_ms" in step:
            outcome = pipeline.run(control(at, START_MS + step["listening_ms"], RecordKind.LISTENING))
        else:
            pair = step["topic"].encode(), payload_of(step)
            outcome = pipeline.run(messages(at, START_MS + step["received_ms"], [pair]))
        outcomes.append(outcome)
        transitions += outcome.transitions
    return pipeline, outcomes, transitions


def relative(t_ms):
    return t_ms - START_MS if abs(t_ms - START_MS) < YEAR_MS else t_ms


def readings(registry, batch):
    columns = (batch.series, batch.t_ms, batch.value, batch.flag, batch.test, batch.place)
    for series, t_ms, value, flag, test, place in zip(*(column.tolist() for column in columns), strict=True):
        words = (Flag(flag).name, QualityTest(test).name, Place(place).name)
        name = registry.series_name(series).removeprefix("brine.w1.")
        yield [name, relative(t_ms), value, *(word.lower() for word in words)]


def ours(reason):
    """Without the words of the JSON library."""
    return reason.partition(":")[0] if reason.startswith(("not JSON", "not a status")) else reason


def result(pipeline, outcomes, transitions):
    registry = pipeline.registry
    counts = pipeline.counts
    return {
        "readings": [row for outcome in outcomes for row in readings(registry, outcome.batch)],
        "transitions": [
            [t.rule, registry.devices[t.device].device, str(t.step), relative(t.at_ms), relative(t.raised_at_ms)]
            for t in transitions
        ],
        "counts": {"stored": counts.stored, "duplicate": counts.duplicate, "dead": counts.dead},
        "reasons": [ours(letter.reason) for outcome in outcomes for letter in outcome.batch.dead],
        "missing": {
            d.device: lost for n, d in enumerate(registry.devices) if (lost := pipeline.identity.missing(n))
        },
        "reused": {d.device: again for d, again in zip(registry.devices, reused(pipeline), strict=True) if again},
        "events": [
            [registry.devices[e.device].device, e.kind, str(e.level), relative(e.at_ms), e.text]
            for outcome in outcomes
            for e in outcome.events
        ],
        "online": {registry.devices[n].device: said for n, said in pipeline.online.items()},
    }


def reused(pipeline):
    return pipeline.tally.devices(len(pipeline.registry))[:, Fate.REUSED].tolist()


@pytest.mark.parametrize("case", CASES)
def test_case(case, vat_scene, vats):
    lines = (FOLDER / case / "messages.jsonl").read_text("utf-8").splitlines()
    expected = {"events": []} | json.loads((FOLDER / case / "expected.json").read_text("utf-8"))
    assert result(*play(vat_scene, vats, map(json.loads, lines))) == expected
