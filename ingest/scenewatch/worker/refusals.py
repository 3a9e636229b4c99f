"""What a store refuses for good becomes dead letters, and the account is told which messages that makes dead."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from scenewatch.model.flags import Place
from scenewatch.model.ledger import STORE_REFUSED, TAKEN_WITHOUT, Counts, DeadLetter, Fate, Shares

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scenewatch.journal.look import Message
    from scenewatch.model.batch import Batch

STORED_TO_DEAD = ((Fate.STORED, -1), (Fate.DEAD, 1))
COMPLAINTS_TOLD = 5
"""In one reason; a buffered message may have thousands."""


class Refusals:
    """`ports.KeepApart`, in the store writer's thread.

    `messages_at` gives a position's message, None where it holds none, and leaves out what cannot be read;
    `names` gives the name of a series number and `owner_of` its device's number; `moved` is told on whose account
    messages are dead now.
    """

    def __init__(
        self,
        *,
        keep_letters: Callable[[Sequence[DeadLetter]], None],
        messages_at: Callable[[Sequence[int]], Mapping[int, Message | None]],
        names: Callable[[int], str],
        owner_of: Callable[[int], int],
        moved: Callable[[Shares], None],
    ) -> None:
        self._keep_letters = keep_letters
        self._messages_at = messages_at
        self._names = names
        self._owner_of = owner_of
        self._moved = moved

    def __call__(self, batch: Batch, reasons: Mapping[int, str]) -> Counts:
        """A message of which nothing is stored is dead. History is no message: it is kept, and not counted."""
        positions = batch.positions()
        rows_at: defaultdict[int, list[int]] = defaultdict(list)
        for row in sorted(reasons):
            rows_at[int(positions[row])].append(row)
        # What comes from before its batch is tried again: what the series have already may be its own.
        stored = (batch.place != Place.DUPLICATE) | (batch.message < 0)
        stored[list(reasons)] = False
        partly = set(np.intersect1d(positions[stored], list(rows_at)).tolist())
        messages = self._messages_at(list(rows_at))
        letters: list[DeadLetter] = []
        for position, rows in rows_at.items():
            complaints = self._complaints(batch, rows, reasons)
            reason = TAKEN_WITHOUT + complaints if position in partly else complaints
            letters.append(self._letter(batch, rows, messages.get(position), reason))
        self._keep_letters(letters)
        is_history = {position for position, message in messages.items() if message is None}
        dead = rows_at.keys() - partly - is_history
        owners = [self._owner(batch, rows_at[position][0]) for position in sorted(dead)]
        self._moved(Shares.of([(o, *change) for o in owners for change in STORED_TO_DEAD]))
        return Counts(stored=-len(dead), dead=len(dead))

    def _owner(self, batch: Batch, row: int) -> int:
        return self._owner_of(int(batch.series[row]))

    def _complaints(self, batch: Batch, rows: list[int], reasons: Mapping[int, str]) -> str:
        channels: defaultdict[str, list[str]] = defaultdict(list)
        for row in rows:
            channel = self._names(int(batch.series[row])).rpartition(".")[2]
            if channel not in channels[reasons[row]]:
                channels[reasons[row]].append(channel)
        told = [f"{', '.join(some)}: {reason}" for reason, some in channels.items()]
        more = f"; and {len(told) - COMPLAINTS_TOLD} more reasons" if len(told) > COMPLAINTS_TOLD else ""
        return STORE_REFUSED + "; ".join(told[:COMPLAINTS_TOLD]) + more

    def _letter(self, batch: Batch, rows: list[int], message: Message | None, reason: str) -> DeadLetter:
        """Without its message the readings themselves are the payload."""
        owner = self._owner(batch, rows[0])
        if message is not None:
            return DeadLetter(message.position, message.received_ms, message.topic, message.payload, reason, owner)
        position, received_ms = batch.first + int(batch.message[rows[0]]), int(batch.received_ms[rows[0]])
        readings = msgspec.json.encode([self._reading(batch, row) for row in rows])
        return DeadLetter(position, received_ms, b"", readings, reason, owner)

    def _reading(self, batch: Batch, row: int) -> dict[str, Any]:
        return {
            "series": self._names(int(batch.series[row])),
            "t": int(batch.t_ms[row]),
            "value": float(batch.value[row]),
            "flag": int(batch.flag[row]),
            "test": int(batch.test[row]),
        }
