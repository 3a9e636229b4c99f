"""Laws of what operators do: any stream in any batches, stopped anywhere, is told as an oracle says."""

from dataclasses import dataclass, replace

import pytest
from alarm_oracle import Oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from test_alarm_laws import streams
from tiny_scene import RULES, batch_of, numbered, registry, scene

from scenewatch.alarms.announce import Announcer
from scenewatch.alarms.engine import Engine
from scenewatch.model.action import Action, Deed, NotDoneError
from scenewatch.model.alarm import Hidden, Step
from scenewatch.model.rule import Happened
from scenewatch.model.words import seconds

AGAIN = seconds(150)
SCENE = scene(*(r if isinstance(r.when, Happened) else replace(r, again_after=AGAIN) for r in RULES))
KNOWN = registry("box", "gateway", "pump", of=SCENE, through="gateway1")
BOX, PUMP = KNOWN.ids[0], KNOWN.ids[2]
NEVER_ENDS = (2**62, 0)
KINDS = {
    Deed.SHELVE: Hidden.SHELVED,
    Deed.UNSHELVE: Hidden.SHELVED,
    Deed.TAKE_OUT: Hidden.OUT_OF_SERVICE,
    Deed.PUT_BACK: Hidden.OUT_OF_SERVICE,
    Deed.MAINTAIN: Hidden.MAINTENANCE,
    Deed.END_MAINTENANCE: Hidden.MAINTENANCE,
}
BEGINS = (Deed.SHELVE, Deed.TAKE_OUT, Deed.MAINTAIN)
SOON_MS = st.sampled_from([1, 20_000, 90_000, 300_000])
LOUD = st.sampled_from(
    [
        *[(rule, BOX) for rule in ("tiny.warm", "tiny.odd", "tiny.silent", "tiny.knock", "tiny.open")],
        *[(rule, PUMP) for rule in ("tiny.warm", "tiny.silent")],
    ]
)

pytestmark = pytest.mark.timeout(300)  # the first of them may have to compile the kernels


@st.composite
def deeds(draw, now_ms):
    deed = draw(st.sampled_from([*KINDS, Deed.SHELVE, Deed.MAINTAIN, *[Deed.ACKNOWLEDGE] * 4]))
    of_all = KINDS.get(deed) is Hidden.MAINTENANCE
    rule, target = ("", draw(st.sampled_from([BOX, BOX, PUMP, "tiny.s"]))) if of_all else draw(LOUD)
    from_ms = now_ms + draw(st.sampled_from([0, 0, -5, 60_000, 200_000]))
    return Action(
        deed=deed,
        by=draw(st.sampled_from(["li", "wang"])),
        at_ms=now_ms,
        rule=rule,
        target=target,
        from_ms=from_ms,
        until_ms=max(from_ms, now_ms) + draw(SOON_MS),
        reason="it is washed",
    )


@st.composite
def days(draw):
    """A stream with what operators do in between, at the time of what came last and behind what is overdue then."""
    found, now_ms = [], None
    for kind, what in draw(streams()):
        if kind == "reset":
            rule, device, now_ms = what
            reset = Action(deed=Deed.RESET, by="li", at_ms=now_ms, rule=rule, target=KNOWN.ids[device])
            found += [("tick", now_ms), ("act", reset)]
            continue
        found.append((kind, what))
        now_ms = what if kind in ("tick", "listening") else max((one.received_ms for one in what), default=now_ms)
        if now_ms is not None and draw(st.integers(0, 2)) == 0:
            found += [("tick", now_ms), ("act", draw(deeds(now_ms)))]
    return found


def grown():
    made = Announcer(Engine([SCENE]))
    made.grow(KNOWN)
    return made


def reborn(announcer):
    saved = b"".join(announcer.snapshot())
    fresh = grown()
    fresh.restore(saved)
    assert b"".join(fresh.snapshot()) == saved
    assert fresh.holds == announcer.holds
    return fresh


def act(announcer, action):
    """An acknowledgement, or a reset, is of whatever stands."""
    standing = {(alarm.rule, KNOWN.ids[alarm.device]): alarm.raised_at_ms for alarm in announcer.standing()}
    meant = replace(action, raised_at_ms=standing.get((action.rule, action.target), 0))
    try:
        return announcer.act(meant)
    except NotDoneError:
        return ()


def play(events, *, joined=lambda _: False, cut=()):
    announcer, found, waiting = grown(), [], []

    def hand_in():
        if waiting:
            found.extend(announcer.step(batch_of(numbered(waiting))))
            waiting.clear()

    for i, (kind, what) in enumerate(events):
        if kind == "message" and joined(i):
            waiting.append(what)
            continue
        hand_in()
        announcer = reborn(announcer) if i in cut else announcer
        if kind == "message":
            waiting.append(what)
        else:
            found.extend(act(announcer, what) if kind == "act" else getattr(announcer, kind)(what) or ())
    hand_in()
    return found


@dataclass
class Span:
    """One hold, from a moment to a moment; a moment is (time, place among what befell at it), boundaries first."""

    kind: Hidden
    rule: str
    target: str
    begin: tuple
    end: tuple

    def over(self, rule, device, moment):
        mine = (rule, device) == (self.rule, self.target)
        if self.kind is Hidden.MAINTENANCE:
            mine = self.target in (device, "tiny.s")
        return mine and self.begin <= moment < self.end


