"""The ledger: every received message is in exactly one column, and on the account of exactly one owner."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

TAKEN_WITHOUT = "taken without: "
"""How the reason of a letter begins whose message was taken but for some values."""
STORE_REFUSED = "the store refused "
"""How the reason of a letter begins whose message was taken, but of which the store's server would have nothing."""
UNKNOWN_DEVICE = "unknown device "
"""How the reason of a letter begins whose device no inventory has."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Messages by their fate. `control` are the journal's own records, which take a position but are no message.

    What a record changes may be negative: a dead letter that is taken at last leaves one column for another.
    """

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


class Fate(IntEnum):
    """The columns of an owner's account. The numbers are in snapshots: add, never renumber."""

    STORED = 0
    DUPLICATE = 1
    DEAD = 2
    REUSED = 3
    """Of the duplicates: those that bring what was not there before, so that the device used a number twice."""


FATES = len(Fate)
MESSAGES = (Fate.STORED, Fate.DUPLICATE, Fate.DEAD)
"""A message is in exactly one of them."""
NOWHERE = -1
"""Owner of what belongs to no known device and no known site."""


def messages_of(accounts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of each row the columns that a message is in exactly one of."""
    messages: NDArray[np.int64] = accounts[:, list(MESSAGES)].sum(axis=1)
    return messages


def of_site(site: int) -> int:
    """Owner of what belongs to no known device of a known site, by the site's number."""
    return NOWHERE - 1 - site


def slot(owner: int, fate: Fate) -> int:
    """One number for a column of an owner's account; negative where the owner is."""
    return owner * FATES + fate


@dataclass(slots=True)
class Shares:
    """Which columns of whose accounts change by how much. An owner is a device's number, NOWHERE, or `of_site`."""

    slot: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    change: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def __len__(self) -> int:
        return len(self.slot)

    @classmethod
    def of(cls, changes: list[tuple[int, Fate, int]]) -> Shares:
        slots = [slot(owner, fate) for owner, fate, _ in changes]
        return cls(np.array(slots, np.int64), np.array([change for _, _, change in changes], np.int64))

    @classmethod
    def concat(cls, parts: list[Shares]) -> Shares:
        return cls(np.concatenate([p.slot for p in parts]), np.concatenate([p.change for p in parts]))


class LetterKind(IntEnum):
    """What has become of a dead letter's message. The numbers are in the journal: add, never renumber."""

    DEAD = 1
    """Nothing of it was taken."""
    PARTIAL = 2
    """It counts as stored; some of its values are missing."""
    REFUSED = 3
    """It was read and numbered as taken, but the store's server would have nothing of it: it counts as dead."""


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
    owner: int = NOWHERE
    """On whose account it is."""

    @property
    def kind(self) -> LetterKind:
        if self.reason.startswith(TAKEN_WITHOUT):
            return LetterKind.PARTIAL
        return LetterKind.REFUSED if self.reason.startswith(STORE_REFUSED) else LetterKind.DEAD


@dataclass(frozen=True, slots=True)
class Tried:
    """A dead letter was tried again by the journal record at `record`, asked for by `at_ms`.

    `reason` says why it stays; None when it is taken.
    """

    position: int
    record: int
    at_ms: int
    reason: str | None
