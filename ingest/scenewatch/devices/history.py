"""A fleet's past as batches, the way the journal takes history: whole columns, no message in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scenewatch.model.batch import Batch
from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from scenewatch.devices.fleet import Block, Fleet
    from scenewatch.model.registry import Registry


def batches(fleet: Fleet, registry: Registry, from_ms: int, to_ms: int) -> Iterator[Batch]:
    """Unchecked readings of the steps in (from_ms, to_ms], received when measured. Silent devices are absent."""
    fleet.skip(from_ms)
    series = _series(fleet, registry)
    device = np.repeat(np.arange(len(fleet.devices)), np.diff(fleet.first_column))
    for block in fleet.advance(to_ms):
        yield _batch(block, series, device)


def _batch(block: Block, series: NDArray[np.int32], device: NDArray[np.intp]) -> Batch:
    kept = np.flatnonzero(~block.silent[:, device].ravel())
    step, column = np.divmod(kept, len(series))
    batch = Batch.of(series[column], block.t_ms[step, device[column]], block.values.ravel()[kept])
    sample = step * block.t_ms.shape[1] + device[column]
    batch.message = np.cumsum(np.diff(sample, prepend=sample[:1]) != 0, dtype=np.int32)
    return batch


def _series(fleet: Fleet, registry: Registry) -> NDArray[np.int32]:
    """The series number of each of the fleet's columns."""
    numbers = [registry.number(d.id) for d in fleet.devices]
    unknown = [d.id for d, n in zip(fleet.devices, numbers, strict=True) if n is None]
    if unknown:
        raise ConfigurationError([Mistake(f"history: {d}", "is not in the inventory") for d in unknown])
    return np.array([s for n in numbers if n is not None for s in registry.series_of(n)], np.int32)
