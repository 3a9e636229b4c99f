"""Grafana's time: the span a dashboard shows, and how far apart the points of a query are in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

LIMITS_MS = (
    (10, 1), (15, 10), (35, 20), (75, 50), (150, 100), (350, 200), (750, 500), (1_500, 1_000),
    (3_500, 2_000), (7_500, 5_000), (12_500, 10_000), (17_500, 15_000), (25_000, 20_000), (45_000, 30_000),
    (90_000, 60_000), (210_000, 120_000), (450_000, 300_000), (750_000, 600_000), (1_050_000, 900_000),
    (1_500_000, 1_200_000), (2_700_000, 1_800_000), (5_400_000, 3_600_000), (9_000_000, 7_200_000),
    (16_200_000, 10_800_000), (32_400_000, 21_600_000), (86_400_000, 43_200_000), (604_800_000, 86_400_000),
    (1_814_400_000, 604_800_000), (3_628_800_000, 2_592_000_000),
)  # fmt: skip  # a table is read by rows
"""Below the first number it is the second: `rangeUtil.roundInterval` of @grafana/data."""
YEAR_MS = 31_536_000_000

UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": YEAR_MS}


@dataclass(frozen=True)
class TimeSpan:
    """What the time picker says."""

    name: str
    from_ms: int
    to_ms: int

    @classmethod
    def before(cls, name: str, to_ms: int, length_ms: int) -> TimeSpan:
        return cls(name, to_ms - length_ms, to_ms)


def interval_ms(span: TimeSpan, points: int, least: str | None) -> int:
    """Grafana's `$__interval_ms` for so many points, not under the panel's own interval."""
    wanted = (span.to_ms - span.from_ms) / points
    rounded = next((step for limit, step in LIMITS_MS if wanted < limit), YEAR_MS)
    return max(rounded, _milliseconds(least) if least else 1)


def interval_text(step_ms: int) -> str:
    """As `secondsToHms` writes it: the largest unit alone."""
    return next(f"{step_ms // UNITS_MS[u]}{u}" for u in ("y", "d", "h", "m", "s", "ms") if step_ms >= UNITS_MS[u])


def _milliseconds(text: str) -> int:
    found = re.fullmatch(r">?(\d+)(ms|[smhdwy])", text)
    assert found, f"{text!r} is no interval"
    return int(found[1]) * UNITS_MS[found[2]]
