"""The summaries of a worker without their thread: what lives is made anew after a crash, what is durable stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from ends import HandClock
from memory_levels import MADE, MemoryLevels, windows
from scenewatch.model.batch import Batch
from scenewatch.model.flags import Flag, Place
from scenewatch.settings import KeepSettings, Settings
from scenewatch.store.relational import Database
from scenewatch.worker.lateness import LONGEST_SETTLE_MS
from scenewatch.worker.rollup import open_rollup
from scenewatch.worker.summaries import GRACE_MS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CHANNELS = 2
NAMES = tuple(f"brine.w1.vat-{device}.{channel}" for device in range(4) for channel in ("temp", "level"))
MIDNIGHT_MS = 1_800_028_800_000
"""At UTC+8."""
MINUTE_MS, HOUR_MS, DAY_MS = (level.span_ms for level in MADE)


def quick_database(folder: Path) -> Database:
    """Nothing dies in these tests but objects, so that nothing need reach the disk."""
    database = Database(f"sqlite:///{folder / 'rows.sqlite'}")
    sa.event.listen(database._engine, "connect", lambda dbapi, _: dbapi.execute("PRAGMA synchronous = OFF"))
    database._engine.dispose()
    return database


def device_id(device: int) -> str:
    return NAMES[CHANNELS * device].rpartition(".")[0]


class SummaryRig:
    """`deletes` as the worker of a DuckDB does; a `name` of its own keeps apart what shares a database."""

    def __init__(
        self, database: Database, *, name: str = "a", deletes: bool = True, now_ms: int = MIDNIGHT_MS
    ) -> None:
        self.database = database
        self.clock = HandClock(now_ms)
        self.store = MemoryLevels()
        self.deletes = deletes
        self.keep: dict[str, int] = {}
        self.name = name
        self.start()

    def start(self) -> None:
        """Begin, or go on after a crash, with the settings as they are."""
        settings = Settings(keep=KeepSettings(**self.keep)).model_copy(deep=True)
        settings = settings.model_copy(
            update={"store": settings.store.model_copy(update={"url": f"duckdb:{self.name}"})}
        )
        self.summaries, self.lateness = open_rollup(
            settings,
            self.store,
            self.database,
            self.clock,
            deletes=self.deletes,
            device_of=lambda series: series // CHANNELS,
            id_of=device_id,
        )

    def batch(self, rows: Iterable[tuple[int, int, float]], *, place: Place = Place.NEW) -> Batch:
        """Of (series, t, value); a value below zero has failed."""
        series, t_ms, value = zip(*rows, strict=True)
        batch = Batch.of(np.array(series), np.array(t_ms), np.array(value, float))
        batch.flag[:] = np.where(batch.value < 0, Flag.FAIL, Flag.GOOD)
        batch.place[:] = place
        return batch

    def write(self, *rows: tuple[int, int, float]) -> None:
        """As the store's writer does."""
        batch = self.batch(rows)
        self.lateness.note(batch)
        self.store.write(batch, NAMES)
        self.lateness.stored()

    def run(self) -> None:
        """All that is due."""
        for _ in range(10_000):
            if not self.summaries.step():
                return
        raise AssertionError("it never ends")

    def run_to_the_end(self) -> None:
        """Until everything stored is summarised: the day goes on a little, with a reading now and then."""
        for _ in range(2):
            self.clock.ms += LONGEST_SETTLE_MS + GRACE_MS
            self.write((0, self.clock.ms, 1.0))
            self.run()

    def assert_right(self) -> None:
        """Every level is what its readings give, up to where it is made."""
        progress = self.summaries.state().progress
        assert progress is not None
        assert self.summaries.state().waiting == 0
        begin_ms, below = MIDNIGHT_MS - 400 * DAY_MS, self.store.readings
        for level in MADE:
            below = windows(below, level, begin_ms, progress.until_ms(level))
            assert self.store.rows[level] == below, level
