"""How far the record of a store has been summarised."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import sqlalchemy as sa

from scenewatch.model.level import Level
from scenewatch.store.relational import PARTS

if TYPE_CHECKING:
    from typing import Self

    from scenewatch.store.relational import Database

PROGRESS = sa.Table(
    "summary_progress",
    PARTS,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("utc_offset_minutes", sa.Integer, nullable=False),
    sa.Column("begun_ms", sa.BigInteger, nullable=False),
    sa.Column("minute_ms", sa.BigInteger, nullable=False),
    sa.Column("hour_ms", sa.BigInteger, nullable=False),
    sa.Column("day_ms", sa.BigInteger, nullable=False),
)
COLUMN = {Level.MINUTE: "minute_ms", Level.HOUR: "hour_ms", Level.DAY: "day_ms"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """Every window of a level that ends by its time has been made, unless something late is marked."""

    utc_offset_minutes: int
    """What the day windows begin by."""
    begun_ms: int
    """Where the first day began."""
    minute_ms: int
    hour_ms: int
    day_ms: int

    @classmethod
    def begin(cls, *, day_ms: int, hour_ms: int, utc_offset_minutes: int) -> Self:
        """With the day and the hour of the first reading: before that hour there is nothing to look for."""
        return cls(
            utc_offset_minutes=utc_offset_minutes,
            begun_ms=day_ms,
            minute_ms=hour_ms,
            hour_ms=hour_ms,
            day_ms=day_ms,
        )

    def until_ms(self, level: Level) -> int:
        return {Level.MINUTE: self.minute_ms, Level.HOUR: self.hour_ms, Level.DAY: self.day_ms}[level]

    def moved(self, level: Level, to_ms: int) -> Self:
        return replace(self, **{COLUMN[level]: to_ms})


class ProgressTable:
    """One store's row; `name` tells it from others in the same database."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        database.create(PROGRESS)

    def load(self) -> Progress | None:
        """None before the first summary."""
        with self._database.reading() as con:
            row = con.execute(sa.select(PROGRESS).where(PROGRESS.c.name == self._name)).first()
        if row is None:
            return None
        return Progress(
            utc_offset_minutes=row.utc_offset_minutes,
            begun_ms=row.begun_ms,
            minute_ms=row.minute_ms,
            hour_ms=row.hour_ms,
            day_ms=row.day_ms,
        )

    def save(self, progress: Progress) -> None:
        values = asdict(progress)
        insert = self._database.insert(PROGRESS).values(name=self._name, **values)
        upsert = insert.on_conflict_do_update(index_elements=[PROGRESS.c.name], set_=values)
        with self._database.writing() as con:
            con.execute(upsert)

    def clear(self) -> None:
        with self._database.writing() as con:
            con.execute(sa.delete(PROGRESS).where(PROGRESS.c.name == self._name))
