"""Laws of the alarm engine for any stream: it equals the plain-Python oracle, whatever the batches and pauses."""

from alarm_oracle import Oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_scene import START_MS, Reading, batch_of, comparable, registry, scene

from scenewatch.alarms.engine import Engine
from scenewatch.model.alarm import Step
from scenewatch.model.flags import Flag, Place

SCENE = scene()
KNOWN = registry("box", "gateway", "pump")
VALUES = st.sampled_from([5.0, 5.0, 7.0, 7.5, 8.0, 8.5, 9.0, 9.0, 21.0, -0.1, 0.0, 0.4, 0.5, 1.0])
FLAGS = st.sampled_from([Flag.GOOD] * 5 + [Flag.SUSPECT, Flag.FAIL])
STEPS_MS = st.sampled_from([0, 1_000, 10_000, 30_000, 30_000, 30_000, 60_000, 90_001, 130_000, 400_000])


LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "tiny.warm": st.fixed_dictionaries({"limit": st.sampled_from([4.0, 8.0, 20.0])}),
        "tiny.hot": st.fixed_dictionaries({"limit": st.sampled_from([7.0, 30.0]), "on_delay_s": st.just(60.0)}),
        "tiny.cold": st.fixed_dictionaries({"on_delay_s": st.sampled_from([0.0, 120.0])}),
        "tiny.silent": st.fixed_dictionaries({"after_s": st.sampled_from([61.0, 300.0])}),
        "tiny.quiet": st.fixed_dictionaries({"off_delay_s": st.sampled_from([0.0, 120.0])}),
    },
)


@st.composite
def streams(draw, *, listening=True, changes=False):
    """Readings in the order of their receive time, with ticks (and listening, and other limits) between."""
    now_ms = START_MS
    newest = {}
    events = []
    for _ in range(draw(st.integers(0, 60))):
        now_ms += draw(STEPS_MS)
        kind = draw(st.integers(0, 19))
        if kind == 0 and listening:
            events.append(("listening", now_ms))
        elif kind == 1 and changes:
            events.append(("change", draw(LIMITS)))
        elif kind <= 2:
            events.append(("tick", now_ms))
        else:
            series = draw(st.sampled_from([0, 0, 0, 0, 1, 2]))
            t_ms = now_ms - draw(st.sampled_from([0, 0, 0, 0, 0, 100, 30_000, 200_000, -40_000]))
            live = draw(st.integers(0, 9)) > 0
            place = Place.NEW
            if not live or t_ms <= newest.get(series, 0):
                place = Place.DUPLICATE if t_ms == newest.get(series) else Place.LATE
            else:
                newest[series] = t_ms
            events.append(
                ("reading", Reading(series, t_ms, draw(VALUES), now_ms, draw(FLAGS), place, live)),
            )
    return [*events, ("tick", now_ms + draw(STEPS_MS))]


def grown():
    made = Engine([SCENE])
    made.grow(KNOWN)
    return made


def play(engine, events, *, joined=lambda _: False, between=lambda engine: engine):
    """All transitions; readings go in one batch with those before where `joined` says so."""
    found, waiting = [], []

    def hand_in():
        if waiting:
            found.extend(engine.step(batch_of(waiting)))
            waiting.clear()

    for i, (kind, what) in enumerate(events):
        if kind == "reading":
            if not joined(i):
                hand_in()
            waiting.append(what)
            continue
        hand_in()
        engine = between(engine)
        found.extend(getattr(engine, kind)(what) or [])
    hand_in()
    return found


def expected(events):
    oracle = Oracle(KNOWN)
    found = []
    for kind, what in events:
        found += getattr(oracle, kind)(what) or [] if kind != "reading" else oracle.step([what])
    return comparable(found)


@settings(deadline=None, max_examples=150)
@given(streams(changes=True), st.data())
def test_any_stream_in_any_batches_moves_the_alarms_as_the_oracle_says(events, data):
    cut = data.draw(st.sets(st.integers(0, len(events))))
    assert comparable(play(grown(), events, joined=lambda i: i not in cut)) == expected(events)


@settings(deadline=None, max_examples=60)
@given(streams())
def test_stopping_and_going_on_from_a_snapshot_changes_nothing(events):
    def reborn(engine):
        saved = b"".join(engine.snapshot())
        fresh = grown()
        fresh.restore(saved)
        assert b"".join(fresh.snapshot()) == saved
        return fresh

    assert comparable(play(grown(), events, between=reborn)) == expected(events)


@settings(deadline=None, max_examples=60)
@given(streams(listening=False), st.data())
def test_ticks_may_come_often_or_never_before_the_last(events, data):
    often = []
    for kind, what in events:
        at_ms = what.received_ms if kind == "reading" else what
        often += [
            ("tick", at_ms - back) for back in data.draw(st.lists(st.sampled_from([9_000, 1, 0]), max_size=2))
        ]
        often.append((kind, what))
    seldom = [event for event in events[:-1] if event[0] == "reading"] + events[-1:]
    assert sorted(comparable(play(grown(), often))) == sorted(comparable(play(grown(), seldom)))


@settings(deadline=None, max_examples=60)
@given(streams())
def test_an_alarm_is_raised_and_cleared_in_turn_and_never_twice_at_one_time(events):
    engine = grown()
    by_alarm = {}
    for t in play(engine, events):
        by_alarm.setdefault((t.rule, t.device), []).append(t)
    for steps in by_alarm.values():
        assert [t.step for t in steps[::2]] == [Step.RAISED] * len(steps[::2])
        assert [t.step for t in steps[1::2]] == [Step.CLEARED] * len(steps[1::2])
        assert all(raised.at_ms == raised.raised_at_ms for raised in steps[::2])
        assert all(c.raised_at_ms == r.at_ms <= c.at_ms for r, c in zip(steps[::2], steps[1::2], strict=False))
        raised_at = [t.at_ms for t in steps[::2]]
        assert raised_at == sorted(set(raised_at))
    still = sorted(comparable(steps[-1] for steps in by_alarm.values() if steps[-1].step is Step.RAISED))
    assert sorted(comparable(engine.standing())) == still
