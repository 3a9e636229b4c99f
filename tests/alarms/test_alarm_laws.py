"""Laws of the alarm engine for any stream: it equals the plain-Python oracle, whatever the batches and pauses."""

from dataclasses import replace

import pytest
from alarm_oracle import Oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_scene import START_MS, Reading, batch_of, comparable, event, numbered, registry, scene

from scenewatch.alarms.engine import Engine
from scenewatch.model.alarm import Step
from scenewatch.model.flags import Flag, Place
from scenewatch.model.flags import Test as QualityTest

SCENE = scene()
KNOWN = registry("box", "gateway", "pump", through="gateway1")
VALUES = {
    0: st.sampled_from([5.0, 5.0, 7.0, 7.5, 8.0, 8.5, 9.0, 9.0, 9.0, 21.0, -0.1, 0.0, 0.4, 0.5, 1.0]),
    1: st.sampled_from([0.0, 0.0, 1.0, 1.0, 0.5]),
    2: st.sampled_from([100.0, 5.0, 5.0, 12.0, 10.0, 15.0]),
    3: st.sampled_from([5.0, 7.5, 9.0, 9.0, 0.1, 0.5]),
}
JUDGED = st.sampled_from(
    [(Flag.GOOD, QualityTest.NONE)] * 6
    + [(Flag.SUSPECT, QualityTest.STUCK)] * 2
    + [(Flag.SUSPECT, QualityTest.FASTEST), (Flag.FAIL, QualityTest.POSSIBLE)]
)
STEPS_MS = st.sampled_from([0, 1_000, 10_000, 30_000, 30_000, 30_000, 60_000, 90_001, 130_000, 400_000])
BACK_MS = st.sampled_from([0, 0, 0, 0, 0, 0, 100, 30_000, 200_000, -40_000])
LATCHING = st.sampled_from([("tiny.latched", 0), ("tiny.latched", 0), ("tiny.hushed", 0), ("tiny.knocked", 0)])
FIELDS = st.sampled_from([(0, 1, 2), (0, 1, 2), (0, 1, 2), (0,), (0, 1), (2, 1), (3,)])
"""Which series a message brings, in its own order."""

LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "tiny.warm": st.fixed_dictionaries({"limit": st.sampled_from([4.0, 8.0, 20.0])}),
        "tiny.hot": st.fixed_dictionaries({"limit": st.sampled_from([7.0, 30.0]), "on_delay_s": st.just(60.0)}),
        "tiny.cold": st.fixed_dictionaries({"on_delay_s": st.sampled_from([0.0, 120.0])}),
        "tiny.silent": st.fixed_dictionaries({"after_s": st.sampled_from([61.0, 300.0])}),
        "tiny.quiet": st.fixed_dictionaries({"off_delay_s": st.sampled_from([0.0, 120.0])}),
        "tiny.odd": st.fixed_dictionaries({"low": st.sampled_from([-1.0, 6.0]), "high": st.just(7.2)}),
        "tiny.both": st.fixed_dictionaries({"air_limit": st.sampled_from([4.0, 20.0]), "on_delay_s": st.just(0.0)}),
        "tiny.after": st.fixed_dictionaries({"within_s": st.sampled_from([1.0, 30.0, 600.0])}),
        "tiny.shut": st.fixed_dictionaries({"limit": st.sampled_from([4.0, 20.0])}),
        "tiny.knock": st.fixed_dictionaries({"quiet_s": st.sampled_from([10.0, 400.0])}),
    },
)

pytestmark = pytest.mark.timeout(300)  # the first of them may have to compile the kernels


@st.composite
def messages(draw, now_ms, newest):
    """One message: of some channels one sample, or several that were kept, channel by channel."""
    fields = draw(FIELDS)
    live = draw(st.integers(0, 9)) > 0
    back_ms = draw(BACK_MS)
    samples = draw(st.sampled_from([1, 1, 1, 1, 2, 4]))
    every_ms = draw(st.sampled_from([10_000, 30_000, 95_000]))
    times = [now_ms - back_ms - every_ms * n for n in reversed(range(samples))]
    found = []
    for series in fields:
        for t_ms in times:
            if samples > 1 and draw(st.integers(0, 5)) == 0:
                continue
            place = Place.NEW
            if not live or t_ms <= newest.get(series, 0):
                place = Place.DUPLICATE if t_ms == newest.get(series) else Place.LATE
            else:
                newest[series] = t_ms
            flag, test = draw(JUDGED)
            found.append(Reading(series, t_ms, draw(VALUES[series]), now_ms, flag, place, live, test))
    return found


@st.composite
def streams(draw, *, listening=True, changes=False):
    """Messages in the order of their receive time, with events, ticks (and listening, other limits) between."""
    now_ms = START_MS
    newest = {}
    found = []
    for _ in range(draw(st.integers(0, 50))):
        step_ms = draw(STEPS_MS)
        now_ms += step_ms
        kind = draw(st.integers(0, 21))
        if kind == 0 and listening:
            found += [("tick", now_ms), ("listening", now_ms)]
        elif kind == 1 and changes:
            found += [("tick", now_ms), ("change", draw(LIMITS))]
        elif kind == 6:
            found.append(("reset", (*draw(LATCHING), now_ms)))
        elif kind <= 2:
            found.append(("tick", now_ms))
        elif kind <= 5:
            device, name = draw(st.sampled_from([(0, "knock"), (0, "knock"), (1, "restart"), (2, "knock")]))
            at_ms, live = now_ms - draw(BACK_MS), draw(st.integers(0, 5)) > 0
            found.append(("happened", [event(device, name, at_ms, received_ms=now_ms, live=live)]))
        else:
            # Of one device and time there are no two messages that follow on each other.
            now_ms += 1
            found.append(("message", draw(messages(now_ms, newest))))
    return [*found, ("tick", now_ms + draw(STEPS_MS))]


