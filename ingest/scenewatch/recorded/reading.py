"""Reads recorded files into readings: each file's rows are placed in time, joined, and put in order.

What cannot be used is left out and told. Files that were not understood at all are mistakes, told all at once.
"""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.recorded.cells import Cells
from scenewatch.recorded.columns import NO_TIME, table_of
from scenewatch.recorded.layout import layout_of
from scenewatch.recorded.merging import Names, Rows, in_order
from scenewatch.recorded.notes import Notes, Trouble
from scenewatch.recorded.times import DOUBTFUL, IN_ORDER, SKIPPED, to_utc, zone_of
from scenewatch.recorded.units import SAME, conversion

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from collections.abc import Mapping as Map
    from datetime import tzinfo

    from numpy.typing import NDArray

    from scenewatch.recorded.columns import Table
    from scenewatch.recorded.mapping import Mapping
    from scenewatch.recorded.recorded import Recorded
    from scenewatch.recorded.units import Known

EARLIEST_MS, LATEST_MS = 946_684_800_000, 4_102_444_800_000
"""2000 and 2100."""
MOST_LEFT_OUT: Final = 0.5
"""Where more of a file's rows cannot be read it was not understood."""
LEFT_OUT: Final = (
    Trouble.SHORT,
    Trouble.LONG,
    Trouble.QUOTES,
    Trouble.NO_TIME,
    Trouble.OUT_OF_RANGE,
    Trouble.NOT_THERE,
    Trouble.NO_DEVICE,
)
"""Whole rows."""


@dataclass(slots=True)
class _Names:
    """Numbers for names, in the order in which they came."""

    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, name: str) -> int:
        return self.numbers.setdefault(name, len(self.numbers))


