"""A tiny scene, and quality written once more in plain Python, as slowly and clearly as it can be."""

from dataclasses import dataclass, field

import numpy as np

from scenewatch.model import flags
from scenewatch.model.batch import Batch
from scenewatch.model.flags import Flag, Place
from scenewatch.model.place import Device
from scenewatch.model.quantity import Quantity
from scenewatch.model.registry import Registry
from scenewatch.model.scene import Channel, DeviceType, Scene, Span
from scenewatch.model.words import Text, minutes, seconds

NOTHING = Text("", "")
START_MS = 1_700_000_000_000


def channel(key, **limits):
    return Channel(
        key=key, title=NOTHING, quantity=Quantity.TEMPERATURE, unit="°C", possible=Span(-40.0, 60.0), **limits
    )


AIR = channel("air", expected=Span(-10.0, 30.0), fastest_per_minute=2.0, stuck_after=minutes(10))
PLAIN = channel("plain")
BOX = DeviceType(key="box", title=NOTHING, every=seconds(30), channels=(AIR, PLAIN))
SLOW = DeviceType(key="slow", title=NOTHING, every=seconds(600), channels=(AIR,))
SCENE = Scene(
    key="tiny",
    title=NOTHING,
    site_title=NOTHING,
    device_types=(BOX, SLOW),
    rules=(),
    faults=(),
    simulator="",
    mishap="",
)


def registry(*types):
    """One device of each type: `box` has series 0 and 1, `slow` behind it has series 2."""
    found = Registry([SCENE])
    found.apply([Device(scene="tiny", site="s", device=f"d{i}", type=t) for i, t in enumerate(types)], at_ms=0)
    return found


def batch_of(readings):
    """Readings are (series, t_ms, value, received_ms, live)."""
    columns = list(zip(*readings, strict=True)) or [[]] * 5
    series, t_ms, value, received_ms, live = columns
    batch = Batch.of(
        np.array(series, np.int32),
        np.array(t_ms, np.int64),
        np.array(value, np.float64),
        received_ms=np.array(received_ms, np.int64),
    )
    batch.live = np.array(live, np.bool_)
    return batch


@dataclass
class Past:
    """What the oracle remembers of a series: everything."""

    newest_t: int | None = None
    usable: list[tuple[int, float]] = field(default_factory=list)


class Oracle:
    def __init__(self, known, allowed_skew_ms=60_000):
        self.registry = known
        self.allowed_skew_ms = allowed_skew_ms
        self.past = {n: Past() for n in range(known.series_count)}

    def judge(self, series, t_ms, value, received_ms, live):
        """(t, flag, test, place) of one reading."""
        wrong_clock = t_ms > received_ms + self.allowed_skew_ms or t_ms < 946_684_800_000
        t = received_ms if wrong_clock else t_ms
        past = self.past[series]
        place = self.place(past, t, live)
        found = {flags.Test.CLOCK} if wrong_clock else set()
        found |= self.alone(series, value)
        if place is Place.NEW:
            past.newest_t = t
            if flags.Test.POSSIBLE not in found:
                found |= self.with_past(series, past, t, value)
                past.usable.append((t, value))
        return (t, *self.worst(found), place)

    @staticmethod
    def place(past, t, live):
        if not live or (past.newest_t is not None and t < past.newest_t):
            return Place.LATE
        return Place.DUPLICATE if t == past.newest_t else Place.NEW

    def alone(self, series, value):
        limits = self.registry.channel_of(series)
        if not limits.possible.low <= value <= limits.possible.high:
            return {flags.Test.POSSIBLE}
        if limits.expected and not limits.expected.low <= value <= limits.expected.high:
            return {flags.Test.EXPECTED}
        return set()

    def with_past(self, series, past, t, value):
        limits = self.registry.channel_of(series)
        gap_ms = 3 * self.registry.type_of(self.registry.series_device[series]).every
        if not past.usable:
            return set()
        before_t, before = past.usable[-1]
        if t - before_t > gap_ms:
            return {flags.Test.GAP}
        found = set()
        fastest = limits.fastest_per_minute
        if fastest is not None and abs(value - before) * 60_000.0 > fastest * (t - before_t):
            found.add(flags.Test.FASTEST)
        flat_since = t
        for (earlier_t, earlier), (later_t, _) in zip(
            reversed(past.usable), reversed([*past.usable[1:], (t, value)]), strict=True
        ):
            if earlier != value or later_t - earlier_t > gap_ms:
                break
            flat_since = earlier_t
        if limits.stuck_after is not None and t - flat_since >= limits.stuck_after:
            found.add(flags.Test.STUCK)
        return found

    @staticmethod
    def worst(found):
        if flags.Test.POSSIBLE in found:
            return Flag.FAIL, flags.Test.POSSIBLE
        suspect = sorted(found - {flags.Test.GAP})
        if suspect:
            return Flag.SUSPECT, suspect[0]
        return Flag.GOOD, flags.Test.GAP if found else flags.Test.NONE
