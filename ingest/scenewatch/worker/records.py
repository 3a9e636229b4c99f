"""What is kept in the store beside the readings: alarms, events and figures, each by threads of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.store.alarms import Alarms
from scenewatch.store.events import Events
from scenewatch.store.mirrored import Mirrored
from scenewatch.worker.alarmpoints import AlarmPoints
from scenewatch.worker.eventpoints import EventPoints
from scenewatch.worker.figures import Figures
from scenewatch.worker.mirror import Mirror
from scenewatch.worker.repeated import Delivery, Repeated
from scenewatch.worker.view import WorkerView

if TYPE_CHECKING:
    from scenewatch.app import Worker
    from scenewatch.store.relational import Database


class Records:
    """Started and stopped once. A missing bucket, or one that refuses us, holds up only what belongs into it."""

    def __init__(self, worker: Worker, database: Database) -> None:
        registry, clock = worker.pipeline.registry, worker.clock
        alarms = Alarms(database)
        self._figures = Figures(worker, WorkerView(worker), alarms)
        points = AlarmPoints(registry, lambda: worker.pipeline.alarms.rules)
        name, is_new = worker.settings.store.url, worker.store.position() == 0
        self._mirror = Mirror("alarms", Mirrored(database), points, worker.store, store_name=name, is_new=is_new)
        self._events = Mirror(
            "events", Events(database), EventPoints(registry), worker.store, store_name=name, is_new=is_new
        )
        self._parts = (
            Repeated("figures", self._figures.look),
            Repeated("figures-writer", Delivery("figures", self._figures.deliver, clock).step),
            Repeated("alarms-writer", Delivery("alarms", self._mirror.step, clock).step),
            Repeated("events-writer", Delivery("events", self._events.step, clock).step),
        )

    def start(self) -> None:
        for part in self._parts:
            part.start()

    def stop(self) -> None:
        for part in self._parts:
            part.end()
        for part in self._parts:
            part.join()

    @property
    def failure(self) -> BaseException | None:
        return next((part.failure for part in self._parts if part.failure is not None), None)

    @property
    def dropped(self) -> dict[str, int]:
        """What the store will never have, by kind."""
        return {"alarms": self._mirror.refused, "events": self._events.refused, "figures": self._figures.dropped}
