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
    """Of the alarms those that follow from a cause that stood: shown beneath it, and in no rate above."""
    step_ms: int = 0
    steps: list[int] = msgspec.field(default_factory=list)
    """Alarms that are in the rates, in each step of `step_ms` from `from_ms` on."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One figure beside what EEMUA 191 and ISA-18.2 call acceptable."""

    key: str
    """Its field in `Load`; of a priority `priority_<its key>`."""
    value: float | None
    at_most: float
    met: bool | None
    """None where there is too little to judge."""


ENOUGH_TO_SHARE = 100
"""Fewer alarms say nothing about shares of rules and priorities."""
AT_MOST = {
    "mean_10_min": 1.0,
    "peak_10_min": 10.0,
    "over_10_share": 0.01,
    "flood_share": 0.01,
    "chattering": 0.0,
    "fleeting": 0.0,
    "stale": 5.0,
}
AT_MOST_OF_MANY = {"most_frequent_share": 0.05, "priority_high": 0.05, "priority_medium": 0.15}


def judged(load: Load) -> list[Judged]:
    """In the order of the tables above."""
    values: dict[str, float | None] = {f"priority_{key}": share for key, share in load.priorities.items()}
    values |= {key: getattr(load, key) for key in (*AT_MOST, "most_frequent_share") if key != "chattering"}
    values["chattering"] = len(load.chattering)
    found = []
    for key, at_most in (AT_MOST | AT_MOST_OF_MANY).items():
        value = values.get(key)
        enough = key in AT_MOST or load.alarms >= ENOUGH_TO_SHARE
        met = value <= at_most if value is not None and enough else None
        found.append(Judged(key=key, value=value, at_most=at_most, met=met))
    return found
