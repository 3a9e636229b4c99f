"""A tiny scene with a rule of every kind, and readings and batches for it."""

from dataclasses import dataclass, replace

import numpy as np

from scenewatch.model.batch import Batch
from scenewatch.model.event import Event
from scenewatch.model.flags import Flag, Place, Test
from scenewatch.model.place import Device
from scenewatch.model.quantity import Quantity
from scenewatch.model.registry import Registry
from scenewatch.model.rule import (
    Above,
    AtLeast,
    Below,
    CausedBy,
    During,
    Flagged,
    Happened,
    Mark,
    NoData,
    Outside,
    Priority,
    PriorityStep,
    Reach,
    Rule,
    Source,
    Term,
    Then,
    While,
    all_of,
    any_of,
)
from scenewatch.model.scene import Channel, DeviceType, EventKind, Occasion, Scene, Span
from scenewatch.model.words import Text, seconds

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
    channels=(channel("air", -40.0, 60.0), channel("door", 0.0, 1.0), channel("power", 0.0, 900.0)),
    events=(EventKind(key="knock", title=NOTHING),),
)
PUMP = DeviceType(key="pump", title=NOTHING, every=seconds(60), channels=(channel("heat", -10.0, 90.0),))
GATEWAY = DeviceType(
    key="gateway", title=NOTHING, every=seconds(60), events=(EventKind(key="restart", title=NOTHING),)
)


def rule(key, when, *, on=("box.air",), on_delay_s=0, off_delay_s=0, but=(), **more):
    """`but` is what suppresses it."""
    return Rule(
        **more,
        key=key,
        title=NOTHING,
        on=on,
        when=when,
        suppressed_by=but,
        on_delay=seconds(on_delay_s),
        off_delay=seconds(off_delay_s),
        priority=Priority.LOW,
        source=Source(document=NOTHING, mark=Mark.PROPOSAL),
        proof="",
        advice=NOTHING,
    )


AIR_WARM = Term("air", Above(8.0, deadband=1.0))
DOOR_OPEN = Term("door", Above(0.5))
POWER_LOW = Term("power", Below(10.0, deadband=5.0))
OPEN_LATELY = While(term=DOOR_OPEN, after=seconds(60))
CLEANED = During(occasion="cleaning", after=seconds(45))

WARM = rule("warm", Above(8.0, deadband=1.0), on=("box.air", "pump.heat"), on_delay_s=60, off_delay_s=60)
HOT = rule("hot", Above(20.0))
COLD = rule("cold", Below(0.0, deadband=0.5), on_delay_s=30)
SILENT = rule("silent", NoData(seconds(120)), on=("box.air", "pump.heat"))
QUIET = rule("quiet", NoData(seconds(100)), on_delay_s=20, off_delay_s=60)
OPEN = rule("open", Above(0.5), on=("box.door",), off_delay_s=30)
ODD = rule("odd", Outside(0.4, 8.5, deadband=0.5), on=("box.air", "pump.heat"), off_delay_s=30)
STUCK = rule("stuck", Flagged(Test.STUCK), on_delay_s=30)
SINGLE = (WARM, HOT, COLD, SILENT, QUIET, OPEN, ODD, STUCK)

BOTH = rule("both", all_of(AIR_WARM, DOOR_OPEN), on_delay_s=60, off_delay_s=30)
EITHER = rule("either", any_of(Term("air", Outside(0.0, 20.0)), POWER_LOW), on=("box.power",))
MOST = rule("most", AtLeast(2, (AIR_WARM, DOOR_OPEN, POWER_LOW, Term("air", Flagged(Test.STUCK)))))
AFTER = rule("after", Then(first=DOOR_OPEN, second=AIR_WARM, within=seconds(120)), off_delay_s=30)
DELAYED = rule(
    "delayed", Then(first=POWER_LOW, second=DOOR_OPEN, within=seconds(60)), on_delay_s=30, but=(CLEANED,)
)
SHUT = rule("shut", Above(8.0, deadband=1.0), on_delay_s=60, off_delay_s=30, but=(OPEN_LATELY,))
WORKED = rule("worked", Outside(0.4, 8.5, deadband=0.5), on=("box.air", "pump.heat"), but=(CLEANED,))
STILL = rule("still", Flagged(Test.STUCK), but=(While(term=POWER_LOW), CLEANED))
CALM = rule("calm", all_of(AIR_WARM, POWER_LOW), on_delay_s=30, but=(While(term=DOOR_OPEN), CLEANED))
GROUPED = (BOTH, EITHER, MOST, AFTER, DELAYED, SHUT, WORKED, STILL, CALM)

KNOCK = rule("knock", Happened(event="knock", quiet=seconds(100)), on=("box",))
UNSEEN = rule("unseen", Happened(event="knock", quiet=seconds(30)), on=("box",), but=(OPEN_LATELY, CLEANED))
RESTART = rule("restart", Happened(event="restart", quiet=seconds(60)), on=("gateway",), off_delay_s=10)


def caused(by, at, after_s=0):
    return CausedBy(rule=by, at=at, after=seconds(after_s))


