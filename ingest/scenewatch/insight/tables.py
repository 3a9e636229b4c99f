"""Lays the derived channels of all device types out as arrays for the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from scenewatch.insight.rows import (
    DEPARTURE,
    IS_TERM,
    IS_VALUE,
    LAST_RUN,
    LASTING,
    LINK,
    MEAN,
    NO_TEST,
    OPERATION,
    SHARE,
    SLOPE,
    TIME_TO,
    USUAL,
)
from scenewatch.model.insight import Departure, Lasting, LastRun, MeanWhile, Share, Slope, TimeTo, Usual
from scenewatch.model.rule import Above, Below, Outside

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from scenewatch.model.insight import Derived
    from scenewatch.model.rule import Term
    from scenewatch.model.scene import Channel, DeviceType, Scene

BUCKETS: Final = 24
"""Into which a span is cut: it slides in steps of that share, or of the interval at which it is told."""
HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000


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
    """In the registry's order. What is usual is read behind the departure that learns it."""
    operations: list[dict[str, float]] = []
    of_kind = []
    links: list[list[tuple[int, int]]] = []
    for _, device_type, channel in kinds:
        derived = [c.derived for c in device_type.channels if c.derived is not None]
        links.append(
            [
                (number, reads.role)
                for number, one in sorted(enumerate(derived), key=lambda n: isinstance(n[1], Usual))
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
        _as_rows(operations),
        np.array(of_kind, np.int32),
    )


def _reads(derived: Derived) -> Iterator[_Reads]:
    match derived:
        case Departure(of=of) | Usual(of=of) | Slope(of=of) | TimeTo(of=of):
            yield _Reads(of, IS_VALUE)
        case MeanWhile(of=of, term=term) if of == term.channel:
            yield _Reads(of, IS_VALUE | IS_TERM)
        case MeanWhile(of=of, term=term):
            yield _Reads(of, IS_VALUE)
            yield _Reads(term.channel, IS_TERM)
        case Share(term=term) | Lasting(term=term) | LastRun(term=term):
            yield _Reads(term.channel, IS_TERM)


def buckets_of(derived: Derived, device_type: DeviceType) -> int:
    """How many a derived channel needs."""
    match derived:
        case Share() | MeanWhile() | Slope() | TimeTo():
            return max(1, round(derived.over / _bucket_ms(derived, device_type)))
        case _:
            return 0


def learning_hours(derived: Derived) -> int:
    return derived.learning // HOUR_MS if isinstance(derived, Departure) else 0


def _bucket_ms(derived: Share | MeanWhile | Slope | TimeTo, device_type: DeviceType) -> int:
    """A line's points are as close as readings allow; what is summed only has to slide from telling to telling."""
    least = device_type.every if isinstance(derived, Slope | TimeTo) else derived.every
    return max(least, derived.over // BUCKETS)


def _as_rows(operations: list[dict[str, float]]) -> NDArray[np.void]:
    rows = np.zeros(len(operations), OPERATION)
    rows["test"], rows["low"], rows["high"] = NO_TEST, -np.inf, np.inf
    for row, fields in zip(rows, operations, strict=True):
        for name, value in fields.items():
            row[name] = value
    return rows


def _operation(derived: Derived, device_type: DeviceType) -> dict[str, float]:
    """What of a row of OPERATION is not its default."""
    fields: dict[str, float] = {"every": derived.every, "gap": device_type.gap}
    match derived:
        case Share() | MeanWhile() | Slope() | TimeTo():
            fields |= {"bucket": _bucket_ms(derived, device_type), "buckets": buckets_of(derived, device_type)}
            fields |= {"known": derived.over}
        case _:
            pass
    match derived:
        case Share() | MeanWhile() | Lasting() | LastRun():
            form = {Share: SHARE, MeanWhile: MEAN, Lasting: LASTING, LastRun: LAST_RUN}[type(derived)]
            low, high, test = _holds(derived.term)
            return fields | {"form": form, "low": low, "high": high, "test": test}
        case Departure():
            paces = {name: getattr(derived, name) / HOUR_MS for name in ("smoothing", "pattern", "spread")}
            learning = {"wary": derived.wary_beyond, "learning": learning_hours(derived)}
            return fields | {"form": DEPARTURE, **paces, **learning}
        case Usual():
            derived_keys = [c.key for c in device_type.channels if c.derived is not None]
            return fields | {"form": USUAL, "departure": derived_keys.index(derived.departure)}
        case Slope():
            return fields | {"form": SLOPE}
        case TimeTo():
            towards = {"limit": derived.limit, "towards": 1 if derived.rising else -1, "sure": derived.sure}
            return fields | {"form": TIME_TO, "horizon": derived.horizon / MINUTE_MS, **towards}


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
