"""The chain from journal records to checked batches and alarm transitions: decode, identity, quality, alarms.

A deterministic function of the journal and the tables: run again from a snapshot's position it gives the same
batches and transitions, whatever the sizes of the pieces it is fed. No clock, no thread, no store in here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from scenewatch.decode.identity import Identity
from scenewatch.decode.native import NativeDecoder
from scenewatch.judging import Judging
from scenewatch.ledger.retry import Retry
from scenewatch.ledger.reuse import reused
from scenewatch.ledger.tally import Owners, Tally
from scenewatch.model.action import NotDoneError, decode_action
from scenewatch.model.alarm import Transitions
from scenewatch.model.batch import Batch
from scenewatch.model.devices import Devices
from scenewatch.model.errors import CorruptError
from scenewatch.model.event import decode_event
from scenewatch.model.flags import Place
from scenewatch.model.ledger import Counts
from scenewatch.model.ports import Record, RecordKind
from scenewatch.model.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from scenewatch.model.decoded import StatusReport
    from scenewatch.model.event import Event, Result
    from scenewatch.model.messages import Messages
    from scenewatch.model.pieces import Piece
    from scenewatch.model.place import Device
    from scenewatch.model.ports import Decoder
    from scenewatch.model.scene import Scene

    OperatorLimits = Mapping[str, Mapping[str, float]]
    """Operators' numbers, by `<scene>.<rule>`."""

    # The type checker holds it to its contract here.
    _decoder: type[Decoder] = NativeDecoder

SNAPSHOT_VERSION = 5
MOST_REFUSED = 100


@dataclass(slots=True)
class Outcome:
    """What one record led to. `batch` accounts for every position of the record, readings or not."""

    batch: Batch
    transitions: Transitions = Transitions.NONE
    status: list[StatusReport] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)


class _Head(msgspec.Struct):
    version: int
    tables: str
    position: int
    listening: bool
    counts: list[int]
    online: dict[int, bool]
    values_refused: int
    positions_lost: int
    limits: dict[str, dict[str, float]]


class _Snapshot(_Head):
    registry: msgspec.Raw
    identity: msgspec.Raw
    quality: msgspec.Raw
    insight: msgspec.Raw
    alarms: msgspec.Raw
    tally: msgspec.Raw


