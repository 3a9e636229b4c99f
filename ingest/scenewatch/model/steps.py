"""Steps of priority that would never be seen: they must lead further out, or come later."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scenewatch.model import reach
from scenewatch.model.conditions import passes
from scenewatch.model.rule import Above, Below, Happened, NoData, Outside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenewatch.model.rule import PriorityStep, Rule
    from scenewatch.model.scene import Channel, DeviceType


class Flaw(NamedTuple):
    """What is wrong with one step: with one of its numbers, or as a whole."""

    step: int
    number: str
    what: str


def flaws(rule: Rule, device_type: DeviceType) -> Iterator[Flaw]:
    """Those on devices of one type; what has no reading goes by time alone."""
    if isinstance(rule.when, NoData | Happened):
        yield from _unseen(rule.priority_steps, None)
        return
    for channel in device_type.channels:
        if (name := f"{device_type.key}.{channel.key}") in rule.on:
            yield from _on_channel(rule, name, channel)


def _on_channel(rule: Rule, name: str, channel: Channel) -> Iterator[Flaw]:
    for at, step in enumerate(rule.priority_steps):
        if step.beyond is None:
            continue
        wrong = [Flaw(at, number, what) for number, what in reach.flaws(step.beyond, name, channel)]
        yield from wrong
        if not wrong and isinstance(rule.when, Above | Below | Outside):
            first = reach.LIMITS[type(step.beyond)][0]
            yield from (Flaw(at, first, what) for what in _not_further(rule.when, step, channel))
    yield from _unseen(rule.priority_steps, channel)


def _unseen(steps: Sequence[PriorityStep], channel: Channel | None) -> Iterator[Flaw]:
    """Of several that hold the last wins. Without a channel only those of time are looked at."""
    for at, step in enumerate(steps):
        if any(_holds_whenever(other, step, channel) for other in steps[at + 1 :]):
            yield Flaw(at, "", "is never seen: a later step holds whenever it does; put the furthest last")


def _not_further(when: Above | Below | Outside, step: PriorityStep, channel: Channel) -> Iterator[str]:
    if step.beyond is None:
        return
    values = reach.tried(channel, (when, step.beyond))
    if any(passes(step.beyond, v) and not passes(when, v) for v in values):
        yield "must be further out than the rule's own limit"
    elif not step.lasting and not any(passes(when, v) and not passes(step.beyond, v) for v in values):
        yield "is no step: it holds as soon as the alarm is raised"


def _holds_whenever(other: PriorityStep, step: PriorityStep, channel: Channel | None) -> bool:
    if other.lasting > step.lasting:
        return False
    if other.beyond is None or step.beyond is None or channel is None:
        return other.beyond is None
    values = reach.tried(channel, (other.beyond, step.beyond))
    return all(passes(other.beyond, v) or not passes(step.beyond, v) for v in values)
