"""The alarm engine written once more in plain Python, looking back over all it has seen.

For any scene: `Oracle(registry)`, then as the engine; `step` takes a batch's readings (`tiny_scene.Reading`).
"""

import math
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pkgutil import resolve_name

from scenewatch.alarms.overrides import overridden
from scenewatch.model.alarm import Step, Transition
from scenewatch.model.flags import Flag, Place
from scenewatch.model.scene import (
    Above,
    AtLeast,
    Below,
    Flagged,
    Happened,
    NoData,
    Outside,
    Rule,
    Term,
    Then,
    While,
)

NEVER = -(2**62)


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


@dataclass
class Suppressions:
    """What keeps one rule of one device from being raised."""

    site: str
    calendar: object
    whiles: list
    """(watch, after)"""
    durings: list
    """(occasion, after)"""

    def hold(self, at_ms):
        return any(at_ms < watch.held_until() + after for watch, after in self.whiles) or any(
            self.calendar(self.site, at_ms - after, at_ms + 1, occasion) for occasion, after in self.durings
        )


@dataclass
class Alarm:
    """A rule about values on one device. `verdicts` is (time, whether that counts towards the other state)."""

    key: str
    rule: Rule
    device: int
    on: int
    """The series whose reading the alarm shows."""
    watches: list
    suppressions: Suppressions
    gap_ms: int
    verdicts: list = field(default_factory=list)
    changed: int = 0
    """How many of the verdicts came before it was raised or cleared last."""
    raised_at_ms: int | None = None
    in_order: bool = False
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
                return beyond(is_, newest) if self.raised_at_ms is None else not released(is_, newest)

    def held_ms(self):
        """How long up to now the verdict has been yes without a break or a gap; None if it is no."""
        since = newer = None
        for t_ms, holds in reversed(self.verdicts[self.changed :]):
            if not holds or (newer is not None and newer - t_ms > self.gap_ms):
                break
            since = newer = t_ms
        return None if since is None else self.verdicts[-1][0] - since

    def step(self, at_ms, reading):
        """`reading` is that of `on` at this time, None where it has none."""
        if max((w.marks[-1][0] for w in self.watches if w.marks), default=NEVER) != at_ms:
            return  # nothing of it has come, or newer data have been judged
        holds = self.holds(at_ms)
        if self.raised_at_ms is None:
            self.verdicts.append((at_ms, holds and not self.suppressions.hold(at_ms)))
            step, delay = Step.RAISED, self.rule.on_delay
        else:
            self.verdicts.append((at_ms, not holds))
            step, delay = Step.CLEARED, self.rule.off_delay
        held = self.held_ms()
        if held is not None and held >= delay:
            value, flag = (math.nan, Flag.MISSING) if reading is None else (reading.value, reading.flag)
            yield moved(self, step, at_ms, value, flag)
            self.changed = len(self.verdicts)


def moved(alarm, step, at_ms, value, flag):
    raised_at_ms = at_ms if step is Step.RAISED else alarm.raised_at_ms
    alarm.raised_at_ms = at_ms if step is Step.RAISED else None
    return Transition(alarm.key, alarm.device, step, at_ms, raised_at_ms, value, int(flag))


@dataclass
class Missing:
    """A rule about missing data on one series."""

    key: str
    rule: Rule
    device: int
    since_ms: int
    gap_ms: int
    readings: list = field(default_factory=list)
    raised_at_ms: int | None = None
    back: list = field(default_factory=list)
    """Times of the readings since it was raised, each of which says that data flow again."""

    def silent(self, listening_ms):
        """(deadline by the device's clock, when it is noticed)."""
        wait_ms = self.rule.when.after + self.rule.on_delay
        floor_ms = max(self.since_ms, listening_ms)
        good_ms = max((r.t_ms for r in self.readings), default=floor_ms)
        heard_ms = max((max(r.t_ms, r.received_ms) for r in self.readings), default=floor_ms)
        return max(good_ms, floor_ms) + wait_ms, max(heard_ms, floor_ms) + wait_ms

    def missing(self, listening_ms):
        self.back = []
        return moved(self, Step.RAISED, self.silent(listening_ms)[0], math.nan, Flag.MISSING)

    def step(self, reading, listening_ms):
        deadline, due = self.silent(listening_ms)
        if self.raised_at_ms is None and (reading.t_ms >= deadline or reading.received_ms >= due):
            yield self.missing(listening_ms)
        self.readings.append(reading)
        if self.raised_at_ms is None or reading.t_ms < self.raised_at_ms:
            return
        if self.back and reading.t_ms - self.back[-1] > self.gap_ms:
            self.back = []
        self.back.append(reading.t_ms)
        if reading.t_ms - self.back[0] >= self.rule.off_delay:
            yield moved(self, Step.CLEARED, reading.t_ms, reading.value, reading.flag)


