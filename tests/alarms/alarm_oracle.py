"""The alarm engine written once more in plain Python, looking back over all it has seen.

For any scene: `Oracle(registry)`, then as the engine; `step` takes a batch's readings (`tiny_scene.Reading`).
"""

import math
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pkgutil import resolve_name

from scenewatch.alarms.overrides import overridden
from scenewatch.model.alarm import Hidden, Step, Transition
from scenewatch.model.flags import Flag, Place
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
    Reach,
    Term,
    Then,
    While,
)
from scenewatch.model.ruleversion import version_of

NEVER, FOREVER = -(2**62), 2**62


def beyond(is_, reading):
    match is_:
        case Above(limit):
            return reading.value > limit
        case Below(limit):
            return reading.value < limit
        case Outside(low, high):
            return reading.value < low or reading.value > high
        case Flagged(test):
            return reading.test == test


def released(is_, reading):
    match is_:
        case Above(limit, deadband):
            return reading.value <= limit - deadband
        case Below(limit, deadband):
            return reading.value >= limit + deadband
        case Outside(low, high, deadband):
            return low + deadband <= reading.value <= high - deadband
        case Flagged(test):
            return reading.test != test


@dataclass
class Watch:
    """One comparison on one series of a device: at which readings it held, by its own deadband."""

    series: int
    is_: object
    gap_ms: int
    marks: list = field(default_factory=list)
    """(time, whether it holds) of each reading."""
    newest: object = None

    def take(self, reading):
        held = self.holds(reading.t_ms)
        self.marks.append((reading.t_ms, not released(self.is_, reading) if held else beyond(self.is_, reading)))
        self.newest = reading

    def holds(self, at_ms):
        """A silence longer than the gap ends it."""
        return bool(self.marks) and self.marks[-1][1] and at_ms - self.marks[-1][0] <= self.gap_ms

    def held_ms(self, at_ms):
        """For how long it has held without a gap, as far as was seen; less than nothing if it does not."""
        if not self.holds(at_ms):
            return -1
        since = newer = at_ms
        for t_ms, holds in reversed(self.marks):
            if not holds or newer - t_ms > self.gap_ms:
                break
            since = newer = t_ms
        return at_ms - since

    def begins(self):
        """Only where it was seen: behind a silence it may have held for long."""
        before = (NEVER, False)
        return [
            t_ms
            for (last_ms, held), (t_ms, holds) in pairwise([before, *self.marks])
            if holds and not held and t_ms - last_ms <= self.gap_ms
        ]

    def held_until(self):
        """The first moment after its last hold, as far as is known."""
        after = (2**62, False)
        ends = [
            min(t_ms + self.gap_ms + 1, next_ms)
            for (t_ms, holds), (next_ms, _) in pairwise([*self.marks, after])
            if holds
        ]
        return ends[-1] if ends else NEVER


class Suppressions:
    """What keeps one rule of one device from being raised. `causes` and `follows` are (alarms, after)."""

    def __init__(self, site, calendar, whiles, durings):
        self.site, self.calendar = site, calendar
        self.whiles, self.durings = whiles, durings
        """(watch, after) and (occasion, after)."""
        self.causes, self.follows = [], []

    def hold(self, at_ms):
        return (
            any(at_ms < watch.held_until() + after for watch, after in self.whiles)
            or any(self.calendar(self.site, at_ms - after, at_ms + 1, what) for what, after in self.durings)
            or any(cause.stood(at_ms, after) for causes, after in self.causes for cause in causes)
        )

    def cause(self, at_ms):
        for causes, after in self.follows:
            if stood := [cause for cause in causes if cause.stood(at_ms, after)]:
                return min(stood, key=lambda cause: cause.raised_at_ms)
        return None

    def occasion_until(self, from_ms, to_ms):
        """The newest end of an occasion that reaches into this span."""
        hour_ms = 3_600_000
        ends = [
            end + after
            for what, after in self.durings
            for begin, end in self.calendar(self.site, from_ms - hour_ms, to_ms + hour_ms, what)
            if begin <= to_ms and end + after > from_ms
        ]
        return max(ends, default=None)


