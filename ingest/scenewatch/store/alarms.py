"""The alarms' table: every alarm there was, known by (rule, device, raised_at)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from scenewatch.model.alarm import STANDING, AlarmState, Hidden, Step
from scenewatch.model.rule import Priority
from scenewatch.store.audit import Action, put
from scenewatch.store.relational import PARTS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from scenewatch.store.alarmfilter import WhichAlarms
    from scenewatch.store.relational import Database

ALARM = sa.Table(
    "alarm",
    PARTS,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("device", sa.Text, primary_key=True),
    sa.Column("raised_at_ms", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("cleared_at_ms", sa.BigInteger),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("value", sa.Double, comment="null for no data"),
    sa.Column("flag", sa.SmallInteger, nullable=False),
    sa.Column("priority", sa.Text, nullable=False, comment="as it is now, or was in the end"),
    sa.Column("device_type", sa.Text, nullable=False, server_default="", comment="empty where it is not known"),
    sa.Column("mirrored", sa.SmallInteger, nullable=False, server_default="0", comment="how the store has it"),
    sa.Column("acknowledged_by", sa.Text, comment="the operator who did so, since it was last to be seen"),
    sa.Column("acknowledged_at_ms", sa.BigInteger),
    sa.Column("raised_priority", sa.Text, nullable=False, server_default="", comment="empty: the same as now"),
    sa.Column("version", sa.Text, nullable=False, server_default="", comment="of the rule when it raised this"),
    sa.Column("hidden", sa.Text, nullable=False, server_default="", comment="what keeps it from being shown"),
    sa.Column("cause", sa.Text, nullable=False, server_default="", comment="rule and device of what it follows"),
    sa.Column("returned_at_ms", sa.BigInteger, comment="its condition was over, and it waited for a reset"),
    sa.Column("again_at_ms", sa.BigInteger, comment="when it last wanted to be seen again"),
    sa.Column("cleared_by", sa.Text, comment="the operator who reset it"),
    sa.Column(
        "raised_hidden", sa.Text, nullable=False, server_default="", comment="what kept its raising from sight"
    ),
    sa.Index("alarm_newest", "raised_at_ms"),
    sa.Index("alarm_state", "state", "raised_at_ms"),
)
AS_RAISED, AS_CLEARED = 1, 2
"""Values of `mirrored`; 0 is not at all."""
_mirrored, _cleared_at_ms = ALARM.c.mirrored, ALARM.c.cleared_at_ms
# Written with literals: the database must see that the query's condition is the index's.
NOT_MIRRORED = sa.or_(
    _mirrored == sa.literal_column("0"),
    sa.and_(_mirrored == sa.literal_column(str(AS_RAISED)), _cleared_at_ms.is_not(None)),
)
sa.Index("alarm_not_mirrored", ALARM.c.raised_at_ms, sqlite_where=NOT_MIRRORED, postgresql_where=NOT_MIRRORED)
FOLLOWS = ALARM.c.cause != sa.literal_column("''")
sa.Index("alarm_cause", ALARM.c.cause, ALARM.c.raised_at_ms, sqlite_where=FOLLOWS, postgresql_where=FOLLOWS)
ROWS_AT_ONCE = 500
"""Looked up by one query."""
Identity = tuple[str, str, int]
"""Rule, device and time of raising."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """One step of one alarm, by the device's id: a `Transition` as the table takes it."""

    rule: str
    device: str
    raised_at_ms: int
    step: Step
    at_ms: int
    value: float
    """NaN for no data."""
    flag: int
    priority: Priority
    device_type: str = ""
    version: str = ""
    hidden: Hidden = Hidden.NOT
    by: str = ""
    cause: str = ""

    @property
    def identity(self) -> Identity:
        return self.rule, self.device, self.raised_at_ms


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmRow:
    """One alarm as it stands. `device` is the device's id, `value` what raised it, NaN for no data."""

    rule: str
    device: str
    raised_at_ms: int
    cleared_at_ms: int | None = None
    state: AlarmState
    value: float
    flag: int
    priority: Priority
    """As it is now, or was in the end."""
    device_type: str = ""
    """Of the time it was raised; empty in rows of older releases."""
    acknowledged_by: str | None = None
    acknowledged_at_ms: int | None = None
    raised_priority: Priority
    version: str = ""
    """Of the rule when it raised this; empty in rows of older releases."""
    hidden: Hidden = Hidden.NOT
    cause: str = ""
    returned_at_ms: int | None = None
    """Its condition was over: until it is cleared it waits for an operator's reset."""
    again_at_ms: int | None = None
    """When it last wanted to be seen again."""
    cleared_by: str | None = None
    """The operator who reset it."""
    raised_hidden: Hidden = Hidden.NOT
    """What kept its raising from being shown."""

    @property
    def identity(self) -> Identity:
        return self.rule, self.device, self.raised_at_ms

    @property
    def latched(self) -> bool:
        return self.returned_at_ms is not None and self.cleared_at_ms is None


