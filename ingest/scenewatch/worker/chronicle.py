"""What devices told: puts events on record, remembers the newest for listeners, and lets go of the old ones."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from scenewatch.api.views import EventView
from scenewatch.model.words import days, hours
from scenewatch.store.events import EventFilter, EventRow
from scenewatch.worker.changes import Changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.api.views import EventQuery
    from scenewatch.model.event import Event
    from scenewatch.model.registry import Registry
    from scenewatch.store.events import Events

log = logging.getLogger(__name__)

CHANGES_KEPT: Final = 1_000
"""Fewer than of others: an event is larger, and its record is asked for where it is wanted."""
TIDY_EVERY_MS: Final = hours(1)


class Chronicle:
    """`keep` comes from the pipeline's thread, `tidy` from the keeper's; the rest from any."""

    def __init__(self, events: Events, registry: Registry, *, kept_days: int) -> None:
        """`kept_days`: 0 is for ever."""
        self._events = events
        self._registry = registry
        self._kept_ms = days(kept_days)
        self._tidy_at_ms: int | None = None
        self._changes: Changes[EventView] = Changes(CHANGES_KEPT)

    def keep(self, events: Sequence[Event]) -> None:
        """On record first, then to all who listen. Raises TemporaryError before anything is told."""
        rows = [self._row(event) for event in events]
        self._events.record(rows)
        self._changes.add(map(_view, rows))

    def changes(self, after: int) -> tuple[int, Sequence[EventView]]:
        """What was kept since the count was `after`, and the count now."""
        return self._changes.since(after)

    def events(self, query: EventQuery) -> Sequence[EventView]:
        """The newest first."""
        which = EventFilter(
            sites=query.sites,
            device=query.device,
            kind=query.kind,
            level=query.level,
            from_ms=query.from_ms,
            to_ms=query.to_ms,
        )
        return [_view(row) for row in self._events.events(query.limit, which)]

    def tidy(self, now_ms: int) -> None:
        """Delete what is kept no longer; not at once after a start, so that wrong settings can be mended."""
        if not self._kept_ms:
            return
        if self._tidy_at_ms is None:
            self._tidy_at_ms = now_ms + TIDY_EVERY_MS
        if now_ms < self._tidy_at_ms:
            return
        self._tidy_at_ms = now_ms + TIDY_EVERY_MS
        if gone := self._events.forget(now_ms - self._kept_ms):
            log.info("%d events were older than the settings keep, and are deleted", gone)

    def _row(self, event: Event) -> EventRow:
        device = self._registry.devices[event.device]
        return EventRow(
            position=event.position,
            site=device.site_id,
            device=device.id,
            device_type=self._registry.type_of(event.device).key,
            kind=event.kind,
            at_ms=event.at_ms,
            received_ms=event.received_ms,
            level=event.level,
            text=event.text,
            lat=event.lat,
            lon=event.lon,
            media=event.media,
            data=event.data,
        )


def _view(row: EventRow) -> EventView:
    return EventView(
        position=row.position,
        device=row.device,
        kind=row.kind,
        level=row.level,
        text=row.text,
        at=row.at_ms,
        received_at=row.received_ms,
        lat=row.lat,
        lon=row.lon,
        media=row.media,
        data=row.data,
    )
