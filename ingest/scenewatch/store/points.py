"""Points that every store can carry: names, texts and numbers as line protocol has them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scenewatch.model.errors import RefusedError
from scenewatch.store.influxql import FIRST_MS, LAST_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scenewatch.model.point import Point

MOST_INTEGER = 2**63 - 1


def writable(points: Sequence[Point]) -> tuple[list[Point], list[str]]:
    """Those that can be kept, and the reason of each that cannot."""
    kept, reasons = [], list[str]()
    for point in points:
        try:
            _check(point)
        except RefusedError as error:
            reasons.append(str(error))
        else:
            kept.append(point)
    return kept, reasons


def tell_refused(reasons: Sequence[str], of: int) -> None:
    """Raises one RefusedError for all that is refused of one call; the rest is kept by then."""
    if reasons:
        count = len(reasons)
        raise RefusedError(f"{count} of {of} points are refused: {reasons[0]}", count=count)


def in_order(point: Point) -> tuple[int, list[tuple[str, str]]]:
    """Points are told in ascending time, then by tags."""
    return point.t_ms, sorted(point.tags.items())


def _check(point: Point) -> None:
    """Raises RefusedError. The same for all stores, so that a point which one takes, any other takes too."""
    _check_names((point.measurement, *point.tags, *point.fields))
    if point.measurement.startswith("#"):
        raise RefusedError(f"{point.measurement!r} would be a comment in line protocol")
    for key in (*point.tags, *point.fields):
        if key == "time" or key.startswith("_"):
            raise RefusedError(f"{key!r} has a meaning of its own in InfluxDB")
    if not point.fields or point.tags.keys() & point.fields.keys():
        raise RefusedError(f"{point.measurement!r} needs fields, of other names than its tags")
    for text in point.tags.values():
        # Line protocol has no way to write these: a backslash at the end would escape what follows it.
        if not text or not text.isprintable() or text.endswith("\\"):
            raise RefusedError(f"{text!r} cannot be a tag's value in line protocol")
    for key, value in point.fields.items():
        _check_value(key, value)
    if not FIRST_MS <= point.t_ms <= LAST_MS:
        raise RefusedError(f"{point.t_ms} ms is a time that InfluxDB cannot hold")


def _check_names(names: Iterable[str]) -> None:
    for name in names:
        if not name or not name.isprintable() or "\\" in name:
            raise RefusedError(f"{name!r} cannot be a name in line protocol")


def _check_value(key: str, value: float | str) -> None:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise RefusedError(f"the text of {key} is not Unicode: {error}") from error
    elif isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value)):
        raise RefusedError(f"{key} is {value}: a field is a finite number or a text")
    elif isinstance(value, int) and not -MOST_INTEGER - 1 <= value <= MOST_INTEGER:
        raise RefusedError(f"{key} is {value}, which 64 bits cannot hold")
