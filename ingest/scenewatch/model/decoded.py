"""What a decoder hands on: columns of readings, and for each message who sent it and how it names itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from scenewatch.model.ledger import DeadLetter
from scenewatch.model.messages import length_before

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenewatch.model.batch import Batch
    from scenewatch.model.event import Event, Result
    from scenewatch.model.messages import Messages

NOT_NUMBERED = -1
"""In `Decoded.n`: the message carries no sequence number."""
DEAD = -1
"""In `Decoded.device`: the message is a dead letter."""
BOOT_BYTES = 40
"""A boot id as it is compared: its length, then its text, then zeros. A longer one is known by its digest."""
_DIGESTED = 255


def boot_name(boot: str) -> bytes:
    """`BOOT_BYTES` that no other boot id has."""
    text = boot.encode()
    if len(text) < BOOT_BYTES:
        return bytes([len(text)]) + text.ljust(BOOT_BYTES - 1, b"\0")
    return bytes([_DIGESTED]) + blake2b(text, digest_size=BOOT_BYTES - 1).digest()


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A device or gateway says whether it is there. `message` is its place in the batch's messages."""

    message: int
    device: int
    online: bool
    at_ms: int


@dataclass(slots=True)
class Decoded:
    """Columns of `batch` and, a message each, `device`, `n` and `boot`, which is (n, BOOT_BYTES).

    `partial` tells of messages that were taken without some of their values: kept apart, yet not dead.
    """

    messages: Messages
    first: int
    batch: Batch
    device: NDArray[np.int32]
    boot: NDArray[np.uint8]
    n: NDArray[np.int64]
    status: list[StatusReport] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    partial: list[DeadLetter] = field(default_factory=list)

    @classmethod
    def of(cls, messages: Messages, first: int, batch: Batch) -> Decoded:
        """With every message dead and without a number, until it is found otherwise."""
        count = len(messages)
        return cls(
            messages,
            first,
            batch,
            np.full(count, DEAD, np.int32),
            np.zeros((count, BOOT_BYTES), np.uint8),
            np.full(count, NOT_NUMBERED, np.int64),
        )

    def letter(self, i: int, reason: str) -> DeadLetter:
        m = self.messages
        payload = m.payload(i)
        if (length := length_before(payload)) is not None:
            reason = f"too long: of {length} bytes only the beginning was taken; send less in one message"
        return DeadLetter(self.first + i, m.received_ms, m.topic(i), payload, reason)
