"""The dead letters' table: messages that could not be taken, kept whole until somebody looks, and after it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from scenewatch.model.ledger import NOWHERE, STORE_REFUSED, TAKEN_WITHOUT, DeadLetter
from scenewatch.store.relational import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scenewatch.store.letterfilter import Which
    from scenewatch.store.relational import Database

NEVER = -1
MOST_AT_ONCE = 1000
"""Rows read in one go."""

DEAD_LETTER = sa.Table(
    "dead_letter",
    PARTS,
    sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("received_ms", sa.BigInteger, nullable=False),
    sa.Column("topic", sa.LargeBinary, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    # since letters can be tried again
    sa.Column("owner", sa.Integer, nullable=False, server_default=str(NOWHERE)),
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("tried_record", sa.BigInteger, nullable=False, server_default=str(NEVER)),
    sa.Column("asked_ms", sa.BigInteger),
    sa.Column("taken_ms", sa.BigInteger),
)
COLUMNS = DEAD_LETTER.c
LETTER = (
    COLUMNS.position,
    COLUMNS.received_ms,
    COLUMNS.topic,
    COLUMNS.payload,
    COLUMNS.reason,
    COLUMNS.owner,
)


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A dead letter and what was done about it."""

    letter: DeadLetter
    tries: int
    asked_ms: int | None
    """When somebody asked to try it again, as long as that has not been done."""
    taken_ms: int | None
    """When it was taken at last: kept as a trace, dead no more."""


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many dead letters there are for one kind of reason."""

    reason: str
    count: int
    newest_position: int


class DeadLetters:
    """Safe to use from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.create(DEAD_LETTER)

    def add(self, letters: Sequence[DeadLetter]) -> None:
        """One transaction. A position that is there stays as it is, but for the reasons, which are joined."""
        if not letters:
            return
        rows = [
            {
                "position": letter.position,
                "received_ms": letter.received_ms,
                "topic": letter.topic,
                "payload": letter.payload,
                "reason": letter.reason,
                "owner": letter.owner,
            }
            for letter in letters
        ]
        insert = self._database.insert(DEAD_LETTER)
        upsert = insert.on_conflict_do_update(
            index_elements=[DEAD_LETTER.c.position],
            set_=_changed(insert.excluded),
            where=_is_new(COLUMNS.reason, insert.excluded.reason) | COLUMNS.taken_ms.is_not(None),
        )
        with self._database.writing() as con:
            con.execute(upsert, rows)

    def dead_letters(self, limit: int, which: Which) -> list[KeptLetter]:
        """The newest first."""
        with self._database.reading() as con:
            return [_kept(row) for row in islice(_chosen(con, which, page=limit), limit)]

    def positions(self, which: Which) -> list[int]:
        """Of all those that came as a message, the newest first."""
        with self._database.reading() as con:
            return [row.position for row in _chosen(con, which) if row.topic]

    def at(self, position: int) -> KeptLetter | None:
        with self._database.reading() as con:
            row = con.execute(sa.select(DEAD_LETTER).where(COLUMNS.position == position)).one_or_none()
        return None if row is None else _kept(row)

    def count(self) -> int:
        """Those not taken at last."""
        with self._database.reading() as con:
            found = sa.select(sa.func.count()).select_from(DEAD_LETTER).where(COLUMNS.taken_ms.is_(None))
            return con.execute(found).scalar_one()

    def reasons(self, most: int) -> list[ReasonCount]:
        """By the part of the reason before its first colon, which is alike where only details differ."""
        query = (
            sa.select(COLUMNS.reason, sa.func.count(), sa.func.max(COLUMNS.position))
            .where(COLUMNS.taken_ms.is_(None))
            .group_by(COLUMNS.reason)
        )
        counts: Counter[str] = Counter()
        newest: dict[str, int] = {}
        with self._database.reading() as con:
            for reason, count, position in con.execute(query):
                kind = reason.partition(":")[0]
                counts[kind] += count
                newest[kind] = max(position, newest.get(kind, 0))
        return [ReasonCount(kind, count, newest[kind]) for kind, count in counts.most_common(most)]


def _kept(row: sa.Row[Any]) -> KeptLetter:
    letter = DeadLetter(row.position, row.received_ms, row.topic, row.payload, row.reason, row.owner)
    return KeptLetter(letter, row.tries, row.asked_ms, row.taken_ms)


def _chosen(con: sa.Connection, which: Which, *, page: int = MOST_AT_ONCE) -> Iterator[sa.Row[Any]]:
    """Newest first, page by page: whether a topic fits, only reading it tells."""
    size = min(page, MOST_AT_ONCE)
    conditions = which.conditions(DEAD_LETTER)
    query = sa.select(DEAD_LETTER).where(*conditions).order_by(COLUMNS.position.desc()).limit(size)
    before = which.before
    while True:
        rows = con.execute(query if before is None else query.where(COLUMNS.position < before)).all()
        yield from (row for row in rows if which.fits(row.topic))
        if len(rows) < size:
            return
        before = rows[-1].position


def _changed(told: Any) -> dict[str, Any]:
    """Dead again if it was taken at last; what the store refuses is on the account of its device."""
    refused = told.reason.startswith(STORE_REFUSED, autoescape=True)
    new = _is_new(COLUMNS.reason, told.reason)
    return {
        "reason": sa.case((new, _joined(COLUMNS.reason, told.reason)), else_=COLUMNS.reason),
        "owner": sa.case((refused, told.owner), else_=COLUMNS.owner),
        "taken_ms": None,
    }


def _is_new(known: Any, told: Any) -> sa.ColumnElement[bool]:
    """By `replace`, which both dialects have and which knows no wildcards."""
    return cast("sa.ColumnElement[bool]", sa.func.replace(known, told, "") == known)


def _joined(known: Any, told: Any) -> sa.ColumnElement[str]:
    """What the message was taken without comes last: a message refused after all is not one that was taken."""
    partly = told.startswith(TAKEN_WITHOUT, autoescape=True)
    return sa.case((partly, known + "; " + told), else_=told + "; " + known)
