"""Which terms of a rule can hold at one time, and which always do: a rule must be able to come, and to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.model.conditions import passes
from scenewatch.model.reach import tried
from scenewatch.model.rule import AtLeast, Flagged, Happened, NoData, Term, Then, While

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenewatch.model.rule import Comparison, Rule
    from scenewatch.model.scene import DeviceType

    Terms = Sequence[Term]

NEVER = -1


def flaws(rule: Rule, device_type: DeviceType) -> Iterator[tuple[str, str]]:
    """Which field of the rule is wrong on devices of this type, and what about it."""
    when = rule.when
    if isinstance(when, AtLeast) and 1 <= when.count <= len(when.terms):
        yield from _combined(when, device_type)
    own, count = _needed(rule, device_type)
    held_by = [s.term for s in rule.suppressed_by if isinstance(s, While)]
    if most(own, device_type) < count or not held_by:
        return
    free = most(own, device_type, unless=held_by)
    if free == NEVER:
        yield "suppressed_by", f"always holds on {device_type.key}: the alarm would never come"
    elif free < count:
        yield "suppressed_by", f"holds on {device_type.key} whenever the condition does: the alarm would never come"


def _combined(when: AtLeast, device_type: DeviceType) -> Iterator[tuple[str, str]]:
    can = most(when.terms, device_type)
    if can < when.count:
        where = next((k for k in _channels(when.terms) if _exclude(when, k, device_type)), None)
        together = f"at most {can} can hold at one time" if where is None else f"cannot hold together on {where}"
        yield "when.terms", f"{together}, of {when.count} on {device_type.key}: the alarm would never come"
    elif least(when.terms, device_type) >= when.count:
        yield "when.terms", f"{when.count} of them hold at any time on {device_type.key}: it would never return"


def _exclude(when: AtLeast, key: str, device_type: DeviceType) -> bool:
    """Whether those on one channel already rule each other out where all are needed."""
    mine = [term for term in when.terms if term.channel == key]
    return when.count == len(when.terms) and most(mine, device_type) < len(mine)


def _needed(rule: Rule, device_type: DeviceType) -> tuple[Terms, int]:
    """The terms of which so many must hold at the moment in which the alarm is raised."""
    match when := rule.when:
        case AtLeast(count=count):
            return when.terms, count
        case Then(second=second):
            return (second,), 1
        case NoData() | Happened():
            return (), 0
        case _:
            on = (on.partition(".") for on in rule.on)
            return tuple(Term(key, when) for type_key, _, key in on if type_key == device_type.key), 1


def most(terms: Terms, device_type: DeviceType, unless: Terms = ()) -> int:
    """How many can hold at one time while none of `unless` does; NEVER if always one of those does."""
    found = 0
    for key in _channels((*terms, *unless)):
        mine, others = _on(terms, key), _on(unless, key)
        channel = next((c for c in device_type.channels if c.key == key), None)
        if channel is None:
            found += len(mine)
            continue
        values = [v for v in tried(channel, (*mine, *others)) if not any(passes(is_, v) for is_ in others)]
        if not values:
            return NEVER
        found += max(sum(passes(is_, v) for is_ in mine) for v in values)
        found += sum(isinstance(is_, Flagged) and is_ not in others for is_ in mine)
    return found


def least(terms: Terms, device_type: DeviceType) -> int:
    """How many hold whatever is measured."""
    channels = {c.key: c for c in device_type.channels}
    found = 0
    for key in _channels(terms):
        if key in channels:
            mine = _on(terms, key)
            found += min(sum(passes(is_, v) for is_ in mine) for v in tried(channels[key], mine))
    return found


def _channels(terms: Terms) -> list[str]:
    return list(dict.fromkeys(term.channel for term in terms))


def _on(terms: Terms, key: str) -> list[Comparison]:
    return [term.is_ for term in terms if term.channel == key]
