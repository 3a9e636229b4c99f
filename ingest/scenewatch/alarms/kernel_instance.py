"""The compiled state machine of one rule on one series or device: counts, raises, clears."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.alarms.rows import (
    CLEARED,
    COUNTING_OFF,
    COUNTING_ON,
    FLAGGED,
    LATCHED,
    NORMAL,
    OWN,
    RAISED,
    STANDING,
)
from scenewatch.model.compiled import within

if TYPE_CHECKING:
    from typing import Any


@within
def beyond(comparison: Any, value: float, test: int) -> bool:
    if comparison.sort == FLAGGED:
        return bool(test == comparison.test)
    return bool(value > comparison.high or value < comparison.low)


@within
def released(comparison: Any, value: float, test: int) -> bool:
    if comparison.sort == FLAGGED:
        return bool(test != comparison.test)
    return bool(comparison.release_low <= value <= comparison.release_high)


@within
def narrow(row: Any, comparison: Any, holds: bool, value: float) -> None:  # noqa: FBT001 - as all state in kernels, a plain number
    """Leave in the quiet band only values like `value`, which neither end what holds nor begin what does not."""
    if comparison.sort == FLAGGED:
        if holds:
            row.quiet_low = np.inf  # an empty band is quiet for no value
    elif not holds:
        row.quiet_low = max(row.quiet_low, comparison.low)
        row.quiet_high = min(row.quiet_high, comparison.high)
    elif value > comparison.release_high:
        row.quiet_low = max(row.quiet_low, comparison.release_high)
    else:
        row.quiet_high = min(row.quiet_high, comparison.release_low)


@within
def write_down(step: int, one: Any, at_ms: int, value: float, flag: int, move: Any) -> None:
    """Write down what the alarm does, which its group may know more of: priority, cause, whose it is."""
    move.step = step
    move.at_ms = at_ms
    move.raised_at_ms = one.raised_at
    move.value = value
    move.flag = flag
    move.priority = OWN
    move.cause = -1


@within
def raise_it(one: Any, at_ms: int, value: float, flag: int, move: Any) -> None:
    one.state = STANDING
    one.raised_at = at_ms
    one.value = value
    one.flag = flag
    write_down(RAISED, one, at_ms, value, flag, move)


@within
def clear_it(one: Any, at_ms: int, value: float, flag: int, move: Any) -> None:
    one.state = NORMAL
    write_down(CLEARED, one, at_ms, value, flag, move)


@within
def turn(one: Any, is_beyond: bool, is_released: bool, t: int) -> None:  # noqa: FBT001 - as above
    """Begin or end a count."""
    if one.state == NORMAL and is_beyond:
        one.state = COUNTING_ON
        one.since = t
    elif one.state == COUNTING_ON and not is_beyond:
        one.state = NORMAL
    elif one.state == STANDING and is_released:
        one.state = COUNTING_OFF
        one.since = t
    elif (one.state == COUNTING_OFF and not is_released) or (one.state == LATCHED and is_beyond):
        one.state = STANDING


@within
def complete(one: Any, on_ms: int, off_ms: int, t: int) -> bool:
    """Whether a count has now lasted as long as it must."""
    if one.state == COUNTING_ON:
        return bool(t - one.since >= on_ms)
    return bool(one.state == COUNTING_OFF and t - one.since >= off_ms)
