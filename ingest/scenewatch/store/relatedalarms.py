"""Alarms that help to understand one: what was alike before it, what caused it, and what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from scenewatch.store.alarmfilter import AFTER_A_DOT
from scenewatch.store.alarms import ALARM, alarm_of

if TYPE_CHECKING:
    from scenewatch.store.alarms import AlarmRow, Identity
    from scenewatch.store.relational import Database

NEWEST_FIRST = (ALARM.c.raised_at_ms.desc(), ALARM.c.device)


class RelatedAlarms:
    """Safe to use from any thread; the alarms' table is there. Every answer is bounded."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, identity: Identity) -> AlarmRow | None:
        rule, device, raised_at_ms = identity
        found = self._newest(
            1, ALARM.c.rule == rule, ALARM.c.device == device, ALARM.c.raised_at_ms == raised_at_ms
        )
        return found[0] if found else None

    def before(self, row: AlarmRow, limit: int) -> list[AlarmRow]:
        """The newest of the same rule at the same device."""
        return self._newest(limit, ALARM.c.device == row.device, *_earlier(row))

    def at_site_before(self, row: AlarmRow, limit: int) -> list[AlarmRow]:
        """The newest of the same rule at the site's other devices."""
        site = row.device.rpartition(".")[0]
        there = (ALARM.c.device > f"{site}.", ALARM.c.device < f"{site}{AFTER_A_DOT}", ALARM.c.device != row.device)
        return self._newest(limit, *there, *_earlier(row))

    def count_before(self, row: AlarmRow, from_ms: int) -> int:
        """How often the same rule raised one at the same device since then."""
        query = sa.select(sa.func.count()).where(ALARM.c.device == row.device, *_earlier(row))
        with self._database.reading() as con:
            return con.scalar(query.where(ALARM.c.raised_at_ms >= from_ms)) or 0

    def cause(self, row: AlarmRow) -> AlarmRow | None:
        """The one that stood then, of the rule and device that `row.cause` names."""
        rule, _, device = row.cause.partition(" ")
        if not device:
            return None
        this = (ALARM.c.rule == rule, ALARM.c.device == device, ALARM.c.raised_at_ms <= row.raised_at_ms)
        found = self._newest(1, *this)
        return found[0] if found else None

    def follows(self, row: AlarmRow, limit: int) -> list[AlarmRow]:
        """What was raised because of this one while it stood, the newest first."""
        conditions = [ALARM.c.cause == f"{row.rule} {row.device}", ALARM.c.cause != sa.literal_column("''")]
        conditions.append(ALARM.c.raised_at_ms >= row.raised_at_ms)
        if row.cleared_at_ms is not None:
            conditions.append(ALARM.c.raised_at_ms <= row.cleared_at_ms)
        return self._newest(limit, *conditions)

    def _newest(self, limit: int, *conditions: sa.ColumnElement[bool]) -> list[AlarmRow]:
        query = sa.select(ALARM).where(*conditions).order_by(*NEWEST_FIRST).limit(limit)
        with self._database.reading() as con:
            return [alarm_of(row) for row in con.execute(query)]


def _earlier(row: AlarmRow) -> tuple[sa.ColumnElement[bool], ...]:
    return ALARM.c.rule == row.rule, ALARM.c.raised_at_ms < row.raised_at_ms