@dataclass
class Happening:
    """A rule about an event of one device."""

    key: str
    rule: Rule
    device: int
    suppressions: Suppressions
    newest_ms: int = NEVER
    heard_ms: int = NEVER
    raised_at_ms: int | None = None

    def quiet_ms(self):
        return self.rule.when.quiet + self.rule.off_delay

    def due_ms(self):
        return self.heard_ms + self.quiet_ms()

    def cleared(self):
        return moved(self, Step.CLEARED, self.newest_ms + self.quiet_ms(), math.nan, Flag.GOOD)

    def step(self, event):
        over = event.at_ms >= self.newest_ms + self.quiet_ms() or event.received_ms >= self.due_ms()
        if self.raised_at_ms is not None and over:
            yield self.cleared()
        if event.at_ms <= self.newest_ms:
            return
        self.newest_ms = event.at_ms
        self.heard_ms = max(self.heard_ms, event.at_ms, event.received_ms)
        if self.raised_at_ms is None and not self.suppressions.hold(event.at_ms):
            yield moved(self, Step.RAISED, event.at_ms, math.nan, Flag.GOOD)


class Oracle:
    def __init__(self, known):
        self.known = known
        self.listening_ms = 0
        self.watches = {series: [] for series in range(known.series_count)}
        self.single = {series: [] for series in range(known.series_count)}
        """Rules that each reading of their one channel decides."""
        self.missing = {series: [] for series in range(known.series_count)}
        self.grouped = {device: [] for device in range(len(known))}
        """Rules that are looked at when all readings of one time are in."""
        self.happenings = {device: [] for device in range(len(known))}
        self.tables = {f"{s.key}.{r.key}": r for s in known.scenes.values() for r in s.rules}
        for device, place in enumerate(known.devices):
            scene = known.scenes[place.scene]
            calendar = resolve_name(scene.calendar) if scene.calendar else None
            for rule in scene.rules:
                self._hang(f"{scene.key}.{rule.key}", rule, device, calendar)

    def _hang(self, key, rule, device, calendar):
        """Put one rule on one device, if it is about its type."""
        device_type = self.known.type_of(device)
        series = {c.key: s for c, s in zip(device_type.channels, self.known.series_of(device), strict=True)}
        on = [name.partition(".")[2] for name in rule.on if name.partition(".")[0] == device_type.key]
        if not on:
            return

        def watch(term):
            made = Watch(series[term.channel], term.is_, device_type.gap)
            self.watches[made.series].append(made)
            return made

        suppressions = Suppressions(
            self.known.ids[device].rpartition(".")[0],
            calendar,
            [(watch(s.term), s.after) for s in rule.suppressed_by if isinstance(s, While)],
            [(s.occasion, s.after) for s in rule.suppressed_by if not isinstance(s, While)],
        )
        if isinstance(rule.when, Happened):
            self.happenings[device].append(Happening(key, rule, device, suppressions))
        elif isinstance(rule.when, NoData):
            missing = Missing(key, rule, device, self.known.since_ms[device], device_type.gap)
            self.missing[series[on[0]]].append(missing)
            self.single[series[on[0]]].append(missing)
        else:
            watches = [watch(term) for term in terms(rule.when, on[0])]
            alarm = Alarm(key, rule, device, series[on[0]], watches, suppressions, device_type.gap)
            alone = not rule.suppressed_by and not isinstance(rule.when, AtLeast | Then)
            (self.single[alarm.on] if alone else self.grouped[device]).append(alarm)

    def step(self, readings):
        found = []
        for (device, t_ms), instant in groupby(self._in_time_order(readings), key=self._instant):
            good = [r for r in instant if r.live and r.place is Place.NEW and r.flag is not Flag.FAIL]
            for reading in good:
                found += self._alone(reading)
            by_series = {r.series: r for r in good}
            for alarm in self.grouped[device] if good else ():
                found += alarm.step(t_ms, by_series.get(alarm.on))
        return found

    def _instant(self, reading):
        return self.known.series_device[reading.series], reading.t_ms

    def _in_time_order(self, readings):
        """The samples of one message are in its channels' order."""
        for _, message in groupby(readings, key=lambda r: (r.message, self.known.series_device[r.series])):
            yield from sorted(message, key=lambda r: r.t_ms)

    def _alone(self, reading):
        for watch in self.watches[reading.series]:
            watch.take(reading)
        for alarm in self.single[reading.series]:
            if isinstance(alarm, Missing):
                yield from alarm.step(reading, self.listening_ms)
            else:
                yield from alarm.step(reading.t_ms, reading)

    def happened(self, events):
        return [
            transition
            for event in events
            if event.live
            for happening in self.happenings[event.device]
            if happening.rule.when.event == event.kind
            for transition in happening.step(event)
        ]

    def tick(self, now_ms):
        waiting = [
            (alarm.silent(self.listening_ms)[1], alarm)
            for alarms in self.missing.values()
            for alarm in alarms
            if alarm.raised_at_ms is None
        ]
        due = sorted((w for w in waiting if w[0] <= now_ms), key=lambda w: w[0])
        over = [h for hs in self.happenings.values() for h in hs if h.raised_at_ms is not None]
        ended = sorted((h for h in over if h.due_ms() <= now_ms), key=Happening.due_ms)
        return [alarm.missing(self.listening_ms) for _, alarm in due] + [h.cleared() for h in ended]

    def listening(self, since_ms):
        self.listening_ms = max(self.listening_ms, since_ms)

    def change(self, limits):
        for alarms in (self.single, self.grouped, self.happenings):
            for alarm in (alarm for of_one in alarms.values() for alarm in of_one):
                alarm.rule = overridden(self.tables[alarm.key], limits.get(alarm.key, {}))
                if isinstance(alarm, Alarm):
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
