"""The commands' table: what operators told devices to do, and what the devices answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from scenewatch.model.command import CommandState
from scenewatch.store.audit import Action, put
from scenewatch.store.relational import PARTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.store.relational import Database

COMMAND = sa.Table(
    "command",
    PARTS,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("args", sa.Text, nullable=False, comment="a JSON object"),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at_ms", sa.BigInteger, nullable=False),
    sa.Column("expires_at_ms", sa.BigInteger, nullable=False),
    sa.Column("answered_at_ms", sa.BigInteger),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("answers", sa.Integer, nullable=False),
    sa.Column("late", sa.Boolean, nullable=False),
    sa.Column("answer_position", sa.BigInteger, nullable=False, comment="of the last answer that was counted"),
    sa.Index("command_newest", "asked_at_ms"),
    sa.Index("command_state", "state", "expires_at_ms"),
)
NO_POSITION = -1
_c = COMMAND.c


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandRow:
    """One command. `device` is the device's id."""

    id: str
    device: str
    name: str
    args: str
    state: CommandState
    asked_by: str
    asked_at_ms: int
    expires_at_ms: int
    answered_at_ms: int | None = None
    text: str = ""
    """What the device answered; before that, what is to be known."""
    answers: int = 0
    late: bool = False
    answer_position: int = NO_POSITION


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a device said to a command, at a position of the journal."""

    position: int
    device: str
    command: str
    ok: bool
    text: str
    received_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WhichCommands:
    """All that is given must fit."""

    limit: int
    site: str | None = None
    """`scene.site`, or the site alone; likewise the device."""
    device: str | None = None
    state: CommandState | None = None


_WAITS = _c.state == CommandState.WAITING
_NEXT_OVER = sa.select(sa.func.min(_c.expires_at_ms)).where(_WAITS)


class CommandTable:
    """Safe to use from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.create(COMMAND)
        self._next_over_ms = database.remembered(lambda con: con.scalar(_NEXT_OVER))

    def add(self, row: CommandRow, action: Action) -> None:
        """With who did it, in one transaction."""
        with self._database.writing() as con:
            con.execute(sa.insert(COMMAND).values(_values(row)))
            put(con, action)

    def sent(self, command: str, text: str) -> CommandRow:
        """The broker has it: it waits, unless its device was quicker with the answer."""
        this = _c.id == command
        unsent = this & (_c.state == CommandState.UNSENT)
        with self._database.writing() as con:
            con.execute(sa.update(COMMAND).where(unsent).values(state=CommandState.WAITING, text=text))
            return _row(con.execute(sa.select(COMMAND).where(this)).one())

    def unsent(self, command: str, why: str) -> CommandRow:
        """The broker has not said that it has it."""
        this = _c.id == command
        unsent = this & (_c.state == CommandState.UNSENT)
        with self._database.writing() as con:
            con.execute(sa.update(COMMAND).where(unsent).values(text=why))
            return _row(con.execute(sa.select(COMMAND).where(this)).one())

    def answered(self, answers: Sequence[Answer]) -> list[CommandRow]:
        """Those that changed, each as it is now. The same answers again change nothing."""
        changed: dict[str, CommandRow] = {}
        with self._database.writing() as con:
            for answer in answers:
                this = (_c.id == answer.command) & (_c.device == answer.device)
                found = con.execute(sa.select(COMMAND).where(this).with_for_update()).one_or_none()
                after = None if found is None else after_answer(_row(found), answer)
                if after is not None:
                    con.execute(sa.update(COMMAND).where(this).values(_values(after)))
                    changed[after.id] = after
        return list(changed.values())

    def expire(self, now_ms: int) -> list[CommandRow]:
        """Those whose time is over, as they are now."""
        next_ms = self._next_over_ms()
        if next_ms is None or next_ms > now_ms:
            return []
        over = _WAITS & (_c.expires_at_ms <= now_ms)
        with self._database.writing() as con:
            rows = [_row(row) for row in con.execute(sa.select(COMMAND).where(over).with_for_update())]
            ids = [row.id for row in rows]
            con.execute(sa.update(COMMAND).where(_c.id.in_(ids)).values(state=CommandState.EXPIRED))
        return [replace(row, state=CommandState.EXPIRED) for row in rows]

    def commands(self, which: WhichCommands) -> list[CommandRow]:
        """Newest first."""
        query = sa.select(COMMAND)
        if which.site is not None:
            whole = "." in which.site
            begins = _c.device.startswith(f"{which.site}.", autoescape=True)
            query = query.where(begins if whole else _c.device.contains(f".{which.site}.", autoescape=True))
        if which.device is not None:
            ends = _c.device.endswith(f".{which.device}", autoescape=True)
            query = query.where((_c.device == which.device) | ends)
        if which.state is not None:
            query = query.where(_c.state == which.state)
        query = query.order_by(_c.asked_at_ms.desc(), _c.id).limit(which.limit)
        with self._database.reading() as con:
            return [_row(row) for row in con.execute(query)]


def after_answer(row: CommandRow, answer: Answer) -> CommandRow | None:
    """None where it is counted already. The first answer decides, by when it came; later ones only count."""
    if answer.position <= row.answer_position:
        return None
    counted = replace(row, answers=row.answers + 1, answer_position=answer.position)
    if row.answers:
        return counted
    late = answer.received_ms >= row.expires_at_ms
    state = CommandState.DONE if answer.ok else CommandState.REFUSED
    return replace(
        counted,
        # one that came in time may be looked at when its time is over
        state=CommandState.EXPIRED if late else state,
        answered_at_ms=answer.received_ms,
        text=answer.text,
        late=late,
    )


def _values(row: CommandRow) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in COMMAND.columns}


def _row(row: sa.Row[Any]) -> CommandRow:
    values = dict(row._mapping)  # noqa: SLF001  # its documented name
    return CommandRow(**(values | {"state": CommandState(values["state"])}))
