"""Finds every mistake in a scene's rules: what they name and what can never come, or never go."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from scenewatch.model import together
from scenewatch.model.conditions import compared, terms, told_every, watched_types
from scenewatch.model.fault import Scope, Tells
from scenewatch.model.rule import AtLeast, CausedBy, During, Happened, NoData, Then, While
from scenewatch.scenes.check_standing import standing
from scenewatch.scenes.check_terms import comparison, term_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.model.rule import Rule, Suppression
    from scenewatch.model.scene import DeviceType, Scene
    from scenewatch.scenes.check_terms import Found


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
    if of.off_delay and isinstance(of.when, Happened):
        yield f"{place}: off_delay", "an event's alarm ends by quiet: make that longer, and leave off_delay out"
    for number, suppression in enumerate(of.suppressed_by):
        yield from _suppression(f"{place}: suppressed_by[{number}]", scene, of, suppression)
    for device_type in watched_types(scene, of):
        yield from ((f"{place}: {field}", what) for field, what in together.flaws(of, device_type))
    yield from standing(scene, of)
    yield from _proof(f"{place}: proof", scene, of)


def _on(place: str, scene: Scene, of: Rule) -> Iterator[Found]:
    """Events, and the silence of all that speak through a device, are a device type's own."""
    channels = {f"{t.key}.{c.key}" for t in scene.device_types for c in t.channels}
    types = {t.key for t in scene.device_types}
    for on in of.on:
        if isinstance(of.when, Happened):
            if on not in types:
                yield place, f"unknown device type {on}"
        elif isinstance(of.when, NoData) and on in types:
            if scene.device_type(on).channels:
                yield place, f"{on} has channels: name the one that falls silent"
        elif on not in channels:
            yield place, f"unknown channel {on}"


def _when(place: str, scene: Scene, of: Rule) -> Iterator[Found]:
    for device_type in watched_types(scene, of):
        yield from _when_of(place, scene, device_type, of)
    yield from _shape(place, of)


def _when_of(place: str, scene: Scene, device_type: DeviceType, of: Rule) -> Iterator[Found]:
    """What is wrong with it on devices of one type."""
    match of.when:
        case NoData(after):
            every, name = told_every(scene, device_type, of)
            if after <= every:
                yield f"{place}.after", f"must be longer than the {every / 1000:g} s between two readings of {name}"
        case Happened(event=event):
            if event not in {e.key for e in device_type.events}:
                yield f"{place}.event", f"{device_type.key} tells of no {event}"
        case AtLeast() | Then():
            for number, term in enumerate(terms(of.when)):
                yield from term_of(f"{place}.terms[{number}]", device_type, term)
            if isinstance(of.when, Then):
                yield from _in_time(f"{place}.within", device_type, of.when)
        case _:
            for channel, is_ in compared(of, device_type):
                yield from comparison(place, device_type, channel, is_)


def _in_time(place: str, device_type: DeviceType, when: Then) -> Iterator[Found]:
    both = (when.first, when.second)
    if when.within < device_type.every and together.most(both, device_type) < len(both):
        what = f"must not be shorter than {device_type.key} reports: both never hold in one reading"
        yield place, what


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


def _suppression(place: str, scene: Scene, of: Rule, suppression: Suppression) -> Iterator[Found]:
    """Those by other rules are looked at all together."""
    if suppression.after < 0 and not isinstance(suppression, CausedBy):
        yield f"{place}.after", "must not be negative"
    if isinstance(suppression, While):
        for device_type in watched_types(scene, of):
            yield from term_of(f"{place}.term", device_type, suppression.term)
    elif isinstance(suppression, During) and suppression.occasion not in {o.key for o in scene.occasions}:
        yield f"{place}.occasion", f"the scene has no occasion {suppression.occasion}"


def _proof(place: str, scene: Scene, of: Rule) -> Iterator[Found]:
    proof = next((f for f in scene.faults if f.key == of.proof), None)
    if proof is None:
        if of.proof or scene.simulator:
            yield place, f"unknown fault {of.proof}"
        return
    if of.key not in proof.rules:
        yield place, f"fault {proof.key} does not list {of.key} in its rules"
    elif proof.scope is Scope.DEVICE and not {on.partition(".")[0] for on in of.on} & set(proof.on):
        yield place, f"fault {proof.key} befalls no device type the rule watches"
    told = proof.effect.event if isinstance(proof.effect, Tells) else None
    if isinstance(of.when, Happened) and told != of.when.event:
        yield place, f"fault {proof.key} does not make a device tell of {of.when.event}"
