"""Alarms on record over any span, for those who count them: no more of each than that needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sqlalchemy as sa

from scenewatch.store.alarmfilter import AFTER_A_DOT
from scenewatch.store.alarms import ALARM

if TYPE_CHECKING:
    from collections.abc import Collection

    from scenewatch.store.relational import Database


class PastAlarm(NamedTuple):
    """One alarm. `priority` and `hidden` are as it was raised."""

    rule: str
    device: str
    priority: str
    raised_at_ms: int
    cleared_at_ms: int | None
    hidden: bool
    cause: str


class AlarmHistory:
    """Safe to use from any thread; the alarms' table is there."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def over(self, from_ms: int, to_ms: int, sites: Collection[str] | None = None) -> list[PastAlarm]:
        """Raised before `to_ms` and standing at `from_ms` or later, in time; with `sites`, of these alone."""
        c = ALARM.c
        raised_priority = sa.case((c.raised_priority == "", c.priority), else_=c.raised_priority)
        query = sa.select(
            c.rule, c.device, raised_priority, c.raised_at_ms, c.cleared_at_ms, c.raised_hidden != "", c.cause
        ).where(
            c.raised_at_ms < to_ms,
            sa.or_(c.raised_at_ms >= from_ms, c.cleared_at_ms.is_(None), c.cleared_at_ms > from_ms),
        )
        if sites is not None:
            within = [sa.and_(c.device > f"{site}.", c.device < f"{site}{AFTER_A_DOT}") for site in sorted(sites)]
            query = query.where(sa.or_(sa.false(), *within))
        with self._database.reading() as con:
            return [PastAlarm(*row) for row in con.execute(query.order_by(c.raised_at_ms))]
