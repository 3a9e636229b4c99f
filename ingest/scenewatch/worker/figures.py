"""Figures of the pipeline and of each site, taken at whole spans of the clock, and their way to the store."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from contextlib import suppress
from itertools import accumulate, islice, takewhile
from typing import TYPE_CHECKING, Any

import numpy as np

from scenewatch.model.errors import RefusedError, TemporaryError
from scenewatch.model.ledger import MESSAGES, messages_of
from scenewatch.model.level import Level
from scenewatch.model.rule import Priority
from scenewatch.model.words import hours, minutes, seconds
from scenewatch.worker.memory import resident_mib
from scenewatch.worker.samples import Ages, Heard, Sample

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from scenewatch.api.views import AccountsView, View
    from scenewatch.app import Worker
    from scenewatch.model.ports import Points
    from scenewatch.store.alarms import Alarms

log = logging.getLogger(__name__)

PIPELINE_EVERY = seconds(10)
SITES_EVERY = minutes(1)
WAITING_AT_MOST = hours(1)
"""Older ones are dropped and counted while the store is away: the next ones tell of the same totals."""
POINTS_AT_ONCE = 5_000
PRIORITIES = tuple(Priority)
"""From low to high."""
ALL_SILENT = 1 + len(PRIORITIES)
"""Above all priorities: of a site from which nothing comes nobody knows how it is."""

Columns = dict[str, "NDArray[Any]"]


class Figures:
    """`look` from one thread, each second; `deliver` from another, which may have to wait for the store."""

    def __init__(self, worker: Worker, view: View, alarms: Alarms) -> None:
        self._worker = worker
        self._view = view
        self._alarms = alarms
        self._store: Points = worker.store
        self._worker_tags = ({"worker": worker.settings.broker.client_id},)
        self._site_tags: list[dict[str, str]] = []
        now_ms = worker.clock.now_ms()
        self._ages = Ages(worker.store.position(), _waits_since_ms(worker))
        self._heard = Heard(view.registry)
        self._standing: list[tuple[str, Priority, int]] = []
        self._told_ms = _whole(now_ms, PIPELINE_EVERY)
        self._sites_told_ms = _whole(now_ms, SITES_EVERY)
        self._lock = threading.Lock()
        self._waiting: deque[Sample] = deque()
        self.dropped = 0
        """Points that waited too long, or that the store would not have, ever."""

    def look(self) -> bool:
        """Take what is due by now."""
        now_ms = self._worker.clock.now_ms()
        self._ages.note(self._worker.journal.head, self._worker.store.position(), now_ms)
        at_ms = _whole(now_ms, PIPELINE_EVERY)
        if at_ms == self._told_ms:
            return False
        accounts = self._view.accounts()
        self._heard.look(messages_of(accounts.devices) + accounts.pending, now_ms)
        self._look_at_alarms()
        self._put("pipeline", at_ms, self._worker_tags, self._of_pipeline(now_ms, accounts.unread))
        sites_at_ms = _whole(now_ms, SITES_EVERY)
        if sites_at_ms != self._sites_told_ms:
            self._put_sites(sites_at_ms, accounts)
        self._told_ms, self._sites_told_ms = at_ms, sites_at_ms
        return False

    def deliver(self) -> bool:
        """Write the oldest that wait; whether there may be more. Raises TemporaryError."""
        samples = self._oldest()
        if not samples:
            return False
        try:
            self._store.record([point for sample in samples for point in sample.points()])
        except RefusedError as error:  # those that can be kept are kept
            if not self.dropped:
                log.warning("the store refuses figures, as is not told again: %s", error)
            self.dropped += error.count
        with self._lock:
            for sample in samples:
                if self._waiting and self._waiting[0] is sample:  # else it was dropped meanwhile
                    self._waiting.popleft()
        return True

    def _oldest(self) -> list[Sample]:
        """As many as may be written at once, but one at least."""
        with self._lock:
            sizes = accumulate(map(len, self._waiting))
            fitting = sum(1 for _ in takewhile(lambda size: size <= POINTS_AT_ONCE, sizes))
            return list(islice(self._waiting, max(1, fitting)))

    def _put(self, measurement: str, at_ms: int, tags: Sequence[Mapping[str, str]], columns: Columns) -> None:
        sample = Sample(measurement=measurement, t_ms=at_ms, keep=Level.MINUTE, tags=tags, columns=columns)
        with self._lock:
            self._waiting.append(sample)
            while self._waiting[0].t_ms <= at_ms - WAITING_AT_MOST:
                self.dropped += len(self._waiting.popleft())

    def _look_at_alarms(self) -> None:
        """What is known stays while the database is away, which the alarms themselves wait for, and tell of."""
        with suppress(TemporaryError):
            self._standing = self._alarms.standing()

    def _of_pipeline(self, now_ms: int, unread: int) -> Columns:
        worker, ledger = self._worker, self._view.ledger()
        counts = ledger.counts
        age_ms = self._ages.age_ms(ledger.store_position, ledger.journal_head, now_ms)
        figures: dict[str, float] = {
            "received": ledger.received,
            "stored": counts.stored,
            "duplicate": counts.duplicate,
            "dead": counts.dead,
            "pending": ledger.pending,
            "readings_stored": ledger.readings_stored,
            "readings_late": ledger.readings_late,
            "readings_duplicate": ledger.readings_duplicate,
            "values_refused": ledger.values_refused,
            "lag_s": age_ms / 1000,
            "journal_bytes": ledger.journal_bytes,
            "journal_waiting": worker.journal.status().queued_positions + unread,
            "outbox_readings": worker.waiting_readings(),
            "store_ok": int(ledger.store_state == "ok"),
            "source_ok": int(ledger.source_state == "connected"),
            "reconnects": ledger.source_events["reconnects"],
            "sessions_lost": ledger.source_events["sessions_lost"],
            "devices": int(self._heard.active.sum()),
            "silent": int(self._heard.silent.sum()),
            "cpu_s": time.process_time(),
            "memory_mib": resident_mib(),
        }
        figures |= {f"flag_{test}": count for test, count in ledger.by_test.items()}
        for priority in PRIORITIES:
            figures[f"standing_{priority}"] = sum(count for _, p, count in self._standing if p is priority)
        return {name: np.array([figure]) for name, figure in figures.items()}

    def _put_sites(self, at_ms: int, accounts: AccountsView) -> None:
        """Of the sites that have devices."""
        heard, sites, site_of = self._heard, len(accounts.sites), accounts.site_of
        columns: Columns = {
            fate.name.lower(): _by_site(site_of, accounts.devices[:, fate], sites) + accounts.others[1:, fate]
            for fate in MESSAGES
        }
        columns["pending"] = _by_site(site_of, accounts.pending, sites) + accounts.others_pending[1:]
        columns["received"] = np.sum(list(columns.values()), axis=0)
        columns["missing"] = _by_site(site_of, self._worker.pipeline.identity.missing_of_all(len(site_of)), sites)
        columns["devices"] = _by_site(site_of, heard.active, sites)
        columns["silent"] = _by_site(site_of, heard.silent, sites)
        standing = self._standing_by_site(accounts.sites)
        worst = np.zeros(sites, np.int64)
        for severity, priority in enumerate(PRIORITIES, 1):
            columns[f"standing_{priority}"] = standing[priority]
            worst[standing[priority] > 0] = severity
        measuring = _by_site(site_of, heard.measuring, sites)
        worst[(measuring > 0) & (columns["silent"] == measuring)] = ALL_SILENT
        columns["worst"] = worst
        there = np.flatnonzero(columns["devices"])
        tags = self._tags_of(accounts.sites)
        self._put(
            "site",
            at_ms,
            [tags[place] for place in there.tolist()],
            {name: column[there] for name, column in columns.items()},
        )

    def _standing_by_site(self, sites: Sequence[str]) -> dict[Priority, NDArray[np.int64]]:
        place = {site: n for n, site in enumerate(sites)}
        standing = {priority: np.zeros(len(sites), np.int64) for priority in PRIORITIES}
        for device, priority, count in self._standing:
            n = place.get(device.rpartition(".")[0])
            if n is not None:
                standing[priority][n] += count
        return standing

    def _tags_of(self, sites: Sequence[str]) -> list[dict[str, str]]:
        """Made once a site: all that wait share them."""
        for site in sites[len(self._site_tags) :]:
            scene, _, name = site.partition(".")
            self._site_tags.append({"scene": scene, "site": name})
        return self._site_tags


def _waits_since_ms(worker: Worker) -> int:
    """When the oldest message that is not in the store came; now, when there is none."""
    stored = worker.store.position()
    came_ms = worker.journal.received_ms_at(stored) if stored < worker.journal.head else None
    return worker.clock.now_ms() if came_ms is None else came_ms


def _whole(now_ms: int, every_ms: int) -> int:
    """The clock's latest multiple of a span."""
    return now_ms // every_ms * every_ms


def _by_site(site_of: NDArray[np.intp], numbers: NDArray[Any], sites: int) -> NDArray[np.int64]:
    """The sum of each site's devices. Exact, though numpy adds as floats: counts are below 2**53."""
    return np.bincount(site_of, numbers, sites).astype(np.int64)
