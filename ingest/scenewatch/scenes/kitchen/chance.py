"""All randomness of the kitchen: a function of seed, place and absolute hour, and of nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.model.compiled import allocating

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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

NUMBER: Final = np.uint64(0x9E3779B97F4A7C15)
FIRST_MIX: Final = np.uint64(0xBF58476D1CE4E5B9)
SECOND_MIX: Final = np.uint64(0x94D049BB133111EB)
"""Of the SplitMix64 generator."""
SHIFTS: Final = (np.uint64(30), np.uint64(27), np.uint64(31))
QUARTER: Final = np.uint64(16)
LOW_BITS: Final = np.uint64(0xFFFF)
QUARTER_REACH: Final = 65_536.0
FOUR_UNIFORM: Final = math.sqrt(3.0)
"""Makes the variance of a sum of four uniform numbers, which is a third, one."""

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


def draw_one(
    typical: Mapping[str, tuple[float, float]], of_place: Mapping[str, tuple[float, float]], key: Key
) -> dict[str, float]:
    """One device of its own: each parameter within ± its relative spread, then those between lowest and highest."""
    chance = generator(key, 0)
    drawn = {name: value * (1.0 + spread * chance.uniform(-1.0, 1.0)) for name, (value, spread) in typical.items()}
    return drawn | {name: chance.uniform(low, high) for name, (low, high) in of_place.items()}


@allocating
def bits(key: np.uint64, step: int, number: int) -> np.uint64:
    """64 random bits of a device's `number`th quantity at a step counted from 1970, out of nothing else."""
    x = key + np.uint64(step) * NUMBER + np.uint64(number) * FIRST_MIX
    x = (x ^ (x >> SHIFTS[0])) * FIRST_MIX
    x = (x ^ (x >> SHIFTS[1])) * SECOND_MIX
    return x ^ (x >> SHIFTS[2])


@allocating
def uniform(key: np.uint64, step: int, number: int) -> float:
    """In [0, 1)."""
    return float(bits(key, step, number) & LOW_BITS) / QUARTER_REACH


@allocating
def normal(key: np.uint64, step: int, number: int) -> float:
    """Nearly: a sum of four, so none is beyond 3.5 deviations."""
    x = bits(key, step, number)
    total = 0.0
    for _ in range(4):
        total += float(x & LOW_BITS)
        x >>= QUARTER
    return (total / QUARTER_REACH - 2.0) * FOUR_UNIFORM
