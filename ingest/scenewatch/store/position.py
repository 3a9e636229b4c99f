"""How far a store that keeps no account itself has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from scenewatch.model.ledger import Counts
from scenewatch.store.relational import PARTS

if TYPE_CHECKING:
    from scenewatch.store.relational import Database

POSITION = sa.Table(
    "store_position",
    PARTS,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("stored", sa.BigInteger, nullable=False),
    sa.Column("duplicate", sa.BigInteger, nullable=False),
    sa.Column("dead", sa.BigInteger, nullable=False),
    sa.Column("control", sa.BigInteger, nullable=False),
    sa.Column("newest_ms", sa.BigInteger),
)


@dataclass(frozen=True, slots=True)
class Account:
    """Replaced whole, so that other threads never see a position with another's counts."""

    position: int = 0
    counts: Counts = field(default_factory=Counts)
    newest_ms: int | None = None


class Accounts:
    """One store's row; `name` tells it from others in the same database."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        database.create(POSITION)

    def load(self) -> Account:
        with self._database.reading() as con:
            row = con.execute(sa.select(POSITION).where(POSITION.c.name == self._name)).first()
        if row is None:
            return Account()
        return Account(row.position, Counts(row.stored, row.duplicate, row.dead, row.control), row.newest_ms)

    def save(self, account: Account) -> None:
        c = account.counts
        values: dict[str, Any] = {
            "position": account.position,
            "stored": c.stored,
            "duplicate": c.duplicate,
            "dead": c.dead,
            "control": c.control,
            "newest_ms": account.newest_ms,
        }
        insert = self._database.insert(POSITION).values(name=self._name, **values)
        upsert = insert.on_conflict_do_update(index_elements=[POSITION.c.name], set_=values)
        with self._database.writing() as con:
            con.execute(upsert)
