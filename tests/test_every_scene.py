"""Every scene proves itself: calm without faults yet not tame, each rule by its fault, each fault by what it moves.

Nothing here knows a scene: all is read from the tables. Seeds, times and devices are drawn anew each run; a failure
names the seed, and SCENE_SEED=<seed> plays it again.
"""

from __future__ import annotations

import os
import random
import secrets

import numpy as np
import pytest

from scene_runs import DAY_MS, Run, clean_run, watched
from scenewatch.devices.faults import FaultPlan, PlannedFault
from scenewatch.devices.fleet import NO_FAULTS
from scenewatch.model.alarm import Step
from scenewatch.model.batch import Batch
from scenewatch.model.scene import Silence
from scenewatch.scenes import SCENES
from scenewatch.scenes.check import mistakes

SEED = int(os.environ.get("SCENE_SEED") or secrets.randbits(32))
SAID = f"SCENE_SEED={SEED}"
NEW_YEAR_MS = 1_767_225_600_000
HOUR_MS = 3_600_000
BEFORE_MS = 2 * HOUR_MS

CLEAN_SITES, CLEAN_DAYS = 10, 14
MOST_SUSPECT = 1e-3
FEWEST_PLAIN_RAISES = 0.5

EACH_SCENE = pytest.mark.parametrize("scene", SCENES, ids=lambda s: s.key)
EACH_RULE = pytest.mark.parametrize(
    ("scene", "rule", "type_key"),
    [
        pytest.param(s, r, t, id=f"{s.key}-{r.key}-{t}")
        for s in SCENES
        for r in s.rules
        for t in s.fault(r.proof).on
        if watched(s, r, t)
    ],
)
EACH_FAULT = pytest.mark.parametrize(
    ("scene", "fault", "type_key"),
    [pytest.param(s, f, t, id=f"{s.key}-{f.key}-{t}") for s in SCENES for f in s.faults for t in f.on],
)


@EACH_SCENE
def test_tables_have_no_mistakes(scene):
    assert mistakes(scene) == []


@pytest.fixture(scope="module", params=SCENES, ids=lambda s: s.key)
def clean(request):
    from_ms = some_hour(random.Random(SEED))
    return clean_run(request.param, sites=CLEAN_SITES, seed=SEED, from_ms=from_ms, days=CLEAN_DAYS)


def test_without_faults_there_is_no_alarm(clean):
    assert clean.alarms == [], SAID


def test_without_faults_no_reading_fails_and_hardly_any_is_suspect(clean):
    assert clean.failed == 0, SAID
    assert clean.suspect_share < MOST_SUSPECT, SAID


def test_plain_limits_without_delay_would_raise_even_without_faults(clean):
    assert clean.plain_raises >= FEWEST_PLAIN_RAISES, SAID


@EACH_RULE
def test_a_rule_is_raised_by_its_fault_and_returns_behind_it(scene, rule, type_key):
    case = Case(scene, scene.fault(rule.proof), type_key)
    run = case.run()
    transitions = [t for _, moved in run for t in moved]
    assert {run.devices[t.device].id for t in transitions} == {case.device}, SAID
    assert {t.rule for t in transitions} <= {f"{scene.key}.{r}" for r in case.fault.rules}, SAID
    mine = [t for t in transitions if t.rule == f"{scene.key}.{rule.key}"]
    assert mine, f"{SAID}: {rule.key} is not raised"
    first, last = mine[0], mine[-1]
    assert case.from_ms <= first.at_ms <= case.from_ms + case.fault.deadline, SAID
    assert last.step is Step.CLEARED, SAID
    assert case.to_ms <= last.at_ms <= case.to_ms + case.fault.tail, SAID


@EACH_FAULT
def test_a_fault_shows_in_the_channels_its_rules_watch_and_nowhere_else(scene, fault, type_key):
    case = Case(scene, fault, type_key)
    run, twin = case.run(), case.run(NO_FAULTS)
    published, expected = by_series(run), by_series(twin)
    changed = [s for s in expected if not np.array_equal(published[s], expected[s])]
    assert {run.devices[run.registry.series_device[s]].id for s in changed} == {case.device}, SAID
    keys = {run.registry.channel_of(s).key for s in changed}
    assert {c.key for r in fault.rules if (c := watched(scene, scene.rule(r), type_key))} <= keys, SAID
    for series in changed:
        was, is_now = expected[series], published[series]
        np.testing.assert_array_equal(is_now[:, is_now[0] < case.from_ms], was[:, was[0] < case.from_ms], SAID)
        if isinstance(fault.effect, Silence):
            silent = (case.from_ms <= was[0]) & (was[0] < case.to_ms)
            np.testing.assert_array_equal(is_now, was[:, ~silent], SAID)


class Case:
    """One fault of one device of a type, somewhere in two sites and somewhen in a year."""

    def __init__(self, scene, fault, type_key):
        chance = random.Random(f"{SEED}/{fault.key}/{type_key}")
        self._scene = scene
        self._seed = chance.randrange(2**32)
        self._start_ms = some_hour(chance)
        self.fault = fault
        self.from_ms = self._start_ms + BEFORE_MS + chance.randrange(HOUR_MS)
        self.to_ms = self.from_ms + max(fault.minimum, fault.deadline)
        devices = [d.id for d in self.run(NO_FAULTS).devices if d.type == type_key]
        self.device = chance.choice(devices)

    def run(self, plan=None):
        if plan is None:
            plan = FaultPlan((PlannedFault(self.fault.key, self.device, self.from_ms, self.to_ms),))
        to_ms = self.to_ms + self.fault.tail + HOUR_MS
        return Run(self._scene, sites=2, seed=self._seed, from_ms=self._start_ms, to_ms=to_ms, plan=plan)


def some_hour(chance):
    return NEW_YEAR_MS + chance.randrange(365 * DAY_MS // HOUR_MS) * HOUR_MS


def by_series(run):
    """A series each: times and values as published, in two rows."""
    batch = Batch.concat([batch for batch, _ in run])
    columns = np.stack([batch.t_ms, batch.value])
    return {s: columns[:, batch.series == s] for s in range(run.registry.series_count)}
