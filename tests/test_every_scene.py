"""Every scene proves itself: calm without faults yet not tame, each rule by its fault, each fault by what it moves.

Nothing here knows a scene: all is read from the tables. Times and devices are drawn by the seed of `seeds`, which a
failure names.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

from scene_months import Month
from scene_runs import DAY_MS, clean_run
from scenewatch.devices.faults import FaultPlan, PlannedFault, lay
from scenewatch.devices.fleet import NO_FAULTS, Fleet
from scenewatch.model.conditions import told_every, watched_types
from scenewatch.model.speech import PARTED, rule_text
from scenewatch.scenes import SCENES, demonstration
from scenewatch.scenes.check import mistakes
from seeds import SAID, SEED

NEW_YEAR_MS = 1_767_225_600_000
HOUR_MS = 3_600_000
BEFORE_MS = 2 * HOUR_MS
HOURS_TRIED, APART_MS = 3, 5 * HOUR_MS

CLEAN_SITES, CLEAN_DAYS = 4, 30
MOST_SUSPECT = 1e-3
FEWEST_PLAIN_RAISES = 0.5

EACH_SCENE = pytest.mark.parametrize("scene", SCENES, ids=lambda s: s.key)
EACH_RULE = pytest.mark.parametrize(
    ("scene", "rule", "type_key"),
    [
        pytest.param(s, r, t.key, id=f"{s.key}-{r.key}-{t.key}")
        for s in SCENES
        for r in s.rules
        for t in watched_types(s, r)
    ],
)
EACH_FAULT = pytest.mark.parametrize(
    ("scene", "fault", "type_key"),
    [pytest.param(s, f, t, id=f"{s.key}-{f.key}-{t}") for s in SCENES for f in s.faults if f.shows for t in f.on],
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


@pytest.fixture(scope="module")
def months():
    """Of each scene a month in which all its faults happen, made when it is first asked for."""
    made = {}

    def month_of(scene):
        if scene.key not in made:
            made[scene.key] = Month(scene, SEED)
        return made[scene.key]

    return month_of


@EACH_SCENE
def test_a_rule_has_the_same_clauses_in_both_languages(scene):
    for rule in scene.rules:
        said = rule_text(scene, rule)
        clauses = 1 + len(rule.suppressed_by) + len(rule.priority_steps) + len(rule.follows)
        clauses += rule.latching + (rule.again_after is not None)
        counts = len(said.en.split(PARTED.en)), len(said.zh.split(PARTED.zh))
        assert counts == (clauses, clauses), rule.key


@EACH_RULE
def test_a_rule_is_raised_by_its_fault_in_time(scene, rule, type_key, months):
    month = months(scene)
    cases = month.proofs(rule, type_key)
    assert cases
    for case in cases:
        raised_ms = [
            a.raised_ms
            for a in month.alarms
            if (a.rule, a.device.type) == (rule.key, type_key) and a.belongs_to(case)
        ]
        assert raised_ms, f"{SAID}: not by {case.planned}"
        assert min(raised_ms) <= case.planned.from_ms + case.fault.deadline, f"{SAID}: {case.planned}"


@EACH_SCENE
def test_every_alarm_is_of_a_fault_and_returns_behind_it(scene, months):
    month = months(scene)
    for alarm in month.alarms:
        causes = [case for case in month.cases if alarm.belongs_to(case)]
        assert causes, f"{SAID}: {alarm} has no cause"
        assert alarm.cleared_ms is not None, f"{SAID}: {alarm}"
        rule = scene.rule(alarm.rule)
        told_ms, _ = told_every(scene, scene.device_type(alarm.device.type), rule)  # derived ones are told seldom
        over_ms = max(case.over_ms for case in causes) + rule.off_delay + told_ms
        assert alarm.cleared_ms <= over_ms, f"{SAID}: {alarm} of {causes}"


@pytest.fixture(scope="module")
def twins():
    """Of each scene two sites without faults, some days long, in a time when everything is used."""
    return {scene.key: Twin(scene) for scene in SCENES}


@EACH_FAULT
def test_a_fault_shows_where_it_must_and_befalls_nobody_else(scene, fault, type_key, twins):
    twin = twins[scene.key]
    unseen = {}
    for case in hours_of(twin, fault, type_key):
        told, expected = case.told(), twin.told(until_ms=case.end_ms)
        changed = {key for key, was in expected.items() if not np.array_equal(told[key], was)}
        assert {device for device, _ in changed} <= case.reached, SAID
        for key in changed:
            before = [rows[:, rows[0] < case.from_ms] for rows in (told[key], expected[key])]
            assert before[0].size > 0
            np.testing.assert_array_equal(*before, SAID)
        must = {
            (d.id, channel)
            for on, channel in (shows.split(".") for shows in fault.shows)
            for d in twin.devices
            if d.type == on and d.id in case.reached
        }
        assert must, SAID
        if must <= changed:
            return
        unseen[case.from_ms] = must - changed
    raise AssertionError(f"{SAID}: in no hour all of it: {unseen}")


class Twin:
    """What two sites tell: by device and channel, of each value when it was taken, stamped and sent, and itself."""

    def __init__(self, scene):
        chance = random.Random(f"{SEED}/twins")
        self.scene = scene
        self.seed = chance.randrange(2**32)
        first_ms, last_ms = scene.busy_ms or (NEW_YEAR_MS, NEW_YEAR_MS + 365 * DAY_MS)
        self.longest_ms = BEFORE_MS + HOURS_TRIED * APART_MS + max(f.minimum for f in scene.faults)
        self.start_ms = chance.randrange(first_ms, last_ms - self.longest_ms, HOUR_MS)
        self.devices = demonstration(scene).devices(2)
        self._told = self.run(NO_FAULTS, self.start_ms + self.longest_ms)

    def told(self, until_ms):
        return {key: told[:, told[0] < until_ms] for key, told in self._told.items()}

    def run(self, plan, to_ms):
        fleet = Fleet(self.scene, self.devices, seed=self.seed, start_ms=self.start_ms, plan=plan)
        blocks = list(fleet.advance(to_ms))
        taken, stamped, sent, silent = (
            np.concatenate([getattr(b, name) for b in blocks])
            for name in ("t_ms", "stamped_ms", "sent_ms", "silent")
        )
        values = np.concatenate([b.values for b in blocks])
        told = {}
        for n, device in enumerate(self.devices):
            spoke = ~silent[:, n]
            for c, channel in enumerate(fleet.channels[n]):
                rows = np.stack([taken[:, n], stamped[:, n], sent[:, n], values[:, fleet.first_column[n] + c]])
                told[device.id, channel] = rows[:, spoke]
        return told


def hours_of(twin, fault, type_key):
    """By chance, far apart: in one hour what a fault does may be so without it, as a lamp burns in the evening."""
    chance = random.Random(f"{SEED}/{fault.key}/{type_key}/seen")
    for later_ms in range(0, HOURS_TRIED * APART_MS, APART_MS):
        from_ms = twin.start_ms + BEFORE_MS + later_ms + chance.randrange(HOUR_MS)
        yield Befallen(twin, fault, chance.choice([d.id for d in twin.devices if d.type == type_key]), from_ms)


class Befallen:
    """One fault of its minimum length, of a device of the twin."""

    def __init__(self, twin, fault, device, from_ms):
        self._twin = twin
        self.from_ms = from_ms
        to_ms = from_ms + fault.minimum
        self.end_ms = to_ms + HOUR_MS // 2
        self._plan = FaultPlan((PlannedFault(fault.key, device, from_ms, to_ms),))
        (laid,) = lay(twin.scene, twin.devices, self._plan)
        self.reached = {twin.devices[n].id for n in laid.devices}

    def told(self):
        told = self._twin.run(self._plan, self.end_ms)
        return {key: rows[:, rows[0] < self.end_ms] for key, rows in told.items()}


def some_hour(chance):
    return NEW_YEAR_MS + chance.randrange(365 * DAY_MS // HOUR_MS) * HOUR_MS