class Alarm:
    """A rule on one device: what it was when. Those below know when it comes and goes."""

    def __init__(self, scene, rule, device, device_id, suppressions, graded=()):
        self.key, self.scene, self.rule = f"{scene.key}.{rule.key}", scene, rule
        self.device, self.device_id = device, device_id
        self.suppressions = suppressions
        self.graded = list(graded)
        """The watch of each of its priority's steps; None for one by time alone."""
        self.stands = self.latched = False
        self.raised_at_ms = self.raised_heard_ms = self.ended_ms = self.ended_heard_ms = NEVER
        self.priority, self.cause, self.passed_ms = None, "", 0

    def stood(self, at_ms, after):
        if self.stands and self.raised_at_ms <= at_ms:
            return True
        begin_ms = self.ended_ms if self.stands else self.raised_at_ms
        return begin_ms <= at_ms < self.ended_ms + after

    def priority_at(self, at_ms):
        holding = [
            step.to
            for step, watch in zip(self.rule.priority_steps, self.graded, strict=True)
            if (at_ms - self.raised_at_ms if watch is None else watch.held_ms(at_ms)) >= step.lasting
        ]
        return holding[-1] if holding else None

    def told(self, step, at_ms, value, flag, by=""):
        words = (self.priority, version_of(self.scene, self.rule), Hidden.NOT, by, self.cause)
        return Transition(self.key, self.device, step, at_ms, self.raised_at_ms, value, int(flag), *words)

    def rise(self, at_ms, heard_ms, value, flag):
        self.stands, self.raised_at_ms, self.raised_heard_ms, self.passed_ms = True, at_ms, heard_ms, 0
        self.priority = self.priority_at(at_ms)
        cause = self.suppressions.cause(at_ms)
        self.cause = f"{cause.key} {cause.device_id}" if cause else ""
        return self.told(Step.RAISED, at_ms, value, flag)

    def end(self, at_ms, heard_ms, value, flag):
        if self.rule.latching:
            self.latched = True
            return self.told(Step.RETURNED, at_ms, value, flag)
        return self.clear(at_ms, heard_ms, value, flag)

    def clear(self, at_ms, heard_ms, value, flag, by=""):
        self.stands = self.latched = False
        self.ended_ms, self.ended_heard_ms = at_ms, heard_ms
        return self.told(Step.CLEARED, at_ms, value, flag, by)

    def regraded(self, at_ms, value, flag):
        if (found := self.priority_at(at_ms)) != self.priority:
            self.priority = found
            yield self.told(Step.REPRIORITISED, at_ms, value, flag)

    def next_grade_ms(self):
        """By time alone."""
        steps = zip(self.rule.priority_steps, self.graded, strict=True)
        return min((s.lasting for s, w in steps if w is None and s.lasting > self.passed_ms), default=FOREVER)

    def pass_grade(self, flag):
        self.passed_ms = self.next_grade_ms()
        yield from self.regraded(self.raised_at_ms + self.passed_ms, math.nan, flag)


class Valued(Alarm):
    """A rule about values. `verdicts` is (time, whether that counts towards the other state)."""

    def __init__(self, *alarm, on, watches, gap_ms, graded=()):
        super().__init__(*alarm, graded)
        self.on, self.watches, self.gap_ms = on, watches, gap_ms
        """`on` is the series whose reading the alarm shows."""
        self.verdicts = []
        self.changed = 0
        """How many of the verdicts came before it was raised or cleared last."""
        self.in_order = False
        """Of a `Then`: the second began to hold in time after the first, and still does."""

    def holds(self, at_ms):
        match self.rule.when:
            case AtLeast(count):
                return sum(watch.holds(at_ms) for watch in self.watches) >= count
            case Then(within=within):
                first, second = self.watches
                if second.begins()[-1:] == [at_ms]:
                    self.in_order = any(0 <= at_ms - began <= within for began in first.begins())
                self.in_order = self.in_order and second.holds(at_ms)
                return self.in_order
            case is_:
                newest = self.watches[0].newest
                return not released(is_, newest) if self.stands and not self.latched else beyond(is_, newest)

    def held_ms(self):
        """How long up to now the verdict has been yes without a break or a gap; None if it is no."""
        since = newer = None
        for t_ms, holds in reversed(self.verdicts[self.changed :]):
            if not holds or (newer is not None and newer - t_ms > self.gap_ms):
                break
            since = newer = t_ms
        return None if since is None else self.verdicts[-1][0] - since

    def step(self, at_ms, heard_ms, reading):
        """`reading` is that of `on` at this time, None where it has none."""
        looked_at = [*self.watches, *(watch for watch in self.graded if watch is not None)]
        if max((w.marks[-1][0] for w in looked_at if w.marks), default=NEVER) != at_ms:
            return  # nothing of it has come, or newer data have been judged
        holds = self.holds(at_ms)
        value, flag = (math.nan, Flag.MISSING) if reading is None else (reading.value, reading.flag)
        if self.latched and holds:
            self.latched = False
            self.changed = len(self.verdicts)
        if self.latched:
            return
        if not self.stands:
            self.verdicts.append((at_ms, holds and not self.suppressions.hold(at_ms)))
            move, delay = self.rise, self.rule.on_delay
        else:
            self.verdicts.append((at_ms, not holds))
            move, delay = self.end, self.rule.off_delay
        held = self.held_ms()
        if held is not None and held >= delay:
            yield move(at_ms, heard_ms, value, flag)
            self.changed = len(self.verdicts)
        elif self.stands:
            yield from self.regraded(at_ms, value, flag)


