"""A tiny scene, and the alarm engine written once more in plain Python, looking back over all it has seen."""

import math
from dataclasses import dataclass, field

import numpy as np

from scenewatch.alarms.overrides import overridden
from scenewatch.model.alarm import Step, Transition
from scenewatch.model.batch import Batch
from scenewatch.model.flags import Flag, Place
from scenewatch.model.place import Device
from scenewatch.model.quantity import Quantity
from scenewatch.model.registry import Registry
from scenewatch.model.scene import (
    Above,
    Below,
    Channel,
    DeviceType,
    Mark,
    NoData,
    Priority,
    Rule,
    Scene,
    Source,
    Span,
)
from scenewatch.model.words import Duration, Text, seconds

NOTHING = Text("", "")
START_MS = 1_700_000_000_000


def channel(key, low, high):
    return Channel(
        key=key, title=NOTHING, quantity=Quantity.TEMPERATURE, unit="°C", possible=Span(low, high), expected=None
    )


BOX = DeviceType(
    key="box",
    title=NOTHING,
    every=seconds(30),
    channels=(channel("air", -40.0, 60.0), channel("door", 0.0, 1.0)),
)
PUMP = DeviceType(key="pump", title=NOTHING, every=seconds(60), channels=(channel("heat", -10.0, 90.0),))
GATEWAY = DeviceType(key="gateway", title=NOTHING, every=seconds(60))


def rule(key, when, *, on=("box.air",), on_delay_s=0, off_delay_s=0):
    return Rule(
        key=key,
        title=NOTHING,
        on=on,
        when=when,
        on_delay=seconds(on_delay_s),
        off_delay=seconds(off_delay_s),
        priority=Priority.LOW,
        source=Source(document=NOTHING, mark=Mark.PROPOSAL),
        proof="",
        advice=NOTHING,
    )


WARM = rule("warm", Above(8.0, deadband=1.0), on=("box.air", "pump.heat"), on_delay_s=60, off_delay_s=60)
HOT = rule("hot", Above(20.0))
COLD = rule("cold", Below(0.0, deadband=0.5), on_delay_s=30)
SILENT = rule("silent", NoData(seconds(120)), on=("box.air", "pump.heat"))
QUIET = rule("quiet", NoData(seconds(100)), on_delay_s=20, off_delay_s=60)
OPEN = rule("open", Above(0.5), on=("box.door",), off_delay_s=30)
RULES = (WARM, HOT, COLD, SILENT, QUIET, OPEN)
BY_KEY = {f"tiny.{r.key}": r for r in RULES}


def scene(*rules):
    return Scene(
        key="tiny",
        title=NOTHING,
        site_title=NOTHING,
        device_types=(GATEWAY, BOX, PUMP),
        rules=rules or RULES,
        faults=(),
        simulator="",
        mishap="",
    )


def devices(*types):
    return [Device(scene="tiny", site="s", device=f"{t}{i}", type=t) for i, t in enumerate(types)]


def registry(*types, of=None, at_ms=START_MS):
    """A box has two series, a pump one."""
    found = Registry([of or scene()])
    found.apply(devices(*types), at_ms=at_ms)
    return found


@dataclass(frozen=True)
class Reading:
    series: int
    t_ms: int
    value: float
    received_ms: int
    flag: Flag = Flag.GOOD
    place: Place = Place.NEW
    live: bool = True


def batch_of(readings):
    batch = Batch.of(
        np.array([r.series for r in readings], np.int32),
        np.array([r.t_ms for r in readings], np.int64),
        np.array([r.value for r in readings], np.float64),
        received_ms=np.array([r.received_ms for r in readings], np.int64),
    )
    batch.flag = np.array([r.flag for r in readings], np.uint8)
    batch.place = np.array([r.place for r in readings], np.uint8)
    batch.live = np.array([r.live for r in readings], np.bool_)
    return batch


def comparable(transitions):
    """Not a number is equal to itself here."""
    return [(t.rule, t.device, t.step, t.at_ms, t.raised_at_ms, repr(t.value), t.flag) for t in transitions]


