"""What goes into the decoding kernel and what comes out, as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from scenewatch.model.decoded import BOOT_BYTES

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNPLANNED: Final = -1
NOT_PLACED: Final = -1
ABSENT, EMPTY, EXACT, HARD = range(4)
"""What is known of a channel in the message at hand; HARD: more digits than the kernel rounds correctly."""


T, N, B, LIVE, PLAN, HAS_V = range(6)
"""Places in `Message.head`."""
NOT_SAID: Final = -(2**63)


class Origin(NamedTuple):
    """Of each message the device type's plan, or UNPLANNED; device and series mean nothing then."""

    plan: NDArray[np.int32]
    device: NDArray[np.int32]
    first_series: NDArray[np.int32]

    @classmethod
    def of(cls, count: int) -> Origin:
        return cls(np.full(count, UNPLANNED, np.int32), np.empty(count, np.int32), np.empty(count, np.int32))


class Plans(NamedTuple):
    """The channels' keys of each device type, a plan each: rows [first[p], first[p + 1]) of the other columns."""

    first: NDArray[np.int32]
    text: NDArray[np.uint8]
    text_at: NDArray[np.int32]
    text_len: NDArray[np.int32]


class Heads(NamedTuple):
    """What is known of each message."""

    done: NDArray[np.bool_]
    """False: left to the slow path."""
    device: NDArray[np.int32]
    n: NDArray[np.int64]
    boot: NDArray[np.uint8]


class Message(NamedTuple):
    """What the message at hand says; made once, used for all."""

    head: NDArray[np.int64]
    """By T, N, B, LIVE, PLAN and HAS_V."""
    boot: NDArray[np.uint8]
    state: NDArray[np.uint8]
    """Of each channel ABSENT, EMPTY, EXACT or HARD; the next three likewise by channel."""
    value: NDArray[np.float64]
    at: NDArray[np.int32]
    length: NDArray[np.int32]

    @classmethod
    def of(cls, width: int) -> Message:
        """For types of so many channels at most."""
        return cls(
            head=np.empty(6, np.int64),
            boot=np.empty(BOOT_BYTES, np.uint8),
            state=np.empty(width, np.uint8),
            value=np.empty(width, np.float64),
            at=np.empty(width, np.int32),
            length=np.empty(width, np.int32),
        )


class Rows(NamedTuple):
    """A reading each."""

    series: NDArray[np.int32]
    t_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    live: NDArray[np.bool_]
    message: NDArray[np.int32]
    hard_at: NDArray[np.int32]
    """Where the text of a HARD number begins; of others NOT_PLACED."""
    hard_len: NDArray[np.int32]

    @classmethod
    def of(cls, count: int) -> Rows:
        return cls(
            series=np.empty(count, np.int32),
            t_ms=np.empty(count, np.int64),
            value=np.empty(count, np.float64),
            live=np.empty(count, np.bool_),
            message=np.empty(count, np.int32),
            hard_at=np.empty(count, np.int32),
            hard_len=np.empty(count, np.int32),
        )
