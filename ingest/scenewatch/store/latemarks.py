"""Hours of devices for which readings came after their summaries were made."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from scenewatch.store.relational import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scenewatch.store.relational import Database

LATE = sa.Table(
    "summary_late",
    PARTS,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("hour_ms", sa.BigInteger, primary_key=True),
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("revision", sa.Integer, nullable=False),
)


class LateMark(NamedTuple):
    """`revision` grows each time the mark is set again."""

    device: str
    revision: int


class LateMarks:
    """One store's marks; `name` tells it from others in the same database. Any thread."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        database.create(LATE)

    def add(self, marks: Iterable[tuple[int, str]]) -> None:
        """Set each (hour, device), durable when it returns; one that is there gets a new revision."""
        rows = [{"name": self._name, "hour_ms": hour_ms, "device": device} for hour_ms, device in marks]
        if not rows:
            return
        upsert = (
            self._database.insert(LATE)
            .values(revision=1)
            .on_conflict_do_update(
                index_elements=[LATE.c.name, LATE.c.hour_ms, LATE.c.device],
                set_={"revision": LATE.c.revision + 1},
            )
        )
        with self._database.writing() as con:
            con.execute(upsert, rows)

    def hours_ms(self) -> list[int]:
        """Each hour that is marked for some device, ascending."""
        wanted = sa.select(LATE.c.hour_ms).where(self._ours).distinct().order_by(LATE.c.hour_ms)
        with self._database.reading() as con:
            return list(con.scalars(wanted))

    def of(self, hour_ms: int) -> list[LateMark]:
        wanted = sa.select(LATE.c.device, LATE.c.revision).where(self._ours, LATE.c.hour_ms == hour_ms)
        with self._database.reading() as con:
            return [LateMark(*row) for row in con.execute(wanted.order_by(LATE.c.device))]

    def remove(self, hour_ms: int, marks: Sequence[LateMark]) -> None:
        """Those that were set again meanwhile stay."""
        if not marks:
            return
        gone = sa.delete(LATE).where(
            self._ours,
            LATE.c.hour_ms == hour_ms,
            LATE.c.device == sa.bindparam("of_device"),
            LATE.c.revision == sa.bindparam("of_revision"),
        )
        rows = [{"of_device": mark.device, "of_revision": mark.revision} for mark in marks]
        with self._database.writing() as con:
            con.execute(gone, rows)

    def count(self) -> int:
        with self._database.reading() as con:
            return con.scalar(sa.select(sa.func.count()).select_from(LATE).where(self._ours)) or 0

    def clear(self) -> None:
        with self._database.writing() as con:
            con.execute(sa.delete(LATE).where(self._ours))

    @property
    def _ours(self) -> sa.ColumnElement[bool]:
        return LATE.c.name == self._name
