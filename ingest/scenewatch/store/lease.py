"""The lease's table: which worker a database belongs to. Who may take it over is decided in `worker.tenure`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from scenewatch.store.relational import PARTS

if TYPE_CHECKING:
    from scenewatch.store.relational import Database

WORKER = "worker"
"""The one identity there is: dead letters and alarms have their places in one worker's journal."""

LEASE = sa.Table(
    "lease",
    PARTS,
    sa.Column("identity", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False, comment="random, another for each process; empty: given back"),
    sa.Column("folder", sa.Text, nullable=False, comment="identity of the journal's folder"),
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("pid", sa.BigInteger, nullable=False),
    sa.Column("beat", sa.BigInteger, nullable=False, comment="counts up while the holder lives"),
    sa.Column(
        "renewed_ms", sa.BigInteger, nullable=False, comment="by the holder's clock: for people, never compared"
    ),
)


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds it, or held it last: then `holder` is empty.

    `folder` is the identity of the journal's folder, which its lock makes one process's alone.
    """

    holder: str
    folder: str
    host: str
    pid: int
    beat: int = 0


class Leases:
    """Each call is one transaction. Raises TemporaryError while the database is away. Any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.create(LEASE)

    def read(self) -> Lease | None:
        c = LEASE.c
        query = sa.select(c.holder, c.folder, c.host, c.pid, c.beat).where(c.identity == WORKER)
        with self._database.reading() as con:
            row = con.execute(query).one_or_none()
        return None if row is None else Lease(*row)

    def take(self, lease: Lease, now_ms: int, *, instead_of: Lease | None) -> bool:
        """False when what was seen is no longer so: somebody else was quicker, or lives."""
        values = {
            "holder": lease.holder,
            "folder": lease.folder,
            "host": lease.host,
            "pid": lease.pid,
            "beat": lease.beat,
            "renewed_ms": now_ms,
        }
        if instead_of is None:
            statement = self._database.insert(LEASE).values(identity=WORKER, **values).on_conflict_do_nothing()
        else:
            statement = _held_by(instead_of.holder).where(LEASE.c.beat == instead_of.beat).values(**values)
        # of an insert PostgreSQL's driver is not asked for the count otherwise
        with self._database.writing() as con:
            return bool(con.execute(statement, execution_options={"preserve_rowcount": True}).rowcount == 1)

    def renew(self, holder: str, now_ms: int) -> bool:
        """False when somebody else holds it."""
        statement = _held_by(holder).values(beat=LEASE.c.beat + 1, renewed_ms=now_ms)
        with self._database.writing() as con:
            return con.execute(statement).rowcount == 1

    def give_back(self, holder: str) -> None:
        """Nothing happens to another's."""
        with self._database.writing() as con:
            con.execute(_held_by(holder).values(holder=""))


def _held_by(holder: str) -> sa.Update:
    return sa.update(LEASE).where(LEASE.c.identity == WORKER, LEASE.c.holder == holder)
