"""Finds every mistake in a scene's tables at once, each with its table entry and field. Touches no network."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import fields, is_dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from scenewatch.model.errors import Mistake
from scenewatch.model.fault import Drift, Drive, Frozen, Ramp, Scope, Spikes, Tells, WrongClock
from scenewatch.model.point import MEASUREMENTS
from scenewatch.model.quantity import UNITS, Quantity
from scenewatch.model.words import Text
from scenewatch.scenes import check_causes, check_derived, check_rules, check_terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scenewatch.model.fault import Fault
    from scenewatch.model.scene import Channel, Command, DeviceType, Scene, Span
    from scenewatch.scenes.check_terms import Found

KEY: Final = re.compile(r"[a-z][a-z0-9_]*\Z")
REFERENCE: Final = re.compile(r"[\w.]+:\w+\Z")
MOST_KEYS: Final = 29
"""Of a scene and a device type together: `sw-device-<scene>-<type>` names a dashboard, for which Grafana has 40."""
RESERVED: Final = ("_min", "_max", "_mean", "_count", "_good", "_flag", "_test")
"""What the store keeps beside a channel has the channel's key with these behind it."""


def mistakes(scene: Scene) -> list[Mistake]:
    """Each once, though it may be seen on several device types."""
    found = [
        *_keys("scene", [scene]),
        *_keys("device type", scene.device_types),
        *_keys("rule", scene.rules),
        *_keys("fault", scene.faults),
        *_scene(scene),
        *chain.from_iterable(_device_type(t) for t in scene.device_types),
        *chain.from_iterable(check_rules.rule(scene, r) for r in scene.rules),
        *check_causes.causes(scene),
        *chain.from_iterable(_fault(scene, f) for f in scene.faults),
        *_texts("", scene),
    ]
    return [Mistake(f"{scene.key}: {place}", what) for place, what in dict.fromkeys(found)]


def _keys(kind: str, entries: Iterable[Any]) -> Iterator[Found]:
    counts = Counter(e.key for e in entries)
    for key, count in counts.items():
        if not KEY.match(key):
            yield f"{kind} {key!r}: key", "must be lower case letters, digits and underscores, a letter first"
        if count > 1:
            yield f"{kind} {key}: key", f"occurs {count} times"


def _scene(scene: Scene) -> Iterator[Found]:
    if scene.simulator or scene.faults:
        yield from _simulated(scene)
    if scene.teller and not REFERENCE.match(scene.teller):
        yield "scene: teller", f"must read module:class, not {scene.teller!r}"
    if scene.demonstration and not REFERENCE.match(scene.demonstration):
        yield "scene: demonstration", f"must read module:class, not {scene.demonstration!r}"
    yield from _calendar(scene)
    if scene.busy_ms is not None and scene.busy_ms[0] >= scene.busy_ms[1]:
        yield "scene: busy_ms", "must begin before it ends"
    for device_type in scene.device_types:
        if (letters := len(scene.key) + len(device_type.key)) > MOST_KEYS:
            yield (
                f"device type {device_type.key}: key",
                f"must be shorter: with the scene's key it may have {MOST_KEYS} letters, not {letters}",
            )


def _simulated(scene: Scene) -> Iterator[Found]:
    """What a scene of recorded data alone can do without."""
    if not REFERENCE.match(scene.simulator):
        yield "scene: simulator", f"must read module:class, not {scene.simulator!r}"
    mishap = next((f for f in scene.faults if f.key == scene.mishap), None)
    if mishap is None:
        yield "scene: mishap", f"names no fault: {scene.mishap!r}"
    elif not mishap.rules:
        yield "scene: mishap", f"no rule finds {scene.mishap}: nothing would be shown"
    intervals = sorted({t.every for t in scene.device_types if t.channels})
    if len(intervals) > 1:
        yield "scene: device_types", f"must all report at one interval, not at {intervals} ms"


def _calendar(scene: Scene) -> Iterator[Found]:
    yield from _keys("occasion", scene.occasions)
    if scene.calendar and not REFERENCE.match(scene.calendar):
        yield "scene: calendar", f"must read module:function, not {scene.calendar!r}"
    if scene.occasions and not scene.calendar:
        yield "scene: calendar", "must be given: who else knows of occasions?"
    if scene.calendar and not scene.occasions:
        yield "scene: occasions", "must not be empty where there is a calendar"


def _device_type(device_type: DeviceType) -> Iterator[Found]:
    place = f"device type {device_type.key}"
    if device_type.key in MEASUREMENTS:
        yield f"{place}: key", "is the name of a measurement beside the readings"
    if device_type.every <= 0:
        yield f"{place}: every", "must be longer than nothing"
    yield from _keys(f"{place}: channel", device_type.channels)
    for channel in device_type.channels:
        yield from _channel(f"{place}: channel {channel.key}", channel)
    yield from check_derived.derived(device_type)
    yield from _keys(f"{place}: event", device_type.events)
    yield from _keys(f"{place}: command", device_type.commands)
    for command in device_type.commands:
        yield from _command(f"{place}: command {command.key}", device_type, command)


def _command(place: str, device_type: DeviceType, command: Command) -> Iterator[Found]:
    channel = next((c for c in device_type.channels if c.key == command.channel), None)
    if channel is None:
        yield f"{place}: channel", f"unknown channel {command.channel}"
    elif not channel.states:
        yield f"{place}: channel", f"{channel.key} is no state: nobody could see that it was done"
    elif command.to not in {number for number, _ in channel.states}:
        yield f"{place}: to", f"{command.to:g} is no state of {channel.key}"
    if not command.input:
        yield f"{place}: input", "must not be empty"
    if command.refused_when is not None:
        yield from check_terms.term_of(f"{place}: refused_when", device_type, command.refused_when)
    if command.expires_after <= 0:
        yield f"{place}: expires_after", "must be longer than nothing"


