"""Which alarms the store does not have as they stand here, so that it can be told of them at any time later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from scenewatch.store.alarms import ALARM, AS_CLEARED, AS_RAISED, NOT_MIRRORED, alarm_of
from scenewatch.store.relational import PARTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.store.alarms import AlarmRow
    from scenewatch.store.relational import Database

MIRROR = sa.Table(
    "mirror",
    PARTS,
    sa.Column("one", sa.Integer, sa.CheckConstraint("one = 1"), primary_key=True),
    sa.Column("store", sa.Text, nullable=False, comment="whose copies the alarms' marks tell of"),
)


class Mirrored:
    """One thread marks; `alarms.Alarms` may record from others at the same time.

    An alarm changes once, when it clears. Its mark says which of its two forms the store has, so what clears
    while its raising is being copied is copied again.
    """

    def __init__(self, database: Database) -> None:
        """The alarms' table is there."""
        self._database = database
        database.create(MIRROR)
        self._any_missing = database.whether(NOT_MIRRORED)

    def begin(self, store: str, *, anew: bool) -> None:
        """From now on the marks are of this store. If they were of another one, or it is to be `anew`, all go."""
        with self._database.writing() as con:
            if con.scalar(sa.select(MIRROR.c.store)) == store and not anew:
                return
            con.execute(sa.delete(MIRROR))
            con.execute(sa.insert(MIRROR).values(one=1, store=store))
            con.execute(sa.update(ALARM).where(ALARM.c.mirrored != 0).values(mirrored=0))

    def missing(self, limit: int) -> list[AlarmRow]:
        """Those the store does not have as they stand, the oldest first."""
        if not self._any_missing():
            return []
        query = sa.select(ALARM).where(NOT_MIRRORED).order_by(ALARM.c.raised_at_ms).limit(limit)
        with self._database.reading() as con:
            return [alarm_of(row) for row in con.execute(query)]

    def mark(self, rows: Sequence[AlarmRow]) -> None:
        """The store has these as they are told here; those whose device type was not known have it now."""
        if not rows:
            return
        these = [
            {
                "at_rule": row.rule,
                "at_device": row.device,
                "at_ms": row.raised_at_ms,
                "as": AS_RAISED if row.cleared_at_ms is None else AS_CLEARED,
                "of_type": row.device_type,
            }
            for row in rows
        ]
        update = (
            sa.update(ALARM)
            .where(ALARM.c.rule == sa.bindparam("at_rule"), ALARM.c.device == sa.bindparam("at_device"))
            .where(ALARM.c.raised_at_ms == sa.bindparam("at_ms"))
            .values(mirrored=sa.bindparam("as"), device_type=sa.bindparam("of_type"))
        )
        with self._database.writing() as con:
            con.execute(update, these)
