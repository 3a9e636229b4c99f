"""The worker put together, from the broker's socket to alarms, store and API: here every part is named."""

from __future__ import annotations

import logging
import threading
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING

from scenewatch.api.views import Readiness
from scenewatch.journal.limits import Health
from scenewatch.model.errors import ConfigurationError, CorruptError, Mistake, TemporaryError
from scenewatch.model.ports import Listening, RecordKind
from scenewatch.notify.mqtt import MqttNotifier
from scenewatch.parts import mqtt_settings, open_journal, open_outbox, open_store, scenes_of, state_folder
from scenewatch.pipeline import Pipeline
from scenewatch.source.mqtt import MqttSource
from scenewatch.store.alarmhistory import AlarmHistory
from scenewatch.store.alarms import Alarms
from scenewatch.store.deadletters import DeadLetters
from scenewatch.store.devices import Inventory
from scenewatch.store.duck import DuckStore
from scenewatch.store.events import Events
from scenewatch.store.lease import Leases
from scenewatch.store.relational import Database
from scenewatch.store.retries import Retries
from scenewatch.worker.accounts import Accounts, Mender
from scenewatch.worker.adoption import Adoption
from scenewatch.worker.book import Book
from scenewatch.worker.chronicle import Chronicle
from scenewatch.worker.controls import Controls, check_operators
from scenewatch.worker.ending import Deadline, Ending, aside
from scenewatch.worker.explaining import explaining_of
from scenewatch.worker.lateness import Marking
from scenewatch.worker.loop import Ends, Loop
from scenewatch.worker.memory import keep_small
from scenewatch.worker.records import Records
from scenewatch.worker.refusals import Refusals
from scenewatch.worker.rollup import open_rollup
from scenewatch.worker.snapshots import Snapshots
from scenewatch.worker.tenure import Tenure
from scenewatch.worker.told import Told, check_limits, tell_again
from scenewatch.worker.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenewatch.api.views import View
    from scenewatch.model.event import Event, Result
    from scenewatch.model.ports import Arrival, Clock, Notifier, Source
    from scenewatch.model.scene import Scene
    from scenewatch.settings import Settings
    from scenewatch.worker.view import WorkerView

    # The type checker holds each part to its contract here, where they meet.
    _source: type[Source] = MqttSource
    _notifier: type[Notifier] = MqttNotifier
    _view: type[View] = WorkerView

log = logging.getLogger(__name__)

LOOK_S = 1.0
CATCH_UP_LOOK_S = 0.02
END_S = 9.0
"""How long a worker that is asked to end takes in all: its process then ends within ten seconds."""
FAREWELL_S = 2.0
"""Of these, for what is being done about inventory and limits, and as much again for the broker to be left."""
CLOSING_S = 2.0
"""Of these, kept from the draining for what comes after it."""


