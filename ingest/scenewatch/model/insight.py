"""What a derived channel is made of. It is stored, checked and alarmed like one that a device measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenewatch.model.words import Duration, days, hours

if TYPE_CHECKING:
    from scenewatch.model.rule import Term

HOUR = hours(1)
HALF_A_DAY = hours(12)
DAY = hours(24)
WEEK = days(7)
FORTNIGHT = days(14)


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """For how much of the last `over` a term held, in %: a duty cycle.

    Told once `over` has passed, and while more than half of it is known.
    """

    term: Term
    over: Duration
    every: Duration = HOUR


@dataclass(frozen=True, kw_only=True, slots=True)
class MeanWhile:
    """Mean of the channel `of` while a term held, over the last `over`; in that channel's unit.

    Told once `over` has passed.
    """

    of: str
    term: Term
    over: Duration
    every: Duration = HOUR


@dataclass(frozen=True, kw_only=True, slots=True)
class Lasting:
    """For how many minutes a term has held by now; 0 while it does not. A silence begins it anew."""

    term: Term
    every: Duration


@dataclass(frozen=True, kw_only=True, slots=True)
class Departure:
    """How far hourly means of the channel `of` are from what is usual at their hour, in usual spreads.

    The usual is learnt on line, hour of day by hour of day, and from the third week on what parts of the week add
    to that; outliers move it little. The departure is smoothed, so one odd hour is none. Nothing is told while the
    first `learning` lasts.
    """

    of: str
    smoothing: Duration = HALF_A_DAY
    learning: Duration = WEEK
    pattern: Duration = WEEK
    """How fast the usual of an hour follows."""
    spread: Duration = FORTNIGHT
    """How fast the usual spread follows."""
    wary_beyond: float = 1.5
    """A smoothed departure beyond this slows down the learning: what lasts is not to become usual at once."""
    every: Duration = HOUR


UNUSUAL = 2.5
"""A departure further than this, either way, is unusual: the limit of a rule that has no better one."""
UNUSUAL_DEADBAND = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Usual:
    """What is usual of the channel `of` at this hour, in its unit: what its `Departure` is measured from."""

    of: str
    departure: str
    """Key of the channel with the `Departure`, which learns for both."""
    every: Duration = HOUR


@dataclass(frozen=True, kw_only=True, slots=True)
class LastRun:
    """For how many minutes a term held when it last did: the length of a compressor's run. Told when it ends."""

    term: Term
    every: Duration = DAY
    """It happens at least about so often."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Slope:
    """How fast the channel `of` moves, per hour in its unit: a least-squares line through the last `over`."""

    of: str
    over: Duration
    every: Duration


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeTo:
    """In how many minutes the channel `of` passes `limit` if it goes on as in the last `over`; at most `horizon`.

    A line by least squares; only where its slope towards the limit is at least `sure` of its own standard errors
    is there a trend at all, else it is `horizon`. 0 beyond the limit.
    """

    of: str
    limit: float
    rising: bool = True
    """False where the limit is passed from above."""
    over: Duration
    every: Duration
    horizon: Duration = HALF_A_DAY
    sure: float = 3.0


Derived = Share | MeanWhile | Lasting | Departure | Usual | LastRun | Slope | TimeTo
