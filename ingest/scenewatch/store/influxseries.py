"""Which series an InfluxDB has, as far as this process has met them, and the newest time each one has there."""

from __future__ import annotations

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
UNKNOWN, UNWRITABLE = -1, -2
"""In place of an id."""


class InfluxSeries:
    """Registry numbers to ids of its own, by name and measurement.

    `marks[id]` is at or above the newest time the server has. It may be above: what a failed write raised
    only makes later readings be looked up that need not be.
    """

    def __init__(self, server: InfluxServer) -> None:
        self._server = server
        self._id_of = np.empty(0, np.int32)
        self._id_by_key: dict[tuple[str, str], int] = {}
        self._id_by_name: dict[str, int] = {}
        """The latest of each name."""
        self._newest: dict[tuple[str, str], dict[str, int]] = {}
        """Of each scene and channel: the newest times the server had when the first such series was met."""
        self.texts = LineTexts()
        self.unwritable: dict[int, str] = {}
        """Registry numbers of series that no line can carry, each with the reason."""
        self.marks = np.empty(0, np.int64)

    def ids(
        self, numbers: NDArray[np.int32], names: Callable[[int], str], measurements: Callable[[int], str]
    ) -> NDArray[np.int32]:
        """UNWRITABLE for a name that no line can carry. Raises TemporaryError; then nothing is learnt."""
        missing = int(numbers.max(initial=-1)) + 1 - len(self._id_of)
        if missing > 0:
            self._id_of = np.concatenate((self._id_of, np.full(missing, UNKNOWN, np.int32)))
        unknown = self._id_of[numbers] == UNKNOWN
        if unknown.any():
            wanted = np.unique(numbers[unknown]).tolist()
            self._learn({number: (measurements(number), names(number)) for number in wanted})
        return self._id_of[numbers]

    def _learn(self, wanted: dict[int, tuple[str, str]]) -> None:
        refused = {number: reason for number, key in wanted.items() if (reason := _why_unwritable(*key))}
        wanted = {number: key for number, key in wanted.items() if number not in refused}
        new = [key for key in dict.fromkeys(wanted.values()) if key not in self._id_by_key]
        series = [SeriesKey.of(*key) for key in new]
        marks = [self._mark(name, key) for (_, name), key in zip(new, series, strict=True)]
        first = len(self.texts.keys)
        self.texts.add(series)
        self._id_by_key |= {key: first + n for n, key in enumerate(new)}
        self._id_by_name |= {name: self._id_by_key[measurement, name] for measurement, name in new}
        self.marks = np.concatenate((self.marks, np.array(marks, np.int64)))
        for number, key in wanted.items():
            self._id_of[number] = self._id_by_key[key]
        self._id_of[list(refused)] = UNWRITABLE
        self.unwritable |= refused

    def _mark(self, name: str, key: SeriesKey) -> int:
        asked = (key.scene, key.channel)
        if asked not in self._newest:
            self._newest[asked] = self._ask_newest(*asked)
        newest = self._newest[asked].get(name, BEFORE_ALL)
        # Under another measurement the same series may have come further since the server was asked.
        other = self._id_by_name.get(name)
        return newest if other is None else max(newest, int(self.marks[other]))

    def _ask_newest(self, scene: str, channel: str) -> dict[str, int]:
        newest: dict[str, int] = {}
        [found] = self._server.query(influxql.newest_of_each(scene, channel))
        for series in found:
            name = f"{scene}.{series.tags.get('site')}.{series.tags.get('device')}.{channel}"
            newest[name] = max(int(series.rows[0][0]), newest.get(name, BEFORE_ALL))
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
                influxql.times(self.texts.keys[ids[g[0]]], int(t_ms[g].min()), int(t_ms[g].max())) for g in some
            ]
            for group, found in zip(some, self._server.query(*statements), strict=True):
                times = [int(row[0]) for series in found for row in series.rows]
                result[group] = np.isin(t_ms[group], np.array(times, np.int64))
        return result


def _why_unwritable(measurement: str, name: str) -> str:
    """Empty where it can be written."""
    try:
        SeriesKey.of(measurement, name).check()
    except RefusedError as error:
        return str(error)
    return ""
