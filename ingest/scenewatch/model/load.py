"""How much alarms ask of an operator, in figures of EEMUA 191 and ISA-18.2: the one shape for API and reports."""

from __future__ import annotations

import msgspec


class Frequent(msgspec.Struct, frozen=True, kw_only=True):
    """One of the rules or devices that raise most."""

    rule: str
    device: str
    count: int
    share: float
    """Of all alarms."""


class Restless(msgspec.Struct, frozen=True, kw_only=True):
    """An alarm that came too often within a short time."""

    rule: str
    device: str
    count: int


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """Of all alarms shown within [from_ms, to_ms). Shares are None where there is nothing to divide by."""

    from_ms: int
    to_ms: int
    operators: int
    alarms: int
    mean_10_min: float
    """Alarms an operator and ten minutes; EEMUA 191: at most 1 is acceptable."""
    peak_10_min: int
    """Of an operator."""
    peak_at_ms: int | None
    """Where the worst ten minutes begin."""
    over_10_share: float | None
    """Of all ten minutes, those with more than ten alarms an operator."""
    flood_share: float | None
    """Of the time, that within a flood: from more than ten alarms in ten minutes until fewer than five."""
    floods: int
    chattering: list[Restless]
    """Raised three times or more within one minute."""
    fleeting: int
    """Over within a minute by themselves."""
    stale: int
    """Standing for more than 24 hours at the end."""
    standing: int
    """At the end."""
    standing_peak: int
    most_frequent: list[Frequent]
    """Ten, by rule and device."""
    most_frequent_share: float | None
    """Of all alarms, those of the ten."""
    priorities: dict[str, float]
    """Share of each priority; ISA-18.2: about 5 % high, 15 % medium, 80 % low."""
    hidden: int
    """Raised while shelved, out of service or in maintenance: not counted above."""
    grouped: int
    """Of the alarms those that follow from a cause that stood: shown beneath it."""
