"""Puts together what summarises a store's readings: the thread, its marks, and what the writer tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scenewatch.model.level import Level
from scenewatch.store.latemarks import LateMarks
from scenewatch.store.progress import ProgressTable
from scenewatch.worker.anew import Anew
from scenewatch.worker.lateness import Lateness
from scenewatch.worker.retention import Retention
from scenewatch.worker.summaries import Summaries
from scenewatch.worker.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenewatch.model.ports import Clock
    from scenewatch.settings import Settings
    from scenewatch.store.relational import Database
    from scenewatch.worker.summaries import Summarised


class Rollup(NamedTuple):
    """The thread that makes summaries, and what the store's writer tells it."""

    summaries: Summaries
    lateness: Lateness


def open_rollup(
    settings: Settings,
    store: Summarised,
    database: Database,
    clock: Clock,
    *,
    deletes: bool,
    device_of: Callable[[int], int],
    id_of: Callable[[int], str],
) -> Rollup:
    """`deletes`: what is kept no longer, the worker deletes; else the store's server does."""
    name, keep = settings.store.url, settings.keep
    table, marks = ProgressTable(database, name), LateMarks(database, name)
    if store.newest_ms() is None:
        # What is noted under this name is about a store that is no more.
        table.clear()
        marks.clear()
    windows = Windows(keep.utc_offset_minutes)
    progress = table.load()
    lateness = Lateness(
        marks,
        windows,
        clock,
        claimed_ms=None if progress is None else progress.minute_ms,
        device_of=device_of,
        id_of=id_of,
    )
    kept_days = {
        Level.READING: keep.readings_days,
        Level.MINUTE: keep.minutes_days,
        Level.HOUR: keep.hours_days,
        Level.DAY: keep.days_days,
    }
    retention = Retention(store, kept_days, deletes=deletes)
    summaries = Summaries(
        store=store,
        clock=clock,
        windows=windows,
        table=table,
        lateness=lateness,
        anew=Anew(store, clock, windows, marks=marks, lateness=lateness, retention=retention),
        retention=retention,
    )
    return Rollup(summaries, lateness)
