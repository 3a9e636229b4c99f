"""Which series an InfluxDB has, as far as this process has met them, and the newest time each one has there."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np

from scenewatch.model.errors import RefusedError
from scenewatch.store import influxql
from scenewatch.store.lineprotocol import LineTexts, SeriesKey
from scenewatch.store.series import BEFORE_ALL

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from scenewatch.store.influxserver import InfluxServer

STATEMENTS_A_QUERY = 200
LEARNT_AT_ONCE = 20_000
"""While they are learnt, series take half a kilobyte each."""
UNKNOWN, UNWRITABLE = -1, -2
"""In place of an id."""


class InfluxSeries:
    """Registry numbers to ids of its own, by name and measurement: those of `texts`.

    `marks[id]` is at or above the newest time the server has. It may be above: what a failed write raised
    only makes later readings be looked up that need not be.
    """

    def __init__(self, server: InfluxServer) -> None:
        self._server = server
        self._id_of = np.empty(0, np.int32)
        self._newest: dict[tuple[str, str], array[int]] = {}
        """Of each scene and channel, by place: the newest times the server had when it was asked."""
        self.texts = LineTexts()
        self.unwritable: dict[int, str] = {}
        """Registry numbers of series that no line can carry, each with the reason."""
        self.marks = np.empty(0, np.int64)

    def ids(
        self, numbers: NDArray[np.int32], names: Callable[[int], str], measurements: Callable[[int], str]
    ) -> NDArray[np.int32]:
        """UNWRITABLE for a name that no line can carry. Raises TemporaryError, and then can be called again."""
        missing = int(numbers.max(initial=-1)) + 1 - len(self._id_of)
        if missing > 0:
            self._id_of = np.concatenate((self._id_of, np.full(missing, UNKNOWN, np.int32)))
        unknown = self._id_of[numbers] == UNKNOWN
        if unknown.any():
            wanted = np.unique(numbers[unknown])
            for first in range(0, len(wanted), LEARNT_AT_ONCE):
                self._learn(wanted[first : first + LEARNT_AT_ONCE].tolist(), names, measurements)
        return self._id_of[numbers]

    def _learn(self, numbers: list[int], names: Callable[[int], str], measurements: Callable[[int], str]) -> None:
        numbers_of: dict[SeriesKey, list[int]] = {}
        for number in numbers:
            try:
                key = SeriesKey.of(measurements(number), names(number))
                key.check()
            except RefusedError as error:
                self.unwritable[number] = str(error)
                self._id_of[number] = UNWRITABLE
            else:
                numbers_of.setdefault(key, []).append(number)
        known = {key: self.texts.numbers(key) for key in numbers_of}
        new = [key for key in numbers_of if key.measurement not in known[key]]
        # Under another measurement a series may have come further since the server was asked.
        marks = [max([self._told(key), *(self.marks[n] for n in known[key].values())]) for key in new]
        id_of = {key: len(self.texts) + n for n, key in enumerate(new)}
        self.texts.add(new)
        self.marks = np.concatenate((self.marks, np.array(marks, np.int64)))
        for key, mine in numbers_of.items():
            self._id_of[mine] = id_of[key] if key in id_of else known[key][key.measurement]

    def _told(self, key: SeriesKey) -> int:
        """The newest time that the server has told of it."""
        asked = (key.scene, key.channel)
        if asked not in self._newest:
            self._newest[asked] = self._ask_newest(*asked)
        newest, place = self._newest[asked], self.texts.place(key.place)
        return newest[place] if place < len(newest) else BEFORE_ALL

    def _ask_newest(self, scene: str, channel: str) -> array[int]:
        newest = array("q")
        [found] = self._server.query(influxql.newest_of_each(scene, channel))
        for series in found:
            place = self.texts.place(f"{scene}.{series.tags.get('site')}.{series.tags.get('device')}")
            newest.extend([BEFORE_ALL] * (place + 1 - len(newest)))
            newest[place] = max(int(series.rows[0][0]), newest[place])
        return newest

    def taken(self, ids: NDArray[np.int32], t_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these places the server has a reading at. Raises TemporaryError."""
        order = np.argsort(ids, kind="stable")
        edges = np.flatnonzero(np.diff(ids[order])) + 1
        groups = [group for group in np.split(order, edges) if len(group) > 0]
        result = np.zeros(len(ids), np.bool_)
        for first in range(0, len(groups), STATEMENTS_A_QUERY):
            some = groups[first : first + STATEMENTS_A_QUERY]
            statements = [
                influxql.times(self.texts.key(ids[g[0]]), int(t_ms[g].min()), int(t_ms[g].max())) for g in some
            ]
            for group, found in zip(some, self._server.query(*statements), strict=True):
                times = [int(row[0]) for series in found for row in series.rows]
                result[group] = np.isin(t_ms[group], np.array(times, np.int64))
        return result
