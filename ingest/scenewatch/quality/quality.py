"""Quality's state between batches: grows with the inventory, lets the API look, saves and restores."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from scenewatch.model.clock import ALLOWED_SKEW_MS
from scenewatch.model.errors import CorruptError
from scenewatch.model.flags import Flag, Place, Test
from scenewatch.model.pieces import array_of
from scenewatch.quality.kernel import LIMITS, NEVER, STATE, Columns, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from scenewatch.model.batch import Batch
    from scenewatch.model.pieces import Piece
    from scenewatch.model.registry import Registry
    from scenewatch.model.scene import Channel, DeviceType

VERSION = 2
UNLIMITED_MS = 2**62
LAYOUT = str(STATE.descr)


@dataclass(frozen=True, slots=True)
class Last:
    """The newest reading of each series asked for; flag MISSING and value NaN where there is none yet."""

    t_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    flag: NDArray[np.uint8]
    test: NDArray[np.uint8]


class _Saved(msgspec.Struct, array_like=True):
    """What a snapshot is read as."""

    version: int
    series: int
    layout: str
    rows: memoryview
    counts: memoryview


class Quality:
    """Implements `ports.Check`. One thread checks; `last` may be asked from any.

    A reading with a wrong clock takes its receive time. So several of one message take the same time: the
    first is kept, the others count as duplicates, because nothing tells when they were measured.
    """

    def __init__(self, allowed_skew_ms: int = ALLOWED_SKEW_MS) -> None:
        self._allowed_skew_ms = allowed_skew_ms
        self._limits = np.empty(0, LIMITS)
        self._state = np.empty(0, STATE)
        self._lock = Lock()
        self.counts = np.zeros((len(Place), len(Test)), np.int64)
        """Readings by place and test, all since the journal began."""

    def grow(self, registry: Registry) -> None:
        self._limits = np.array([_limits(t, c) for _, t, c in registry.kinds], LIMITS)
        known = len(self._state)
        new = np.zeros(registry.series_count - known, STATE)
        new["last_t"] = new["good_t"] = new["run_t"] = NEVER
        new["last_value"] = new["good_value"] = np.nan
        new["flag"] = Flag.MISSING
        new["kind"] = registry.series_kind[known:]
        with self._lock:
            self._state = np.concatenate([self._state, new])

    def check(self, batch: Batch) -> None:
        columns = Columns(*(getattr(batch, name) for name in Columns._fields))
        with self._lock:
            judge(columns, self._state, self._limits, self._allowed_skew_ms, self.counts)

    def last(self, series: NDArray[np.integer[Any]] | slice = slice(None)) -> Last:
        with self._lock:
            rows = self._state[series].copy()
        return Last(rows["last_t"], rows["last_value"], rows["flag"], rows["test"])

    def snapshot(self) -> Iterator[Piece]:
        return array_of(VERSION, len(self._state), LAYOUT, self._state, self.counts)

    def restore(self, data: bytes) -> None:
        """Raises CorruptError, and is as before, if the bytes are not a snapshot of as many series."""
        try:
            saved = msgspec.msgpack.decode(data, type=_Saved)
            made_for, here = (saved.version, saved.series), (VERSION, len(self._state))
            if made_for != here or saved.layout != LAYOUT:
                raise CorruptError(f"quality snapshot of (version, series) {made_for}, not {here}")
            state = np.frombuffer(saved.rows, STATE, count=here[1]).copy()
            state["kind"] = self._state["kind"]  # from the tables, which may have changed since the snapshot
            counts = np.frombuffer(saved.counts, np.int64).reshape(self.counts.shape).copy()
        except (msgspec.MsgspecError, KeyError, ValueError) as error:
            raise CorruptError(f"not a quality snapshot: {error}") from error
        with self._lock:
            self._state, self.counts = state, counts


def _limits(device_type: DeviceType, channel: Channel) -> tuple[float, ...]:
    """A row of LIMITS; what is not limited gets a limit no reading reaches."""
    expected = channel.expected
    return (
        channel.possible.low,
        channel.possible.high,
        -np.inf if expected is None else expected.low,
        np.inf if expected is None else expected.high,
        np.inf if channel.fastest_per_minute is None else channel.fastest_per_minute,
        UNLIMITED_MS if channel.stuck_after is None else channel.stuck_after,
        device_type.gap,
    )
