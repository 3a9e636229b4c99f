"""A fleet's past as batches, the way the journal takes history: whole columns, no message in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from scenewatch.model.batch import Batch
from scenewatch.model.clock import believed_ms
from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.model.event import Event

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from numpy.typing import NDArray

    from scenewatch.devices.fleet import Block, Fleet
    from scenewatch.devices.telling import Telling
    from scenewatch.model.registry import Registry


class Past(NamedTuple):
    """What arrived in some steps: readings, unchecked, and what devices told."""

    batch: Batch
    events: list[Event]
    """As they were received."""


def past(fleet: Fleet, registry: Registry, from_ms: int, to_ms: int) -> Iterator[Past]:
    """The steps in (from_ms, to_ms], received when measured or told, or when their gateway is back.

    Silent devices are absent, and so is what a gateway still keeps at the end: its devices publish that later.
    """
    fleet.skip(from_ms)
    return arrived(fleet, registry, fleet.advance(to_ms))


def arrived(fleet: Fleet, registry: Registry, blocks: Iterable[Block]) -> Iterator[Past]:
    """What comes of the fleet's next blocks."""
    numbers = _numbers(fleet, registry)
    measured = zip(numbers, fleet.channels, strict=True)
    series = np.array([s for n, keys in measured for s in registry.series_of(n)[: len(keys)]], np.int32)
    device = np.repeat(np.arange(len(fleet.devices)), np.diff(fleet.first_column))
    kept_back: list[Batch] = []
    told_late: list[Telling] = []
    for block in blocks:
        until_ms = int(block.t_ms[-1].max())
        told = sorted([*told_late, *block.told], key=lambda one: one.sent_ms)
        told_late = [one for one in told if one.sent_ms > until_ms]
        events = [_event(one, numbers[one.device]) for one in told if one.sent_ms <= until_ms]
        batch = _batch(block, series, device)
        if block.sent_ms is not block.t_ms or kept_back:
            batch, waiting = _arrived([*kept_back, batch], until_ms)
            kept_back = [waiting] if len(waiting) else []
        if len(batch) or events:
            yield Past(batch, events)


def pieces(past: Past, kinds: Collection[str]) -> Iterator[Past]:
    """The same, cut so that each event of these kinds comes between what was received before it and the rest."""
    batch, events = past
    waiting: list[Event] = []
    for event in events:
        waiting.append(event)
        if event.kind in kinds:
            before = batch.received_ms <= event.received_ms
            yield Past(_numbered(batch.select(before)), waiting)
            batch, waiting = _numbered(batch.select(~before)), []
    if len(batch) or waiting:
        yield Past(batch, waiting)


def batches(fleet: Fleet, registry: Registry, from_ms: int, to_ms: int) -> Iterator[Batch]:
    """Of the past the readings alone."""
    return (piece.batch for piece in past(fleet, registry, from_ms, to_ms) if len(piece.batch))


def _event(telling: Telling, device: int) -> Event:
    """Its place in the journal is not known yet."""
    said = telling.happening
    return Event(
        position=0,
        device=device,
        kind=said.kind,
        at_ms=believed_ms(telling.stamped_ms, telling.sent_ms),
        received_ms=telling.sent_ms,
        level=said.level,
        text=said.text,
        data=said.data,
    )


def _arrived(parts: list[Batch], until_ms: int) -> tuple[Batch, Batch]:
    """What was received by then, in the order it came, and what was not."""
    numbered = 0
    for part in parts:
        part.message += np.int32(numbered)
        numbered += len(part)
    all_of_it = Batch.concat(parts)
    order = np.argsort(all_of_it.received_ms, kind="stable")
    here = int(np.searchsorted(all_of_it.received_ms[order], until_ms, side="right"))
    return _numbered(all_of_it.select(order[:here])), _numbered(all_of_it.select(order[here:]))


def _numbered(batch: Batch) -> Batch:
    """Messages counted from 0 again."""
    batch.message = np.cumsum(np.diff(batch.message, prepend=batch.message[:1]) != 0, dtype=np.int32)
    return batch


def _batch(block: Block, series: NDArray[np.int32], device: NDArray[np.intp]) -> Batch:
    kept = np.flatnonzero(~block.silent[:, device].ravel())
    step, column = np.divmod(kept, len(series))
    owner = device[column]
    batch = Batch.of(
        series[column],
        block.stamped_ms[step, owner],
        block.values.ravel()[kept],
        received_ms=block.sent_ms[step, owner],
    )
    sample = step * block.t_ms.shape[1] + owner
    batch.message = np.cumsum(np.diff(sample, prepend=sample[:1]) != 0, dtype=np.int32)
    return batch


def _numbers(fleet: Fleet, registry: Registry) -> list[int]:
    """The registry's number of each of the fleet's devices."""
    numbers = [registry.number(d.id) for d in fleet.devices]
    unknown = [d.id for d, n in zip(fleet.devices, numbers, strict=True) if n is None]
    if unknown:
        raise ConfigurationError([Mistake(f"history: {d}", "is not in the inventory") for d in unknown])
    return [n for n in numbers if n is not None]
