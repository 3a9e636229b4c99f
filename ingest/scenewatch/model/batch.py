"""Readings as columns, and their one binary form (history in the journal, batches waiting for a store)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from scenewatch.model.errors import CorruptError
from scenewatch.model.flags import Flag, Place, Test
from scenewatch.model.ledger import Counts, DeadLetter, Shares, Tried

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = (
    ("series", np.int32),
    ("t_ms", np.int64),
    ("value", np.float64),
    ("flag", np.uint8),
    ("test", np.uint8),
    ("place", np.uint8),
    ("live", np.bool_),
    ("received_ms", np.int64),
    ("message", np.int32),
)


class Columns(NamedTuple):
    """What compiled loops read of a batch: all columns but the messages."""

    series: NDArray[np.int32]
    t_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    flag: NDArray[np.uint8]
    test: NDArray[np.uint8]
    place: NDArray[np.uint8]
    live: NDArray[np.bool_]
    received_ms: NDArray[np.int64]


@dataclass(slots=True)
class Batch:
    """Readings in arrival order; a series may occur many times, and its readings may be out of order.

    All arrays have one length n. The batch comes from the journal positions [`first`, `position`); `counts`,
    `shares` and `dead` account for every position since the batch before.
    Quality fills `flag`, `test` and `place`.
    """

    series: NDArray[np.int32]
    t_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    flag: NDArray[np.uint8]
    test: NDArray[np.uint8]
    place: NDArray[np.uint8]
    live: NDArray[np.bool_]
    """False: marked as history by the device. Stored, but moves no quality or alarm state."""
    received_ms: NDArray[np.int64]
    message: NDArray[np.int32]
    """Which of the batch's messages the reading came in, ascending from 0; its position is `first` and this."""
    position: int = 0
    first: int = 0
    counts: Counts = field(default_factory=Counts)
    dead: list[DeadLetter] = field(default_factory=list)
    shares: Shares = field(default_factory=Shares)
    """`counts` by owner."""
    tried: list[Tried] = field(default_factory=list)
    """Dead letters of earlier batches that were tried again."""

    def __len__(self) -> int:
        return len(self.series)

    @property
    def columns(self) -> Columns:
        return Columns._make(getattr(self, name) for name in Columns._fields)

    @classmethod
    def of(
        cls,
        series: NDArray[np.int32],
        t_ms: NDArray[np.int64],
        value: NDArray[np.float64],
        *,
        received_ms: NDArray[np.int64] | None = None,
        position: int = 0,
    ) -> Batch:
        """Unchecked live readings; received when they were measured unless told otherwise."""
        n = len(series)
        return cls(
            series=np.ascontiguousarray(series, np.int32),
            t_ms=np.ascontiguousarray(t_ms, np.int64),
            value=np.ascontiguousarray(value, np.float64),
            flag=np.full(n, Flag.NOT_EVALUATED, np.uint8),
            test=np.full(n, Test.NONE, np.uint8),
            place=np.full(n, Place.NEW, np.uint8),
            live=np.ones(n, np.bool_),
            received_ms=np.ascontiguousarray(t_ms if received_ms is None else received_ms, np.int64),
            message=np.arange(n, dtype=np.int32),
            position=position,
        )

    def select(self, which: NDArray[Any]) -> Batch:
        """The readings at a mask or index, with this batch's position and account."""
        columns = {name: getattr(self, name)[which] for name, _ in COLUMNS}
        return replace(self, **columns)

    @classmethod
    def concat(cls, parts: list[Batch]) -> Batch:
        """All readings in the order of `parts`, which follow on each other, with the sum of the accounts."""
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name, _ in COLUMNS
        }
        first = parts[0].first
        columns["message"] = np.concatenate([part.message + np.int32(part.first - first) for part in parts])
        counts = sum((part.counts for part in parts), Counts())
        return cls(
            **columns,
            position=parts[-1].position,
            first=first,
            counts=counts,
            dead=[letter for part in parts for letter in part.dead],
            shares=Shares.concat([part.shares for part in parts]),
            tried=[tried for part in parts for tried in part.tried],
        )

    def positions(self) -> NDArray[np.int64]:
        """Of each reading, the journal position of the message, or of the history record, that brought it."""
        return self.first + self.message.astype(np.int64)

    def to_bytes(self) -> bytes:
        body: dict[str, Any] = {name: getattr(self, name).tobytes() for name, _ in COLUMNS}
        body["position"], body["first"] = self.position, self.first
        body["counts"] = [self.counts.stored, self.counts.duplicate, self.counts.dead, self.counts.control]
        body["dead"] = [[d.position, d.received_ms, d.topic, d.payload, d.reason, d.owner] for d in self.dead]
        body["shares"] = [self.shares.slot.tobytes(), self.shares.change.tobytes()]
        body["tried"] = [[t.position, t.record, t.at_ms, t.reason] for t in self.tried]
        return msgspec.msgpack.encode(body)

    @classmethod
    def from_bytes(cls, data: bytes) -> Batch:
        try:
            body = msgspec.msgpack.decode(data)
            columns: dict[str, Any] = {name: np.frombuffer(body[name], dtype).copy() for name, dtype in COLUMNS}
            if len({len(column) for column in columns.values()}) != 1:
                raise CorruptError("not a batch: its columns are of unlike lengths")
            return cls(
                **columns,
                position=body["position"],
                first=body.get("first", 0),  # history that was written before there was one
                counts=Counts(*body["counts"]),
                dead=[DeadLetter(*d) for d in body["dead"]],
                shares=_shares(body.get("shares")),
                tried=[Tried(*t) for t in body.get("tried", ())],
            )
        except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
            raise CorruptError(f"not a batch: {error}") from error


def _shares(columns: list[bytes] | None) -> Shares:
    """None in batches that were written before accounts had owners."""
    if columns is None:
        return Shares()
    slot, change = (np.frombuffer(column, np.int64).copy() for column in columns)
    return Shares(slot, change)
