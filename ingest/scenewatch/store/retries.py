"""Dead letters that somebody wants tried again: asked for in the table, done by the worker, and told there.

A letter's way: asked (`asked_ms`), written into the journal by the worker, tried by the chain, and told here
before the store has its readings. Killed anywhere between, the next step is done again and changes nothing more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from scenewatch.model.ledger import DeadLetter
from scenewatch.store.deadletters import COLUMNS, DEAD_LETTER, LETTER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenewatch.model.ledger import Tried
    from scenewatch.store.deadletters import DeadLetters
    from scenewatch.store.letterfilter import Which
    from scenewatch.store.relational import Database

MARKED_AT_ONCE = 500
"""Positions in one statement."""


class Retries:
    """Safe to use from any thread."""

    def __init__(self, database: Database, letters: DeadLetters) -> None:
        self._database = database
        self._letters = letters
        self._any_asked = database.whether(COLUMNS.asked_ms.is_not(None))

    def ask(self, which: Which, at_ms: int) -> int:
        """Returns how many. Readings without a message, as made history has, cannot be tried again."""
        chosen = self._letters.positions(which)
        with self._database.writing() as con:
            for positions in _pieces(chosen, MARKED_AT_ONCE):
                update = sa.update(DEAD_LETTER).where(COLUMNS.position.in_(positions), COLUMNS.taken_ms.is_(None))
                con.execute(update.values(asked_ms=at_ms))
        return len(chosen)

    def asked(self, most: int, most_bytes: int) -> list[DeadLetter]:
        """The oldest of those that were asked for, at least one if any."""
        if not self._any_asked():
            return []
        query = sa.select(*LETTER).where(COLUMNS.asked_ms.is_not(None)).order_by(COLUMNS.position).limit(most)
        found: list[DeadLetter] = []
        size = 0
        with self._database.reading() as con:
            for row in con.execute(query):
                size += len(row.topic) + len(row.payload)
                if found and size > most_bytes:
                    break
                found.append(DeadLetter(*row))
        return found

    def tell(self, tried: Sequence[Tried]) -> None:
        """One transaction. The same again changes nothing. Who asked after it was begun still waits."""
        with self._database.writing() as con:
            for one in tried:
                later = sa.case((COLUMNS.asked_ms > one.at_ms, COLUMNS.asked_ms), else_=None)
                more = sa.case((COLUMNS.tried_record < one.record, COLUMNS.tries + 1), else_=COLUMNS.tries)
                taken = one.reason is None
                con.execute(
                    sa.update(DEAD_LETTER)
                    .where(COLUMNS.position == one.position, COLUMNS.tried_record <= one.record)
                    .values(
                        asked_ms=None if taken else later,
                        tries=more,
                        tried_record=one.record,
                        taken_ms=one.at_ms if taken else None,
                        reason=COLUMNS.reason if taken else one.reason,
                    )
                )


def _pieces(positions: list[int], size: int) -> Iterator[list[int]]:
    return (positions[at : at + size] for at in range(0, len(positions), size))
