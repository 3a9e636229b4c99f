"""Lays the derived channels of all device types out as arrays for the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from scenewatch.insight.kernel import DEPARTURE, IS_TERM, IS_VALUE, LASTING, LINK, MEAN, OPERATION, SHARE
from scenewatch.model.insight import Departure, Lasting, MeanWhile, Share
from scenewatch.model.scene import Above, Below, Outside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from scenewatch.model.insight import Derived
    from scenewatch.model.scene import Channel, DeviceType, Scene, Term

BUCKETS: Final = 24
"""Into which a span is cut: it slides in steps of that share, or of the interval at which it is told."""
HOUR_MS: Final = 3_600_000
NO_TEST: Final = -1


class Layout(NamedTuple):
    """By kind of series: who reads it. By device type: how many derived channels, and which operations they are."""

    first_link: NDArray[np.int32]
    links: NDArray[np.void]
    operations: NDArray[np.void]
    of_kind: NDArray[np.int32]
    """Of each kind of series its operation; NOT_DERIVED for what is measured."""


NOT_DERIVED: Final = -1


@dataclass(frozen=True, slots=True)
class _Reads:
    channel: str
    role: int


def lay_out(kinds: Sequence[tuple[Scene, DeviceType, Channel]]) -> Layout:
    """In the registry's order."""
    operations: list[tuple[float, ...]] = []
    of_kind = []
    links: list[list[tuple[int, int]]] = []
    for _, device_type, channel in kinds:
        derived = [c.derived for c in device_type.channels if c.derived is not None]
        links.append(
            [
                (number, reads.role)
                for number, one in enumerate(derived)
                for reads in _reads(one)
                if reads.channel == channel.key
            ]
        )
        of_kind.append(len(operations) if channel.derived is not None else NOT_DERIVED)
        if channel.derived is not None:
            operations.append(_operation(channel.derived, device_type))
    return Layout(
        np.array(list(accumulate(map(len, links), initial=0)), np.int32),
        np.array([link for of_channel in links for link in of_channel], LINK),
        np.array(operations, OPERATION),
        np.array(of_kind, np.int32),
    )


def _reads(derived: Derived) -> Iterator[_Reads]:
    match derived:
        case Departure(of=of):
            yield _Reads(of, IS_VALUE)
        case MeanWhile(of=of, term=term) if of == term.channel:
            yield _Reads(of, IS_VALUE | IS_TERM)
        case MeanWhile(of=of, term=term):
            yield _Reads(of, IS_VALUE)
            yield _Reads(term.channel, IS_TERM)
        case Share(term=term) | Lasting(term=term):
            yield _Reads(term.channel, IS_TERM)


def buckets_of(derived: Derived) -> int:
    """How many a derived channel needs."""
    if not isinstance(derived, Share | MeanWhile):
        return 0
    return max(1, round(derived.over / _bucket_ms(derived)))


def learning_hours(derived: Derived) -> int:
    return derived.learning // HOUR_MS if isinstance(derived, Departure) else 0


def _bucket_ms(derived: Share | MeanWhile) -> int:
    return max(derived.every, derived.over // BUCKETS)


def _operation(derived: Derived, device_type: DeviceType) -> tuple[float, ...]:
    """A row of OPERATION."""
    gap = device_type.gap
    match derived:
        case Share() | MeanWhile():
            form = SHARE if isinstance(derived, Share) else MEAN
            low, high, test = _holds(derived.term)
            spans = (derived.every, _bucket_ms(derived), buckets_of(derived), gap, derived.over // 2)
            return (form, test, low, high, *spans, 0.0, 0.0, 0.0, 0.0, 0)
        case Lasting():
            low, high, test = _holds(derived.term)
            return (LASTING, test, low, high, derived.every, 0, 0, gap, 0, 0.0, 0.0, 0.0, 0.0, 0)
        case Departure():
            paces = (derived.smoothing / HOUR_MS, derived.pattern / HOUR_MS, derived.spread / HOUR_MS)
            none = (NO_TEST, -np.inf, np.inf, derived.every, 0, 0, gap, 0)
            return (DEPARTURE, *none, *paces, derived.wary_beyond, learning_hours(derived))


def _holds(term: Term) -> tuple[float, float, int]:
    """Below the first, above the second, or flagged by the third."""
    match term.is_:
        case Above(limit):
            return -np.inf, limit, NO_TEST
        case Below(limit):
            return limit, np.inf, NO_TEST
        case Outside(low, high):
            return low, high, NO_TEST
        case flagged:
            return -np.inf, np.inf, int(flagged.test)