def grown():
    made = Engine([SCENE])
    made.grow(KNOWN)
    return made


def play(engine, events, *, joined=lambda _: False, between=lambda engine: engine):
    """All transitions; messages go in one batch with those before where `joined` says so."""
    found, waiting = [], []

    def hand_in():
        if waiting:
            found.extend(engine.step(batch_of(numbered(waiting))))
            waiting.clear()

    for i, (kind, what) in enumerate(events):
        if kind == "message":
            if not joined(i):
                hand_in()
            waiting.append(what)
            continue
        hand_in()
        engine = between(engine)
        found.extend(told(engine, kind, what))
    hand_in()
    return found


def told(engine, kind, what):
    if kind == "reset":
        return engine.reset(*what, by="ann")
    return getattr(engine, kind)(what) or []


def expected(events):
    oracle = Oracle(KNOWN)
    found = []
    for kind, what in events:
        found += oracle.step(what) if kind == "message" else told(oracle, kind, what)
    return comparable(found)


@settings(deadline=None, max_examples=150)
@given(streams(changes=True), st.data())
def test_any_stream_in_any_batches_moves_the_alarms_as_the_oracle_says(events, data):
    cut = data.draw(st.sets(st.integers(0, len(events))))
    assert comparable(play(grown(), events, joined=lambda i: i not in cut)) == expected(events)


@settings(deadline=None, max_examples=60)
@given(streams(), st.data())
def test_stopping_and_going_on_from_a_snapshot_changes_nothing(events, data):
    cut = data.draw(st.sets(st.integers(0, len(events)), max_size=5))

    def reborn(engine):
        saved = b"".join(engine.snapshot())
        fresh = grown()
        fresh.restore(saved)
        assert b"".join(fresh.snapshot()) == saved
        return fresh

    pieces = [one for i, what in enumerate(events) for one in ([("cut", None)] if i in cut else []) + [what]]
    engine, found = grown(), []
    for kind, what in pieces:
        if kind == "cut":
            engine = reborn(engine)
        else:
            found += play(engine, [(kind, what)])
    assert comparable(found) == expected(events)


@settings(deadline=None, max_examples=60)
@given(streams(listening=False), st.data())
def test_ticks_may_come_often_or_never_before_the_last(events, data):
    often = []
    for kind, what in events:
        at_ms = received_ms(kind, what)
        often += [
            ("tick", at_ms - back) for back in data.draw(st.lists(st.sampled_from([9_000, 1, 0]), max_size=2))
        ]
        often.append((kind, what))
    seldom = [event for event in events[:-1] if event[0] != "tick"] + events[-1:]
    assert comparable(play(grown(), often)) == comparable(play(grown(), seldom))


def received_ms(kind, what):
    if kind in ("tick", "reset"):
        return what if kind == "tick" else what[-1]
    return max((one.received_ms for one in what), default=START_MS)


@settings(deadline=None, max_examples=60)
@given(streams())
def test_an_alarm_is_raised_and_cleared_in_turn_and_never_twice_at_one_time(events):
    engine = grown()
    by_alarm = {}
    for t in play(engine, events):
        by_alarm.setdefault((t.rule, t.device), []).append(t)
    still = []
    for steps in by_alarm.values():
        ends = [t for t in steps if t.step in (Step.RAISED, Step.CLEARED)]
        assert [t.step for t in ends[::2]] == [Step.RAISED] * len(ends[::2])
        assert [t.step for t in ends[1::2]] == [Step.CLEARED] * len(ends[1::2])
        assert all(raised.at_ms == raised.raised_at_ms for raised in ends[::2])
        assert all(c.raised_at_ms == r.at_ms <= c.at_ms for r, c in zip(ends[::2], ends[1::2], strict=False))
        raised_at = [t.at_ms for t in ends[::2]]
        assert raised_at == sorted(set(raised_at))
        assert {t.raised_at_ms for t in steps} == set(raised_at)
        if ends[-1].step is Step.RAISED:
            still.append(replace(ends[-1], priority=steps[-1].priority))
    assert comparable(engine.standing()) == comparable(still)


@settings(deadline=None, max_examples=60)
@given(streams())
def test_samples_that_were_kept_move_the_alarms_like_single_ones(events):
    """The same samples as one message and as one each, all sent at the same time."""
    split = []
    for kind, what in events:
        if kind != "message":
            split.append((kind, what))
            continue
        times = sorted({reading.t_ms for reading in what})
        split += [("message", [replace(r, message=0) for r in what if r.t_ms == t_ms]) for t_ms in times]
    assert comparable(play(grown(), split)) == comparable(play(grown(), events))
