"""A little scene without a mistake, and what is found when it is broken."""

from dataclasses import replace

from scenewatch.model.fault import Fault, Silence
from scenewatch.model.insight import Share, TimeTo
from scenewatch.model.quantity import Quantity
from scenewatch.model.rule import Above, Mark, NoData, Priority, Rule, Source, Term
from scenewatch.model.scene import Channel, DeviceType, EventKind, Scene, Span
from scenewatch.model.words import Text, hours, minutes, seconds
from scenewatch.scenes.check import mistakes

WORD = Text("Word", "词")
AIR = Channel(
    key="air",
    title=WORD,
    quantity=Quantity.TEMPERATURE,
    unit="°C",
    possible=Span(-40, 60),
    stuck_after=hours(1),
)
PHASE = Channel(
    key="phase",
    title=WORD,
    quantity=Quantity.STATE,
    unit="",
    possible=Span(0, 3),
    states=((1.0, WORD), (2.0, WORD), (3.0, WORD)),
)
DUTY = Channel(
    key="duty",
    title=WORD,
    quantity=Quantity.RATIO,
    unit="%",
    possible=Span(0, 1000),
    derived=Share(term=Term("air", Above(8.0)), over=hours(24)),
)
SOON = Channel(
    key="soon",
    title=WORD,
    quantity=Quantity.TIME,
    unit="min",
    possible=Span(0, 9999),
    derived=TimeTo(of="air", limit=8.0, over=hours(1), every=minutes(10), horizon=hours(4)),
)
BOX = DeviceType(
    key="box",
    title=WORD,
    every=seconds(30),
    channels=(AIR, PHASE, DUTY, SOON),
    events=(EventKind(key="knock", title=WORD),),
)
GATEWAY = DeviceType(key="gateway", title=WORD, every=seconds(60))
FAULT = Fault(
    key="fire",
    title=WORD,
    on=("box", "gateway"),
    effect=Silence(),
    shows=("box.air", "gateway.status"),
    rules=("warm", "lost"),
    minimum=minutes(1),
    deadline=minutes(1),
    tail=minutes(1),
)
WARM = Rule(
    key="warm",
    title=WORD,
    on=("box.air",),
    when=Above(8.0, deadband=0.5),
    priority=Priority.LOW,
    source=Source(document=WORD, mark=Mark.PROPOSAL),
    proof="fire",
    advice=WORD,
)
LOST = replace(WARM, key="lost", on=("gateway",), when=NoData(minutes(10)))


def scene(*rules, kinds=(BOX, GATEWAY)):
    return Scene(
        key="lab",
        title=WORD,
        site_title=WORD,
        device_types=kinds,
        rules=rules,
        faults=(replace(FAULT, rules=tuple(r.key for r in rules)),),
        simulator="a:b",
        mishap="fire",
    )


def found(*rules, kinds=(BOX, GATEWAY)):
    """Without what is wrong with a fault that has nothing to do with it."""
    told = mistakes(scene(*rules, kinds=kinds))
    return [str(m).removeprefix("lab: ") for m in told if ": fault " not in str(m)]