class Missing(Alarm):
    """A rule about missing data on one series, or on all of a gateway's devices."""

    def __init__(self, *alarm, series, since_ms, gap_ms, graded=()):
        super().__init__(*alarm, graded)
        self.series, self.since_ms, self.gap_ms = series, since_ms, gap_ms
        self.readings = []
        self.listening_ms = 0
        self.deadline_ms = NEVER
        """Of when it fell silent last."""
        self.back = []
        """Times of the readings since then, each of which says that data flow again."""

    def silent(self):
        """(deadline by the device's clock, when it is noticed); never while a cause stands."""
        wait_ms = self.rule.when.after + self.rule.on_delay
        floor_ms = max(self.since_ms, self.listening_ms)
        good_ms = max([floor_ms, *(r.t_ms for r in self.readings)])
        heard_ms = max([floor_ms, *(max(r.t_ms, r.received_ms) for r in self.readings)])
        ends = [(w.held_until() + after,) * 2 for w, after in self.suppressions.whiles]
        for causes, after in self.suppressions.causes:
            if any(cause.stands for cause in causes):
                return FOREVER, FOREVER
            ends += [(cause.ended_ms + after, cause.ended_heard_ms + after) for cause in causes]
        good_ms, heard_ms = (max(column) for column in zip((good_ms, heard_ms), *ends, strict=True))
        while until := self.suppressions.occasion_until(good_ms, good_ms + wait_ms):
            good_ms, heard_ms = until, max(heard_ms, until)
        return good_ms + wait_ms, heard_ms + wait_ms

    def is_over(self):
        return self.latched or not self.stands

    def due_ms(self):
        return self.silent()[1] if self.is_over() else self.raised_heard_ms + self.next_grade_ms()

    def pass_due(self, noticed_ms):
        if not self.is_over():
            yield from self.pass_grade(Flag.MISSING)
            return
        deadline_ms, due_ms = self.silent()
        self.deadline_ms, self.back = deadline_ms, []
        if self.latched:
            self.latched = False
        else:
            yield self.rise(deadline_ms, min(due_ms, noticed_ms), math.nan, Flag.MISSING)

    def before(self, reading):
        if self.is_over() and reading.t_ms >= self.silent()[0]:
            yield from self.pass_due(max(reading.t_ms, reading.received_ms))

    def step(self, at_ms, heard_ms, reading):
        """The reading has been put into `readings`."""
        if reading is None or self.is_over() or at_ms < self.deadline_ms:
            return
        if max(r.t_ms for r in self.readings) != at_ms:
            return
        if self.back and at_ms - self.back[-1] > self.gap_ms:
            self.back = []
        self.back.append(at_ms)
        if at_ms - self.back[0] >= self.rule.off_delay:
            shown = (reading.value, reading.flag) if len(self.series) == 1 else (math.nan, Flag.GOOD)
            yield self.end(at_ms, heard_ms, *shown)
            self.back = []


