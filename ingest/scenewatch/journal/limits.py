"""How much the journal may take, and how it does: the words shared with settings and the API."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.model.words import Duration, hours

MIB = 1024 * 1024
ONE_DAY = hours(24)
ONE_GROUP = Duration(20)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Sizes in bytes. At `max_bytes` on disk what comes in is held in memory, unacknowledged, up to the
    difference to `hard_max_bytes`; then the source has to leave.
    """

    segment_bytes: int = 64 * MIB
    max_bytes: int = 8192 * MIB
    hard_max_bytes: int = 8448 * MIB
    keep_ms: Duration = ONE_DAY
    """What every stage is past is kept this long, unless room is short."""
    group_ms: Duration = ONE_GROUP
    """How long messages gather for one write."""
    group_bytes: int = 8 * MIB
    """As much is written without waiting for more."""
    memory_bytes: int = 16 * MIB
    """The newest records, kept for a reader that is close behind."""
    patience_s: float = 30.0
    """How long a single record may take to become durable."""

    def __post_init__(self) -> None:
        mistakes = []
        if self.max_bytes < 2 * self.segment_bytes:
            mistakes.append(
                Mistake("journal.max_bytes", f"must hold two segments: {2 * self.segment_bytes} or more")
            )
        if self.hard_max_bytes <= self.max_bytes:
            mistakes.append(Mistake("journal.hard_max_bytes", "must be more than max_bytes"))
        if mistakes:
            raise ConfigurationError(mistakes)


class Health(StrEnum):
    """Whether what comes in reaches the disk."""

    WRITING = "writing"
    HOLDING = "holding"
    """`max_bytes` are on disk: what comes in waits for older segments to go."""
    FAILING = "failing"
    """The disk refuses: everything is tried again."""


@dataclass(frozen=True, slots=True)
class Status:
    """The journal at one moment."""

    health: Health
    reason: str
    oldest: int
    """First position still kept."""
    head: int
    bytes_on_disk: int
    queued_positions: int
    queued_bytes: int
    groups: int
    """Written since the start."""
    failures: int
    """Attempts to write a group that failed since the start."""
    full: bool
    """The source was asked to leave."""
