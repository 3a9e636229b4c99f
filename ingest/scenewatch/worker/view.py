"""What the API sees of a running worker: each answer is one moment of the pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.api.views import AccountsView, ChartView, LedgerView, LetterView, Now, Readiness, SummariesView
from scenewatch.load.figures import Shown, figures
from scenewatch.model.flags import Place, Test
from scenewatch.model.ledger import messages_of
from scenewatch.model.level import Level
from scenewatch.store.chart import chart
from scenewatch.store.letterfilter import LetterState, Which
from scenewatch.worker.alarmsearch import which_alarms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scenewatch.api.alarms_found import AlarmQuery
    from scenewatch.api.controls import Controls
    from scenewatch.api.explain import Explains
    from scenewatch.api.unknown import Unknown
    from scenewatch.api.views import AlarmView, EventQuery, EventView, LetterQuery, LoadQuery
    from scenewatch.app import Worker
    from scenewatch.model.load import Load
    from scenewatch.model.ports import Readings
    from scenewatch.model.registry import Registry
    from scenewatch.model.scene import Scene


class WorkerView:
    """Implements `api.views.View`. Any thread."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    @property
    def registry(self) -> Registry:
        return self._worker.pipeline.registry

    @property
    def strangers(self) -> Unknown:
        return self._worker.adoption

    def scenes(self) -> Iterable[Scene]:
        return self._worker.scenes_in_force

    def scenes_written(self) -> Iterable[Scene]:
        return self._worker.scenes

    def now(self) -> Now:
        with self._worker.loop.lock:
            last = self._worker.pipeline.quality.last()
        # a series without any reading has a time before all times
        return Now(np.maximum(last.t_ms, 0), last.value, last.flag, last.test)

    def online(self, device: int) -> bool | None:
        """What the device said last; what its gateway said, where that is away or the device never spoke."""
        pipeline = self._worker.pipeline
        said = pipeline.online.get(device)
        gateway_id = pipeline.registry.gateway_ids[device]
        gateway = pipeline.registry.number(gateway_id) if gateway_id else None
        gateway_said = None if gateway is None else pipeline.online.get(gateway)
        return False if gateway_said is False else said if said is not None else gateway_said

    def missing(self, device: int) -> int:
        return self._worker.pipeline.identity.missing(device)

    def alarms(self, state: str, limit: int) -> Sequence[AlarmView]:
        return self._worker.book.alarms(state, limit)

    def find_alarms(self, query: AlarmQuery) -> Sequence[AlarmView]:
        """What was typed may be part of a title or a name, in any language; those are in the tables."""
        return self._worker.book.find(which_alarms(query, self.scenes(), self.registry), query.limit)

    def alarms_raised(self, from_ms: int) -> Mapping[str, int]:
        return self._worker.book.raised_since(from_ms)

    def alarm_load(self, query: LoadQuery) -> Load:
        past = self._worker.past_alarms.over(query.from_ms, query.to_ms, query.sites)
        return figures([Shown(*row) for row in past], query.from_ms, query.to_ms, operators=query.operators)

    def alarm_changes(self, after: int) -> tuple[int, Sequence[AlarmView]]:
        return self._worker.book.changes(after)

    @property
    def explains(self) -> Explains:
        return self._worker.explaining

    def events(self, query: EventQuery) -> Sequence[EventView]:
        return self._worker.chronicle.events(query)

    def event_changes(self, after: int) -> tuple[int, Sequence[EventView]]:
        return self._worker.chronicle.changes(after)

    def readings(self, series: str, from_ms: int, to_ms: int, limit: int) -> Readings:
        return self._worker.store.readings(series, from_ms, to_ms, limit)

    def chart(self, series: str, from_ms: int, to_ms: int, points: int) -> ChartView:
        made = chart(self._worker.store, series, from_ms, to_ms, points)
        return ChartView(made.windows, made.width_ms)

    def dead_letters(self, query: LetterQuery) -> Sequence[LetterView]:
        which = Which(
            before=query.before,
            reason=query.reason,
            topic=query.topic,
            site=query.site,
            state=LetterState(query.state),
        )
        found = self._worker.letters.dead_letters(query.limit, which)
        return [LetterView(kept.letter, kept.tries, kept.asked_ms, kept.taken_ms) for kept in found]

    def dead_letter_reasons(self, most: int) -> Sequence[tuple[str, int]]:
        return [(kind.reason, kind.count) for kind in self._worker.letters.reasons(most)]

    def ledger(self) -> LedgerView:
        """The store's account first: what is counted after it can only be more, so pending is never negative."""
        worker = self._worker
        counts, position = worker.store.counts(), worker.store.position()
        with worker.loop.lock:
            derived, at = worker.pipeline.counts, worker.pipeline.position
            by_place = worker.pipeline.quality.counts.copy()
            values_refused = worker.pipeline.values_refused
            positions_lost = worker.pipeline.positions_lost
        status = worker.journal.status()
        return LedgerView(
            received=derived.stored + derived.duplicate + derived.dead + max(0, status.head - at),
            counts=counts,
            readings_stored=int(by_place[[Place.NEW, Place.LATE]].sum()),
            readings_late=int(by_place[Place.LATE].sum()),
            readings_duplicate=int(by_place[Place.DUPLICATE].sum()),
            values_refused=values_refused,
            positions_lost=positions_lost,
            by_test={t.name.lower(): int(by_place[:, t].sum()) for t in Test if t is not Test.NONE},
            journal_head=status.head,
            journal_bytes=status.bytes_on_disk,
            journal_state=f"{status.health.name.lower()} {status.reason}".strip(),
            source_state=worker.source_state,
            source_since=worker.source_since_ms,
            source_events=worker.source_events(),
            store_position=position,
            store_state=worker.writer.state,
            records_dropped=worker.records.dropped,
        )

    def accounts(self) -> AccountsView:
        """The store's account first, for the same reason."""
        worker = self._worker
        stored = worker.accounts.copy()
        with worker.loop.lock:
            pipeline = worker.pipeline
            derived, at = pipeline.tally.copy(), pipeline.position
            site_of, sites = np.array(pipeline.owners.site_of, np.intp), list(pipeline.owners.sites)
        devices = len(site_of)
        have, others = stored.devices(devices), stored.others(len(sites))
        return AccountsView(
            devices=have,
            pending=messages_of(derived.devices(devices)) - messages_of(have),
            site_of=site_of,
            others=others,
            others_pending=messages_of(derived.others(len(sites))) - messages_of(others),
            unread=max(0, worker.journal.head - at),
            sites=sites,
        )

    def summaries(self) -> SummariesView:
        state = self._worker.summaries.state()
        made = state.progress
        levels = (Level.MINUTE, Level.HOUR, Level.DAY)
        until = {} if made is None else {level.name.lower(): made.until_ms(level) for level in levels}
        return SummariesView(until, state.waiting, state.dropped)

    @property
    def controls(self) -> Controls:
        return self._worker.controls

    def readiness(self) -> Readiness:
        return self._worker.readiness()

    def now_ms(self) -> int:
        return self._worker.clock.now_ms()
