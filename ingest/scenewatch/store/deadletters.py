"""The dead letters' table: messages that could not be taken, kept whole until somebody looks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from scenewatch.model.ledger import TAKEN_WITHOUT, DeadLetter
from scenewatch.store.relational import PARTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.store.relational import Database

DEAD_LETTER = sa.Table(
    "dead_letter",
    PARTS,
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("received_ms", sa.BigInteger, nullable=False),
    sa.Column("topic", sa.LargeBinary, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)


class DeadLetters:
    """Safe to use from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.create(DEAD_LETTER)

    def add(self, letters: Sequence[DeadLetter]) -> None:
        """One transaction. A position that is there stays as it is, but for the reasons, which are joined."""
        if not letters:
            return
        rows = [
            {
                "position": letter.position,
                "received_ms": letter.received_ms,
                "topic": letter.topic,
                "payload": letter.payload,
                "reason": letter.reason,
            }
            for letter in letters
        ]
        insert = self._database.insert(DEAD_LETTER)
        upsert = insert.on_conflict_do_update(
            index_elements=[DEAD_LETTER.c.position],
            set_={"reason": _joined(DEAD_LETTER.c.reason, insert.excluded.reason)},
            where=_is_new(DEAD_LETTER.c.reason, insert.excluded.reason),
        )
        with self._database.writing() as con:
            con.execute(upsert, rows)

    def dead_letters(self, limit: int, before: int | None = None) -> list[DeadLetter]:
        """The newest first; `before` is a position, for the next page."""
        query = sa.select(DEAD_LETTER).order_by(DEAD_LETTER.c.position.desc()).limit(limit)
        if before is not None:
            query = query.where(DEAD_LETTER.c.position < before)
        with self._database.reading() as con:
            return [DeadLetter(*row) for row in con.execute(query)]

    def at(self, position: int) -> DeadLetter | None:
        with self._database.reading() as con:
            row = con.execute(sa.select(DEAD_LETTER).where(DEAD_LETTER.c.position == position)).one_or_none()
        return None if row is None else DeadLetter(*row)

    def count(self) -> int:
        with self._database.reading() as con:
            return con.execute(sa.select(sa.func.count()).select_from(DEAD_LETTER)).scalar_one()


def _is_new(known: Any, told: Any) -> sa.ColumnElement[bool]:
    """By `replace`, which both dialects have and which knows no wildcards."""
    return cast("sa.ColumnElement[bool]", sa.func.replace(known, told, "") == known)


def _joined(known: Any, told: Any) -> sa.ColumnElement[str]:
    """What the message was taken without comes last: a message refused after all is not one that was taken."""
    partly = told.startswith(TAKEN_WITHOUT, autoescape=True)
    return sa.case((partly, known + "; " + told), else_=told + "; " + known)
