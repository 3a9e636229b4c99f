"""The chain from journal records to checked batches and alarm transitions: decode, identity, quality, alarms.

A deterministic function of the journal and the tables: run again from a snapshot's position it gives the same
batches and transitions, whatever the sizes of the pieces it is fed. No clock, no thread, no store in here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from scenewatch.alarms.engine import Engine
from scenewatch.decode.identity import Identity
from scenewatch.decode.native import NativeDecoder
from scenewatch.model.batch import Batch
from scenewatch.model.devices import Devices
from scenewatch.model.errors import CorruptError
from scenewatch.model.flags import Place
from scenewatch.model.ledger import Counts
from scenewatch.model.ports import Record, RecordKind
from scenewatch.model.registry import Registry
from scenewatch.quality.quality import Quality

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scenewatch.model.alarm import Transition
    from scenewatch.model.decoded import StatusReport
    from scenewatch.model.messages import Messages
    from scenewatch.model.place import Device
    from scenewatch.model.ports import AlarmEngine, Check, Decoder
    from scenewatch.model.scene import Scene

    # The type checker holds each part to its contract here, where they meet.
    _decoder: type[Decoder] = NativeDecoder
    _check: type[Check] = Quality
    _alarms: type[AlarmEngine] = Engine

SNAPSHOT_VERSION = 1
BYTES_32 = b"\xc6"
"""Begins bytes in MessagePack; their length in four more follows."""


@dataclass(slots=True)
class Outcome:
    """What one record led to. `batch` accounts for every position of the record, readings or not."""

    batch: Batch
    transitions: list[Transition] = field(default_factory=list)
    status: list[StatusReport] = field(default_factory=list)


class _Head(msgspec.Struct):
    version: int
    tables: str
    position: int
    listening: bool
    counts: list[int]
    online: dict[int, bool]
    values_refused: int
    positions_lost: int


class _Snapshot(_Head):
    registry: bytes
    identity: bytes
    quality: bytes
    alarms: bytes


class Pipeline:
    """All stages behind the journal, fed record by record in one thread."""

    def __init__(
        self, scenes: Iterable[Scene], root: str, limits: Mapping[str, Mapping[str, float]] | None = None
    ) -> None:
        scenes = tuple(scenes)
        self.registry = Registry(scenes)
        self.decoder = NativeDecoder(root)
        self.identity = Identity()
        self.quality = Quality()
        self.alarms = Engine(scenes, limits or {})
        self.position = 0
        self.counts = Counts()
        self.listening = False
        """The source has been subscribed at some time: from then on silence means something."""
        self.online: dict[int, bool] = {}
        self.values_refused = 0
        """Messages taken without some of their values."""
        self.positions_lost = 0
        """Journal positions that damage made unreadable."""
        self._grow()

    def run(self, record: Record) -> Outcome:
        """Take the next record; positions must follow on without a gap."""
        outcome = self._messages(record) if record.messages is not None else self._control(record)
        self.position = outcome.batch.position = record.end
        self.counts += outcome.batch.counts
        return outcome

    def skip(self, end: int) -> Batch:
        """Positions up to `end` are unreadable: they are accounted for as no messages, and counted apart."""
        batch = _nothing()
        lost = end - self.position
        self.positions_lost += lost
        batch.counts = Counts(control=lost)
        batch.position = self.position = end
        self.counts += batch.counts
        return batch

    def overdue(self, now_ms: int) -> bool:
        """Whether silence must be raised although nothing comes: a TICK record then does it.

        Through the journal, so that a later run over it raises the same at the same place.
        """
        return self.listening and self.alarms.overdue(now_ms)

    def tick(self, now_ms: int) -> list[Transition]:
        """Time went on without readings: what is overdue by `now_ms` is raised, dated at its deadline."""
        return self.alarms.tick(now_ms) if self.listening else []

    def _messages(self, record: Record) -> Outcome:
        messages: Messages | None = record.messages
        if messages is None:
            raise CorruptError(f"record {record.first} holds no messages")
        # What was overdue when these arrived is raised first, as a live tick would have done.
        transitions = self.tick(record.received_ms)
        decoded = self.decoder.decode(messages, record.first)
        twice = self.identity.duplicates(decoded)
        batch = decoded.batch.select(~twice[decoded.batch.message]) if twice.any() else decoded.batch
        self.quality.check(batch)
        transitions += self.alarms.step(batch)
        duplicate = int(twice.sum()) + _wholly_duplicate(batch, len(messages))
        # of a message that came twice, what was wrong with it has been told
        partial = [letter for letter in decoded.partial if not twice[letter.position - record.first]]
        self.values_refused += len(partial)
        batch.dead = decoded.dead + partial
        batch.counts = Counts(
            stored=len(messages) - duplicate - len(decoded.dead), duplicate=duplicate, dead=len(decoded.dead)
        )
        for report in decoded.status:
            self.online[report.device] = report.online
        return Outcome(batch, transitions, decoded.status)

    def _control(self, record: Record) -> Outcome:
        batch = _nothing()
        transitions: list[Transition] = []
        match record.kind:
            case RecordKind.HISTORY:
                batch = Batch.from_bytes(record.body)
                self.quality.check(batch)
                transitions = self.alarms.step(batch)
            case RecordKind.INVENTORY:
                self.registry.apply(Devices.from_bytes(record.body), at_ms=record.received_ms)
                self._grow()
                transitions = self.alarms.retire(self.registry, record.received_ms)
            case RecordKind.LISTENING:
                self.listening = True
                self.alarms.listening(record.received_ms)
            case RecordKind.TICK:
                transitions = self.tick(record.received_ms)
            case RecordKind.MESSAGES:
                raise CorruptError(f"record {record.first} holds no messages")
        batch.counts = Counts(control=record.end - record.first)
        batch.dead = []
        return Outcome(batch, transitions)

    def _grow(self) -> None:
        self.decoder.grow(self.registry)
        self.quality.grow(self.registry)
        self.alarms.grow(self.registry)

    def _tables(self) -> str:
        """What series numbers rest on: every type's channels in their order."""
        names = "\n".join(f"{s.key}.{t.key}.{c.key}" for s, t, c in self.registry.kinds)
        return blake2b(names.encode(), digest_size=16).hexdigest()

    def snapshot(self) -> Iterator[bytes]:
        """All state at `position`, in pieces: of many devices it is large, so a part is made when it is asked for.

        Together they are one MessagePack map.
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
            )
        )
        parts = {
            "registry": self.registry.snapshot,
            "identity": self.identity.snapshot,
            "quality": self.quality.snapshot,
            "alarms": self.alarms.snapshot,
        }
        yield bytes([head[0] + len(parts)]) + head[1:]  # a map of up to 15 says how many in its first byte
        for name, part in parts.items():
            data = part()
            yield msgspec.msgpack.encode(name) + BYTES_32 + len(data).to_bytes(4, "big")
            yield data

    def restore(self, data: bytes) -> None:
        """Into a new pipeline of the same tables. Raises CorruptError and leaves a pipeline not to be used."""
        try:
            s = msgspec.msgpack.decode(data, type=_Snapshot)
            if s.version != SNAPSHOT_VERSION:
                raise CorruptError(f"a snapshot of version {s.version}, this program reads {SNAPSHOT_VERSION}")
            if s.tables != self._tables():
                raise CorruptError("the scenes' channels have changed since it was saved")
            self.registry.restore(s.registry)
            self._grow()
            self.identity.restore(s.identity)
            self.quality.restore(s.quality)
            self.alarms.restore(s.alarms)
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


def _nothing() -> Batch:
    return Batch.of(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0))


def _wholly_duplicate(batch: Batch, messages: int) -> int:
    """How many messages brought readings, all of which their series had already."""
    double = batch.place == Place.DUPLICATE
    if not double.any():
        return 0
    readings = np.bincount(batch.message, minlength=messages)
    doubles = np.bincount(batch.message[double], minlength=messages)
    return int(np.count_nonzero((doubles == readings) & (doubles > 0)))
