"""Rules of a map's entries. Deviation, rate and time to breach are comparisons on channels that come with them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from scenewatch.model.flags import Test
from scenewatch.model.insight import UNUSUAL, UNUSUAL_DEADBAND, Departure, Slope, TimeTo
from scenewatch.model.rule import (
    Above,
    AtLeast,
    Below,
    CausedBy,
    Flagged,
    Mark,
    NoData,
    Outside,
    Reach,
    Rule,
    Source,
    Term,
    While,
)
from scenewatch.model.words import Duration, Text, minutes
from scenewatch.recorded.genericchannels import of_derived

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from scenewatch.model.insight import Derived
    from scenewatch.model.rule import Condition, Suppression
    from scenewatch.model.scene import Channel
    from scenewatch.recorded.mapping import RuleEntry, SuppressionEntry

    Channels = MutableMapping[str, Channel]
    """By their keys."""

STEPS: Final = 12
"""In how many a span of a line is told, unless said otherwise."""
SHORTEST: Final = minutes(1)
ADVICE: Final = Text("Look at the readings before and after.", "查看前后的读数。")


def rule_of(entry: RuleEntry, channels: Channels, document: str, slowest: Duration) -> Rule:
    """`on` is its channel's key alone. Channels that come with it are put to `channels`, none
    told more often than the `slowest` device reports. Raises ValueError.
    """
    on = entry.on or (entry.terms[0].channel if entry.terms else "")
    if on not in channels:
        raise ValueError(f"on names no channel: {on!r}; there are {', '.join(channels)}")
    on, when = _condition(entry, on, channels, slowest)
    return Rule(
        key=entry.key,
        title=entry.title or Text(entry.key, entry.key),
        on=(on,),
        when=when,
        suppressed_by=tuple(_suppression(s) for s in entry.suppressed_by),
        on_delay=Duration(entry.on_delay),
        off_delay=Duration(entry.off_delay),
        priority=entry.priority,
        source=Source(document=Text(document, document), mark=Mark.PROPOSAL),
        proof="",
        advice=entry.advice or ADVICE,
    )


def _condition(entry: RuleEntry, on: str, channels: Channels, slowest: Duration) -> tuple[str, Condition]:
    """The channel that is compared, and how."""
    match entry.kind:
        case "above" | "below" | "outside":
            return on, _plain(entry)
        case "deviation":
            return _departure(on, channels), _deviation(entry)
        case "rate":
            return _rate(entry, on, channels, slowest)
        case "time_to_breach":
            return _time_to_breach(entry, on, channels, slowest)
        case "no_data":
            return on, NoData(Duration(entry.after or 0))
        case "stuck":
            channels[on] = replace(channels[on], stuck_after=Duration(entry.after or 0))
            return on, Flagged(Test.STUCK)
        case "all" | "any":
            terms = tuple(_compared(t.channel, t.above, t.below) for t in entry.terms or ())
            return on, AtLeast(len(terms) if entry.kind == "all" else 1, terms)


def _plain(entry: RuleEntry) -> Above | Below | Outside:
    deadband = entry.deadband or 0.0
    if entry.kind == "outside":
        return Outside(_number(entry.low), _number(entry.high), deadband)
    return (Above if entry.kind == "above" else Below)(_number(entry.limit), deadband)


def _deviation(entry: RuleEntry) -> Above | Below | Outside:
    """To both sides, or to the one that is said."""
    deadband = UNUSUAL_DEADBAND if entry.deadband is None else entry.deadband
    if entry.high is not None and entry.low is None:
        return Above(entry.high, deadband)
    if entry.low is not None and entry.high is None:
        return Below(entry.low, deadband)
    limit = UNUSUAL if entry.limit is None else entry.limit
    low, high = -limit if entry.low is None else entry.low, limit if entry.high is None else entry.high
    return Outside(low, high, deadband)


def _departure(on: str, channels: Channels) -> str:
    """One is enough for all rules on a channel; an entry of the map's own goes before."""
    for channel in channels.values():
        if isinstance(channel.derived, Departure) and on in {channel.key, channel.derived.of}:
            return channel.key
    return _with(f"{on}_departure", Departure(of=on), channels)


def _rate(entry: RuleEntry, on: str, channels: Channels, slowest: Duration) -> tuple[str, Above | Below]:
    over = Duration(entry.over or 0)
    slope = _with(f"{entry.key}_rate", Slope(of=on, over=over, every=_every(entry, over, slowest)), channels)
    limit, deadband = _number(entry.limit), entry.deadband or 0.0
    return slope, Below(-limit, deadband) if entry.falling else Above(limit, deadband)


def _time_to_breach(entry: RuleEntry, on: str, channels: Channels, slowest: Duration) -> tuple[str, Below]:
    over, within = Duration(entry.over or 0), Duration(entry.within or 0)
    left = TimeTo(
        of=on,
        limit=_number(entry.limit),
        rising=not entry.falling,
        over=over,
        every=_every(entry, over, slowest),
        horizon=Duration(4 * within),
    )
    return _with(f"{entry.key}_left", left, channels), Below(within / minutes(1), entry.deadband or 0.0)


def _every(entry: RuleEntry, over: Duration, slowest: Duration) -> Duration:
    return Duration(entry.every or max(SHORTEST, slowest, over // STEPS))


def _with(key: str, derived: Derived, channels: Channels) -> str:
    if key in channels:
        raise ValueError(f"needs a channel of its own called {key}: rename that of the map")
    channels[key] = of_derived(key, derived, channels)
    return key


def _suppression(entry: SuppressionEntry) -> Suppression:
    after = Duration(entry.after)
    if entry.rule:
        return CausedBy(rule=entry.rule, at=Reach.DEVICE, after=after)
    return While(term=_compared(entry.channel, entry.above, entry.below), after=after)


def _compared(channel: str, above: float | None, below: float | None) -> Term:
    return Term(channel, Above(above) if above is not None else Below(_number(below)))


def _number(number: float | None) -> float:
    """One that the map was seen to have."""
    if number is None:
        raise ValueError("a number is missing")
    return number
