"""What operators do to alarms. It is in the journal, so that a later run over it tells the same alarms."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from scenewatch.model.errors import CorruptError


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


def encode_action(action: Action) -> bytes:
    """The body of an ACTION record."""
    return msgspec.msgpack.encode(action)


def decode_action(body: bytes) -> Action:
    """Raises CorruptError."""
    try:
        return msgspec.msgpack.decode(body, type=Action)
    except msgspec.MsgspecError as error:
        raise CorruptError(f"holds no action: {error}") from error