class Looker:
    """The plain oracle's alarms, seen through the spans in which they were not to be shown."""

    def __init__(self):
        self.oracle = Oracle(KNOWN)
        self.spans = []
        self.stands = {}
        """(rule, device): (the alarm as it was raised, when it is to be seen again)"""
        self.looks = set()
        """When one was to be seen again, whether it stands then or not."""
        self.told = []
        self.now = (0, 0)

    def hidden(self, key, moment):
        device = KNOWN.ids[key[1]]
        over = {span.kind for span in self.spans if span.over(key[0], device, moment)}
        order = (Hidden.OUT_OF_SERVICE, Hidden.SHELVED, Hidden.MAINTENANCE)
        return next((kind for kind in order if kind in over), Hidden.NOT)

    def moments(self):
        ends = [edge for span in self.spans for edge in (span.begin, span.end) if edge[1] < 0]
        return {*ends, *self.looks}

    def take(self, moves):
        for move in moves:
            key = move.rule, move.device
            if move.step is Step.RAISED:
                self.told.append(replace(move, hidden=self.hidden(key, self.now)))
                self.stands[key] = self.told[-1], None
            elif move.step is Step.CLEARED:
                del self.stands[key]
                self.told.append(move)
            else:
                self.told.append(replace(move, hidden=self.hidden(key, self.now)))

    def look(self, before, moment, by=""):
        """What changed between two moments for the alarms that stand."""
        for key, (alarm, again) in list(self.stands.items()):
            was, is_ = before[key], self.hidden(key, moment)
            if was is not is_:
                step = Step.HIDDEN if is_ is not Hidden.NOT else Step.SHOWN
                self.told.append(replace(alarm, step=step, at_ms=moment[0], hidden=is_, by=by))
            if again is not None and again <= moment[0]:
                self.told.append(replace(alarm, step=Step.AGAIN, at_ms=again, hidden=is_, by=by))
                self.stands[key] = alarm, None

    def seen(self, moment):
        return {key: self.hidden(key, moment) for key in self.stands}

    def pass_until(self, now_ms):
        while due := [edge for edge in self.moments() if self.now < edge <= (now_ms, -1)]:
            edge = min(due)
            self.now = (edge[0] - 1, 2**61)
            self.take(self.oracle.tick(edge[0] - 1))
            before = self.seen(self.now)
            self.now = edge
            self.look(before, edge)

    def step(self, place, kind, what):
        if kind == "listening":
            self.oracle.listening(what)
            return
        now_ms = what.at_ms if kind == "act" else what if kind == "tick" else max(one.received_ms for one in what)
        self.pass_until(now_ms)
        before = self.seen(self.now)
        self.now = max(self.now, (now_ms, place))
        if kind == "act":
            self.act(what, before)
        else:
            self.take(self.oracle.step(what) if kind == "message" else getattr(self.oracle, kind)(what))

    def act(self, action, before):
        if action.deed is Deed.RESET:
            device = KNOWN.ids.index(action.target)
            self.take(self.oracle.reset(action.rule, device, action.at_ms, by=action.by))
            return
        if action.deed is Deed.ACKNOWLEDGE:
            key = action.rule, KNOWN.ids.index(action.target)
            alarm, again = self.stands.get(key, (None, None))
            if alarm is not None and again is None:
                hidden = self.hidden(key, self.now)
                self.told.append(
                    replace(alarm, step=Step.ACKNOWLEDGED, at_ms=action.at_ms, by=action.by, hidden=hidden)
                )
                if key[0] != "tiny.knock":
                    self.stands[key] = alarm, action.at_ms + AGAIN
                    self.looks.add((action.at_ms + AGAIN, -1))
            return
        kind = KINDS[action.deed]
        mine = (kind, action.rule, action.target)
        there = [s for s in self.spans if (s.kind, s.rule, s.target) == mine and self.now < s.end]
        if action.deed is Deed.MAINTAIN and there:
            return
        for span in there:
            span.end = min(span.end, self.now)
        if action.deed in BEGINS:
            is_planned = action.deed is Deed.MAINTAIN and action.from_ms > action.at_ms
            begin = (action.from_ms, -1) if is_planned else self.now
            end = NEVER_ENDS if action.deed is Deed.TAKE_OUT else (action.until_ms, -1)
            self.spans.append(Span(*mine, begin, end))
        self.look(before, self.now, action.by)


def expected(events):
    looker = Looker()
    for place, (kind, what) in enumerate(events):
        if (kind != "happened" or what[0].live) and not (kind == "message" and not what):
            looker.step(place, kind, what)
    return looker.told


def by_alarm(transitions):
    """Each alarm's story in its order."""
    found = {}
    for t in transitions:
        told = (t.step, t.at_ms, t.raised_at_ms, repr(t.value), t.flag, t.hidden, t.by)
        found.setdefault((t.rule, t.device), []).append(told)
    return found


@settings(deadline=None, max_examples=60)
@given(days(), st.data())
def test_any_day_in_any_batches_is_told_as_the_oracle_says(events, data):
    split = data.draw(st.sets(st.integers(0, len(events))))
    assert by_alarm(play(events, joined=lambda i: i not in split)) == by_alarm(expected(events))


@settings(deadline=None, max_examples=40)
@given(days(), st.data())
def test_stopping_and_going_on_from_a_snapshot_changes_nothing(events, data):
    cut = data.draw(st.sets(st.integers(0, len(events)), max_size=5))
    assert by_alarm(play(events, cut=cut)) == by_alarm(expected(events))
