"""What of every owner's messages the store has, and handing dead letters to the journal to be tried again."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from scenewatch.ledger.retry import encode_retry
from scenewatch.model.ledger import Shares
from scenewatch.model.ports import RecordKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenewatch.ledger.tally import Tally
    from scenewatch.model.batch import Batch
    from scenewatch.model.ports import Clock, Journal
    from scenewatch.store.deadletters import DeadLetters
    from scenewatch.store.retries import Retries

LETTERS_A_RECORD = 1000
BYTES_A_RECORD = 4 * 1024 * 1024


class Accounts:
    """Implements `writer.Account`: dead letters, and the tally at the store's position.

    The pipeline's own tally is ahead of this one by what is pending.
    """

    def __init__(self, tally: Tally, letters: DeadLetters, retries: Retries) -> None:
        self._tally = tally
        self._letters = letters
        self._retries = retries
        self._refused = Shares()
        """Of the batch at hand: what the store's server would not take."""
        self._lock = threading.Lock()

    def keep(self, batch: Batch) -> None:
        """Before the store moves on: what it has taken is never handed on again, and nothing here told again."""
        self._refused = Shares()
        if batch.dead:
            self._letters.add(batch.dead)
        if batch.tried:
            self._retries.tell(batch.tried)

    def refused(self, shares: Shares) -> None:
        """What the store refuses of the batch at hand changes accounts, once it has the rest. From its writer."""
        self._refused = shares

    def stored(self, batch: Batch) -> None:
        """From the store's writer."""
        with self._lock:
            self._tally.add(batch.shares)
            self._tally.add(self._refused)

    def had(self, batch: Batch) -> None:
        """A batch that the store took in an earlier life. From the pipeline's thread."""
        with self._lock:
            self._tally.add(batch.shares)

    def copy(self) -> Tally:
        with self._lock:
            return self._tally.copy()


class Mender:
    """Turns what somebody asked for into RETRY records. Called by the keeper, in its thread.

    One record at a time: only when the store is past the last one has the table been told what came of it, and
    what is still asked for then has not been tried. So no letter is tried twice for one asking.
    """

    def __init__(self, retries: Retries, journal: Journal, stored: Callable[[], int], clock: Clock) -> None:
        self._retries = retries
        self._journal = journal
        self._stored = stored
        self._clock = clock
        self._until = journal.head
        """An earlier life may have written a record up to here."""

    def step(self) -> None:
        """Raises TemporaryError when the database or the journal cannot be used now."""
        if self._stored() < self._until:
            return
        at_ms = self._clock.now_ms()
        letters = self._retries.asked(LETTERS_A_RECORD, BYTES_A_RECORD)
        if letters:
            self._until = self._journal.append_record(RecordKind.RETRY, encode_retry(letters), at_ms)
