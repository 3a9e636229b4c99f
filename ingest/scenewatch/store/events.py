"""The events' table: every event there was, known by the journal position of its message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec
import sqlalchemy as sa

from scenewatch.model.scene import Severity
from scenewatch.store.relational import PARTS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from scenewatch.store.relational import Database

EVENT = sa.Table(
    "event",
    PARTS,
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("site", sa.Text, nullable=False, comment="scene.site"),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("device_type", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at_ms", sa.BigInteger, nullable=False),
    sa.Column("received_ms", sa.BigInteger, nullable=False),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("lat", sa.Double),
    sa.Column("lon", sa.Double),
    sa.Column("media", sa.Text, nullable=False),
    sa.Column("data", sa.Text, nullable=False, comment="a JSON object"),
    sa.Column("mirrored", sa.SmallInteger, nullable=False, server_default="0", comment="the store has it"),
    sa.Index("event_newest", "at_ms"),
    sa.Index("event_of_site", "site", "at_ms"),
    sa.Index("event_of_device", "device", "at_ms"),
)
_C = EVENT.c
# Written with a literal: the database must see that the query's condition is the index's.
_NOT_MIRRORED = _C.mirrored == sa.literal_column("0")
sa.Index("event_not_mirrored", _C.position, sqlite_where=_NOT_MIRRORED, postgresql_where=_NOT_MIRRORED)
EVENT_MIRROR = sa.Table(
    "event_mirror",
    PARTS,
    sa.Column("one", sa.Integer, sa.CheckConstraint("one = 1"), primary_key=True),
    sa.Column("store", sa.Text, nullable=False, comment="whose copies the events' marks tell of"),
)
FORGOTTEN_AT_ONCE: Final = 5_000
"""Rows in one transaction: others wait for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EventRow:
    """One event. `site` and `device` are ids."""

    position: int
    site: str
    device: str
    device_type: str
    kind: str
    at_ms: int
    received_ms: int
    level: Severity
    text: str = ""
    lat: float | None = None
    lon: float | None = None
    media: str = ""
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class EventFilter:
    """Which events are wanted; all that is given must fit. Times are [from_ms, to_ms)."""

    sites: Collection[str] | None = None
    """Ids."""
    device: str | None = None
    kind: str | None = None
    level: Severity | None = None
    from_ms: int | None = None
    to_ms: int | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        found: list[sa.ColumnElement[bool]] = []
        if self.sites is not None:
            found.append(_C.site.in_(self.sites))
        for column, wanted in ((_C.device, self.device), (_C.kind, self.kind), (_C.level, self.level)):
            if wanted is not None:
                found.append(column == wanted)
        if self.from_ms is not None:
            found.append(_C.at_ms >= self.from_ms)
        if self.to_ms is not None:
            found.append(_C.at_ms < self.to_ms)
        return found


EVERY_EVENT: Final = EventFilter()


class Events:
    """Safe to use from any thread; one of them mirrors."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.create(EVENT)
        database.create(EVENT_MIRROR)
        self._any_missing = database.whether(_NOT_MIRRORED)

    def record(self, rows: Sequence[EventRow]) -> None:
        """One transaction. The same again changes nothing; another of the same position takes its place.

        That is an event which was taken without a part of it, and is tried again.
        """
        if not rows:
            return
        insert = self._database.insert(EVENT)
        new = {column.name: insert.excluded[column.name] for column in EVENT.columns if not column.primary_key}
        told = [name for name in new if name != "mirrored"]
        differs = sa.or_(*(EVENT.c[name].is_distinct_from(new[name]) for name in told))
        upsert = insert.on_conflict_do_update(index_elements=[_C.position], set_=new, where=differs)
        with self._database.writing() as con:
            con.execute(upsert, [_values(row) for row in rows])

    def events(self, limit: int, which: EventFilter = EVERY_EVENT) -> list[EventRow]:
        """The newest first."""
        query = sa.select(EVENT).where(*which.conditions()).order_by(_C.at_ms.desc(), _C.position.desc())
        with self._database.reading() as con:
            return [_row(row) for row in con.execute(query.limit(limit))]

    def forget(self, before_ms: int) -> int:
        """Delete those that happened before, and return how many that were."""
        oldest = sa.select(_C.position).where(_C.at_ms < before_ms).limit(FORGOTTEN_AT_ONCE)
        gone = 0
        while True:
            with self._database.writing() as con:
                deleted = con.execute(sa.delete(EVENT).where(_C.position.in_(oldest))).rowcount
            gone += deleted
            if deleted < FORGOTTEN_AT_ONCE:
                return gone

    # --- copies in the store

    def begin(self, store: str, *, anew: bool) -> None:
        """From now on the marks are of this store. If they were of another one, or it is to be `anew`, all go."""
        with self._database.writing() as con:
            if con.scalar(sa.select(EVENT_MIRROR.c.store)) == store and not anew:
                return
            con.execute(sa.delete(EVENT_MIRROR))
            con.execute(sa.insert(EVENT_MIRROR).values(one=1, store=store))
            con.execute(sa.update(EVENT).where(_C.mirrored != 0).values(mirrored=0))

    def missing(self, limit: int) -> list[EventRow]:
        """Those the store does not have, the oldest first."""
        if not self._any_missing():
            return []
        query = sa.select(EVENT).where(_NOT_MIRRORED).order_by(_C.position).limit(limit)
        with self._database.reading() as con:
            return [_row(row) for row in con.execute(query)]

    def mark(self, rows: Sequence[EventRow]) -> None:
        """The store has these."""
        if not rows:
            return
        update = sa.update(EVENT).where(_C.position == sa.bindparam("at")).values(mirrored=1)
        with self._database.writing() as con:
            con.execute(update, [{"at": row.position} for row in rows])


def _values(row: EventRow) -> dict[str, Any]:
    return {
        "position": row.position,
        "site": row.site,
        "device": row.device,
        "device_type": row.device_type,
        "kind": row.kind,
        "at_ms": row.at_ms,
        "received_ms": row.received_ms,
        "level": row.level,
        "text": row.text,
        "lat": row.lat,
        "lon": row.lon,
        "media": row.media,
        "data": msgspec.json.encode(row.data).decode(),
        "mirrored": 0,
    }


def _row(row: sa.Row[Any]) -> EventRow:
    return EventRow(
        position=row.position,
        site=row.site,
        device=row.device,
        device_type=row.device_type,
        kind=row.kind,
        at_ms=row.at_ms,
        received_ms=row.received_ms,
        level=Severity(row.level),
        text=row.text,
        lat=row.lat,
        lon=row.lon,
        media=row.media,
        data=msgspec.json.decode(row.data),
    )