class Happening(Alarm):
    """A rule about an event of one device."""

    newest_ms = NEVER
    heard_ms = NEVER

    def quiet_ms(self):
        return self.rule.when.quiet + self.rule.off_delay

    def due_ms(self):
        if self.latched or not self.stands:
            return FOREVER
        return min(self.heard_ms + self.quiet_ms(), self.raised_heard_ms + self.next_grade_ms())

    def pass_due(self, _=None):
        if self.heard_ms + self.quiet_ms() <= self.raised_heard_ms + self.next_grade_ms():
            yield self.over()
        else:
            yield from self.pass_grade(Flag.GOOD)

    def over(self):
        return self.end(self.newest_ms + self.quiet_ms(), self.heard_ms + self.quiet_ms(), math.nan, Flag.GOOD)

    def step(self, event):
        if self.stands and not self.latched and event.at_ms >= self.newest_ms + self.quiet_ms():
            yield self.over()
        if event.at_ms <= self.newest_ms:
            return
        self.newest_ms = event.at_ms
        self.heard_ms = max(self.heard_ms, event.at_ms, event.received_ms)
        if self.latched:
            self.latched = False
        elif not self.stands and not self.suppressions.hold(event.at_ms):
            yield self.rise(event.at_ms, max(event.at_ms, event.received_ms), math.nan, Flag.GOOD)


