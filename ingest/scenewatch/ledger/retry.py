"""Dead letters tried again: their journal record, and what comes of it. A step of the chain, beside decode.

A letter goes the way it would have gone when it came, with its own receive time, through what is known today.
Its readings and events are history: they fill the record in their place and raise no alarm, however young they
are. An operator mends the past here; the present is what the device sends next.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import msgspec
import numpy as np

from scenewatch.model.batch import Batch
from scenewatch.model.errors import CorruptError
from scenewatch.model.ledger import STORE_REFUSED, TAKEN_WITHOUT, Counts, Fate, LetterKind, Shares, Tried
from scenewatch.model.messages import Messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scenewatch.model.decoded import Decoded
    from scenewatch.model.event import Event
    from scenewatch.model.event import Result as Answer
    from scenewatch.model.ledger import DeadLetter
    from scenewatch.model.ports import Check, Decoder, Record


class Known(Protocol):
    """Tells which messages were here before, and remembers these."""

    def duplicates(self, decoded: Decoded) -> NDArray[np.bool_]: ...


class _Letter(msgspec.Struct, array_like=True):
    position: int
    received_ms: int
    topic: bytes
    payload: bytes
    kind: LetterKind
    owner: int


def encode_retry(letters: Sequence[DeadLetter]) -> bytes:
    """The body of a RETRY record. It holds all it needs: the letters' own records may be gone by then."""
    return msgspec.msgpack.encode(
        [_Letter(d.position, d.received_ms, d.topic, d.payload, d.kind, d.owner) for d in letters]
    )


@dataclass(frozen=True, slots=True)
class Retried:
    """What came of a RETRY record."""

    batch: Batch
    mended: int
    """By how many fewer messages are taken without some of their values."""
    events: list[Event]
    results: list[Answer]


@dataclass(slots=True)
class _Result:
    parts: list[Batch] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    results: list[Answer] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    changes: list[tuple[int, Fate, int]] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    mended: int = 0


class Retry:
    """Runs RETRY records through the chain's own stages, in the chain's thread.

    A batch of letters tells by `message` how far before the record each one's own position is.
    """

    def __init__(self, decoder: Decoder, known: Known, check: Check) -> None:
        self._decoder = decoder
        self._known = known
        self._check = check

    def run(self, record: Record) -> Retried:
        """Raises CorruptError for a body that is none."""
        try:
            letters = msgspec.msgpack.decode(record.body, type=list[_Letter])
        except msgspec.MsgspecError as error:
            raise CorruptError(f"record {record.first} holds no dead letters: {error}") from error
        result = _Result()
        for letter in letters:
            self._try(letter, record, result)
        batch = Batch.concat([_nothing(), *result.parts])
        self._check.check(batch)
        batch.counts, batch.tried = result.counts, result.tried
        batch.shares = Shares.of(result.changes)
        return Retried(batch, result.mended, result.events, result.results)

    def _try(self, letter: _Letter, record: Record, result: _Result) -> None:
        messages = Messages.of([(letter.topic, letter.payload)], letter.received_ms)
        decoded = self._decoder.decode(messages, letter.position)
        if decoded.dead:
            why = decoded.dead[0].reason
            if letter.kind is not LetterKind.DEAD:
                # What its message counts as has not changed, and the reason goes on saying so.
                why = _STANDING[letter.kind] + why
            result.tried.append(Tried(letter.position, record.first, record.received_ms, why))
            return
        # What was taken once is known by its number: only the store can tell which of its readings are missing.
        twice = letter.kind is LetterKind.DEAD and bool(self._known.duplicates(decoded)[0])
        partial = decoded.partial[0].reason if decoded.partial and not twice else None
        result.tried.append(Tried(letter.position, record.first, record.received_ms, partial))
        was_partial = letter.kind is LetterKind.PARTIAL
        result.mended += int(was_partial) - int(partial is not None)
        if not was_partial:
            self._move(letter, decoded, result, twice=twice)
        if not twice:
            decoded.batch.live[:] = False
            back = letter.position - record.first
            decoded.batch.message[:] = back if -back <= FARTHEST else 0
            result.parts.append(decoded.batch)
            result.events += [replace(event, live=False) for event in decoded.events]
            result.results += decoded.results

    @staticmethod
    def _move(letter: _Letter, decoded: Decoded, result: _Result, *, twice: bool) -> None:
        """From the dead to where it belongs; the sum stays."""
        fate = Fate.DUPLICATE if twice else Fate.STORED
        result.counts += Counts(stored=int(not twice), duplicate=int(twice), dead=-1)
        result.changes += [(letter.owner, Fate.DEAD, -1), (decoded.device[0], fate, 1)]


_STANDING = {LetterKind.PARTIAL: TAKEN_WITHOUT, LetterKind.REFUSED: f"{STORE_REFUSED}it; tried again: "}
FARTHEST = 2**31 - 1
"""What `Batch.message` can hold."""


def _nothing() -> Batch:
    return Batch.of(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0))
