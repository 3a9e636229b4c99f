"""Which alarms somebody means: by state, priority, place, rule or words, and from where in the list on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from scenewatch.model.alarm import AlarmState

if TYPE_CHECKING:
    from collections.abc import Collection

    from scenewatch.model.rule import Priority

AFTER_A_DOT = "/"
"""The character after the dot: ids from `a.` up to `a/` are those that begin with `a.`."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An alarm's place in the list, newest first: its identity."""

    raised_at_ms: int
    rule: str
    device: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Words:
    """What was typed, and whom it names: their titles are not in the table."""

    text: str
    """Any part of a device's id, in any case."""
    rules: Collection[str] = ()
    devices: Collection[str] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class WhichAlarms:
    """All that is given must fit."""

    states: Collection[AlarmState] = tuple(AlarmState)
    priority: Priority | None = None
    site: str | None = None
    """`scene.site`"""
    device: str | None = None
    rule: str | None = None
    words: Words | None = None
    before: Mark | None = None

    def conditions(self, table: sa.Table) -> list[sa.ColumnElement[bool]]:
        c = table.c
        found: list[sa.ColumnElement[bool]] = []
        others = [state for state in AlarmState if state not in self.states]
        if others:
            # What is over is most of the table: named by what it is not, the index on time is walked instead.
            few = AlarmState.NORMAL not in self.states
            found.append(c.state.in_(self.states) if few else c.state.not_in(others))
        if self.site is not None:
            found += [c.device > f"{self.site}.", c.device < f"{self.site}{AFTER_A_DOT}"]
        equal = {"priority": self.priority, "device": self.device, "rule": self.rule}
        found += [c[name] == value for name, value in equal.items() if value is not None]
        if self.words is not None:
            words = self.words
            typed = c.device.icontains(words.text, autoescape=True)
            found.append(sa.or_(c.rule.in_(words.rules), c.device.in_(words.devices), typed))
        if self.before is not None:
            found += _later(table, self.before)
        return found


def _later(table: sa.Table, mark: Mark) -> list[sa.ColumnElement[bool]]:
    """What comes after `mark`; the first condition is the one that an index answers."""
    c = table.c
    same_time = sa.or_(c.rule > mark.rule, sa.and_(c.rule == mark.rule, c.device > mark.device))
    return [c.raised_at_ms <= mark.raised_at_ms, sa.or_(c.raised_at_ms < mark.raised_at_ms, same_time)]
