"""What a derived channel is made of. It is stored, checked and alarmed like one that a device measures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenewatch.model.words import Duration, days, hours

if TYPE_CHECKING:
    from scenewatch.model.scene import Term

HOUR = hours(1)
HALF_A_DAY = hours(12)
WEEK = days(7)
FORTNIGHT = days(14)


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """For how much of the last `over` a term held, 0 to 1: a duty cycle. Told once half of `over` is known."""

    term: Term
    over: Duration
    every: Duration = HOUR


@dataclass(frozen=True, kw_only=True, slots=True)
class MeanWhile:
    """Mean of the channel `of` while a term held, over the last `over`; in that channel's unit."""

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

    The usual is learnt on line, hour of day by hour of day, and outliers move it little; the departure is smoothed,
    so one odd hour is none. Nothing is told while the first `learning` lasts.
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


Derived = Share | MeanWhile | Lasting | Departure
