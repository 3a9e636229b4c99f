"""Whatever a table says, the check never fails; what it lets pass can be said, listed, raised and cleared."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from hypothesis import event, given, settings
from hypothesis import strategies as st
from lab_scene import BOX, GATEWAY, LOST, WARM, found, scene

from scenewatch.alarms.engine import Engine
from scenewatch.alarms.overrides import mistakes as override_mistakes
from scenewatch.alarms.overrides import names, overridden
from scenewatch.api.present import scene_table
from scenewatch.api.tableshapes import SceneTable
from scenewatch.cli.settings import sample
from scenewatch.model.alarm import Step
from scenewatch.model.batch import Batch
from scenewatch.model.flags import Flag
from scenewatch.model.flags import Test as QualityTest
from scenewatch.model.place import Device
from scenewatch.model.registry import Registry
from scenewatch.model.rule import (
    Above,
    AtLeast,
    Below,
    CausedBy,
    During,
    Flagged,
    Happened,
    NoData,
    Outside,
    Priority,
    PriorityStep,
    Reach,
    Term,
    Then,
    While,
)
from scenewatch.model.ruleversion import version_of
from scenewatch.model.speech import rule_text
from scenewatch.model.words import Duration

LIMIT = st.sampled_from([-41.0, -40.0, 0.0, 0.5, 1.5, 2.5, 8.0, 12.0, 60.0, 240.0])
BAND = st.sampled_from([-1.0, 0.0, 0.5, 100.0])
SPAN = st.sampled_from([-1, 0, 10_000, 60_000, 7_200_000]).map(Duration)
NUMERIC = st.one_of(
    st.builds(Above, LIMIT, BAND), st.builds(Below, LIMIT, BAND), st.builds(Outside, LIMIT, LIMIT, BAND)
)
COMPARISON = st.one_of(NUMERIC, st.builds(Flagged, st.sampled_from(QualityTest)))
TERM = st.builds(Term, st.sampled_from(["air", "phase", "duty", "soon", "wind"]), COMPARISON)
WHEN = st.one_of(
    COMPARISON,
    st.builds(AtLeast, st.integers(0, 3), st.lists(TERM, max_size=3).map(tuple)),
    st.builds(Then, first=TERM, second=TERM, within=SPAN),
    st.builds(NoData, SPAN),
    st.builds(Happened, event=st.sampled_from(["knock", "ring"]), quiet=SPAN),
)
CAUSE = st.builds(CausedBy, rule=st.sampled_from(["warm", "lost", "flood"]), at=st.sampled_from(Reach), after=SPAN)
HELD = st.one_of(st.builds(While, term=TERM, after=SPAN), st.builds(During, occasion=st.just("lunch")), CAUSE)
STEP = st.builds(PriorityStep, to=st.sampled_from(Priority), beyond=st.none() | NUMERIC, lasting=SPAN)
ON = ("box.air",), ("box.phase",), ("box.soon",), ("box.duty",), ("box",), ("gateway",), ("x.y",), ()
FIELDS = {
    "on": st.sampled_from(ON),
    "when": WHEN,
    "suppressed_by": st.lists(HELD, max_size=2).map(tuple),
    "follows": st.lists(CAUSE, max_size=1).map(tuple),
    "on_delay": SPAN,
    "off_delay": SPAN,
    "priority_steps": st.lists(STEP, max_size=2).map(tuple),
    "latching": st.booleans(),
    "again_after": st.none() | SPAN,
}


def sound_or_told(rule):
    """Whether nothing is wrong with it; each of its mistakes says where and what."""
    told = found(rule, LOST)
    assert all(place.startswith(("rule ", "device type ")) for place in told)
    return not told


@settings(deadline=None, max_examples=250)
@given(st.sets(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=3), st.data())
def test_any_rule_is_told_or_can_be_used(fields, data):
    rule = replace(WARM, **{name: data.draw(FIELDS[name], name) for name in sorted(fields)})
    sound = sound_or_told(rule)
    event("sound" if sound else "wrong")
    assert len(version_of(scene(rule), rule)) == 8
    if sound:
        used(rule)


def used(rule):
    """By all who take rules from a table."""
    whole = scene(rule, LOST)
    said = rule_text(whole, rule)
    assert said.en.strip()
    assert said.zh.strip()
    SceneTable.model_validate(scene_table(whole, whole), extra="forbid", strict=True)
    assert overridden(rule, {}) == rule
    assert override_mistakes([whole], {"lab.warm": {}}) == []
    assert all(f"#{name} = " in sample([whole]) for name in names(rule))
    registry = Registry([whole])
    registry.apply([Device(scene="lab", site="s", device=t.key, type=t.key) for t in (BOX, GATEWAY)], at_ms=0)
    Engine([whole], {}).grow(registry)


OF_AIR = st.sampled_from([Above(0.0), Above(8.0), Above(12.0), Below(0.0), Below(8.0), Outside(0.0, 8.0)])
OF_PHASE = st.sampled_from([Above(1.5), Above(2.5), Below(1.5), Below(2.5)])
SOUND_TERM = st.one_of(st.builds(Term, st.just("air"), OF_AIR), st.builds(Term, st.just("phase"), OF_PHASE))
ALL_THERE_IS = list(product([-40.0, -20.0, 4.0, 10.0, 36.0, 60.0], [1.0, 2.0, 3.0]))
"""Every reading of both channels that these limits tell apart."""


@settings(deadline=None, max_examples=150)
@given(st.lists(SOUND_TERM, min_size=1, max_size=3), st.integers(1, 3), st.lists(SOUND_TERM, max_size=2))
def test_what_the_check_says_can_never_come_or_go_the_engine_never_raises_or_clears(terms, count, held):
    when = AtLeast(min(count, len(terms)), tuple(terms))
    rule = replace(WARM, when=when, suppressed_by=tuple(While(term=term) for term in held))
    told = " ".join(found(rule, LOST))
    steps = {t.step for t in judged(rule, 3 * ALL_THERE_IS) if t.rule == "lab.warm"}
    event(f"{sorted(steps)}")
    assert (Step.RAISED in steps) == ("would never come" not in told)
    if Step.RAISED in steps:
        assert (Step.CLEARED in steps) == ("would never return" not in told)


def judged(rule, instants):
    """What the engine makes of readings of air and phase, one instant after the other."""
    whole = scene(rule, LOST)
    registry = Registry([whole])
    registry.apply([Device(scene="lab", site="s", device="b", type="box")], at_ms=0)
    engine = Engine([whole], {})
    engine.grow(registry)
    n = len(instants)
    series, t_ms = np.tile(np.array([0, 1], np.int32), n), np.repeat(np.arange(1, n + 1) * BOX.every, 2)
    batch = Batch.of(series, t_ms, np.array(instants).ravel())
    batch.flag[:] = Flag.GOOD
    batch.message = np.repeat(np.arange(n, dtype=np.int32), 2)
    return engine.step(batch)
