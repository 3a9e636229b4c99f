"""Which dead letters somebody means: by place, reason, topic or site."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa


class LetterState(StrEnum):
    """Whether a letter was taken at last."""

    DEAD = "dead"
    TAKEN = "taken"
    ALL = "all"


@dataclass(frozen=True, kw_only=True, slots=True)
class Which:
    """All that is given must fit."""

    positions: tuple[int, ...] = ()
    before: int | None = None
    reason: str | None = None
    """Any part of the reason, in any case."""
    topic: str | None = None
    """A filter as in MQTT, with `+` and `#`."""
    site: str | None = None
    """`scene.site`, or the site alone, as the topic names it."""
    state: LetterState = LetterState.DEAD

    def conditions(self, table: sa.Table) -> list[sa.ColumnElement[bool]]:
        """What the database can tell; `fits` tells the rest."""
        found: list[sa.ColumnElement[bool]] = []
        if self.positions:
            found.append(table.c.position.in_(self.positions))
        if self.reason is not None:
            found.append(table.c.reason.icontains(self.reason, autoescape=True))
        match self.state:
            case LetterState.DEAD:
                found.append(table.c.taken_ms.is_(None))
            case LetterState.TAKEN:
                found.append(table.c.taken_ms.is_not(None))
        return found

    def fits(self, topic: bytes) -> bool:
        levels = topic.decode("utf-8", "backslashreplace").split("/")
        if self.topic is not None and not _matches(self.topic.split("/"), levels):
            return False
        return self.site is None or self.site in (".".join(levels[1:3]), "".join(levels[2:3]))


def _matches(wanted: list[str], levels: list[str]) -> bool:
    for at, level in enumerate(wanted):
        if level == "#":
            return True
        if at >= len(levels) or level not in ("+", levels[at]):
            return False
    return len(wanted) == len(levels)