def begun(move: Move) -> AlarmRow:
    """Of an alarm that is not known yet; by its raising, or by what is told of it first."""
    row = AlarmRow(
        rule=move.rule,
        device=move.device,
        raised_at_ms=move.raised_at_ms,
        state=AlarmState.UNACKNOWLEDGED,
        value=move.value,
        flag=move.flag,
        priority=move.priority,
        device_type=move.device_type,
        raised_priority=move.priority,
        version=move.version,
        hidden=move.hidden,
        cause=move.cause,
        raised_hidden=move.hidden if move.step is Step.RAISED else Hidden.NOT,
    )
    return after(replace(row, state=_state(row)), move)


def after(row: AlarmRow, move: Move) -> AlarmRow:
    """What a step makes of its alarm. What was told before changes nothing, in whatever state the alarm is by now.

    A cleared alarm changes only by being acknowledged. What an operator did holds until a later step says other.
    """
    if move.step is Step.ACKNOWLEDGED:
        return acknowledged(row, by=move.by, at_ms=move.at_ms)
    if row.cleared_at_ms is not None:
        return row
    match move.step:
        case Step.CLEARED:
            row = replace(row, cleared_at_ms=move.at_ms, cleared_by=move.by or None)
        case Step.REPRIORITISED:
            row = replace(row, priority=move.priority)
        case Step.RETURNED:
            row = replace(row, returned_at_ms=move.at_ms)
        case Step.HIDDEN:
            row = replace(row, hidden=move.hidden)
        case Step.SHOWN:
            row = replace(row, hidden=Hidden.NOT)
        case Step.AGAIN:
            row = replace(row, again_at_ms=max(move.at_ms, row.again_at_ms or move.at_ms))
        case Step.RAISED:
            return row
    return replace(row, state=_state(row))


def acknowledged(row: AlarmRow, *, by: str, at_ms: int) -> AlarmRow:
    """An operator has seen it. Who was first stays on record, until it wants to be seen again."""
    told_before = row.again_at_ms is not None and at_ms < row.again_at_ms
    if row.acknowledged_at_ms is not None and (_seen(row) or told_before):
        return row
    row = replace(row, acknowledged_by=by, acknowledged_at_ms=at_ms)
    return replace(row, state=_state(row))


def _seen(row: AlarmRow) -> bool:
    at_ms, again_ms = row.acknowledged_at_ms, row.again_at_ms
    return at_ms is not None and (again_ms is None or at_ms >= again_ms)


def _state(row: AlarmRow) -> AlarmState:
    """What cleared while nobody was to see it wants nobody's acknowledgement."""
    if row.cleared_at_ms is not None:
        done = _seen(row) or row.hidden
        return AlarmState.NORMAL if done else AlarmState.RETURNED_UNACKNOWLEDGED
    if row.hidden:
        return AlarmState.SHELVED if row.hidden is Hidden.SHELVED else AlarmState.SUPPRESSED
    return AlarmState.ACKNOWLEDGED if _seen(row) else AlarmState.UNACKNOWLEDGED


