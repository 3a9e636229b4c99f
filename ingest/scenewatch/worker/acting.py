"""Carries what operators do to alarms into the journal, and waits until the pipeline has carried it out."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenewatch.model.action import Action, Deed, NotDoneError, Refusal, encode_action
from scenewatch.model.alarm import AlarmState
from scenewatch.model.errors import TemporaryError
from scenewatch.model.ports import RecordKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scenewatch.api.views import AlarmView
    from scenewatch.model.action import Hold
    from scenewatch.model.ports import Clock, Journal
    from scenewatch.pipeline import Pipeline
    from scenewatch.store.audit import Audit
    from scenewatch.store.holds import HoldTable
    from scenewatch.worker.book import Book
    from scenewatch.worker.loop import Loop

DONE_WITHIN_S = 5.0
"""A worker that is not far behind has come to it by then."""
LOOK_S = 0.01


@dataclass(frozen=True, slots=True)
class Papers:
    """Where it is written down what was done."""

    book: Book
    audit: Audit
    holds: HoldTable


class Acting:
    """Any thread.

    What is refused by what is known now never comes into the journal. What becomes impossible on the way there is
    refused by the pipeline, in the same words.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        loop: Loop,
        *,
        journal: Journal,
        papers: Papers,
        clock: Clock,
        connected: Callable[[], bool],
    ) -> None:
        self._pipeline = pipeline
        self._loop = loop
        self._journal = journal
        self._book = papers.book
        self._audit = papers.audit
        self._kept = papers.holds
        self._clock = clock
        self._connected = connected

    @property
    def holds(self) -> Sequence[Hold]:
        """What keeps alarms from being shown, and then what is planned to."""
        with self._loop.lock:
            return self._pipeline.alarms.holds

    def alarm(self, rule: str, device: str, raised_at_ms: int) -> AlarmView | None:
        return self._book.alarm(rule, device, raised_at_ms)

    def act(self, action: Action) -> None:
        """On record, carried out and told when it returns. Raises NotDoneError, or TemporaryError."""
        with self._loop.lock:
            refusal = self._pipeline.alarms.refusal(action)
            connected = self._connected()
            overdue = connected and self._pipeline.overdue(action.at_ms)
        if refusal is not None:
            raise refusal
        if action.deed is Deed.RESET and not connected:
            raise NotDoneError(Refusal.CONFLICT, "the broker is away: whether the condition is back is not known")
        if overdue:
            self._journal.put_record(RecordKind.TICK, b"", action.at_ms)
        end = self._journal.append_record(RecordKind.ACTION, encode_action(action), action.at_ms)
        self._wait(end)
        if (refusal := self._pipeline.refused.get(end)) is not None:
            raise refusal
        if action.deed not in (Deed.ACKNOWLEDGE, Deed.RESET):
            self._kept.keep(self.holds)
        self._audit.note(action.by, action.deed, action.target, _detail(action))

    def acknowledge(self, rule: str, device: str, raised_at_ms: int, by: str) -> AlarmView | None:
        """The alarm after it; None if there is no such alarm. What is over is acknowledged on record alone."""
        alarm = self._book.alarm(rule, device, raised_at_ms)
        if alarm is None or (alarm.acknowledged_by is not None and alarm.state != AlarmState.UNACKNOWLEDGED):
            return alarm
        at_ms = self._clock.now_ms()
        deed = Deed.ACKNOWLEDGE
        action = Action(deed=deed, by=by, at_ms=at_ms, rule=rule, target=device, raised_at_ms=raised_at_ms)
        try:
            self.act(action)
        except NotDoneError as error:
            if error.refusal is not Refusal.UNKNOWN:
                raise
            return self._book.acknowledge(rule, device, raised_at_ms, by=by, at_ms=at_ms)
        return self._book.alarm(rule, device, raised_at_ms)

    def _wait(self, end: int) -> None:
        deadline_s, pause = time.monotonic() + DONE_WITHIN_S, threading.Event()
        while self._loop.delivered < end:
            if time.monotonic() > deadline_s:
                raise TemporaryError("it is on record, and will be done when the worker comes to it")
            pause.wait(LOOK_S)


def _detail(action: Action) -> str:
    """What an audit says beyond deed and target."""
    times = (str(t) for t in (action.raised_at_ms, action.from_ms, action.until_ms) if t)
    return " ".join(part for part in (action.rule, *times, action.reason) if part)