def _channel(place: str, channel: Channel) -> Iterator[Found]:
    if channel.key.endswith(RESERVED):
        yield f"{place}: key", f"must not end in any of {', '.join(RESERVED)}: the store has its own fields so"
    if channel.unit not in UNITS[channel.quantity]:
        allowed = sorted(UNITS[channel.quantity])
        yield f"{place}: unit", f"{channel.unit!r} is no unit of {channel.quantity}; permitted: {allowed}"
    yield from _span(f"{place}: possible", channel.possible)
    if channel.expected is not None:
        yield from _span(f"{place}: expected", channel.expected)
        if not (
            _within(channel.expected.low, channel.possible) and _within(channel.expected.high, channel.possible)
        ):
            yield f"{place}: expected", "must lie within possible"
    if channel.fastest_per_minute is not None and channel.fastest_per_minute <= 0:
        yield f"{place}: fastest_per_minute", "must be more than nothing"
    if channel.stuck_after is not None and channel.stuck_after <= 0:
        yield f"{place}: stuck_after", "must be longer than nothing"
    if (channel.quantity is Quantity.STATE) != bool(channel.states):
        yield f"{place}: states", "must be given for a state, and only for a state"
    for number, _ in channel.states:
        if not _within(number, channel.possible):
            yield f"{place}: states", f"{number:g} is outside possible"


def _span(place: str, span: Span) -> Iterator[Found]:
    if not span.low < span.high:
        yield place, f"low {span.low:g} must be below high {span.high:g}"


def _within(value: float, span: Span) -> bool:
    return span.low <= value <= span.high


def _fault(scene: Scene, fault: Fault) -> Iterator[Found]:
    """A fault that no rule finds yet is allowed: it can be injected and seen before there is a rule for it."""
    place = f"fault {fault.key}"
    rules = {r.key for r in scene.rules}
    for on in sorted(set(fault.on) - {t.key for t in scene.device_types}):
        yield f"{place}: on", f"unknown device type {on}"
    for rule in sorted(set(fault.rules) - rules):
        yield f"{place}: rules", f"unknown rule {rule}"
    if not fault.on:
        yield f"{place}: on", "must not be empty"
    yield from _shows(place, scene, fault)
    yield from _sizes(place, fault)
    for name in ("minimum", "deadline"):
        if getattr(fault, name) <= 0:
            yield f"{place}: {name}", "must be longer than nothing"
    if fault.tail < 0:
        yield f"{place}: tail", "must not be negative"


def _shows(place: str, scene: Scene, fault: Fault) -> Iterator[Found]:
    channels = {f"{t.key}.{c.key}" for t in scene.device_types for c in t.channels}
    for unknown in sorted(set(fault.shows) - channels):
        yield f"{place}: shows", f"unknown channel {unknown}"
    types = {shows.partition(".")[0] for shows in fault.shows}
    effect = fault.effect
    if isinstance(effect, Tells):
        yield from _tells(place, scene, fault, effect)
        return
    if fault.scope is Scope.DEVICE:
        for on in sorted(set(fault.on) - types):
            yield f"{place}: shows", f"names no channel of {on}"
        for other in sorted(types - set(fault.on)):
            yield f"{place}: shows", f"names a channel of {other}, which it does not befall"
    elif not types:
        yield f"{place}: shows", "must not be empty"
    if isinstance(effect, Frozen | Drift | Spikes):
        for on in fault.on:
            if f"{on}.{effect.channel}" not in channels:
                yield f"{place}: effect.channel", f"{on} has no channel {effect.channel}"


def _tells(place: str, scene: Scene, fault: Fault, effect: Tells) -> Iterator[Found]:
    """What is told may show on no channel at all."""
    for on in sorted(set(fault.on) & {t.key for t in scene.device_types}):
        if effect.event not in {e.key for e in scene.device_type(on).events}:
            yield f"{place}: effect.event", f"{on} tells no {effect.event}"
    if effect.every <= 0:
        yield f"{place}: effect.every", "must be longer than nothing"


def _sizes(place: str, fault: Fault) -> Iterator[Found]:
    effect = fault.effect
    sized = isinstance(effect, Ramp | Drift | Spikes | WrongClock) or (
        isinstance(effect, Drive) and effect.to is None
    )
    if sized != (fault.sizes is not None):
        yield f"{place}: sizes", "must be given where the effect has a size, and only there"
    if fault.sizes is not None and not 0 < fault.sizes.smallest <= fault.sizes.findable <= fault.sizes.largest:
        yield f"{place}: sizes", "must be more than nothing, and ascend from smallest over findable to largest"


def _texts(place: str, entry: object) -> Iterator[Found]:
    """Every text below a table entry that is empty in one of the languages."""
    if isinstance(entry, Text):
        for language in ("en", "zh"):
            if not getattr(entry, language).strip():
                yield f"{place}.{language}", "must not be empty"
    elif isinstance(entry, tuple):
        for number, item in enumerate(entry):
            yield from _texts(f"{place}[{getattr(item, 'key', number)}]", item)
    elif is_dataclass(entry):
        for field in fields(entry):
            yield from _texts(f"{place}.{field.name}".lstrip("."), getattr(entry, field.name))
