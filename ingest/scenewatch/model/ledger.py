"""The ledger: every received message is in exactly one column."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """Messages by their fate. `control` are the journal's own records, which take a position but are no message."""

    stored: int = 0
    duplicate: int = 0
    dead: int = 0
    control: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.stored + other.stored,
            self.duplicate + other.duplicate,
            self.dead + other.dead,
            self.control + other.control,
        )

    @property
    def positions(self) -> int:
        """How many journal positions these account for."""
        return self.stored + self.duplicate + self.dead + self.control


TAKEN_WITHOUT = "taken without: "


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that could not be taken, kept whole. `position` is its place in the journal and its identity.

    Where the reason begins with `TAKEN_WITHOUT`, the message was taken without some of its values.
    """

    position: int
    received_ms: int
    topic: bytes
    payload: bytes
    reason: str
