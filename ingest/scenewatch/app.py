"""The worker put together, from the broker's socket to alarms, store and API: here every part is named."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.api.app import create_app
from scenewatch.api.views import Readiness
from scenewatch.journal.journal import FileJournal
from scenewatch.journal.limits import Health, Limits
from scenewatch.journal.outbox import Outbox
from scenewatch.model.devices import Devices
from scenewatch.model.errors import ConfigurationError, CorruptError, Mistake, TemporaryError
from scenewatch.model.place import subscriptions
from scenewatch.model.ports import Listening, RecordKind
from scenewatch.model.words import hours
from scenewatch.notify.mqtt import MqttNotifier
from scenewatch.pipeline import Pipeline, encode_inventory
from scenewatch.scenes import all_scenes
from scenewatch.serving import Server
from scenewatch.source.mqtt import MqttSource
from scenewatch.source.settings import MqttSettings
from scenewatch.store.alarms import Alarms
from scenewatch.store.deadletters import DeadLetters
from scenewatch.store.devices import Inventory
from scenewatch.store.duck import DuckStore
from scenewatch.store.influxurl import PREFIX as INFLUX
from scenewatch.store.influxurl import InfluxUrl
from scenewatch.store.relational import Database
from scenewatch.worker.book import Book
from scenewatch.worker.loop import Ends, Loop
from scenewatch.worker.memory import keep_small
from scenewatch.worker.snapshots import Snapshots
from scenewatch.worker.view import WorkerView
from scenewatch.worker.writer import Writer

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from scenewatch.api.views import View
    from scenewatch.model.ports import Arrival, Clock, Journal, Notifier, Source, Store
    from scenewatch.model.scene import Scene
    from scenewatch.settings import Settings
    from scenewatch.store.influx import InfluxStore

    # The type checker holds each part to its contract here, where they meet.
    _source: type[Source] = MqttSource
    _journal: type[Journal] = FileJournal
    _stores: tuple[type[Store], ...] = (DuckStore, InfluxStore)
    _notifier: type[Notifier] = MqttNotifier
    _view: type[View] = WorkerView

log = logging.getLogger(__name__)

LOOK_S = 1.0
CATCH_UP_LOOK_S = 0.02
DRAIN_S = 10.0
"""How long a worker that is asked to end goes on with what it has received."""


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
            database=database,
            measurements=measurements,
        )
    path = Path(url.removeprefix("duckdb:"))
    path.parent.mkdir(parents=True, exist_ok=True)
    return DuckStore(path)


def mqtt_settings(settings: Settings) -> MqttSettings:
    return MqttSettings(**settings.broker.model_dump(), filters=subscriptions(settings.root))


class Worker:
    """One worker: started, looked at through its view, stopped. Restarted, it goes on where it was killed."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        keep_small()
        self.clock = clock
        self._settings = settings
        scenes = scenes_of(settings)
        self.pipeline = Pipeline(scenes, settings.root, settings.limits)
        rules = self.pipeline.alarms.rules
        self.scenes_in_force = tuple(
            replace(s, rules=tuple(rules[f"{s.key}.{r.key}"] for r in s.rules)) for s in scenes
        )
        self.source_state, self.source_since_ms = "connecting", clock.now_ms()
        self._mqtt = mqtt_settings(settings)
        self._mqtt.check()
        folder = settings.journal.path
        self._snapshots = Snapshots(folder.parent / f"{folder.name}.state")
        with ExitStack() as opened:
            self._database = opened.enter_context(closing(Database(settings.database.url)))
            self.store = opened.enter_context(closing(open_store(settings, self._database, self._device_type)))
            self.journal = opened.enter_context(closing(self._open_journal()))
            self._outbox = opened.enter_context(
                closing(Outbox(folder.parent / f"{folder.name}.outbox", clock=clock))
            )
            self._restore()
            self._opened = opened.pop_all()
        self._inventory = Inventory(self._database)
        self._inventory_seen = -1
        self.letters = DeadLetters(self._database)
        self.writer = Writer(
            outbox=self._outbox,
            store=self.store,
            clock=clock,
            names=self.pipeline.registry.series_name,
            keep_letters=self.letters.add,
            tidy=self._sort,
        )
        self.book = Book(Alarms(self._database), self.pipeline.registry, rules)
        self.loop = Loop(
            chain=self.pipeline,
            journal=self.journal,
            clock=clock,
            snapshots=self._snapshots,
            ends=Ends(
                put=self._outbox.put,
                tell=self.book.tell,
                stored=self.store.position,
                past_damage=self._past_damage,
                connected=lambda: self.source_state == "connected",
            ),
        )
        self._source = MqttSource(self._mqtt, clock)
        self._notifier = MqttNotifier(self._mqtt, settings.root, self.pipeline.registry)
        self._steps: list[Callable[[], None]] = []
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self.history: tuple[int, int] | None = None
        self._live = threading.Event()
        self.failure: BaseException | None = None

    # --- life ----------------------------------------------------------------------------------------------

    def before_live(self, step: Callable[[], None]) -> None:
        """Have something done when the journal is caught up and before the broker is listened to."""
        self._steps.append(step)

    def start(self) -> None:
        """Returns at once; `readiness` tells how far it is."""
        self.writer.start()
        self.loop.start()
        self._keeper.start()

    def stop(self) -> None:
        """Stop listening, take in what was received, let the store have it, save the state."""
        self._stopping.set()
        self._keeper.join()
        self._source.stop()
        self._wait_until(lambda: self.pipeline.position >= self.journal.head, DRAIN_S)
        self.loop.stop()
        if not self._wait_until(lambda: self.store.position() >= self.pipeline.position, DRAIN_S):
            log.warning("the store has not taken all; the rest is in the journal and follows at the next start")
        self.writer.stop()
        self.loop.final_snapshot()
        self._opened.close()

    def _keep(self) -> None:
        """The keeper's thread: begins to listen when all is derived, then looks after the house."""
        try:
            self._begin()
            while not self._stopping.wait(LOOK_S):
                self.failure = self.loop.failure or self.writer.failure
                if self.failure is not None:
                    return
                try:
                    self._sync_inventory()
                except TemporaryError as error:
                    log.warning("%s; tried again", error)
        except Exception as error:
            log.exception("the worker cannot go on")
            self.failure = error

    def _begin(self) -> None:
        if not self._caught_up():
            return
        self._sync_inventory()
        for step in self._steps:
            if self._caught_up():
                step()
        if not self._caught_up():
            return
        with self.loop.lock:
            standing = self.pipeline.alarms.standing()
            self.book.close_strangers(standing, self.clock.now_ms())
            self._notifier.start(standing)
            self._opened.callback(self._notifier.close)
            self.book.open(self._notifier)
        self._source.start(self._arrived, self._listening)

    def _caught_up(self) -> bool:
        head = self.journal.head
        return self.pause(CATCH_UP_LOOK_S, until=lambda: self.pipeline.position >= head)

    def pause(self, look_s: float, *, until: Callable[[], bool]) -> bool:
        """Wait for something within a step before live. False: the worker is to end, so should the step."""
        while not until():
            if self._stopping.wait(look_s) or self.loop.failure or self.writer.failure:
                return False
        return True

    def waiting_readings(self) -> int:
        """Made or received, and not in the store yet."""
        return self._outbox.depth().readings

    def _wait_until(self, there: Callable[[], bool], most_s: float) -> bool:
        pause = threading.Event()
        for _ in range(round(most_s / 0.02)):
            if there() or self.loop.failure or self.writer.failure:
                break
            pause.wait(0.02)
        return there()

    # --- inventory -----------------------------------------------------------------------------------------

    def _sync_inventory(self) -> None:
        """A change of the inventory becomes a journal record, so that it has its place among the messages."""
        revision = self._inventory.revision()
        if revision == self._inventory_seen:
            return
        if (changed := self._changed_inventory()) is not None:
            self.journal.append_record(RecordKind.INVENTORY, changed, self.clock.now_ms())
        self._inventory_seen = revision

    def _changed_inventory(self) -> bytes | None:
        """The body of its record; None if the pipeline has it so."""
        registry = self.pipeline.registry
        taken, left_out = Devices(), 0
        for device in self._inventory.each():
            if (device.scene, device.type) in registry.types:
                taken.append(device)
            else:
                left_out += 1
        if left_out:
            log.warning("%d devices of the inventory are of scenes or types that are not in use", left_out)
        with self.loop.lock:
            return None if registry.holds(taken) else encode_inventory(taken)

    def _sort(self) -> None:
        """Days that are over are laid out for reading; one a time, so that batches do not wait long."""
        newest_ms = self.store.newest_ms()
        if newest_ms is not None and isinstance(self.store, DuckStore):
            self.store.sort_closed_days(newest_ms, most=1)

    def _device_type(self, series: int) -> str:
        registry = self.pipeline.registry
        return registry.type_of(registry.series_device[series]).key

    # --- source --------------------------------------------------------------------------------------------

    def _arrived(self, arrival: Arrival) -> None:
        self.journal.append(arrival.messages, arrival.acknowledge)
        self._live.set()

    def _listening(self, what: Listening, _: str) -> None:
        now_ms = self.clock.now_ms()
        connected = what is Listening.CONNECTED
        if connected:
            self.journal.put_record(RecordKind.LISTENING, b"", now_ms)
        self.source_state, self.source_since_ms = "connected" if connected else "lost", now_ms

    def _full(self, full: bool) -> None:  # noqa: FBT001  # the journal's hook is told one truth
        if full:
            self._source.hold()
        else:
            self._source.release()

    def _past_damage(self, position: int) -> int:
        """The end of the damage at a position; the head, should the journal know of none."""
        ends = [d.end for d in self.journal.damaged if d.first <= position < d.end]
        return max(ends, default=self.journal.head)

    # --- state ---------------------------------------------------------------------------------------------

    def _open_journal(self) -> FileJournal:
        s = self._settings.journal
        limits = Limits(max_bytes=s.max_bytes, hard_max_bytes=s.hard_max_bytes, keep_ms=hours(s.keep_hours))
        return FileJournal(s.path, clock=self.clock, limits=limits, on_full=self._full)

    def _restore(self) -> None:
        """Go on from the newest snapshot the store is not behind; without one from what the journal holds."""
        stored, status = self.store.position(), self.journal.status()
        if stored > status.head:
            what = (
                f"the journal in {self._settings.journal.path} ends at {status.head}, but the store has taken "
                f"{stored}: they do not belong together; restore the journal, or begin with a new store"
            )
            raise ConfigurationError([Mistake("journal.path", what)])
        for position, data in self._snapshots.newest_first():
            if status.oldest <= position <= stored:
                try:
                    self.pipeline.restore(data)
                except CorruptError as error:
                    log.warning("the state at %d cannot be used: %s", position, error)
                    self.pipeline = Pipeline(scenes_of(self._settings), self._settings.root, self._settings.limits)
                else:
                    return
        if status.oldest > 0:
            self.pipeline.position = max(status.oldest, stored)
            self.pipeline.counts = self.store.counts()
            log.warning("no usable state: going on from %d with quality and alarms fresh", self.pipeline.position)

    def readiness(self) -> Readiness:
        reasons = []
        health = self.journal.status().health
        if self.source_state != "connected":
            reasons.append(f"broker {self._settings.broker.url}: {self.source_state}")
        if health is not Health.WRITING:
            reasons.append(f"journal: {health.name.lower()}")
        if self.writer.state != "ok":
            reasons.append(f"store: {self.writer.state}")
        if self.history is not None and self.history[0] < self.history[1]:
            reasons.append("history is being written")
        elif self.history is not None and not self._live.is_set():
            reasons.append("no live message yet")
        return Readiness(not reasons, self.history, tuple(reasons))


def serve(worker: Worker, address: socket.socket) -> int:
    """Run the worker and its API until a signal ends them. Returns the exit status."""
    app = create_app(WorkerView(worker))
    server = Server(app, address, before_end=app.state.stream.close)
    worker.start()
    threading.Thread(target=_end_on_failure, args=(worker, server), name="watch", daemon=True).start()
    server.serve_until_told()
    worker.stop()
    return 1 if worker.failure is not None else 0


def _end_on_failure(worker: Worker, server: Server) -> None:
    pause = threading.Event()
    while worker.failure is None:
        pause.wait(LOOK_S)
    server.end()