class Alarms:
    """Safe to use from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.create(ALARM)

    def record(self, moves: Sequence[Move]) -> list[AlarmRow]:
        """Each step has its effect, in the order given; recording again changes nothing.

        Returns those that are other than before, as they are then, in the order of their first step.
        """
        if not moves:
            return []
        with self._database.writing() as con:
            before = self._known(con, list({move.identity: None for move in moves}))
            rows = dict(before)
            for move in moves:
                known = rows.get(move.identity)
                rows[move.identity] = begun(move) if known is None else after(known, move)
            news = [rows[key] for key in dict.fromkeys(move.identity for move in moves)]
            news = [row for row in news if before.get(row.identity) != row]
            self._write(con, news)
        return news

    def _known(self, con: sa.Connection, identities: Sequence[Identity]) -> dict[Identity, AlarmRow]:
        key = sa.tuple_(ALARM.c.rule, ALARM.c.device, ALARM.c.raised_at_ms)
        found: dict[Identity, AlarmRow] = {}
        for begin in range(0, len(identities), ROWS_AT_ONCE):
            wanted = key.in_(identities[begin : begin + ROWS_AT_ONCE])
            rows = map(alarm_of, con.execute(sa.select(ALARM).where(wanted).with_for_update()))
            found |= {row.identity: row for row in rows}
        return found

    def _write(self, con: sa.Connection, rows: Sequence[AlarmRow]) -> None:
        if not rows:
            return
        insert = self._database.insert(ALARM)
        upsert = insert.on_conflict_do_update(
            index_elements=list(ALARM.primary_key),
            set_={name: insert.excluded[name] for name in CHANGING},
        )
        con.execute(upsert, [_values(row) for row in rows])

    def acknowledge(
        self, rule: str, device: str, raised_at_ms: int, *, by: str, at_ms: int
    ) -> tuple[AlarmRow, bool] | None:
        """An operator has seen it: as it is after it, and whether that is news. None: there is no such alarm.

        It is in the audit by the same transaction.
        """
        this = (rule, device, raised_at_ms)
        with self._database.writing() as con:
            before = self._known(con, [this]).get(this)
            if before is None:
                return None
            row = acknowledged(before, by=by, at_ms=at_ms)
            if row != before:
                self._write(con, [row])
                put(con, Action(at_ms, by, "acknowledge", device, f"{rule} {raised_at_ms}"))
        return row, row != before

    def alarm(self, rule: str, device: str, raised_at_ms: int) -> AlarmRow | None:
        this = (ALARM.c.rule == rule) & (ALARM.c.device == device) & (ALARM.c.raised_at_ms == raised_at_ms)
        with self._database.reading() as con:
            row = con.execute(sa.select(ALARM).where(this)).one_or_none()
        return None if row is None else alarm_of(row)

    def standing(self) -> list[tuple[str, Priority, int]]:
        """How many stand of each device and priority."""
        what = (ALARM.c.device, ALARM.c.priority)
        query = sa.select(*what, sa.func.count()).where(ALARM.c.state.in_(STANDING)).group_by(*what)
        with self._database.reading() as con:
            return [(device, Priority(priority), count) for device, priority, count in con.execute(query)]

    def alarms(
        self,
        states: Collection[AlarmState] = tuple(AlarmState),
        *,
        limit: int,
        from_ms: int | None = None,
        to_ms: int | None = None,
    ) -> list[AlarmRow]:
        """Raised in [from_ms, to_ms), the newest first."""
        query = sa.select(ALARM).where(ALARM.c.state.in_(states))
        if from_ms is not None:
            query = query.where(ALARM.c.raised_at_ms >= from_ms)
        if to_ms is not None:
            query = query.where(ALARM.c.raised_at_ms < to_ms)
        query = query.order_by(ALARM.c.raised_at_ms.desc(), ALARM.c.rule, ALARM.c.device).limit(limit)
        with self._database.reading() as con:
            return [alarm_of(row) for row in con.execute(query)]

    def search(self, which: WhichAlarms, limit: int) -> list[AlarmRow]:
        """The newest first."""
        newest_first = (ALARM.c.raised_at_ms.desc(), ALARM.c.rule, ALARM.c.device)
        query = sa.select(ALARM).where(*which.conditions(ALARM)).order_by(*newest_first).limit(limit)
        with self._database.reading() as con:
            return [alarm_of(row) for row in con.execute(query)]

    def raised_since(self, from_ms: int) -> dict[str, int]:
        """How often each rule raised one; rules that did not are left out."""
        query = sa.select(ALARM.c.rule, sa.func.count()).where(ALARM.c.raised_at_ms >= from_ms)
        with self._database.reading() as con:
            return {str(rule): int(count) for rule, count in con.execute(query.group_by(ALARM.c.rule))}


CHANGING = (
    "cleared_at_ms",
    "cleared_by",
    "state",
    "priority",
    "acknowledged_by",
    "acknowledged_at_ms",
    "hidden",
    "returned_at_ms",
    "again_at_ms",
    "raised_priority",
)
"""What a later step may change."""


def _values(row: AlarmRow) -> dict[str, Any]:
    return {
        "rule": row.rule,
        "device": row.device,
        "raised_at_ms": row.raised_at_ms,
        "cleared_at_ms": row.cleared_at_ms,
        "state": row.state,
        "value": None if math.isnan(row.value) else row.value,
        "flag": int(row.flag),
        "priority": row.priority,
        "device_type": row.device_type,
        "acknowledged_by": row.acknowledged_by,
        "acknowledged_at_ms": row.acknowledged_at_ms,
        "raised_priority": row.raised_priority,
        "version": row.version,
        "hidden": row.hidden,
        "cause": row.cause,
        "returned_at_ms": row.returned_at_ms,
        "again_at_ms": row.again_at_ms,
        "cleared_by": row.cleared_by,
        "raised_hidden": row.raised_hidden,
    }


def alarm_of(row: sa.Row[Any]) -> AlarmRow:
    return AlarmRow(
        rule=row.rule,
        device=row.device,
        raised_at_ms=row.raised_at_ms,
        cleared_at_ms=row.cleared_at_ms,
        state=AlarmState(row.state),
        value=math.nan if row.value is None else row.value,
        flag=row.flag,
        priority=Priority(row.priority),
        device_type=row.device_type,
        acknowledged_by=row.acknowledged_by,
        acknowledged_at_ms=row.acknowledged_at_ms,
        raised_priority=Priority(row.raised_priority or row.priority),
        version=row.version,
        hidden=Hidden(row.hidden),
        cause=row.cause,
        returned_at_ms=row.returned_at_ms,
        again_at_ms=row.again_at_ms,
        cleared_by=row.cleared_by,
        raised_hidden=Hidden(row.raised_hidden),
    )
