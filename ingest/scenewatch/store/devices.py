"""The inventory's table: which devices exist, and a revision that tells whoever asks that something changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from scenewatch.model.place import Device
from scenewatch.model.words import Text
from scenewatch.store.relational import ABOUT, PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scenewatch.store.relational import Database

ROWS_AT_ONCE = 1000
SITES_AT_ONCE = 200
"""In one statement."""

DEVICE = sa.Table(
    "device",
    PARTS,
    sa.Column("scene", sa.Text, primary_key=True),
    sa.Column("site", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("parent", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("name_zh", sa.Text, nullable=False),
    sa.Column("lat", sa.Double),
    sa.Column("lon", sa.Double),
    sa.Column("properties", sa.JSON, nullable=False),
)

TAKEN = sa.Table(
    "inventory_taken",
    PARTS,
    sa.Column("one", sa.Integer, sa.CheckConstraint("one = 1"), primary_key=True),
    sa.Column("revision", sa.BigInteger, nullable=False, comment="the one by which the worker judges messages"),
)


class Inventory:
    """Safe to use from any thread. It keeps what `inventory.checks` has found well."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.create(DEVICE)
        database.create(TAKEN)
        self._revision = database.remembered(_revision)

    def revision(self) -> int:
        """Rises by one with each change; 0 when new."""
        return self._revision()

    def taken(self) -> int:
        """The revision that a worker took last; 0 when none ever did."""
        with self._database.reading() as con:
            return con.scalar(sa.select(TAKEN.c.revision)) or 0

    def take(self, revision: int) -> None:
        """Whatever is received from now on is judged by this revision."""
        insert = self._database.insert(TAKEN).values(one=1, revision=revision)
        with self._database.writing() as con:
            con.execute(insert.on_conflict_do_update(index_elements=[TAKEN.c.one], set_={"revision": revision}))

    def devices(self) -> list[Device]:
        """All, by scene, site and device."""
        return list(self.each())

    def each(self) -> Iterator[Device]:
        """As `devices`, one after the other: there may be more than anybody wants to hold at once."""
        with self._database.reading() as con:
            yield from _devices(con)

    def of_site(self, scene: str, site: str) -> list[Device]:
        with self._database.reading() as con:
            return list(_devices(con, DEVICE.c.scene == scene, DEVICE.c.site == site))

    def ids_at(self, sites: Iterable[tuple[str, str]]) -> set[str]:
        """Of all devices of these sites, each a scene and a site."""
        wanted, found = list(sites), set[str]()
        key = sa.tuple_(DEVICE.c.scene, DEVICE.c.site)
        for at in range(0, len(wanted), SITES_AT_ONCE):
            with self._database.reading() as con:
                query = sa.select(DEVICE.c.scene, DEVICE.c.site, DEVICE.c.device)
                rows = con.execute(query.where(key.in_(wanted[at : at + SITES_AT_ONCE])))
                found.update(".".join(row) for row in rows)
        return found

    def replace(self, devices: Iterable[Device]) -> int:
        """Make the inventory exactly these; returns the revision. The same again is no change."""
        wanted = {d.id: d for d in devices}
        with self._database.writing() as con:
            if wanted == {d.id: d for d in _devices(con)}:
                return _revision(con)
            con.execute(sa.delete(DEVICE))
            if wanted:
                con.execute(sa.insert(DEVICE), [_row(d) for d in wanted.values()])
            return _next_revision(con)

    def upsert(self, devices: Iterable[Device]) -> int:
        """Add these, or change those with the same ids; returns the revision. The same again is no change."""
        with self._database.writing() as con:
            known = {d.id: d for d in _devices(con)}
            changed = [d for d in devices if known.get(d.id) != d]
            if not changed:
                return _revision(con)
            insert = self._database.insert(DEVICE)
            keys = list(DEVICE.primary_key)
            values = {c.name: insert.excluded[c.name] for c in DEVICE.columns if c not in keys}
            con.execute(insert.on_conflict_do_update(index_elements=keys, set_=values), [_row(d) for d in changed])
            return _next_revision(con)


def _revision(con: sa.Connection) -> int:
    return int(con.execute(sa.select(ABOUT.c.inventory_revision)).scalar_one())


def _next_revision(con: sa.Connection) -> int:
    con.execute(sa.update(ABOUT).values(inventory_revision=ABOUT.c.inventory_revision + 1))
    return _revision(con)


def _devices(con: sa.Connection, *where: sa.ColumnElement[bool]) -> Iterator[Device]:
    query = sa.select(DEVICE).where(*where).order_by(*DEVICE.primary_key).execution_options(yield_per=ROWS_AT_ONCE)
    for r in con.execute(query):
        yield Device(
            scene=r.scene,
            site=r.site,
            device=r.device,
            type=r.type,
            parent=r.parent,
            name=Text(r.name_en, r.name_zh),
            lat=r.lat,
            lon=r.lon,
            properties=r.properties,
        )


def _row(d: Device) -> dict[str, Any]:
    return {
        "scene": d.scene,
        "site": d.site,
        "device": d.device,
        "type": d.type,
        "parent": d.parent,
        "name_en": d.name.en,
        "name_zh": d.name.zh,
        "lat": d.lat,
        "lon": d.lon,
        "properties": dict(d.properties),
    }