def grade(to, lasting_s=0, beyond=None):
    return PriorityStep(to=to, lasting=seconds(lasting_s), beyond=beyond)


MEDIUM, HIGH = Priority.MEDIUM, Priority.HIGH
DEAF = rule("deaf", NoData(seconds(90)), on=("gateway",), priority_steps=(grade(HIGH, 200),))
MUTE = rule("mute", NoData(seconds(120)), on=("box.door", "pump.heat"), but=(caused("deaf", Reach.PARENT, 20),))
HUSHED = rule(
    "hushed",
    NoData(seconds(100)),
    on=("box.power",),
    off_delay_s=30,
    but=(While(term=DOOR_OPEN, after=seconds(20)), CLEANED),
    latching=True,
)
LATCHED = rule(
    "latched",
    Above(8.0, deadband=1.0),
    off_delay_s=30,
    latching=True,
    priority_steps=(grade(MEDIUM, 30, Above(20.0, deadband=12.5)), grade(HIGH, 300)),
)
BOILING = rule("boiling", Above(8.0), on=("pump.heat",), follows=(caused("knocked", Reach.SITE),))
BLAMED = rule("blamed", Below(10.0), on=("box.power",), on_delay_s=30, but=(caused("boiling", Reach.SITE, 60),))
COUNTED = rule(
    "counted",
    Outside(0.4, 8.0),
    on=("box.door", "pump.heat"),
    on_delay_s=100,
    off_delay_s=30,
    follows=(caused("deaf", Reach.PARENT),),
)
EXPLAINED = rule(
    "explained",
    any_of(DOOR_OPEN, Term("air", Above(8.0))),
    on=("box.power",),
    follows=(caused("latched", Reach.DEVICE), caused("deaf", Reach.PARENT, 60)),
    priority_steps=(grade(HIGH, 60, Below(10.0)),),
)
KNOCKED = rule(
    "knocked",
    Happened(event="knock", quiet=seconds(90)),
    on=("box",),
    but=(caused("mute", Reach.SITE),),
    latching=True,
    priority_steps=(grade(MEDIUM, 60), grade(HIGH, 100)),
)
RELATED = (DEAF, MUTE, HUSHED, LATCHED, BOILING, BLAMED, COUNTED, EXPLAINED, KNOCKED)
RULES = (*SINGLE, *GROUPED, KNOCK, UNSEEN, RESTART, *RELATED)

CLEANED_EVERY_MS, CLEANED_MS = 600_000, 150_000


def spans(site, from_ms, to_ms, occasion):
    """The tiny scene's calendar: a while in every ten minutes, at each site at its own time."""
    assert occasion == "cleaning"
    late_ms = len(site) * 10_000
    first = (from_ms - late_ms) // CLEANED_EVERY_MS - 1
    last = (to_ms - late_ms) // CLEANED_EVERY_MS + 1
    begins = (n * CLEANED_EVERY_MS + late_ms for n in range(first, last + 1))
    cut = ((max(from_ms, begin), min(to_ms, begin + CLEANED_MS)) for begin in begins)
    return [(begin, end) for begin, end in cut if begin < end]


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
        calendar="tiny_scene:spans",
        occasions=(Occasion(key="cleaning", title=NOTHING),),
    )


def devices(*types, through=""):
    """`through` is the device by which all others speak."""
    names = [f"{t}{i}" for i, t in enumerate(types)]
    return [
        Device(scene="tiny", site="s", device=name, type=t, parent=through if name != through else "")
        for name, t in zip(names, types, strict=True)
    ]


def registry(*types, of=None, at_ms=START_MS, through=""):
    """A box has three series, a pump one, a gateway none."""
    found = Registry([of or scene()])
    found.apply(devices(*types, through=through), at_ms=at_ms)
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
    test: Test = Test.NONE
    message: int = 0


def numbered(messages):
    """The readings of messages, each of which is a list of readings."""
    return [replace(reading, message=n) for n, message in enumerate(messages) for reading in message]


def batch_of(readings):
    batch = Batch.of(
        np.array([r.series for r in readings], np.int32),
        np.array([r.t_ms for r in readings], np.int64),
        np.array([r.value for r in readings], np.float64),
        received_ms=np.array([r.received_ms for r in readings], np.int64),
    )
    for name, kind in (
        ("flag", np.uint8),
        ("test", np.uint8),
        ("place", np.uint8),
        ("live", np.bool_),
        ("message", np.int32),
    ):
        setattr(batch, name, np.array([getattr(r, name) for r in readings], kind))
    return batch


def event(device, kind, at_ms, *, received_ms=None, live=True):
    received_ms = at_ms if received_ms is None else received_ms
    return Event(position=0, device=device, kind=kind, at_ms=at_ms, received_ms=received_ms, live=live)


def comparable(transitions):
    """In the order of the rules and devices, and of each alarm's steps. Not a number is equal to itself here."""
    rows = [
        (
            t.rule,
            t.device,
            t.step,
            t.at_ms,
            t.raised_at_ms,
            repr(t.value),
            t.flag,
            t.priority,
            t.version,
            t.by,
            t.cause,
        )
        for t in transitions
    ]
    return sorted(rows, key=lambda row: row[:2])
