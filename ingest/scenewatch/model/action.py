"""What operators do to alarms. It is in the journal, so that a later run over it tells the same alarms."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from scenewatch.model.alarm import Hidden  # noqa: TC001 - msgspec reads it at run time
from scenewatch.model.errors import CorruptError, ScenewatchError
from scenewatch.model.words import days

LONGEST_SHELVING = days(7)
"""What must be out of sight for longer is out of service."""
LONGEST_REASON = 500
"""In letters."""
FAREST_PLAN = days(366)
"""Maintenance ends at most so long after it was planned."""


class Deed(StrEnum):
    """ISA-18.2's words."""

    ACKNOWLEDGE = "acknowledge"
    RESET = "reset"
    """Let go of a latching alarm whose condition is over."""
    SHELVE = "shelve"
    """One rule of one device, until a time, with a reason."""
    UNSHELVE = "unshelve"
    TAKE_OUT = "take_out"
    """One rule of one device is out of service, until it is put back, with a reason."""
    PUT_BACK = "put_back"
    MAINTAIN = "maintain"
    """All rules of a device, or of all devices of a site, from a time to a time, with a reason."""
    END_MAINTENANCE = "end_maintenance"


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """One deed. What it is about depends on the deed; what it does not need is empty."""

    deed: Deed
    by: str
    """The operator's name."""
    at_ms: int
    rule: str = ""
    """`<scene>.<rule>`; empty for maintenance."""
    target: str = ""
    """A device's id, or a site's for maintenance."""
    raised_at_ms: int = 0
    """Which alarm, for ACKNOWLEDGE and RESET."""
    from_ms: int = 0
    until_ms: int = 0
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """Shelved, out of service or in maintenance, from a time to a time, by the receive clock."""

    kind: Hidden
    rule: str = ""
    """`<scene>.<rule>`; empty for maintenance, which is of all rules."""
    target: str
    """A device's id; in maintenance it may be a site's."""
    by: str
    at_ms: int
    """When the operator said so."""
    from_ms: int
    until_ms: int = 0
    """0: until somebody ends it."""
    reason: str


class Refusal(StrEnum):
    """Why a deed was not done."""

    WRONG = "wrong"
    """It can never be done as it was put."""
    UNKNOWN = "unknown"
    """There is nothing of the kind."""
    CONFLICT = "conflict"
    """Not as things stand."""


class NotDoneError(ScenewatchError):
    """A deed that was refused; the text says why."""

    def __init__(self, refusal: Refusal, what: str) -> None:
        super().__init__(what)
        self.refusal = refusal


def encode_action(action: Action) -> bytes:
    """The body of an ACTION record."""
    return msgspec.msgpack.encode(action)


def decode_action(body: bytes) -> Action:
    """Raises CorruptError."""
    try:
        return msgspec.msgpack.decode(body, type=Action)
    except msgspec.MsgspecError as error:
        raise CorruptError(f"holds no action: {error}") from error
