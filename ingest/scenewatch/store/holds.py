"""The holds' table: what operators keep from being shown, for a worker that lost its state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from scenewatch.model.action import Hold
from scenewatch.model.alarm import Hidden
from scenewatch.store.relational import PARTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.store.relational import Database

HOLD = sa.Table(
    "hold",
    PARTS,
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("rule", sa.Text, primary_key=True, comment="empty for maintenance"),
    sa.Column("target", sa.Text, primary_key=True, comment="id of a device, in maintenance also of a site"),
    sa.Column("by", sa.Text, nullable=False, comment="name of the operator"),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("from_ms", sa.BigInteger, nullable=False),
    sa.Column("until_ms", sa.BigInteger, nullable=False, comment="0 until somebody ends it"),
    sa.Column("reason", sa.Text, nullable=False),
)


class HoldTable:
    """Safe to use from any thread. The truth is the pipeline's state; this is what is left where that is lost."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.create(HOLD)

    def keep(self, holds: Sequence[Hold]) -> None:
        """These, and no others."""
        rows = [
            {
                "kind": hold.kind,
                "rule": hold.rule,
                "target": hold.target,
                "by": hold.by,
                "at_ms": hold.at_ms,
                "from_ms": hold.from_ms,
                "until_ms": hold.until_ms,
                "reason": hold.reason,
            }
            for hold in holds
        ]
        with self._database.writing() as con:
            con.execute(sa.delete(HOLD))
            if rows:
                con.execute(sa.insert(HOLD), rows)

    def holds(self) -> list[Hold]:
        with self._database.reading() as con:
            return [
                Hold(
                    kind=Hidden(row.kind),
                    rule=row.rule,
                    target=row.target,
                    by=row.by,
                    at_ms=row.at_ms,
                    from_ms=row.from_ms,
                    until_ms=row.until_ms,
                    reason=row.reason,
                )
                for row in con.execute(sa.select(HOLD).order_by(HOLD.c.at_ms, HOLD.c.kind))
            ]
