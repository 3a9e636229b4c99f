"""Joins the readings of all files in the order of time; of two at one place and time the first one counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from scenewatch.recorded.notes import Trouble
from scenewatch.recorded.recorded import Recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from scenewatch.recorded.notes import Notes

    Places = Callable[[int, NDArray[np.int64]], list[str]]
    """Of a file, by its number, where these rows are."""
    Origin = tuple[NDArray[np.int32], NDArray[np.int64]]
    """Of each reading its file's number, and its row there."""

MONTH_MS: Final = 30 * 86_400_000


class Rows(NamedTuple):
    """Readings of one file, in its order. `row` is where each stands in it."""

    file: int
    row: NDArray[np.int64]
    device: NDArray[np.int32]
    channel: NDArray[np.int32]
    t_ms: NDArray[np.int64]
    value: NDArray[np.float64]


class Names(NamedTuple):
    """Of devices and channels, by their numbers."""

    devices: tuple[str, ...]
    channels: tuple[str, ...]


def in_order(files: Sequence[str], taken: Sequence[Rows], names: Names, notes: Notes, places: Places) -> Recorded:
    """A place is a channel of a device. Equal times keep the order of the files and of their rows."""
    device, channel, t_ms, value = (
        np.concatenate([getattr(rows, name) for rows in taken]) for name in ("device", "channel", "t_ms", "value")
    )
    order = _order(device, channel, t_ms)
    if order is not None:
        device, channel, t_ms, value = device[order], channel[order], t_ms[order], value[order]
    same = (t_ms[1:] == t_ms[:-1]) & (device[1:] == device[:-1]) & (channel[1:] == channel[:-1])
    again = np.append(np.zeros(1, np.bool_), same)
    if same.any():
        _tell(again, value, (_origin(taken, order), files, notes, places))
    kept = ~again
    found = Recorded(
        files=tuple(files),
        devices=names.devices,
        channels=names.channels,
        device=device[kept],
        channel=channel[kept],
        t_ms=t_ms[kept],
        value=value[kept],
        notes=notes,
    )
    _tell_gaps(found)
    return found


def _order(
    device: NDArray[np.int32], channel: NDArray[np.int32], t_ms: NDArray[np.int64]
) -> NDArray[np.intp] | None:
    """None where they are in order already, as most files are. Equal ones stay as they are."""
    step = np.diff(t_ms)
    if (step >= 0).all():
        tied = np.flatnonzero(step == 0)
        place = device[tied].astype(np.int64) - device[tied + 1]
        if ((place < 0) | ((place == 0) & (channel[tied] <= channel[tied + 1]))).all():
            return None
    return np.lexsort((channel, device, t_ms))


def _origin(taken: Sequence[Rows], order: NDArray[np.intp] | None) -> Origin:
    file = np.repeat(np.array([rows.file for rows in taken], np.int32), [len(rows.row) for rows in taken])
    row = np.concatenate([rows.row for rows in taken])
    return (file, row) if order is None else (file[order], row[order])


def _tell(
    again: NDArray[np.bool_],
    value: NDArray[np.float64],
    book: tuple[Origin, Sequence[str], Notes, Places],
) -> None:
    """Which readings come once more, with the value of the first or with another one."""
    (file, row), files, notes, places = book
    first = np.maximum.accumulate(np.where(again, 0, np.arange(len(again))))
    alike = value == value[first]
    for trouble, which in ((Trouble.AGAIN, again & alike), (Trouble.CONFLICT, again & ~alike)):
        for number in np.unique(file[which]).tolist():
            rows = np.sort(row[which & (file == number)])
            notes.tell(files[number], trouble, len(rows), places(number, rows))


def _tell_gaps(found: Recorded) -> None:
    """Silences so long that nobody knows whether what was usual before is usual still."""
    for number, name in enumerate(found.devices):
        t_ms = found.t_ms[found.device == number]
        behind = np.flatnonzero(np.diff(t_ms) >= MONTH_MS)
        spans = [f"{name} {_day(t_ms[at])} to {_day(t_ms[at + 1])}" for at in behind[:4].tolist()]
        found.notes.tell("", Trouble.GAP, len(behind), spans)


def _day(t_ms: np.int64) -> str:
    return str(np.datetime64(int(t_ms), "ms").astype("datetime64[D]"))
