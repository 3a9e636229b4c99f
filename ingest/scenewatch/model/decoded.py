"""What a decoder hands on: columns of readings, and for each message who sent it and how it names itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scenewatch.model.ledger import DeadLetter
from scenewatch.model.messages import length_before

if TYPE_CHECKING:
    from scenewatch.model.batch import Batch
    from scenewatch.model.messages import Messages

NOT_NUMBERED = -1
"""In `Decoded.n`: the message carries no sequence number."""
DEAD = -1
"""In `Decoded.device`: the message is a dead letter."""


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A device or gateway says whether it is there. `message` is its place in the batch's messages."""

    message: int
    device: int
    online: bool
    at_ms: int


@dataclass(slots=True)
class Decoded:
    """Columns of `batch` and, a message each, `device`, `boot` and `n`.

    `partial` tells of messages that were taken without some of their values: kept apart, yet not dead.
    """

    messages: Messages
    first: int
    batch: Batch
    device: list[int]
    boot: list[str]
    n: list[int]
    status: list[StatusReport] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    partial: list[DeadLetter] = field(default_factory=list)

    def letter(self, i: int, reason: str) -> DeadLetter:
        m = self.messages
        payload = m.payload(i)
        if (length := length_before(payload)) is not None:
            reason = f"too long: of {length} bytes only the beginning was taken; send less in one message"
        return DeadLetter(self.first + i, m.received_ms, m.topic(i), payload, reason)
