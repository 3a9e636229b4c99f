"""What became of a command that an operator sent to a device."""

from __future__ import annotations

from enum import StrEnum


class CommandState(StrEnum):
    """Waiting until the device answers or its time is over; all others are ends, but see `UNSENT`."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    EXPIRED = "expired"
    UNSENT = "unsent"
    """The broker has not said that it has it. Should the device answer nevertheless, that counts."""
