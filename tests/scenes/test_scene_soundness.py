"""Rules that look right one by one: those that can never come or go, circles of causes, steps that lead nowhere."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab_scene import AIR, BOX, FAULT, LOST, WARM, found, scene

from scenewatch.model.conditions import passes
from scenewatch.model.fault import Tells
from scenewatch.model.flags import Test as QualityTest
from scenewatch.model.reach import flaws as limit_flaws
from scenewatch.model.rule import (
    Above,
    AtLeast,
    Below,
    CausedBy,
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
    all_of,
    any_of,
)
from scenewatch.model.together import least, most
from scenewatch.model.words import Duration, hours, minutes, seconds
from scenewatch.scenes.check import mistakes

BY_LOST = CausedBy(rule="lost", at=Reach.PARENT)
FAR = PriorityStep(to=Priority.MEDIUM, beyond=Above(12.0))
FARTHER = PriorityStep(to=Priority.HIGH, beyond=Above(20))
LATE = PriorityStep(to=Priority.HIGH, lasting=hours(4))


def of_warm(**changes):
    return found(replace(WARM, **changes), LOST)


NEVER = "the alarm would never come"
WRONG = {
    "a state that there is not": (
        {"on": ("box.phase",), "when": Below(0.5)},
        "when.limit: the alarm would never come: nothing is beyond it in what box.phase can measure: 0 to 3",
    ),
    "any state there is": (
        {"on": ("box.phase",), "when": Above(0.5)},
        "when.limit: the alarm would never return: nothing is within it in what box.phase",
    ),
    "a share of more than all": (
        {"on": ("box.duty",), "when": Above(150.0)},
        "when.limit: 150 is outside what box.duty can tell: 0 to 100 %",
    ),
    "later than is looked ahead": (
        {"on": ("box.soon",), "when": Below(300.0)},
        "when.limit: 300 is outside what box.soon can tell: 0 to 240 min",
    ),
    "three where only two can be": (
        {"when": AtLeast(3, (Term("air", Above(8)), Term("air", Below(2)), Term("phase", Above(2.5))))},
        "when.terms: cannot hold together on air, of 3 on box",
    ),
    "two of what excludes each other": (
        {"when": AtLeast(2, (Term("phase", Above(2.5)), Term("phase", Below(1.5)), Term("phase", Below(0.5))))},
        "when.terms: at most 1 can hold at one time, of 2 on box",
    ),
    "one of two that are all there is": (
        {"when": any_of(Term("phase", Above(1.5)), Term("phase", Below(2.5)))},
        "when.terms: 1 of them hold at any time on box",
    ),
    "held back by itself": (
        {"suppressed_by": (While(term=Term("air", Above(6.0))),)},
        f"suppressed_by: holds on box whenever the condition does: {NEVER}",
    ),
    "held back by two together": (
        {
            "when": Outside(0.0, 8.0),
            "suppressed_by": (While(term=Term("air", Above(6.0))), While(term=Term("air", Below(2.0)))),
        },
        "suppressed_by: holds on box whenever the condition does",
    ),
    "held back at any time": (
        {"suppressed_by": (While(term=Term("phase", Above(1.5))), While(term=Term("phase", Below(2.5))))},
        "suppressed_by: always holds on box",
    ),
    "a doubt held back by itself": (
        {
            "when": Flagged(QualityTest.STUCK),
            "suppressed_by": (While(term=Term("air", Flagged(QualityTest.STUCK))),),
        },
        "suppressed_by: holds on box whenever the condition does",
    ),
    "a combination held back by one of its own": (
        {
            "when": all_of(Term("air", Above(8.0)), Term("phase", Above(2.5))),
            "suppressed_by": (While(term=Term("phase", Above(1.5))),),
        },
        "suppressed_by: holds on box whenever the condition does",
    ),
    "a sequence held back where it ends": (
        {
            "when": Then(first=Term("phase", Above(2.5)), second=Term("air", Above(8.0)), within=minutes(5)),
            "suppressed_by": (While(term=Term("air", Above(7.0))),),
        },
        "suppressed_by: holds on box whenever the condition does",
    ),
    "a sequence of one channel in less than a report": (
        {"when": Then(first=Term("air", Above(8)), second=Term("air", Below(2)), within=seconds(10))},
        "when.within: must not be shorter than box reports",
    ),
    "an event with a second delay": (
        {"on": ("box",), "when": Happened(event="knock", quiet=minutes(1)), "off_delay": minutes(1)},
        "off_delay: an event's alarm ends by quiet",
    ),
    "an event that latches": (
        {"on": ("box",), "when": Happened(event="knock", quiet=minutes(1)), "latching": True},
        "latching: an event is over at once",
    ),
    "silence of a type that has channels": (
        {"on": ("box",), "when": NoData(minutes(5))},
        "on: box has channels: name the one that falls silent",
    ),
    "silence behind a gateway shorter than a report": (
        {"on": ("gateway",), "when": NoData(seconds(30))},
        "when.after: must be longer than the 30 s between two readings of box",
    ),
    "silence shorter than what is derived is told": (
        {"on": ("box.duty",), "when": NoData(minutes(30))},
        "when.after: must be longer than the 3600 s between two readings of box.duty",
    ),
    "called again at once": ({"again_after": Duration(0)}, "again_after: must be longer than nothing"),
    "a step of nothing": (
        {"priority_steps": (PriorityStep(to=Priority.HIGH),)},
        "priority_steps[0]: needs a limit or a time",
    ),
    "a step back in time": (
        {"priority_steps": (replace(FAR, lasting=Duration(-1)),)},
        "priority_steps[0].lasting: must not be negative",
    ),
    "a step to where it is": (
        {"priority_steps": (replace(FAR, to=Priority.LOW),)},
        "priority_steps[0].to: is low already",
    ),
    "a step that is nearer": (
        {"priority_steps": (replace(FAR, beyond=Above(7.0)),)},
        "priority_steps[0].beyond.limit: must be further out than the rule's own limit",
    ),
    "a step on the other side": (
        {"priority_steps": (replace(FAR, beyond=Below(2.0)),)},
        "priority_steps[0].beyond.limit: must be further out than the rule's own limit",
    ),
    "a step at the limit itself": (
        {"priority_steps": (replace(FAR, beyond=Above(8.0)),)},
        "priority_steps[0].beyond.limit: is no step",
    ),
    "a step out of reach": (
        {"priority_steps": (replace(FAR, beyond=Above(99.0)),)},
        "priority_steps[0].beyond.limit: 99 is outside what box.air can measure",
    ),
    "steps in the wrong order": (
        {"priority_steps": (FARTHER, FAR)},
        "priority_steps[0]: is never seen: a later step holds whenever it does",
    ),
    "a later step that is there first": (
        {"priority_steps": (LATE, PriorityStep(to=Priority.MEDIUM, lasting=hours(1)))},
        "priority_steps[0]: is never seen",
    ),
    "a limit for a step of what has no reading": (
        {"when": NoData(minutes(10)), "priority_steps": (FAR,)},
        "priority_steps[0].beyond: must be left out: there is no reading to compare",
    ),
    "a step out of reach of a combination's own channel": (
        {
            "when": any_of(Term("air", Above(8.0)), Term("phase", Above(2.5))),
            "priority_steps": (replace(FAR, beyond=Below(-41.0)),),
        },
        "priority_steps[0].beyond.limit: -41 is outside what box.air can measure",
    ),
    "caused by itself": (
        {"follows": (CausedBy(rule="warm", at=Reach.SITE),)},
        "follows[0].rule: names the rule itself",
    ),
    "caused by nobody": (
        {"suppressed_by": (CausedBy(rule="flood", at=Reach.SITE),)},
        "suppressed_by[0].rule: unknown rule flood",
    ),
    "caused where the cause never is": (
        {"suppressed_by": (replace(BY_LOST, at=Reach.DEVICE),)},
        "suppressed_by[0].at: lost is never raised at the same device: it watches gateway",
    ),
    "caused for less than nothing": (
        {"follows": (replace(BY_LOST, after=Duration(-1)),)},
        "follows[0].after: must not be negative",
    ),
    "shown beneath what keeps it from being": (
        {"suppressed_by": (BY_LOST,), "follows": (BY_LOST,)},
        "follows[0]: is in vain: suppressed_by keeps the alarm from being raised while lost stands",
    ),
}
RIGHT = {
    "two steps": {"priority_steps": (FAR, FARTHER, LATE)},
    "a step at the limit after a while": {"priority_steps": (replace(FAR, beyond=Above(8.0), lasting=hours(1)),)},
    "a step of one side": {"when": Outside(0.0, 8.0), "priority_steps": (FAR,)},
    "a step on a combination's own channel": {
        "when": any_of(Term("air", Above(8.0)), Term("phase", Above(2.5))),
        "priority_steps": (FAR,),
    },
    "a step of time on a combination": {
        "when": any_of(Term("air", Above(8.0)), Term("phase", Above(2.5))),
        "priority_steps": (LATE,),
    },
    "held back elsewhere": {"suppressed_by": (While(term=Term("air", Above(20.0))),)},
    "held back by another doubt": {
        "when": Flagged(QualityTest.STUCK),
        "suppressed_by": (While(term=Term("air", Flagged(QualityTest.CLOCK))),),
    },
    "held back by one of several": {
        "when": any_of(Term("air", Above(8.0)), Term("phase", Above(2.5))),
        "suppressed_by": (While(term=Term("phase", Above(1.5))),),
    },
    "a sequence held back where it begins": {
        "when": Then(first=Term("air", Above(8)), second=Term("phase", Above(2.5)), within=minutes(5)),
        "suppressed_by": (While(term=Term("air", Above(7.0))),),
    },
    "a sequence within one reading": {
        "when": Then(first=Term("air", Above(8)), second=Term("phase", Above(2.5)), within=seconds(10))
    },
    "caused and explained": {
        "suppressed_by": (BY_LOST,),
        "follows": (CausedBy(rule="lost", at=Reach.SITE),),
        "latching": True,
        "again_after": hours(8),
    },
    "how soon": {"on": ("box.soon",), "when": Below(60.0)},
}


@pytest.mark.parametrize(("changes", "mistake"), WRONG.values(), ids=WRONG.keys())
def test_what_can_never_be_is_found(changes, mistake):
    told = of_warm(**changes)
    assert any(text.startswith(f"rule warm: {mistake}") for text in told), told
    assert len(told) == len(set(told))


@pytest.mark.parametrize("changes", RIGHT.values(), ids=RIGHT.keys())
def test_what_can_be_is_left_alone(changes):
    assert of_warm(**changes) == []


def test_a_circle_of_causes_is_told_once_and_whole():
    after, before = (CausedBy(rule=key, at=Reach.SITE) for key in ("cold", "lost"))
    cold = replace(WARM, key="cold", when=Below(0.0), follows=(before,))
    lost = replace(LOST, suppressed_by=(CausedBy(rule="warm", at=Reach.SITE),))
    told = found(replace(WARM, suppressed_by=(after,)), cold, lost)
    assert told == ["rule warm: causes: go round in a circle: warm <- cold <- lost <- warm; take one of them out"]
    assert found(replace(WARM, suppressed_by=(after,)), cold, LOST) == []


KEYS = "abcde"


@settings(deadline=None, max_examples=60)
@given(st.sets(st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS)), max_size=8))
def test_every_circle_is_found_and_nothing_else(causes):
    """Where taking away rules without causes leaves none, there is no circle."""
    rules = [
        replace(
            WARM, key=key, follows=tuple(CausedBy(rule=c, at=Reach.SITE) for k, c in sorted(causes) if k == key)
        )
        for key in KEYS
    ]
    left = set(causes)
    while (ended := {(k, c) for k, c in left if c not in {key for key, _ in left}}) != set():
        left -= ended
    assert bool(found(*rules)) == bool(left)


LIMIT = st.integers(-42, 62).map(float)
COMPARISON = st.one_of(
    st.builds(Above, LIMIT),
    st.builds(Below, LIMIT),
    st.builds(Outside, LIMIT, LIMIT).filter(lambda o: o.low < o.high),
)
EVERY = [n / 4 for n in range(-160, 241)]
"""All that the air can be, finer than the limits."""


@settings(deadline=None, max_examples=80)
@given(st.lists(COMPARISON, min_size=1, max_size=4), st.lists(COMPARISON, max_size=2))
def test_how_many_hold_together_is_what_trying_all_values_gives(terms, unless):
    mine, others = [Term("air", is_) for is_ in terms], [Term("air", is_) for is_ in unless]
    free = [v for v in EVERY if not any(passes(is_, v) for is_ in unless)]
    # Where only a limit itself is left no real reading is.
    inside = [v for v in free if v in (-40, 60) or v % 1]
    assert most(mine, BOX, others) == max((sum(passes(is_, v) for is_ in terms) for v in inside), default=-1)
    between = [v for v in EVERY if v in (-40, 60) or v % 1]
    assert least(mine, BOX) == min(sum(passes(is_, v) for is_ in terms) for v in between)


@settings(deadline=None, max_examples=80)
@given(COMPARISON, st.integers(0, 60).map(float))
def test_a_limit_without_flaw_can_come_and_go(is_, deadband):
    is_ = replace(is_, deadband=deadband)
    if not list(limit_flaws(is_, "air", AIR)):
        assert any(passes(is_, v) for v in EVERY)
        narrower = {
            Above: lambda: Above(is_.limit - deadband),
            Below: lambda: Below(is_.limit + deadband),
            Outside: lambda: Outside(is_.low + deadband, is_.high - deadband),
        }[type(is_)]()
        assert any(not passes(narrower, v) for v in EVERY)


def test_an_event_is_proven_by_a_fault_that_tells_it():
    """And so a scene with one of every kind of rule has no mistake at all."""
    knocked, knocks = Happened(event="knock", quiet=minutes(5)), Tells(event="knock", every=minutes(1))
    knock = replace(WARM, key="knock", on=("box",), when=knocked, proof="knocking")
    told = replace(FAULT, key="knocking", on=("box",), effect=knocks, shows=(), rules=("knock",))
    dead = replace(FAULT, key="dead", on=("box",), shows=("box.air",), rules=("warm", "lost"))
    fire = replace(FAULT, on=("box",), shows=("box.air",), rules=("warm",))
    lost = replace(LOST, proof="dead", on=("box.air",))
    assert mistakes(replace(scene(), rules=(WARM, lost, knock), faults=(fire, dead, told))) == []
