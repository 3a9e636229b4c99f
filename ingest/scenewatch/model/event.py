"""What a device tells of once, when it happens, and what it answers to a command."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scenewatch.model.scene import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping


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
class Result:
    """A device's answer to a command."""

    position: int
    device: int
    command: str
    """Id of the command, as the request had it."""
    ok: bool
    text: str
    received_ms: int