class Reader:
    """Takes file after file. `known` are the channels by what the files call them."""

    def __init__(
        self, mapping: Mapping, known: Map[str, Known], zone: str = "", *, derived: Collection[str] = ()
    ) -> None:
        """`zone` goes before the map's. Of `derived` channels nothing is read: they are made of the others.

        Raises ConfigurationError where there is no such zone.
        """
        self._mapping, self._known, self._derived = mapping, known, derived
        said = zone or (mapping.time.zone if mapping.time is not None else "")
        try:
            self._zone: tzinfo | None = zone_of(said) if said else None
        except ValueError as error:
            raise ConfigurationError([Mistake("--zone" if zone else "time.zone", str(error))]) from None
        self._notes = Notes()
        self._devices, self._channels = _Names(), _Names()
        self._taken: list[Rows] = []

    def read(self, paths: Sequence[Path], on_file: Callable[[], object] = lambda: None) -> Recorded:
        """Raises ConfigurationError with the mistakes of all files."""
        mistakes: list[Mistake] = []
        with ExitStack() as opened:
            folder = Path(opened.enter_context(TemporaryDirectory(prefix="scenewatch-")))
            files: list[Cells] = []
            for number, path in enumerate(paths):
                own = folder / str(number)
                own.mkdir()
                try:
                    cells = opened.enter_context(closing(Cells(path, self._mapping.file, own, self._notes)))
                    files.append(cells)
                    self._take(number, str(path), cells)
                except ConfigurationError as error:
                    mistakes += error.mistakes
                on_file()
            if mistakes:
                raise ConfigurationError(mistakes)
            if not sum(len(rows.t_ms) for rows in self._taken):
                raise ConfigurationError([Mistake(", ".join(map(str, paths)), "no reading is left of it")])
            names = Names(tuple(self._devices.numbers), tuple(self._channels.numbers))
            called = [str(path) for path in paths]
            return in_order(called, self._taken, names, self._notes, lambda n, rows: files[n].places(rows))

    def _take(self, number: int, file: str, cells: Cells) -> None:
        table = table_of(cells, layout_of(file, cells.head, self._mapping), self._mapping)
        good = self._good_rows(file, cells, table)
        devices = np.array([self._devices.number(self._device(file, name)) for name in table.devices], np.int32)
        known = [self._known_as(file, table, name) for name in table.channels]
        known.append((-1, *SAME))  # the last one is that of a row without a channel
        for value, spoilt in zip(table.values, table.spoilt, strict=True):
            self._tell(file, Trouble.NOT_A_NUMBER, cells, table.row[spoilt & good])
            self._notes.tell(file, Trouble.MISSING, int(np.count_nonzero(np.isnan(value) & ~spoilt & good)))
        # A row a row of the file and a column a column: readings are taken row by row.
        value = np.stack(table.values, axis=1)
        of = (
            np.arange(value.shape[1], dtype=np.int32)[np.newaxis]
            if table.channel is None
            else table.channel[:, np.newaxis]
        )
        channel, factor, more = (np.array(column)[of] for column in zip(*known, strict=True))
        kept = good[:, np.newaxis] & ~np.isnan(value) & (channel >= 0)
        rows = np.nonzero(kept)[0]
        self._taken.append(
            Rows(
                number,
                table.row[rows],
                devices[table.device[rows]],
                np.broadcast_to(channel.astype(np.int32), kept.shape)[kept],
                table.t_ms[rows],
                (value * factor + more)[kept],
            )
        )
        if table.channel is not None:
            self._tell_unknown(file, table, np.array([k[0] for k in known[:-1]]) < 0)

    # --- rows ------------------------------------------------------------------------------------------------

    def _good_rows(self, file: str, cells: Cells, table: Table) -> NDArray[np.bool_]:
        """Those with a device and a time, which is made UTC here. Raises ConfigurationError where few have."""
        t_ms, what = table.t_ms, np.zeros(len(table.t_ms), np.int8)
        no_time = (t_ms == NO_TIME) & ~table.head_again
        in_range = (t_ms >= EARLIEST_MS) & (t_ms < LATEST_MS)
        local = np.flatnonzero(~table.in_utc & in_range)
        if len(local) and self._zone is None:
            self._notes.tell(file, Trouble.ZONE)
        elif len(local) and self._zone is not None:
            series = table.device.astype(np.int64) * (len(table.channels) + 1)
            if table.channel is not None:
                series += table.channel
            t_ms[local], what[local] = to_utc(t_ms[local], series[local], self._zone)
        no_device = in_range & (table.device < 0)
        for trouble, which in (
            (Trouble.HEAD_AGAIN, table.head_again),
            (Trouble.NO_TIME, no_time),
            (Trouble.OUT_OF_RANGE, ~in_range & (t_ms != NO_TIME)),
            (Trouble.NOT_THERE, what == SKIPPED),
            (Trouble.TWICE_THERE, what == IN_ORDER),
            (Trouble.DOUBTFUL, what == DOUBTFUL),
            (Trouble.NO_DEVICE, no_device),
        ):
            self._tell(file, trouble, cells, table.row[which])
        good: NDArray[np.bool_] = in_range & ~no_device & (what != SKIPPED)
        self._understood(file, len(t_ms) - int(np.count_nonzero(table.head_again)))
        return good

    def _understood(self, file: str, rows: int) -> None:
        left_out = self._notes.count(file, *LEFT_OUT)
        early = self._notes.count(file, Trouble.SHORT, Trouble.LONG, Trouble.QUOTES)
        if left_out > MOST_LEFT_OUT * (rows + early):
            said = "; ".join(text.en.removeprefix(f"{file}: ") for text in self._notes.of(file, *LEFT_OUT))
            raise ConfigurationError([Mistake(file, f"most of its rows cannot be read: {said}")])
        if not rows:
            raise ConfigurationError([Mistake(file, "has a head and no rows")])

    def _tell(self, file: str, trouble: Trouble, cells: Cells, rows: NDArray[np.int64]) -> None:
        if len(rows):
            self._notes.tell(file, trouble, len(rows), cells.places(rows))

    # --- devices and channels --------------------------------------------------------------------------------

    def _device(self, file: str, name: str) -> str:
        """As the files call it; a file without a column of devices is one, called as the file."""
        return name or self._mapping.device.id or Path(file).name.partition(".")[0]

    def _known_as(self, file: str, table: Table, name: str) -> tuple[int, float, float]:
        """The channel's number, or -1, and what makes its readings be in its unit."""
        known = self._known.get(name)
        if table.channel is None:
            known = next(k for k in self._known.values() if k.key == name)
        if known is None:
            return -1, *SAME
        units = sorted({unit for channel, unit in table.units if channel == name} - {known.unit})
        given = units[0] if units else known.given
        found = conversion(given, known.unit)
        if found is None or len(units) > 1:
            what = f"{name} is in {', '.join(units)}, which cannot be made {known.unit!r} of {known.key}"
            raise ConfigurationError([Mistake(file, what)])
        if found != SAME:
            self._notes.tell(file, Trouble.CONVERTED, at=[f"{name} {given} → {known.unit}"])
        return self._channels.number(known.key), *found

    def _tell_unknown(self, file: str, table: Table, unknown: NDArray[np.bool_]) -> None:
        """Raises ConfigurationError where nothing is known of any channel."""
        names = [name for name, is_unknown in zip(table.channels, unknown.tolist(), strict=True) if is_unknown]
        if len(names) == len(table.channels):
            known = ", ".join(sorted(self._known))
            what = f"no channel is known: it has {', '.join(names[:5])}; known are {known}"
            raise ConfigurationError([Mistake(file, what)])
        if not names or table.channel is None:
            return
        counts = np.bincount(table.channel[table.channel >= 0], minlength=len(table.channels)).tolist()
        for name, count in zip(table.channels, counts, strict=True):
            if name in names:
                trouble = Trouble.DERIVED if name in self._derived else Trouble.UNKNOWN_CHANNEL
                self._notes.tell(file, trouble, count, [name])
