"""Finds every mistake in a scene's rules: what they name and what can never come, or never go."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from scenewatch.model.conditions import compared, passes, terms, watched_types
from scenewatch.model.flags import Test
from scenewatch.model.scene import (
    Above,
    AtLeast,
    Below,
    During,
    Flagged,
    Happened,
    NoData,
    Outside,
    Scope,
    Tells,
    Then,
    While,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scenewatch.model.scene import Channel, Comparison, DeviceType, Rule, Scene, Suppression, Term

Found = tuple[str, str]
"""Where within the scene, and what is wrong."""
NEEDS: Final[Mapping[Test, str | None]] = {
    Test.CLOCK: None,
    Test.EXPECTED: "expected",
    Test.FASTEST: "fastest_per_minute",
    Test.STUCK: "stuck_after",
}
"""Tests that leave a doubtful reading for rules to see, with what a channel must have for them to be made."""


def rule(scene: Scene, of: Rule) -> Iterator[Found]:
    place = f"rule {of.key}"
    if not of.on:
        yield f"{place}: on", "must name at least one channel"
    types = Counter(on.partition(".")[0] for on in of.on)
    for type_key, count in types.items():
        if count > 1:
            yield f"{place}: on", f"names {count} channels of {type_key}; one a device type"
    yield from _on(f"{place}: on", scene, of)
    yield from _when(f"{place}: when", scene, of)
    for name in ("on_delay", "off_delay"):
        if getattr(of, name) < 0:
            yield f"{place}: {name}", "must not be negative"
    if of.on_delay and isinstance(of.when, NoData | Happened):
        yield f"{place}: on_delay", "missing data and events have their own delay: leave on_delay out"
    for number, suppression in enumerate(of.suppressed_by):
        yield from _suppression(f"{place}: suppressed_by[{number}]", scene, of, suppression)
    yield from _proof(f"{place}: proof", scene, of)


def _on(place: str, scene: Scene, of: Rule) -> Iterator[Found]:
    if isinstance(of.when, Happened):
        known = {t.key for t in scene.device_types}
        what = "device type"
    else:
        known = {f"{t.key}.{c.key}" for t in scene.device_types for c in t.channels}
        what = "channel"
    for on in of.on:
        if on not in known:
            yield place, f"unknown {what} {on}"


def _when(place: str, scene: Scene, of: Rule) -> Iterator[Found]:
    for device_type in watched_types(scene, of):
        yield from _when_of(place, device_type, of)
    yield from _shape(place, of)


def _when_of(place: str, device_type: DeviceType, of: Rule) -> Iterator[Found]:
    """What is wrong with it on devices of one type."""
    match of.when:
        case NoData(after):
            if after <= device_type.every:
                yield f"{place}.after", f"must be longer than {device_type.key} is silent between two readings"
        case Happened(event=event):
            if event not in {e.key for e in device_type.events}:
                yield f"{place}.event", f"{device_type.key} tells of no {event}"
        case AtLeast() | Then():
            for number, term in enumerate(terms(of.when)):
                yield from term_of(f"{place}.terms[{number}]", device_type, term)
            yield from _together(place, device_type, of.when)
        case _:
            for channel, is_ in compared(of, device_type):
                yield from comparison(place, channel, is_)


def _shape(place: str, of: Rule) -> Iterator[Found]:
    """What is wrong whatever the device."""
    when = of.when
    if isinstance(when, AtLeast) and not 1 <= when.count <= len(when.terms):
        yield f"{place}.count", f"{when.count} of {len(when.terms)} terms can never hold, or always do"
    if isinstance(when, Then):
        if when.within <= 0:
            yield f"{place}.within", "must be longer than nothing"
        if when.first == when.second:
            yield f"{place}.second", "is the first once more"
    if isinstance(when, Happened) and when.quiet <= 0:
        yield f"{place}.quiet", "must be longer than nothing"


def term_of(place: str, device_type: DeviceType, term: Term) -> Iterator[Found]:
    channel = next((c for c in device_type.channels if c.key == term.channel), None)
    if channel is None:
        yield f"{place}.channel", f"{device_type.key} has no channel {term.channel}"
    else:
        yield from comparison(place, channel, term.is_)


def comparison(place: str, channel: Channel, is_: Comparison) -> Iterator[Found]:
    possible = channel.possible
    if isinstance(is_, Flagged):
        if is_.test not in NEEDS:
            yield f"{place}.test", f"no rule sees {is_.test.name}; it sees {', '.join(test.name for test in NEEDS)}"
        elif (needed := NEEDS[is_.test]) and getattr(channel, needed) is None:
            yield f"{place}.test", f"{channel.key} has no {needed}: it is never doubted so"
        return
    reach = f"what {channel.key} can measure: {possible.low:g} to {possible.high:g}"
    for name, limit in _limits(is_):
        if not possible.low <= limit <= possible.high:
            yield f"{place}.{name}", f"{limit:g} is outside {reach}"
            return
    if isinstance(is_, Outside) and not is_.low < is_.high:
        yield f"{place}.low", f"{is_.low:g} must be below high, which is {is_.high:g}"
    elif not (passes(is_, possible.low) or passes(is_, possible.high)):
        yield f"{place}.{_limits(is_)[0][0]}", f"can never be passed: it is the end of {reach}"
    if is_.deadband < 0:
        yield f"{place}.deadband", "must not be negative"
    elif not _can_return(is_, channel):
        yield f"{place}.deadband", f"is so wide that the alarm never returns within {reach}"


def _limits(is_: Above | Below | Outside) -> tuple[tuple[str, float], ...]:
    if isinstance(is_, Outside):
        return (("low", is_.low), ("high", is_.high))
    return (("limit", is_.limit),)


def _can_return(is_: Above | Below | Outside, channel: Channel) -> bool:
    match is_:
        case Above(limit, deadband):
            return limit - deadband >= channel.possible.low
        case Below(limit, deadband):
            return limit + deadband <= channel.possible.high
        case Outside(low, high, deadband):
            return low + deadband <= high - deadband


def _together(place: str, device_type: DeviceType, when: AtLeast | Then) -> Iterator[Found]:
    """Terms that must all hold, of which one on a channel always rules out another."""
    if isinstance(when, Then) or when.count < len(when.terms):
        return
    for channel in device_type.channels:
        mine = [t.is_ for t in when.terms if t.channel == channel.key and not isinstance(t.is_, Flagged)]
        edges = sorted({limit for is_ in mine for _, limit in _limits(is_)})
        between = [(low + high) / 2 for low, high in pairwise(edges)]
        tried = [n for n, _ in channel.states] or [channel.possible.low, *between, channel.possible.high]
        if mine and not any(all(passes(is_, value) for is_ in mine) for value in tried):
            yield f"{place}.terms", f"can never hold together on {channel.key} of {device_type.key}"


def _suppression(place: str, scene: Scene, of: Rule, suppression: Suppression) -> Iterator[Found]:
    if suppression.after < 0:
        yield f"{place}.after", "must not be negative"
    if isinstance(suppression, While):
        for device_type in watched_types(scene, of):
            yield from term_of(f"{place}.term", device_type, suppression.term)
    elif isinstance(suppression, During) and suppression.occasion not in {o.key for o in scene.occasions}:
        yield f"{place}.occasion", f"the scene has no occasion {suppression.occasion}"


def _proof(place: str, scene: Scene, of: Rule) -> Iterator[Found]:
    proof = next((f for f in scene.faults if f.key == of.proof), None)
    if proof is None:
        yield place, f"unknown fault {of.proof}"
        return
    if of.key not in proof.rules:
        yield place, f"fault {proof.key} does not list {of.key} in its rules"
    elif proof.scope is Scope.DEVICE and not {on.partition(".")[0] for on in of.on} & set(proof.on):
        yield place, f"fault {proof.key} befalls no device type the rule watches"
    told = proof.effect.event if isinstance(proof.effect, Tells) else None
    if isinstance(of.when, Happened) and told != of.when.event:
        yield place, f"fault {proof.key} does not make a device tell of {of.when.event}"
