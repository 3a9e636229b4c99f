"""How far a store that keeps no account itself has come, and what its server would not take."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from scenewatch.model.ledger import Counts
from scenewatch.store.relational import PARTS

if TYPE_CHECKING:
    from collections.abc import Sequence

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

REFUSED = sa.Table(
    "refused_reading",
    PARTS,
    sa.Column("store", sa.Text, primary_key=True),
    sa.Column("series", sa.Text, primary_key=True),
    sa.Column("t_ms", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("value", sa.Double, comment="null where it is not a number"),
    sa.Column("flag", sa.SmallInteger, nullable=False),
    sa.Column("test", sa.SmallInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Account:
    """Replaced whole, so that other threads never see a position with another's counts."""

    position: int = 0
    counts: Counts = field(default_factory=Counts)
    newest_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RefusedReading:
    """A reading that a store's server would not take, with the server's reason."""

    series: str
    t_ms: int
    value: float
    flag: int
    test: int
    reason: str


class Accounts:
    """One store's rows in both tables; `name` tells it from others in the same database."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        database.create(POSITION)
        database.create(REFUSED)

    def load(self) -> Account:
        with self._database.reading() as con:
            row = con.execute(sa.select(POSITION).where(POSITION.c.name == self._name)).first()
        if row is None:
            return Account()
        return Account(row.position, Counts(row.stored, row.duplicate, row.dead, row.control), row.newest_ms)

    def save(self, account: Account, refused: Sequence[RefusedReading]) -> None:
        """One transaction. A reading refused before stays as it was."""
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
            if refused:
                rows = [{"store": self._name} | _row(reading) for reading in refused]
                con.execute(self._database.insert(REFUSED).on_conflict_do_nothing(), rows)
            con.execute(upsert)

    def refused(self, limit: int) -> list[RefusedReading]:
        """By series and time."""
        query = sa.select(REFUSED).where(REFUSED.c.store == self._name)
        with self._database.reading() as con:
            rows = con.execute(query.order_by(REFUSED.c.series, REFUSED.c.t_ms).limit(limit)).all()
        return [
            RefusedReading(
                series=row.series,
                t_ms=row.t_ms,
                value=math.nan if row.value is None else row.value,
                flag=row.flag,
                test=row.test,
                reason=row.reason,
            )
            for row in rows
        ]


def _row(reading: RefusedReading) -> dict[str, Any]:
    return {
        "series": reading.series,
        "t_ms": reading.t_ms,
        "value": None if math.isnan(reading.value) else reading.value,
        "flag": reading.flag,
        "test": reading.test,
        "reason": reading.reason,
    }
