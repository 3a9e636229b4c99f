"""The actions' table: what operators did, in the order they did it. Rows are added and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from scenewatch.store.relational import PARTS

if TYPE_CHECKING:
    from scenewatch.model.ports import Clock
    from scenewatch.store.relational import Database

ACTION = sa.Table(
    "action",
    PARTS,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("by", sa.Text, nullable=False, comment="name of the operator"),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sqlite_autoincrement=True,  # a number is never given twice
)


@dataclass(frozen=True, slots=True)
class Action:
    """Something that an operator did. `what` is a verb's key, `target` an id, `detail` more for people."""

    at_ms: int
    by: str
    what: str
    target: str
    detail: str = ""


def put(con: sa.Connection, action: Action) -> None:
    """Within the transaction that does it: then there is neither without the other."""
    con.execute(
        sa.insert(ACTION).values(
            at_ms=action.at_ms, by=action.by, what=action.what, target=action.target, detail=action.detail
        )
    )


class Audit:
    """Safe to use from any thread."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        database.create(ACTION)

    def note(self, by: str, what: str, target: str, detail: str = "") -> None:
        """For what is done somewhere else than in this database. Raises TemporaryError."""
        with self._database.writing() as con:
            put(con, Action(self._clock.now_ms(), by, what, target, detail))

    def actions(self, limit: int) -> list[Action]:
        """Newest first."""
        columns = (ACTION.c.at_ms, ACTION.c.by, ACTION.c.what, ACTION.c.target, ACTION.c.detail)
        query = sa.select(*columns).order_by(ACTION.c.number.desc()).limit(limit)
        with self._database.reading() as con:
            return [Action(*row) for row in con.execute(query)]
