"""The worker's answers to what operators do and ask for, checked where they come in."""

from __future__ import annotations

import msgspec


class Raised(msgspec.Struct, frozen=True):
    """How often a rule raised an alarm."""

    rule: str
    count: int


class RaisedByRule(msgspec.Struct, frozen=True):
    """`GET /api/v1/alarms/raised`."""

    rules: tuple[Raised, ...]


class Session(msgspec.Struct, frozen=True):
    """`GET /api/v1/sessions/current`; nobody's without a name."""

    name: str | None = None
    expires_at: int | None = None


class UnknownDevice(msgspec.Struct, frozen=True):
    """A device that publishes and is in no inventory: its ids, channels and sample are anybody's."""

    scene: str
    site: str
    device: str
    messages: int
    first_at: int
    last_at: int
    channels: tuple[str, ...] = ()
    suggested_type: str | None = None
    types: tuple[str, ...] = ()
    sample: str = ""

    @property
    def id(self) -> str:
        return f"{self.scene}.{self.site}.{self.device}"


class UnknownDevices(msgspec.Struct, frozen=True):
    """`GET /api/v1/unknown-devices`."""

    unknown_devices: tuple[UnknownDevice, ...]


class UnknownCount(msgspec.Struct, frozen=True):
    """The same answer, where only their number is of interest."""

    unknown_devices: tuple[msgspec.Raw, ...]
    beyond: int = 0


class Hold(msgspec.Struct, frozen=True):
    """What keeps alarms from being shown: of one rule of a device, or of all in maintenance."""

    kind: str
    target: str
    by: str
    reason: str
    at: int
    begins: int = msgspec.field(name="from")
    rule: str | None = None
    until: int | None = None


class Holds(msgspec.Struct, frozen=True):
    """`GET /api/v1/holds`"""

    holds: tuple[Hold, ...]


class Command(msgspec.Struct, frozen=True):
    """A command and what became of it. `late`: answered after it had expired."""

    id: str
    device: str
    name: str
    state: str
    asked_by: str
    asked_at: int
    expires_at: int
    answered_at: int | None = None
    text: str | None = None
    answers: int = 0
    late: bool = False


class Commands(msgspec.Struct, frozen=True):
    """`GET /api/v1/commands`, and the stream's event of the same name."""

    commands: tuple[Command, ...]