class Pipeline:
    """All stages behind the journal, fed record by record in one thread."""

    def __init__(self, scenes: Iterable[Scene], root: str, limits: OperatorLimits | None = None) -> None:
        """`limits` are in force until a record of the journal brings others."""
        scenes = tuple(scenes)
        self.registry = Registry(scenes)
        self.decoder = NativeDecoder(root)
        self.identity = Identity()
        self.limits: OperatorLimits = limits or {}
        """As the operators gave them last, whether the tables can use them or not."""
        self._judging = Judging(scenes, self.limits)
        self.quality, self.insight = self._judging.quality, self._judging.insight
        self.alarms = self._judging.alarms
        self.retry = Retry(self.decoder, self.identity, self.quality)
        self.owners = Owners()
        self.position = 0
        self.counts = Counts()
        self.tally = Tally()
        """`counts` by owner."""
        self.listening = False
        """The source has been subscribed at some time: from then on silence means something."""
        self.online: dict[int, bool] = {}
        self.values_refused = 0
        """Messages taken without some of their values."""
        self.positions_lost = 0
        """Journal positions that damage made unreadable."""
        self.refused: dict[int, NotDoneError] = {}
        """The newest of operators' deeds that could not be done, by the end of their records."""
        self._grow()

    def run(self, record: Record) -> Outcome:
        """Take the next record; positions must follow on without a gap."""
        outcome = self._messages(record) if record.messages is not None else self._control(record)
        outcome.batch.first = record.first
        self.position = outcome.batch.position = record.end
        self._account(outcome.batch)
        return outcome

    def skip(self, end: int) -> Batch:
        """Positions up to `end` are unreadable: they are accounted for as no messages, and counted apart."""
        batch = _nothing()
        lost = end - self.position
        self.positions_lost += lost
        batch.counts = Counts(control=lost)
        batch.first, batch.position = self.position, end
        self.position = end
        self._account(batch)
        return batch

    def overdue(self, now_ms: int) -> bool:
        """Whether silence must be raised although nothing comes: a TICK record then does it.

        Through the journal, so that a later run over it raises the same at the same place.
        """
        return self.alarms.overdue(now_ms) if self.listening else self.alarms.due(now_ms)

    def tick(self, now_ms: int) -> Transitions:
        """Time went on without readings: what is overdue by `now_ms` is raised, dated at its deadline."""
        return self.alarms.tick(now_ms) if self.listening else self.alarms.go_on(now_ms)

    def change_limits(self, limits: OperatorLimits) -> None:
        """Judge by these from the next record on. A LIMITS record does it in the order of the journal."""
        self.limits = limits
        self.alarms.change(limits)

    def _messages(self, record: Record) -> Outcome:
        messages: Messages | None = record.messages
        if messages is None:
            raise CorruptError(f"record {record.first} holds no messages")
        # What was overdue when these arrived is raised first, as a live tick would have done.
        transitions = self.tick(record.received_ms)
        decoded = self.decoder.decode(messages, record.first)
        twice = self.identity.duplicates(decoded)
        batch, again = self._checked(decoded.batch, twice)
        events = [event for event in decoded.events if not twice[event.position - record.first]]
        transitions += self._judging.judge(batch, events, record.first)
        duplicate = twice | _wholly_duplicate(batch, len(messages))
        decoded.dead = [replace(letter, owner=self.owners.of(letter.topic)) for letter in decoded.dead]
        # of a message that came twice, what was wrong with it has been told
        partial = [letter for letter in decoded.partial if not twice[letter.position - record.first]]
        self.values_refused += len(partial)
        batch.dead = decoded.dead + partial
        doubles, dead = int(duplicate.sum()), len(decoded.dead)
        batch.counts = Counts(stored=len(messages) - doubles - dead, duplicate=doubles, dead=dead)
        batch.shares = self.owners.shares(decoded, duplicate, again)
        for report in decoded.status:
            self.online[report.device] = report.online
        return Outcome(batch, transitions, decoded.status, events, decoded.results)

    def _checked(self, batch: Batch, twice: NDArray[np.bool_]) -> tuple[Batch, set[int]]:
        """Without what came twice; and the messages among those whose number was used twice."""
        if not twice.any():
            return self._judging.check(batch), set()
        left_out = twice[batch.message]
        doubles, batch = batch.select(left_out), batch.select(~left_out)
        newest = self.quality.last(doubles.series).t_ms
        batch = self._judging.check(batch)
        return batch, reused(doubles, newest, batch)

    def _account(self, batch: Batch) -> None:
        self.counts += batch.counts
        self.tally.add(batch.shares)

    def _control(self, record: Record) -> Outcome:
        batch = _nothing()
        transitions = Transitions.NONE
        events: list[Event] = []
        match record.kind:
            case RecordKind.HISTORY:
                batch = self._judging.check(Batch.from_bytes(record.body))
                batch.message[:] = 0  # all of it has the one position
                transitions = self.alarms.step(batch)
            case RecordKind.EVENT:
                events = [decode_event(record)]
                transitions = self._judging.judge(batch, events, record.first)
            case RecordKind.INVENTORY:
                self.registry.apply(Devices.from_bytes(record.body), at_ms=record.received_ms)
                self._grow()
                transitions = self.alarms.retire(self.registry, record.received_ms)
            case RecordKind.LISTENING:
                self.listening = True
                self.alarms.listening(record.received_ms)
            case RecordKind.TICK:
                transitions = self.tick(record.received_ms)
            case RecordKind.LIMITS:
                # What was overdue by the old limits is raised by them, whether a tick came before or not.
                transitions = self.tick(record.received_ms)
                self.change_limits(_decode_limits(record))
            case RecordKind.ACTION:
                transitions = self.tick(record.received_ms) + self._act(record)
            case RecordKind.RETRY:
                return self._retry(record)
            case RecordKind.MESSAGES:
                raise CorruptError(f"record {record.first} holds no messages")
        batch.counts = Counts(control=record.end - record.first)
        batch.dead = []
        return Outcome(batch, transitions, events=events)

    def _act(self, record: Record) -> Transitions:
        try:
            return self.alarms.act(decode_action(record.body))
        except NotDoneError as error:
            self.refused = dict([*self.refused.items(), (record.end, error)][-MOST_REFUSED:])
            return Transitions.NONE

    def _retry(self, record: Record) -> Outcome:
        tried = self.retry.run(record)
        tried.batch.counts += Counts(control=record.end - record.first)
        self.values_refused -= tried.mended
        return Outcome(tried.batch, events=tried.events, results=tried.results)

    def _grow(self) -> None:
        self.owners.grow(self.registry)
        self.decoder.grow(self.registry)
        self._judging.grow(self.registry)

    def _tables(self) -> str:
        """What series numbers rest on: every type's channels in their order."""
        names = "\n".join(f"{s.key}.{t.key}.{c.key}" for s, t, c in self.registry.kinds)
        return blake2b(names.encode(), digest_size=16).hexdigest()

    def snapshot(self) -> Iterator[Piece]:
        """All state at `position`, in pieces: of many devices it is large, so nothing is copied that need not be.

        Together they are one MessagePack map. To be used up before anything else is run.
        """
        c = self.counts
        head = msgspec.msgpack.encode(
            _Head(
                version=SNAPSHOT_VERSION,
                tables=self._tables(),
                position=self.position,
                listening=self.listening,
                counts=[c.stored, c.duplicate, c.dead, c.control],
                online=self.online,
                values_refused=self.values_refused,
                positions_lost=self.positions_lost,
                limits={rule: dict(numbers) for rule, numbers in self.limits.items()},
            )
        )
        parts = {
            "registry": self.registry.snapshot,
            "identity": self.identity.snapshot,
            "quality": self.quality.snapshot,
            "insight": self.insight.snapshot,
            "alarms": self.alarms.snapshot,
            "tally": self.tally.snapshot,
        }
        yield bytes([head[0] + len(parts)]) + head[1:]  # a map of up to 15 says how many in its first byte
        for name, part in parts.items():
            yield msgspec.msgpack.encode(name)
            yield from part()

    def begin(self, position: int, at_ms: int, data: bytes) -> None:
        """Go on from `position`, of which only the devices are known, from a snapshot of later.

        Numbers are never used again, so the later numbering holds; silence before `at_ms` proves nothing.
        """
        try:
            s = self._inventory_of(data)
        except (msgspec.MsgspecError, ValueError, KeyError) as error:
            raise CorruptError(f"not a snapshot: {error}") from error
        self.position = position
        self.listening = s.listening
        self.alarms.listening(at_ms)

    def _inventory_of(self, data: bytes) -> _Snapshot:
        """Takes devices and limits from a snapshot, into a new pipeline."""
        s = msgspec.msgpack.decode(data, type=_Snapshot)
        if s.version != SNAPSHOT_VERSION:
            raise CorruptError(f"a snapshot of version {s.version}, this program reads {SNAPSHOT_VERSION}")
        if s.tables != self._tables():
            raise CorruptError("the scenes' channels have changed since it was saved")
        self.registry.restore(s.registry)
        self._grow()
        self.change_limits(s.limits)
        return s

    def restore(self, data: bytes) -> None:
        """Into a new pipeline of the same tables. Raises CorruptError and leaves a pipeline not to be used."""
        try:
            s = self._inventory_of(data)
            self.identity.restore(s.identity)
            self.quality.restore(s.quality)
            self.insight.restore(s.insight)
            self.alarms.restore(s.alarms)
            self.tally.restore(s.tally)
        except (msgspec.MsgspecError, ValueError, KeyError) as error:
            raise CorruptError(f"not a snapshot: {error}") from error
        self.position = s.position
        self.counts = Counts(*s.counts)
        self.listening = s.listening
        self.online = s.online
        self.values_refused = s.values_refused
        self.positions_lost = s.positions_lost


def encode_inventory(devices: Iterable[Device]) -> bytes:
    """The body of an INVENTORY record."""
    return (devices if isinstance(devices, Devices) else Devices(devices)).to_bytes()


def encode_limits(limits: OperatorLimits) -> bytes:
    """The body of a LIMITS record."""
    return msgspec.msgpack.encode({rule: dict(numbers) for rule, numbers in limits.items()})


def _decode_limits(record: Record) -> dict[str, dict[str, float]]:
    try:
        return msgspec.msgpack.decode(record.body, type=dict[str, dict[str, float]])
    except msgspec.MsgspecError as error:
        raise CorruptError(f"record {record.first} holds no limits: {error}") from error


def _nothing() -> Batch:
    return Batch.of(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0))


def _wholly_duplicate(batch: Batch, messages: int) -> NDArray[np.bool_]:
    """Which messages brought readings, all of which their series had already."""
    double = batch.place == Place.DUPLICATE
    if not double.any():
        return np.zeros(messages, np.bool_)
    readings = np.bincount(batch.message, minlength=messages)
    doubles = np.bincount(batch.message[double], minlength=messages)
    wholly: NDArray[np.bool_] = (doubles == readings) & (doubles > 0)
    return wholly
