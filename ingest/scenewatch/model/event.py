"""What a device tells of once, when it happens, and what it answers to a command."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations when it decodes an Event
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import msgspec

from scenewatch.model.errors import CorruptError
from scenewatch.model.scene import Severity

if TYPE_CHECKING:
    from scenewatch.model.ports import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One event; known by the journal position of its message, so deriving it again changes nothing."""

    position: int
    device: int
    """Device number in the registry."""
    kind: str
    at_ms: int
    """By the device's clock, or the receive time where that is wrong."""
    received_ms: int
    level: Severity = Severity.INFO
    text: str = ""
    lat: float | None = None
    lon: float | None = None
    media: str = ""
    """Address of a picture or film; never fetched by this program."""
    data: Mapping[str, object] = field(default_factory=dict)
    live: bool = True
    """False: marked as history by the device. Kept, but raises nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Happening:
    """What a simulated device has to tell, before any gateway, clock or broker had a part in it."""

    device: int
    """Its number among those that are simulated together."""
    t_ms: int
    kind: str
    level: Severity = Severity.INFO
    text: str = ""
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """A device's answer to a command."""

    position: int
    device: int
    command: str
    """Id of the command, as the request had it."""
    ok: bool
    text: str
    received_ms: int


def encode_event(event: Event) -> bytes:
    """The body of an EVENT record, whose place in the journal will be the event's."""
    return msgspec.msgpack.encode(event)


def decode_event(record: Record) -> Event:
    """Raises CorruptError."""
    try:
        return replace(msgspec.msgpack.decode(record.body, type=Event), position=record.first)
    except msgspec.MsgspecError as error:
        raise CorruptError(f"record {record.first} holds no event: {error}") from error
