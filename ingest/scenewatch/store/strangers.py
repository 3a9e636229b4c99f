"""Devices that no inventory has, as the dead letters know them: what they sent is kept there, and nowhere else.

So there is no second record that could differ from the first, and nothing to bring up to date after a crash.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from scenewatch.model.ledger import UNKNOWN_DEVICE
from scenewatch.model.place import Kind
from scenewatch.store.deadletters import COLUMNS, DEAD_LETTER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scenewatch.store.relational import Database

MOST_BYTES = 65_536
"""Of a payload that is looked at; a device that sends more at once tells of itself in others."""
LETTERS_AT_ONCE = 100


class Whose(NamedTuple):
    """What a topic names."""

    scene: str
    site: str
    device: str

    @property
    def id(self) -> str:
        return ".".join(self)


@dataclass(slots=True)
class Stranger:
    """A device by its dead letters."""

    whose: Whose
    messages: int
    first_ms: int
    last_ms: int
    sample: int
    """Position of the newest message with readings; without one, of the newest."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The strangers heard of last, the newest first. `beyond`: how many topics of others there are."""

    strangers: Sequence[Stranger]
    beyond: int


class Strangers:
    """Safe to use from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.create(DEAD_LETTER)

    def seen(self, most: int) -> Seen:
        """Whatever topics are invented, no more than `most` devices are ever held at once."""
        last_ms = sa.func.max(COLUMNS.received_ms)
        query = (
            sa.select(
                COLUMNS.topic,
                sa.func.count().label("messages"),
                sa.func.min(COLUMNS.received_ms).label("first_ms"),
                last_ms.label("last_ms"),
                sa.func.max(COLUMNS.position).label("newest"),
                sa.func.count().over().label("topics"),
            )
            .where(*_unknown())
            .group_by(COLUMNS.topic)
            .order_by(last_ms.desc(), COLUMNS.topic)
            .limit(most)
        )
        found: dict[Whose, Stranger] = {}
        rows = topics = 0
        with self._database.reading() as con:
            for row in con.execute(query):
                rows, topics = rows + 1, row.topics
                _gather(found, row)
        return Seen(list(found.values()), topics - rows)

    def one(self, root: str, whose: Whose) -> Stranger | None:
        """One device alone; None when nothing of it waits."""
        query = sa.select(
            COLUMNS.topic,
            sa.func.count().label("messages"),
            sa.func.min(COLUMNS.received_ms).label("first_ms"),
            sa.func.max(COLUMNS.received_ms).label("last_ms"),
            sa.func.max(COLUMNS.position).label("newest"),
        )
        topics = ["/".join((root, *whose, kind)).encode() for kind in Kind]
        found: dict[Whose, Stranger] = {}
        with self._database.reading() as con:
            for row in con.execute(query.where(*_unknown(), COLUMNS.topic.in_(topics)).group_by(COLUMNS.topic)):
                _gather(found, row)
        return found.get(whose)

    def payloads(self, positions: Iterable[int]) -> Iterator[tuple[int, bytes]]:
        """The beginning of each, one after the other."""
        wanted = list(positions)
        start = sa.func.substr(COLUMNS.payload, 1, MOST_BYTES).label("payload")
        for at in range(0, len(wanted), LETTERS_AT_ONCE):
            piece = wanted[at : at + LETTERS_AT_ONCE]
            with self._database.reading() as con:
                query = sa.select(COLUMNS.position, start).where(COLUMNS.position.in_(piece))
                rows = con.execute(query).all()
            yield from ((row.position, bytes(row.payload)) for row in rows)


def _unknown() -> tuple[sa.ColumnElement[bool], ...]:
    return COLUMNS.taken_ms.is_(None), COLUMNS.reason.startswith(UNKNOWN_DEVICE, autoescape=True)


def _gather(found: dict[Whose, Stranger], row: sa.Row[Any]) -> None:
    """A topic into its device: one has a topic for each kind of message."""
    topic, messages, first_ms, last_ms, newest = row.topic, row.messages, row.first_ms, row.last_ms, row.newest
    levels = topic.decode("ascii").split("/")
    whose, with_readings = Whose(*levels[1:4]), levels[4] == Kind.TELEMETRY
    known = found.get(whose)
    if known is None:
        found[whose] = Stranger(whose, messages, first_ms, last_ms, newest)
        return
    known.messages += messages
    known.first_ms, known.last_ms = min(known.first_ms, first_ms), max(known.last_ms, last_ms)
    if with_readings:
        known.sample = newest
