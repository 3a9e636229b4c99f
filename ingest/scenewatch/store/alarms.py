"""The alarms' table: every alarm there was, known by (rule, device, raised_at)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from scenewatch.model.alarm import STANDING, AlarmState
from scenewatch.model.scene import Priority
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
    sa.Column("priority", sa.Text, nullable=False),
    sa.Column("device_type", sa.Text, nullable=False, server_default="", comment="empty where it is not known"),
    sa.Column("mirrored", sa.SmallInteger, nullable=False, server_default="0", comment="how the store has it"),
    sa.Column("acknowledged_by", sa.Text, comment="the operator who did so first"),
    sa.Column("acknowledged_at_ms", sa.BigInteger),
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


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmRow:
    """One alarm, as first raised or as it stands. `device` is the device's id, `value` NaN for no data."""

    rule: str
    device: str
    raised_at_ms: int
    cleared_at_ms: int | None = None
    state: AlarmState
    value: float
    flag: int
    priority: Priority
    device_type: str = ""
    """Of the time it was raised; empty in rows of older releases."""
    acknowledged_by: str | None = None
    acknowledged_at_ms: int | None = None


class Alarms:
    """Safe to use from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.create(ALARM)

    def record(self, rows: Sequence[AlarmRow]) -> None:
        """Add alarms, or clear those known as standing; in the order given.

        What an operator did stays: a known alarm changes only by its first clearing, which makes an
        acknowledged one normal and leaves a shelved or suppressed one so. Recording again changes nothing.
        """
        if not rows:
            return
        insert = self._database.insert(ALARM)
        state = sa.case(
            (ALARM.c.state == AlarmState.ACKNOWLEDGED, AlarmState.NORMAL),
            (ALARM.c.state == AlarmState.UNACKNOWLEDGED, insert.excluded.state),
            else_=ALARM.c.state,
        )
        upsert = insert.on_conflict_do_update(
            index_elements=list(ALARM.primary_key),
            set_={"cleared_at_ms": insert.excluded.cleared_at_ms, "state": state},
            where=ALARM.c.cleared_at_ms.is_(None) & insert.excluded.cleared_at_ms.is_not(None),
        )
        with self._database.writing() as con:
            con.execute(upsert, [_values(row) for row in rows])

    def acknowledge(
        self, rule: str, device: str, raised_at_ms: int, *, by: str, at_ms: int
    ) -> tuple[AlarmRow, bool] | None:
        """An operator has seen it: as it is after it, and whether that is news. None: there is no such alarm.

        Who was first stays on record, and is in the audit by the same transaction.
        """
        this = (ALARM.c.rule == rule) & (ALARM.c.device == device) & (ALARM.c.raised_at_ms == raised_at_ms)
        state = sa.case(
            (ALARM.c.state == AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED),
            (ALARM.c.state == AlarmState.RETURNED_UNACKNOWLEDGED, AlarmState.NORMAL),
            else_=ALARM.c.state,
        )
        first = this & ALARM.c.acknowledged_by.is_(None)
        with self._database.writing() as con:
            values = {"state": state, "acknowledged_by": by, "acknowledged_at_ms": at_ms}
            news = con.execute(sa.update(ALARM).where(first).values(values)).rowcount > 0
            after = con.execute(sa.select(ALARM).where(this)).one_or_none()
            if news:
                put(con, Action(at_ms, by, "acknowledge", device, f"{rule} {raised_at_ms}"))
        return None if after is None else (alarm_of(after), news)

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
    )
