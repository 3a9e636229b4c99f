"""A device type with derived channels, its stages, and readings to feed them with."""

import numpy as np

from scenewatch.insight.insight import Insight, inserted
from scenewatch.model.batch import Batch
from scenewatch.model.place import Device
from scenewatch.model.quantity import Quantity
from scenewatch.model.registry import Registry
from scenewatch.model.scene import Channel, DeviceType, Scene, Span
from scenewatch.model.words import Text, hours, minutes
from scenewatch.quality.quality import Quality

T0 = 1_780_000_000_000 // hours(1) * hours(1)
EVERY = minutes(1)
WORDS = Text("x", "x")
MEASURED = ("power", "door")


def channel(key, derived=None):
    return Channel(
        key=key, title=WORDS, quantity=Quantity.POWER, unit="W", possible=Span(-1e12, 1e12), derived=derived
    )


class Rig:
    """Devices d1, d2, ... of one type, which measures power and door and derives what it is told to."""

    def __init__(self, derived, devices=2, every=EVERY):
        channels = (*map(channel, MEASURED), *(channel(key, how) for key, how in derived.items()))
        self.width = len(channels)
        kind = DeviceType(key="fridge", title=WORDS, every=every, channels=channels)
        scene = Scene(
            key="s",
            title=WORDS,
            site_title=WORDS,
            device_types=(kind,),
            rules=(),
            faults=(),
            simulator="a:b",
            mishap="",
        )
        self.registry = Registry([scene])
        self.place(devices)

    def place(self, devices):
        placed = [Device(scene="s", site="a", device=f"d{n + 1}", type="fridge") for n in range(devices)]
        self.registry.apply(placed, at_ms=0)

    def stages(self):
        """Insight and quality at their beginning."""
        insight, quality = Insight(), Quality()
        insight.grow(self.registry)
        quality.grow(self.registry)
        return insight, quality

    def messages(self, samples):
        """A batch of messages [(device number, time, [(channel number, value)])]."""
        rows = [(self.width * d + c, t, v, i) for i, (d, t, values) in enumerate(samples) for c, v in values]
        series, t_ms, value, message = map(list, zip(*rows, strict=True)) if rows else ([], [], [], [])
        batch = Batch.of(np.array(series, np.int32), np.array(t_ms, np.int64), np.array(value, np.float64))
        batch.message = np.array(message, np.int32)
        return batch

    def run(self, samples, stages=None):
        """The checked batch of these messages, with what is derived of them."""
        return through(stages or self.stages(), self.messages(samples))

    def told(self, batches, key, device="d1"):
        """[(time, value)] of one derived channel."""
        name = f"s.a.{device}.{key}"
        return [
            (t, v)
            for b in batches
            for s, t, v in zip(b.series.tolist(), b.t_ms.tolist(), b.value.tolist(), strict=True)
            if self.registry.series_name(s) == name
        ]


def through(stages, batch):
    insight, quality = stages
    quality.check(batch)
    more, before = insight.derive(batch)
    quality.check(more)
    return inserted(batch, more, before)


def regular(n, power, door=lambda _: 0.0, device=0):
    """`n` messages, one each EVERY, of functions of their number."""
    return [(device, T0 + i * EVERY, [(0, power(i)), (1, door(i))]) for i in range(n)]
