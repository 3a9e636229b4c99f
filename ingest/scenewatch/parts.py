"""Makes the parts of a worker from its settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.journal.journal import FileJournal
from scenewatch.journal.limits import Limits
from scenewatch.journal.outbox import Outbox
from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.model.place import subscriptions
from scenewatch.model.words import Duration, hours
from scenewatch.scenes import all_scenes
from scenewatch.source.settings import MqttSettings
from scenewatch.store.duck import DuckStore
from scenewatch.store.influxurl import PREFIX as INFLUX
from scenewatch.store.influxurl import InfluxUrl

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenewatch.model.ports import Clock, Journal, Levels, Points, Store
    from scenewatch.model.scene import Scene
    from scenewatch.settings import Settings
    from scenewatch.store.influx import InfluxStore
    from scenewatch.store.relational import Database

    # The type checker holds each part to its contract here, where they meet.
    _journal: type[Journal] = FileJournal
    _stores: tuple[type[Store], ...] = (DuckStore, InfluxStore)
    _levels: tuple[type[Levels], ...] = (DuckStore, InfluxStore)
    _points: tuple[type[Points], ...] = (DuckStore, InfluxStore)


def scenes_of(settings: Settings) -> tuple[Scene, ...]:
    """The installed scenes that the settings use. Raises ConfigurationError for one that is not there."""
    scenes = {s.key: s for s in all_scenes()}
    unknown = [key for key in settings.scenes.use if key not in scenes]
    if unknown:
        have = ", ".join(scenes)
        raise ConfigurationError([Mistake("scenes.use", f"no scene {key!r}; there are: {have}") for key in unknown])
    return tuple(scenes[key] for key in settings.scenes.use or scenes)


def open_store(
    settings: Settings, database: Database, measurements: Callable[[int], str]
) -> DuckStore | InfluxStore:
    """The store of the settings. `measurements` gives the device type of a series number."""
    url = settings.store.url
    if url.startswith(INFLUX):
        from scenewatch.store.influx import InfluxStore  # noqa: PLC0415  # 0.3 s to load, for those who use it

        return InfluxStore(
            InfluxUrl.parse(url),
            token_file=settings.store.token_file,
            ca_file=settings.store.ca_file,
            database=database,
            measurements=measurements,
        )
    path = Path(url.removeprefix("duckdb:"))
    path.parent.mkdir(parents=True, exist_ok=True)
    return DuckStore(path)


def state_folder(journal: Path) -> Path:
    return journal.parent / f"{journal.name}.state"


def mqtt_settings(settings: Settings) -> MqttSettings:
    return MqttSettings(**settings.broker.model_dump(), filters=subscriptions(settings.root))


def open_journal(settings: Settings, clock: Clock, on_full: Callable[[bool], None]) -> FileJournal:
    """`on_full` is told when memory has no more room for what the disk does not take, and when it has again."""
    s = settings.journal
    limits = Limits(
        max_bytes=s.max_bytes,
        hard_max_bytes=s.hard_max_bytes,
        keep_ms=hours(s.keep_hours),
        group_ms=Duration(s.sync_ms),
    )
    return FileJournal(s.path, clock=clock, limits=limits, on_full=on_full)


def open_outbox(settings: Settings, clock: Clock) -> Outbox:
    path = settings.journal.path
    return Outbox(
        path.parent / f"{path.name}.outbox",
        clock=clock,
        memory_readings=settings.store.memory_readings,
        bundle_readings=settings.store.batch_readings,
    )