class Worker:
    """One worker: started, looked at through its view, stopped. Restarted, it goes on where it was killed."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        keep_small()
        self.clock = clock
        self.settings = settings
        self._scenes = scenes_of(settings)
        check_limits(self._scenes, settings.limits)
        check_operators(settings)
        self.pipeline = Pipeline(self._scenes, settings.root)
        self.source_state, self.source_since_ms = "connecting", clock.now_ms()
        self._mqtt = mqtt_settings(settings)
        self._mqtt.check()
        for warning in self._mqtt.warnings():
            log.warning("%s", warning)
        self._snapshots = Snapshots(
            state_folder(settings.journal.path), oldest=lambda: self.journal.status().oldest
        )
        with ExitStack() as opened:
            self._database = opened.enter_context(closing(Database(settings.database.url)))
            self.journal = opened.enter_context(closing(open_journal(settings, clock, self._full)))
            lease = Tenure(Leases(self._database), self.journal.identity(), clock)
            self._lease = opened.enter_context(lease)
            self.store = opened.enter_context(closing(open_store(settings, self._database, self._device_type)))
            self._outbox = opened.enter_context(closing(open_outbox(settings, clock)))
            self._restore()
            self._opened = opened.pop_all()
        self.letters = DeadLetters(self._database)
        retries = Retries(self._database, self.letters)
        self.accounts = Accounts(self.pipeline.tally.copy(), self.letters, retries)
        self.adoption = Adoption(self._database, self._scenes, settings.root, clock)
        self._mender = Mender(retries, self.journal, self.store.position, clock)
        registry = self.pipeline.registry
        self.book = Book(Alarms(self._database), registry, self.pipeline.alarms.rules)
        self.past_alarms = AlarmHistory(self._database)
        self.chronicle = Chronicle(Events(self._database), registry, kept_days=settings.keep.days_days)
        self.explaining = explaining_of(self, self._database)
        self.summaries, self._lateness = open_rollup(
            settings,
            self.store,
            self._database,
            clock,
            deletes=isinstance(self.store, DuckStore),
            device_of=self._device_of,
            id_of=registry.ids.__getitem__,
        )
        self.writer = self._make_writer()
        self.loop = self._make_loop()
        self.told = Told(
            self.pipeline,
            self.loop.lock,
            inventory=Inventory(self._database),
            limits=settings.limits,
            journal=self.journal,
            clock=clock,
        )
        self._source = MqttSource(self._mqtt, clock)
        self._notifier = MqttNotifier(self._mqtt, settings.root, registry, lambda: self.pipeline.alarms.rules)
        self.records = Records(self, self._database)
        self.controls = Controls(self, self._database)
        self._steps: list[Callable[[], None]] = []
        self._stopping = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self.history: tuple[int, int] | None = None
        self._live = threading.Event()
        self.failure: BaseException | None = None

    def _make_writer(self) -> Writer:
        names = self.pipeline.registry.series_name
        return Writer(
            outbox=self._outbox,
            store=self.store,
            clock=self.clock,
            names=names,
            account=Marking(self.accounts, self._lateness),
            keep_apart=Refusals(
                keep_letters=self.letters.add,
                messages_at=self.journal.messages_at,
                names=names,
                owner_of=self._device_of,
                moved=self.accounts.refused,
            ),
            tidy=self._sort,
        )

    def _make_loop(self) -> Loop:
        return Loop(
            chain=self.pipeline,
            journal=self.journal,
            clock=self.clock,
            snapshots=self._snapshots,
            ends=Ends(
                put=self._outbox.put,
                tell=self.book.tell,
                keep=self._keep_told,
                ruled=self.explaining.keep_rules,
                stored=self.store.position,
                past_damage=self._past_damage,
                connected=lambda: self.source_state == "connected",
                had=self.accounts.had,
            ),
        )

    def _keep_told(self, events: list[Event], results: list[Result]) -> None:
        self.chronicle.keep(events)
        self.controls.commands.answered(results)

    # --- life ----------------------------------------------------------------------------------------------

    def before_live(self, step: Callable[[], None]) -> None:
        """Have something done when the journal is caught up and before the broker is listened to."""
        self._steps.append(step)

    def start(self) -> None:
        """Returns at once; `readiness` tells how far it is."""
        self.writer.start()
        self.summaries.start()
        self.loop.start()
        self.records.start()
        self._keeper.start()

    def stop(self) -> Ending:
        """Stop listening, take in what was received, let the store have it, save the state: within `END_S`.

        What hangs is left to itself: all files are whole at any moment, and the next start goes on from them.
        """
        deadline = Deadline(END_S)
        self._stopping.set()
        deadline.join([self._keeper], keep_s=END_S - FAREWELL_S)  # first, as it may be about to start the source
        parts = [self._keeper, aside("source", self._source.stop), aside("summaries", self.summaries.stop)]
        deadline.join(parts, keep_s=END_S - 2 * FAREWELL_S)
        deadline.wait(lambda: self._fault() is not None or self._taken_in(), keep_s=CLOSING_S)
        pipeline = aside("pipeline", self._end_pipeline)
        deadline.wait(lambda: self._fault() is not None or self._stored(pipeline), keep_s=CLOSING_S)
        parts += [pipeline, aside("store", self.writer.stop), aside("records", self.records.stop)]
        deadline.join(parts, keep_s=CLOSING_S / 2)
        if any(part.is_alive() for part in parts):
            parts.append(aside("journal", self.journal.close))
        else:
            parts.append(aside("files", self._close))
        deadline.join(parts)
        hanging = tuple(part.name for part in parts if part.is_alive())
        return Ending(self.journal.head, self.pipeline.position, self.store.position(), hanging)

    def _end_pipeline(self) -> None:
        self.loop.stop()
        self._notifier.close()
        self.controls.close()

    def _close(self) -> None:
        self.loop.final_snapshot()
        self._opened.close()

    def _taken_in(self) -> bool:
        status = self.journal.status()
        waits = status.queued_positions > 0 and status.health is Health.WRITING
        return not waits and self.pipeline.position >= status.head

    def _stored(self, pipeline: threading.Thread) -> bool:
        return not pipeline.is_alive() and self.store.position() >= self.pipeline.position

    def _keep(self) -> None:
        """The keeper's thread: begins to listen when all is derived, then looks after the house."""
        try:
            self._begin()
            while not self._stopping.wait(LOOK_S):
                self.failure = self._fault()
                if self.failure is not None:
                    log.error("the worker ends: %s", self.failure)
                    return
                try:
                    self.told.sync()
                    self._mender.step()
                    self.controls.commands.step()
                    self.chronicle.tidy(self.clock.now_ms())
                except TemporaryError as error:
                    log.warning("%s; tried again", error)
        except Exception as error:
            log.exception("the worker cannot go on")
            self.failure = error

    def _fault(self) -> BaseException | None:
        """What ended a thread without which the worker is none."""
        parts = (self.loop, self.writer, self.journal, self._lease, self.records)
        return next((part.failure for part in parts if part.failure is not None), None)

    def _begin(self) -> None:
        if not self._caught_up():
            return
        self.told.begin()
        for step in self._steps:
            if self._caught_up():
                step()
        if not self._caught_up():
            return
        with self.loop.lock:
            standing = self.pipeline.alarms.standing()
            self.book.close_strangers(standing, self.clock.now_ms())
            self._notifier.start(standing)
            self.book.open(self._notifier)
        self.controls.start()
        self._source.expects_session = self.pipeline.listening
        self._source.start(self._arrived, self._listening)

    def _caught_up(self) -> bool:
        head = self.journal.head
        return self.pause(CATCH_UP_LOOK_S, until=lambda: self.pipeline.position >= head)

    def pause(self, look_s: float, *, until: Callable[[], bool]) -> bool:
        """Wait for something within a step before live. False: the worker is to end, so should the step."""
        while not until():
            if self._stopping.wait(look_s) or self._fault():
                return False
        return True

    def waiting_readings(self) -> int:
        """Made or received, and not in the store yet."""
        return self._outbox.depth().readings

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """As their tables have them."""
        return tuple(self._scenes)

    @property
    def scenes_in_force(self) -> tuple[Scene, ...]:
        """With the limits that the pipeline judges by now."""
        rules = self.pipeline.alarms.rules
        return tuple(replace(s, rules=tuple(rules[f"{s.key}.{r.key}"] for r in s.rules)) for s in self._scenes)

    def _sort(self) -> None:
        """Days that are over are laid out for reading; one a time, so that batches do not wait long."""
        newest_ms = self.store.newest_ms()
        if newest_ms is not None and isinstance(self.store, DuckStore):
            self.store.sort_closed_days(newest_ms, most=1)

    def _device_type(self, series: int) -> str:
        return self.pipeline.registry.type_of(self._device_of(series)).key

    def _device_of(self, series: int) -> int:
        return self.pipeline.registry.series_device[series]

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

    def source_events(self) -> dict[str, int]:
        """What befell the broker's connection since the start."""
        return self._source.stats.events()

    def _full(self, full: bool) -> None:  # noqa: FBT001  # the journal's hook is told one truth
        (self._source.hold if full else self._source.release)()

    def _past_damage(self, position: int) -> int:
        """The end of the damage at a position, or of what is kept no longer; the head, should neither be known."""
        oldest = self.journal.status().oldest
        if position < oldest:
            return oldest
        ends = [d.end for d in self.journal.damaged if d.first <= position < d.end]
        return max(ends, default=self.journal.head)

    # --- state ---------------------------------------------------------------------------------------------

    def _restore(self) -> None:
        """Go on from the newest snapshot the store is not behind; without one from what the store has."""
        stored, status = self.store.position(), self.journal.status()
        if stored > status.head:
            self._go_on_behind(stored)
        for position, data in self._snapshots.newest_first():
            if position == stored or status.oldest <= position <= min(stored, status.head):
                try:
                    self.pipeline.restore(data)
                except CorruptError as error:
                    log.warning("the state at %d cannot be used: %s", position, error)
                    self.pipeline = Pipeline(self._scenes, self.settings.root)
                else:
                    return
        if status.oldest > 0 or stored > status.head:
            self._begin_afresh(stored)

    def _go_on_behind(self, stored: int) -> None:
        """The journal has lost its end; what was there the store has. But only if they belong together."""
        path, head = self.settings.journal.path, self.journal.head
        if self._lease.last_folder != self.journal.identity():
            what = (
                f"the journal in {path} ends at {head}, but the store has taken {stored}: they do not belong "
                "together; restore the journal, or begin with a new store"
            )
            raise ConfigurationError([Mistake("journal.path", what)])
        log.error(
            "the journal in %s has lost its end: it ends at %d, going on from the store's %d", path, head, stored
        )
        self.journal.go_on_from(stored)

    def _begin_afresh(self, stored: int) -> None:
        """From the store's position, with its account. What the journal no longer holds is counted by the loop."""
        log.warning("no usable state: going on from %d with quality and alarms fresh", stored)
        self.pipeline.position = stored
        self.pipeline.counts = self.store.counts()
        self.pipeline.tally.add_nowhere(self.pipeline.counts)
        tell_again(self.pipeline, self._database, self.clock.now_ms())

    def readiness(self) -> Readiness:
        reasons = []
        health = self.journal.status().health
        if self.source_state != "connected":
            reasons.append(f"broker {self.settings.broker.url}: {self.source_state}")
        if health is not Health.WRITING:
            reasons.append(f"journal: {health.name.lower()}")
        if self.writer.state != "ok":
            reasons.append(f"store: {self.writer.state}")
        if self.history is not None and self.history[0] < self.history[1]:
            reasons.append("history is being written")
        elif self.history is not None and not self._live.is_set():
            reasons.append("no live message yet")
        return Readiness(not reasons, self.history, tuple(reasons))
