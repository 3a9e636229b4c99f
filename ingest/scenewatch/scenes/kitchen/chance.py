"""All randomness of the kitchen: a function of seed, place and absolute hour, and of nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HOUR_S: Final = 3600
NOISES: Final = 3
"""Noisy channels: temperature, power, battery."""
MOST_OPENINGS: Final = 48
"""In an hour; the busiest shift has about thirty."""
PAUSE_S: Final = 40.0
"""Who comes back sooner leaves the door open meanwhile: that is one opening, not two."""
LENGTH_SPREAD: Final = 0.6
"""Of the logarithm of an opening's length."""
SHORTEST_S: Final = 4.0
LONGEST_S: Final = 150.0

Key = tuple[int, int]


def key_of(seed: int, name: str) -> Key:
    digest = blake2b(f"{seed}/{name}".encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")


def generator(key: Key, hour: int) -> np.random.Generator:
    """The stream of one place and hour. The hour sits in the counter's top word, so streams never overlap."""
    return np.random.Generator(
        np.random.Philox(key=np.array(key, np.uint64), counter=np.array([0, 0, 0, hour % 2**64], np.uint64))
    )


@dataclass(frozen=True, slots=True)
class HourOfChance:
    """Standard draws of one hour, one row a cabinet."""

    noise: NDArray[np.float64]
    """(cabinets, steps, NOISES), normal."""
    waits: NDArray[np.float64]
    """(cabinets, MOST_OPENINGS), exponential."""
    lengths: NDArray[np.float64]
    """(cabinets, MOST_OPENINGS), normal."""


def draw_hour(keys: Sequence[Key], hour: int, steps: int) -> HourOfChance:
    noise = np.empty((len(keys), steps, NOISES))
    waits = np.empty((len(keys), MOST_OPENINGS))
    lengths = np.empty((len(keys), MOST_OPENINGS))
    for row, key in enumerate(keys):
        chance = generator(key, hour)
        chance.standard_exponential(out=waits[row])
        chance.standard_normal(out=lengths[row])
        chance.standard_normal(out=noise[row])
    return HourOfChance(noise, waits, lengths)


def openings(
    chance: HourOfChance, per_hour: NDArray[np.float64], open_s: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Seconds into the hour at which doors open and close: two arrays (cabinets, MOST_OPENINGS), ascending.

    Those beyond the hour's end do not happen; none reaches into the next hour.
    """
    length = np.clip(open_s * np.exp(LENGTH_SPREAD * chance.lengths), SHORTEST_S, LONGEST_S)
    between_s = HOUR_S / np.maximum(per_hour, 1e-6)
    wait = PAUSE_S + chance.waits * np.maximum(between_s - PAUSE_S - open_s, 5.0)[:, None]
    closes = np.cumsum(wait + length, axis=1)
    return closes - length, closes