class Oracle:
    def __init__(self, known):
        self.known = known
        self.watches = {series: [] for series in range(known.series_count)}
        self.alarms = {device: [] for device in range(len(known))}
        """In the order of the tables."""
        self.tables = {f"{s.key}.{r.key}": r for s in known.scenes.values() for r in s.rules}
        self.gateway = [None if not i else known.ids.index(i) for i in known.gateway_ids]
        for device, place in enumerate(known.devices):
            scene = known.scenes[place.scene]
            calendar = resolve_name(scene.calendar) if scene.calendar else None
            for rule in scene.rules:
                self._hang(scene, rule, device, calendar)
        for alarm in self._all():
            for mine, named in (
                (alarm.suppressions.causes, alarm.rule.suppressed_by),
                (alarm.suppressions.follows, alarm.rule.follows),
            ):
                mine += [(self._causes(alarm, s), s.after) for s in named if isinstance(s, CausedBy)]

    def _all(self):
        return [alarm for alarms in self.alarms.values() for alarm in alarms]

    def _site(self, device):
        return self.known.ids[device].rpartition(".")[0]

    def _causes(self, alarm, caused_by):
        """The alarms that it names."""
        where = {
            Reach.DEVICE: [alarm.device],
            Reach.PARENT: [self.gateway[alarm.device]],
            Reach.SITE: [n for n in range(len(self.known)) if self._site(n) == self._site(alarm.device)],
        }[caused_by.at]
        key = f"{alarm.key.partition('.')[0]}.{caused_by.rule}"
        return [one for one in self._all() if one.key == key and one.device in where]

    def _hang(self, scene, rule, device, calendar):
        """Put one rule on one device, if it is about its type."""
        device_type = self.known.type_of(device)
        channels = {c.key: c for c in device_type.channels}
        series = dict(zip(channels, self.known.series_of(device), strict=True))
        on = [name.partition(".")[2] for name in rule.on if name.partition(".")[0] == device_type.key]
        if not on:
            return

        def watch(term):
            made = Watch(series[term.channel], term.is_, device_type.gap_of(channels[term.channel]))
            self.watches[made.series].append(made)
            return made

        suppressions = Suppressions(
            self._site(device),
            calendar,
            [(watch(s.term), s.after) for s in rule.suppressed_by if isinstance(s, While)],
            [(s.occasion, s.after) for s in rule.suppressed_by if isinstance(s, During)],
        )
        graded = [None if s.beyond is None else watch(Term(on[0], s.beyond)) for s in rule.priority_steps]
        alarm = (scene, rule, device, self.known.ids[device], suppressions)
        if isinstance(rule.when, Happened):
            made = Happening(*alarm, graded)
        elif isinstance(rule.when, NoData):
            family = [n for n, gateway in enumerate(self.gateway) if gateway == device]
            heard = [series[on[0]]] if on[0] else [s for n in family for s in self.known.series_of(n)]
            since_ms = max(self.known.since_ms[device], min((self.known.since_ms[n] for n in family), default=0))
            gap_ms = device_type.gap_of(channels[on[0]]) if on[0] else device_type.gap
            made = Missing(*alarm, series=heard, since_ms=since_ms, gap_ms=gap_ms, graded=graded)
        else:
            own = terms(rule.when, on[0])
            gap_ms = min(device_type.gap_of(channels[key]) for key in {on[0], *(term.channel for term in own)})
            watches = [watch(term) for term in own]
            made = Valued(*alarm, on=series[on[0]], watches=watches, gap_ms=gap_ms, graded=graded)
        self.alarms[device].append(made)

    def step(self, readings):
        found = []
        for (device, t_ms), instant in groupby(self._in_time_order(readings), key=self._instant):
            good = {r.series: r for r in instant if r.live and r.place is Place.NEW and r.flag is not Flag.FAIL}
            if good:
                found += self._judge(device, t_ms, good)
        return found

    def _judge(self, device, t_ms, good):
        received_ms = next(iter(good.values())).received_ms
        found = self._pass(self._site(device), received_ms)
        # Its gateway's first, as its silence may explain the device's own, and the last to hear it again.
        above = [a for a in self.alarms.get(self.gateway[device], []) if isinstance(a, Missing)]
        mine = self.alarms[device]
        for alarm in [*above, *(a for a in mine if isinstance(a, Missing))]:
            if heard := [r for series, r in good.items() if series in alarm.series]:
                found += alarm.before(heard[0])
                alarm.readings += heard
        for series, reading in good.items():
            for watch in self.watches[series]:
                watch.take(reading)
        heard_ms = max(t_ms, received_ms)
        for alarm in [*mine, *above]:
            if isinstance(alarm, Valued):
                found += alarm.step(t_ms, heard_ms, good.get(alarm.on))
            elif isinstance(alarm, Missing):
                found += alarm.step(t_ms, heard_ms, next((good[s] for s in alarm.series if s in good), None))
        return found

    def _instant(self, reading):
        return self.known.series_device[reading.series], reading.t_ms

    def _in_time_order(self, readings):
        """The samples of one message are in its channels' order."""
        for _, message in groupby(readings, key=lambda r: (r.message, self.known.series_device[r.series])):
            yield from sorted(message, key=lambda r: r.t_ms)

    def _pass(self, site, until_ms):
        """All that is due at a site at or before that time; of two at once what explains the other comes first."""
        clocked = [a for a in self._all() if not isinstance(a, Valued) and self._site(a.device) == site]
        found = []
        while clocked:
            due = [(alarm.due_ms(), self._rank(alarm.key), alarm.device) for alarm in clocked]
            first = min(range(len(due)), key=due.__getitem__)
            if due[first][0] > until_ms:
                break
            found += clocked[first].pass_due(until_ms)
        return found

    def _rank(self, key):
        rule = self.tables[key]
        named = [s.rule for s in (*rule.suppressed_by, *rule.follows) if isinstance(s, CausedBy)]
        return 1 + max((self._rank(f"{key.partition('.')[0]}.{name}") for name in named), default=-1)

    def happened(self, events):
        found = []
        for event in (event for event in events if event.live):
            found += self._pass(self._site(event.device), event.received_ms)
            for alarm in self.alarms[event.device]:
                if isinstance(alarm, Happening) and alarm.rule.when.event == event.kind:
                    found += alarm.step(event)
        return found

    def tick(self, now_ms):
        return [move for site in dict.fromkeys(map(self._site, self.alarms)) for move in self._pass(site, now_ms)]

    def listening(self, since_ms):
        for alarm in self._all():
            if isinstance(alarm, Missing):
                alarm.listening_ms = max(alarm.listening_ms, since_ms)

    def reset(self, key, device, at_ms, *, by):
        found = self.tick(at_ms)
        for alarm in self.alarms[device]:
            if alarm.key == key and alarm.latched:
                at = max(alarm.raised_at_ms, at_ms)
                found.append(alarm.clear(at, at, math.nan, Flag.MISSING, by))
        return found

    def change(self, limits):
        for alarm in self._all():
            alarm.rule = overridden(self.tables[alarm.key], limits.get(alarm.key, {}))
            if isinstance(alarm, Valued):
                for watch, term in zip(alarm.watches, terms(alarm.rule.when, ""), strict=True):
                    watch.is_ = term.is_


def terms(when, on):
    match when:
        case AtLeast(terms=several):
            return several
        case Then(first=first, second=second):
            return first, second
        case _:
            return (Term(on, when),)
