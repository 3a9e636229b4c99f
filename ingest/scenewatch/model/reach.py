"""What a channel can show at all, and limits with which an alarm on it could never come, or never go."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from scenewatch.model.conditions import limits, passes
from scenewatch.model.insight import Lasting, LastRun, Share, TimeTo
from scenewatch.model.rule import Above, Below, Flagged, Outside
from scenewatch.model.scene import Span
from scenewatch.model.words import minutes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scenewatch.model.rule import Comparison
    from scenewatch.model.scene import Channel

LIMITS: Final[Mapping[type[Comparison], tuple[str, ...]]] = {
    Above: ("limit",),
    Below: ("limit",),
    Outside: ("low", "high"),
    Flagged: (),
}
"""A comparison's own numbers; those with a limit have a deadband too."""
MINUTE: Final = minutes(1)


def reach(channel: Channel) -> Span:
    """What its readings can be: of what is derived no more than its making gives."""
    possible = channel.possible
    match channel.derived:
        case TimeTo(horizon=horizon):
            return Span(max(0.0, possible.low), min(horizon / MINUTE, possible.high))
        case Share():
            return Span(max(0.0, possible.low), min(100.0, possible.high))
        case Lasting() | LastRun():
            return Span(max(0.0, possible.low), possible.high)
        case _:
            return possible


def tried(channel: Channel, comparisons: Iterable[Comparison]) -> list[float]:
    """A value of each kind that these comparisons tell apart: its states, or one between any two limits."""
    if channel.states:
        return [number for number, _ in channel.states]
    within = reach(channel)
    edges = sorted({limit for is_ in comparisons for limit in limits(is_) if within.low < limit < within.high})
    between = [(low + high) / 2 for low, high in pairwise((within.low, *edges, within.high))]
    return [within.low, *between, within.high]


def flaws(is_: Comparison, name: str, channel: Channel) -> Iterator[tuple[str, str]]:
    """Which number of the comparison is wrong, and what about it. `name` is what the channel is called."""
    if isinstance(is_, Flagged):
        return
    told = f"what {name} can {'measure' if channel.derived is None else 'tell'}: {_words(channel)}"
    numbers = {number: getattr(is_, number) for number in LIMITS[type(is_)]}
    within = reach(channel)
    outside = [number for number, limit in numbers.items() if not within.low <= limit <= within.high]
    if is_.deadband < 0:
        yield "deadband", f"must not be negative, as {is_.deadband:g} is"
    for number in outside:
        yield number, f"{numbers[number]:g} is outside {told}"
    if not outside:
        yield from _one_sided(is_, next(iter(numbers)), channel, told)


def _one_sided(is_: Above | Below | Outside, first: str, channel: Channel, told: str) -> Iterator[tuple[str, str]]:
    """Only one of all that may be wrong, as the others follow from it."""
    values = tried(channel, (is_,))
    if isinstance(is_, Outside) and is_.low >= is_.high:
        yield "low", f"{is_.low:g} must be below high, which is {is_.high:g}"
    elif not any(passes(is_, value) for value in values):
        yield first, f"the alarm would never come: nothing is beyond it in {told}"
    elif isinstance(is_, Outside):
        if is_.low + is_.deadband > is_.high - is_.deadband:
            yield "deadband", f"the alarm would never return: no value is inside both limits by {is_.deadband:g}"
    else:
        release, within = release_of(is_), reach(channel)
        if not within.low <= release <= within.high:
            yield "deadband", f"the alarm would return at {release:g}, outside {told}"
        elif channel.states and not any(_returns(is_, value) for value in values):
            yield first, f"the alarm would never return: nothing is within it in {told}"


def release_of(is_: Above | Below) -> float:
    return is_.limit - is_.deadband if isinstance(is_, Above) else is_.limit + is_.deadband


def _returns(is_: Above | Below, value: float) -> bool:
    return value <= release_of(is_) if isinstance(is_, Above) else value >= release_of(is_)


def _words(channel: Channel) -> str:
    within = reach(channel)
    return f"{within.low:g} to {within.high:g} {channel.unit}".rstrip()
