"""The JSON of `GET /api/v1/alarm-load`: alarm load in figures of EEMUA 191 and ISA-18.2."""

from __future__ import annotations

from pydantic import BaseModel


class Restless(BaseModel):
    """An alarm that was raised three times or more within a minute."""

    rule: str
    device: str
    count: int


class Frequent(Restless):
    """One of the ten that were raised most, with its share of all."""

    share: float


class AlarmLoad(BaseModel):
    """Rates, peaks and floods are of an operator, and leave out what is shown beneath its cause."""

    from_ms: int
    to_ms: int
    operators: int
    alarms: int
    mean_10_min: float
    peak_10_min: int
    peak_at_ms: int | None
    over_10_share: float | None
    flood_share: float | None
    floods: int
    chattering: list[Restless]
    fleeting: int
    stale: int
    standing: int
    standing_peak: int
    most_frequent: list[Frequent]
    most_frequent_share: float | None
    priorities: dict[str, float]
    hidden: int
    grouped: int
    step_ms: int
    steps: list[int]
