"""What a rule looks at: every condition on values as terms on channels, so that all are treated alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.model.conditions import terms
from scenewatch.model.rule import AtLeast, Happened, NoData, Term, Then

if TYPE_CHECKING:
    from scenewatch.model.rule import Condition


def terms_of(when: Condition, on: str = "") -> tuple[Term, ...]:
    """A comparison is one on the channel that its rule is `on`; missing data and events have none."""
    if isinstance(when, AtLeast | Then):
        return terms(when)
    return () if isinstance(when, NoData | Happened) else (Term(on, when),)


def prefixes(when: AtLeast | Then) -> tuple[str, ...]:
    """What the names of each term's numbers begin with: its channel, numbered from the second on it."""
    keys = [term.channel for term in terms(when)]
    before = [keys[:i].count(key) for i, key in enumerate(keys)]
    return tuple(f"{key}_{n + 1}_" if n else f"{key}_" for key, n in zip(keys, before, strict=True))
