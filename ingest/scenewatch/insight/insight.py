"""Insight's state between batches: grows with the inventory, derives, saves and restores."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from scenewatch.insight.kernel import step
from scenewatch.insight.rows import BUCKET, HOURS, NEVER, PARTS, STATE, Tables, Told
from scenewatch.insight.tables import NOT_DERIVED, Layout, buckets_of, lay_out, learning_hours
from scenewatch.model.batch import COLUMNS, Batch
from scenewatch.model.errors import CorruptError
from scenewatch.model.flags import Flag, Place, Test
from scenewatch.model.ledger import Counts, Shares
from scenewatch.model.pieces import array_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from scenewatch.model.pieces import Piece
    from scenewatch.model.registry import Registry

VERSION = 2
TOLD_AT_A_TIME = 4096
NOTHING, NOWHERE = Batch.of(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0)), np.empty(0, np.int64)
LAYOUT = str((STATE.descr, BUCKET.descr))


class _Saved(msgspec.Struct, array_like=True):
    """What a snapshot is read as."""

    version: int
    rows: int
    layout: str
    state: memoryview
    buckets: memoryview
    pattern: memoryview
    learning: memoryview


class Insight:
    """Everything in the pipeline's thread. The same derived readings for any split that cuts no message."""

    def __init__(self) -> None:
        self._layout: Layout = lay_out(())
        self._kind = np.empty(0, np.int32)
        self._base = np.empty(0, np.int32)
        self._device = np.empty(0, np.int32)
        self._state = np.empty(0, STATE)
        self._buckets = np.empty(0, BUCKET)
        self._pattern = np.empty((0, HOURS + PARTS))
        self._learning = np.empty((0, 0))
        self._told = _room(TOLD_AT_A_TIME)

    def grow(self, registry: Registry) -> None:
        """Take up the series that are new since the last call. Before any batch with them."""
        self._layout = lay_out(registry.kinds)
        known = len(self._kind)
        kind = np.array(registry.series_kind, np.int32)
        device = np.array(registry.series_device, np.int32)
        self._kind, self._device = kind, device
        operation = self._layout.of_kind[kind] if len(kind) else np.empty(0, np.int32)
        new = known + np.flatnonzero(operation[known:] != NOT_DERIVED)
        self._append(new.astype(np.int32), operation[new], registry)
        # of each device the first of its rows: they follow on each other, as its series do
        first = np.searchsorted(self._state["series"], np.searchsorted(device, device, side="left"))
        self._base = first.astype(np.int32)

    def derive(self, batch: Batch) -> tuple[Batch, NDArray[np.int64]]:
        """What follows from checked readings, unchecked, and the place in `batch` before which each belongs."""
        if not len(self._state):
            return NOTHING, NOWHERE
        columns = batch.columns
        tables = Tables(
            self._layout.first_link,
            self._layout.links,
            self._layout.operations,
            self._kind,
            self._base,
            self._state,
            self._buckets,
            self._pattern,
            self._learning,
            np.empty(self._learning.shape[1]),
        )
        parts: list[Told] = []
        done = 0
        while done < len(batch):
            done, written = step(done, columns, tables, self._told)
            if written:
                parts.append(Told._make(column[:written].copy() for column in self._told))
        if not parts:
            return NOTHING, NOWHERE
        told = Told._make(np.concatenate(columns) for columns in zip(*parts, strict=True))
        return self._batch(batch, told), _behind(batch, told.cause, self._device)

    def snapshot(self) -> Iterator[Piece]:
        arrays = (self._state, self._buckets, self._pattern, self._learning)
        return array_of(VERSION, len(self._state), LAYOUT, *arrays)

    def restore(self, data: bytes) -> None:
        """Raises CorruptError, and is as before, if the bytes are not a snapshot of the same derived channels."""
        try:
            saved = msgspec.msgpack.decode(data, type=_Saved)
            if (saved.version, saved.rows, saved.layout) != (VERSION, len(self._state), LAYOUT):
                raise CorruptError(f"insight snapshot of (version, rows) {saved.version, saved.rows}")
            state = np.frombuffer(saved.state, STATE, count=saved.rows).copy()
            buckets = np.frombuffer(saved.buckets, BUCKET, count=len(self._buckets)).copy()
            pattern = np.frombuffer(saved.pattern, np.float64).reshape(self._pattern.shape).copy()
            learning = np.frombuffer(saved.learning, np.float64).reshape(self._learning.shape).copy()
        except (msgspec.MsgspecError, ValueError) as error:
            raise CorruptError(f"not an insight snapshot: {error}") from error
        for name in ("operation", "series", "ring"):
            if not np.array_equal(state[name], self._state[name]):
                raise CorruptError("the scenes' derived channels have changed since it was saved")
        self._state, self._buckets, self._pattern, self._learning = state, buckets, pattern, learning

    def _append(self, series: NDArray[np.int32], operation: NDArray[np.int32], registry: Registry) -> None:
        derived = [registry.channel_of(s).derived for s in series.tolist()]
        types = [registry.type_of(int(self._device[s])) for s in series.tolist()]
        sizes = np.array(
            [buckets_of(d, t) if d is not None else 0 for d, t in zip(derived, types, strict=True)], np.int32
        )
        hours = np.array([learning_hours(d) if d is not None else 0 for d in derived], np.int32)
        departs = hours > 0
        rows = np.zeros(len(series), STATE)
        for name in (
            "first_t",
            "told",
            "seen_t",
            "changed_t",
            "spoke_t",
            "since",
            "of_t",
            "hour",
            "until",
            "bucket_end",
        ):
            rows[name] = NEVER
        rows["series"], rows["operation"] = series, operation
        rows["ring"] = np.where(
            departs,
            len(self._pattern) + np.cumsum(departs) - 1,
            len(self._buckets) + np.cumsum(sizes) - sizes,
        )
        buckets = np.zeros(int(sizes.sum()), BUCKET)
        buckets["number"] = NEVER
        self._state = np.concatenate([self._state, rows])
        self._buckets = np.concatenate([self._buckets, buckets])
        self._pattern = np.concatenate([self._pattern, np.zeros((int(departs.sum()), HOURS + PARTS))])
        widest = max(self._learning.shape[1], int(hours.max(initial=0)))
        learning = np.full((len(self._pattern), widest), np.nan)
        learning[: len(self._learning), : self._learning.shape[1]] = self._learning
        self._learning = learning

    def _batch(self, batch: Batch, told: Told) -> Batch:
        n = len(told.series)
        columns: dict[str, Any] = {name: getattr(batch, name)[told.cause] for name, _ in COLUMNS}
        columns |= {"series": told.series, "t_ms": told.t_ms, "value": told.value}
        columns |= {
            "flag": np.full(n, Flag.NOT_EVALUATED, np.uint8),
            "test": np.full(n, Test.NONE, np.uint8),
            "place": np.full(n, Place.NEW, np.uint8),
        }
        return replace(batch, **columns, counts=Counts(), shares=Shares(), dead=[], tried=[])


def inserted(batch: Batch, more: Batch, before: NDArray[np.int64]) -> Batch:
    """`batch`, with its account, and the rows of `more` at their places."""
    if not len(more):
        return batch
    columns: dict[str, Any] = {
        name: np.insert(getattr(batch, name), before, getattr(more, name)) for name, _ in COLUMNS
    }
    return replace(batch, **columns)


def _behind(batch: Batch, cause: NDArray[np.int64], device: NDArray[np.int32]) -> NDArray[np.int64]:
    """Behind the last row of each one's message, and of its device's instant: neither is ever cut in two."""
    if not len(cause):
        return cause
    of = device[batch.series]
    same = (batch.message[1:] == batch.message[:-1]) | ((of[1:] == of[:-1]) & (batch.t_ms[1:] == batch.t_ms[:-1]))
    ends = np.append(np.flatnonzero(~same), len(batch) - 1)
    return ends[np.searchsorted(ends, cause)] + 1


def _room(n: int) -> Told:
    return Told(np.zeros(n, np.int64), np.zeros(n, np.int32), np.zeros(n, np.int64), np.zeros(n))
