"""The alarm engine as operators have it: what they shelved, took out or maintain is judged as ever and not shown.

Stands around the engine, in the pipeline's thread. Where nothing is held and nothing waits to be seen again,
everything passes through as it is.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from scenewatch.alarms.holds import Holds
from scenewatch.alarms.rows import FOREVER
from scenewatch.alarms.wishes import ENDED_BY, Wishes, hold_of
from scenewatch.model.action import Deed, Hold
from scenewatch.model.alarm import Hidden, Step, Transitions
from scenewatch.model.errors import CorruptError
from scenewatch.model.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from scenewatch.alarms.engine import Engine
    from scenewatch.model.action import Action, NotDoneError
    from scenewatch.model.alarm import Transition
    from scenewatch.model.batch import Batch
    from scenewatch.model.event import Event
    from scenewatch.model.pieces import Piece
    from scenewatch.model.rule import Rule

ARRAY_OF_2 = b"\x92"


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """An alarm that was acknowledged, and whose rule wants it to be seen again if it stands long after."""

    rule: str
    device: int
    raised_at_ms: int
    at_ms: int


class _Saved(msgspec.Struct, array_like=True):
    active: list[Hold]
    planned: list[Hold]
    seen: list[Seen]


class Announcer:
    """Implements `ports.AlarmEngine` by an engine, and carries out what operators do.

    A hold counts by the receive clock, and so does how long ago an alarm was seen. What befalls at one moment of
    it comes behind all that was received or overdue before, and before all that was received then: however the
    stream is cut, and whenever ticks come, it is told alike.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._registry = Registry(())
        self._holds = Holds()
        self._seen: dict[tuple[str, int], Seen] = {}
        self._due_ms = FOREVER

    @property
    def rules(self) -> Mapping[str, Rule]:
        return self._engine.rules

    def grow(self, registry: Registry) -> None:
        self._registry = registry
        self._engine.grow(registry)

    # --- the stream ----------------------------------------------------------------------------------------

    def step(self, batch: Batch) -> Transitions:
        if self._due_ms == FOREVER or not len(batch):
            return self._shown(self._engine.step(batch))
        found: list[Transitions] = []
        now_ms, done = np.maximum.accumulate(batch.received_ms), 0
        while self._due_ms <= now_ms[-1]:
            until = int(np.searchsorted(now_ms, self._due_ms))
            found += [self._part(batch, done, until), self._pass()]
            done = until
        return Transitions.joined([*found, self._part(batch, done, len(batch))])

    def happened(self, events: Sequence[Event]) -> Transitions:
        if self._due_ms == FOREVER:
            return self._shown(self._engine.happened(events))
        found = []
        for event in (event for event in events if event.live):
            found += [self._passed(event.received_ms), self._shown(self._engine.happened([event]))]
        return Transitions.joined(found)

    def overdue(self, now_ms: int) -> bool:
        return self.due(now_ms) or self._engine.overdue(now_ms)

    def due(self, now_ms: int) -> bool:
        """Whether a hold begins or ends, or an alarm must be seen again: that does not rest on hearing devices."""
        return self._due_ms <= now_ms

    def tick(self, now_ms: int) -> Transitions:
        return self._passed(now_ms) + self._shown(self._engine.tick(now_ms))

    def go_on(self, now_ms: int) -> Transitions:
        """A tick for operators alone, while nobody has listened to the devices yet."""
        found = []
        while self.due(now_ms):
            found += self._change_at(self._due_ms, self._move_on)
        return Transitions.of(found)

    def _part(self, batch: Batch, begin: int, end: int) -> Transitions:
        return self._shown(self._engine.step(batch.select(np.arange(begin, end))))

    def _passed(self, now_ms: int) -> Transitions:
        found = []
        while self.due(now_ms):
            found.append(self._pass())
        return Transitions.joined(found)

    def _pass(self) -> Transitions:
        """The next moment at which something begins or ends, behind what was overdue before it."""
        at_ms = self._due_ms
        overdue = self._shown(self._engine.tick(at_ms - 1))
        return overdue + Transitions.of(self._change_at(at_ms, self._move_on))

    def _move_on(self) -> None:
        self._holds.move_on(self._due_ms)

    def _shown(self, moves: Transitions) -> Transitions:
        """With what hides each."""
        if not self._holds or not moves:
            return moves
        hidden = (Hidden.NOT if move.step is Step.CLEARED else self._hiding(move) for move in moves)
        return Transitions.of(replace(move, hidden=why) for move, why in zip(moves, hidden, strict=True))

    def _hiding(self, move: Transition) -> Hidden:
        return self._holds.hiding(move.rule, self._registry.ids[move.device])

    # --- what operators do ---------------------------------------------------------------------------------

    def refusal(self, action: Action) -> NotDoneError | None:
        """Why this cannot be done as things stand. Changes nothing."""
        return Wishes(self._engine, self._registry, self._holds).refusal(action)

    def act(self, action: Action) -> Transitions:
        """Carry it out. Raises NotDoneError, and then nothing has changed."""
        if (refusal := self.refusal(action)) is not None:
            raise refusal
        device = self._registry.number(action.target)
        if action.deed is Deed.RESET and device is not None:
            return self._shown(self._engine.reset(action.rule, device, action.at_ms, by=action.by))
        if action.deed is Deed.ACKNOWLEDGE and device is not None:
            return self._acknowledge(action, device)
        hold = hold_of(action)
        if action.deed in ENDED_BY:
            change = partial(self._holds.end, hold.kind, hold.rule, hold.target)
        else:
            change = partial(self._holds.put, hold)
        return Transitions.of(replace(move, by=action.by) for move in self._change_at(action.at_ms, change))

    def _acknowledge(self, action: Action, device: int) -> Transitions:
        alarm = self._engine.alarm(action.rule, device)
        known = self._seen.get((action.rule, device))
        if alarm is None or (known is not None and known.raised_at_ms == alarm.raised_at_ms):
            return Transitions.NONE  # who was first stays on record
        if self.rules[action.rule].again_after is not None:
            seen = Seen(action.rule, device, alarm.raised_at_ms, action.at_ms)
            self._seen[action.rule, device] = seen
            self._look_again()
        return self._shown(
            Transitions.of([replace(alarm, step=Step.ACKNOWLEDGED, at_ms=action.at_ms, by=action.by)])
        )

    def _change_at(self, at_ms: int, change: Callable[[], None]) -> list[Transition]:
        """What a change of the holds, and the time itself, mean for the alarms that stand."""
        standing = [(alarm, self._hiding(alarm)) for alarm in self._engine.standing()]
        change()
        due = {key: seen for key, seen in self._seen.items() if self._again_ms(seen) <= at_ms}
        for key in due:
            del self._seen[key]
        self._look_again()
        found: list[Transition] = []
        for alarm, before in standing:
            hidden = self._hiding(alarm)
            if hidden is not before:
                step = Step.SHOWN if hidden is Hidden.NOT else Step.HIDDEN
                found.append(replace(alarm, step=step, at_ms=at_ms, hidden=hidden))
            seen = due.get((alarm.rule, alarm.device))
            if seen is not None and seen.raised_at_ms == alarm.raised_at_ms:
                found.append(replace(alarm, step=Step.AGAIN, at_ms=self._again_ms(seen), hidden=hidden))
        return found

    def _again_ms(self, seen: Seen) -> int:
        rule = self.rules.get(seen.rule)
        return FOREVER if rule is None or rule.again_after is None else seen.at_ms + rule.again_after

    def _look_again(self) -> None:
        again = (self._again_ms(seen) for seen in self._seen.values())
        self._due_ms = min((self._holds.due_ms, *again))

    @property
    def holds(self) -> Sequence[Hold]:
        """Those in force, then those that are planned."""
        return [*self._holds.active, *self._holds.planned]

    def hold_again(self, holds: Iterable[Hold]) -> None:
        """What was held when the state was lost. Before any alarm stands."""
        for hold in holds:
            self._holds.put(hold)
        self._look_again()

    # --- all else is the engine's --------------------------------------------------------------------------

    def listening(self, since_ms: int) -> None:
        self._engine.listening(since_ms)

    def retire(self, registry: Registry, at_ms: int) -> Transitions:
        return self._engine.retire(registry, at_ms)

    def change(self, limits: Mapping[str, Mapping[str, float]]) -> None:
        self._engine.change(limits)
        self._look_again()

    def standing(self) -> Transitions:
        return self._shown(self._engine.standing())

    def snapshot(self) -> Iterator[Piece]:
        seen = list(self._seen.values())
        yield ARRAY_OF_2
        yield msgspec.msgpack.encode(_Saved(self._holds.active, self._holds.planned, seen))
        yield from self._engine.snapshot()

    def restore(self, data: bytes) -> None:
        """Raises CorruptError, and is as before, if the bytes are no such snapshot of as many series."""
        saved, engine = _parts(data)
        self._engine.restore(engine)
        self._take(saved)

    def _take(self, saved: _Saved) -> None:
        self._holds = Holds(saved.active, saved.planned)
        self._seen = {(seen.rule, seen.device): seen for seen in saved.seen}
        self._look_again()


def _parts(data: bytes) -> tuple[_Saved, msgspec.Raw]:
    try:
        return msgspec.msgpack.decode(data, type=tuple[_Saved, msgspec.Raw])
    except (msgspec.MsgspecError, ValueError) as error:
        raise CorruptError(f"not an alarm snapshot: {error}") from error