@dataclass
class Alarm:
    """What the oracle remembers of one rule on one series."""

    rule: Rule
    device: int
    since_ms: int
    gap_ms: Duration
    readings: list[Reading] = field(default_factory=list)
    verdicts: list[bool] = field(default_factory=list)
    """Of each reading, by the numbers of its time: is it beyond the limit, or if the alarm stood, released?"""
    changed: int = 0
    """How many of `readings` came before it was raised or cleared last."""
    raised_at_ms: int | None = None

    def beyond(self, value):
        when = self.rule.when
        return value > when.limit if isinstance(when, Above) else value < when.limit

    def released(self, reading):
        match self.rule.when:
            case NoData():
                return reading.t_ms >= self.raised_at_ms
            case Above(limit, deadband):
                return reading.value <= limit - deadband
            case Below(limit, deadband):
                return reading.value >= limit + deadband

    def held_ms(self):
        """How long up to the newest reading it held without a break or a gap; None if it does not."""
        since = None
        newer = None
        judged = zip(self.readings[self.changed :], self.verdicts[self.changed :], strict=True)
        for reading, holds in reversed(list(judged)):
            if not holds or (newer is not None and newer.t_ms - reading.t_ms > self.gap_ms):
                break
            since = newer = reading
        return None if since is None else self.readings[-1].t_ms - since.t_ms

    def moved(self, step, at_ms, value, flag):
        raised_at_ms = at_ms if step is Step.RAISED else self.raised_at_ms
        self.raised_at_ms = at_ms if step is Step.RAISED else None
        return Transition(f"tiny.{self.rule.key}", self.device, step, at_ms, raised_at_ms, value, int(flag))

    def silent(self, listening_ms):
        """(deadline by the device's clock, when it is noticed)."""
        wait_ms = self.rule.when.after + self.rule.on_delay
        floor_ms = max(self.since_ms, listening_ms)
        good_ms = max((r.t_ms for r in self.readings), default=floor_ms)
        heard_ms = max((max(r.t_ms, r.received_ms) for r in self.readings), default=floor_ms)
        return max(good_ms, floor_ms) + wait_ms, max(heard_ms, floor_ms) + wait_ms

    def missing(self, listening_ms):
        self.changed = len(self.readings)
        return self.moved(Step.RAISED, self.silent(listening_ms)[0], math.nan, Flag.MISSING)

    def step(self, reading, listening_ms):
        if isinstance(self.rule.when, NoData) and self.raised_at_ms is None:
            deadline, due = self.silent(listening_ms)
            if reading.t_ms >= deadline or reading.received_ms >= due:
                yield self.missing(listening_ms)
        self.readings.append(reading)
        if self.raised_at_ms is not None:
            self.verdicts.append(self.released(reading))
            step, delay = Step.CLEARED, self.rule.off_delay
        else:
            self.verdicts.append(not isinstance(self.rule.when, NoData) and self.beyond(reading.value))
            step, delay = Step.RAISED, self.rule.on_delay
        held = self.held_ms()
        if held is not None and held >= delay:
            yield self.moved(step, reading.t_ms, reading.value, reading.flag)
            self.changed = len(self.readings)


class Oracle:
    def __init__(self, known):
        self.listening_ms = 0
        self.alarms = {}
        for series in range(known.series_count):
            device = known.series_device[series]
            on = f"{known.type_of(device).key}.{known.channel_of(series).key}"
            self.alarms[series] = [
                Alarm(r, device, known.since_ms[device], 3 * known.type_of(device).every)
                for r in known.scenes["tiny"].rules
                if on in r.on
            ]

    def step(self, readings):
        return [
            transition
            for reading in readings
            if reading.live and reading.place is Place.NEW and reading.flag is not Flag.FAIL
            for alarm in self.alarms[reading.series]
            for transition in alarm.step(reading, self.listening_ms)
        ]

    def tick(self, now_ms):
        waiting = [
            (alarm.silent(self.listening_ms)[1], alarm)
            for alarms in self.alarms.values()
            for alarm in alarms
            if isinstance(alarm.rule.when, NoData) and alarm.raised_at_ms is None
        ]
        due = sorted((w for w in waiting if w[0] <= now_ms), key=lambda w: w[0])
        return [alarm.missing(self.listening_ms) for _, alarm in due]

    def listening(self, since_ms):
        self.listening_ms = max(self.listening_ms, since_ms)

    def change(self, limits):
        for alarms in self.alarms.values():
            for alarm in alarms:
                key = f"tiny.{alarm.rule.key}"
                alarm.rule = overridden(BY_KEY[key], limits.get(key, {}))
