"""Small words used by every table: bilingual text and spans of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

Duration = NewType("Duration", int)
"""A span of time in milliseconds."""


def seconds(n: float) -> Duration:
    return Duration(round(n * 1000))


def minutes(n: float) -> Duration:
    return seconds(n * 60)


def hours(n: float) -> Duration:
    return minutes(n * 60)


def days(n: float) -> Duration:
    return hours(n * 24)


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in the languages people read it in."""

    en: str
    zh: str
