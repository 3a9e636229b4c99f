"""Copies alarms and events from their record to the store: all, as they stand, whatever was away meanwhile."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from scenewatch.model.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.model.point import Point
    from scenewatch.model.ports import Points

log = logging.getLogger(__name__)

Row = TypeVar("Row")
ROWS_AT_ONCE = 2_000


class Marked(Protocol[Row]):
    """A record whose rows are marked when the store has them. For one thread."""

    def begin(self, store: str, *, anew: bool) -> None:
        """From now on the marks are of this store. If they were of another one, or it is to be `anew`, all go."""
        ...

    def missing(self, limit: int) -> list[Row]:
        """Those the store does not have as they stand, the oldest first."""
        ...

    def mark(self, rows: Sequence[Row]) -> None:
        """The store has these as they are told here."""
        ...


class AsPoints(Protocol[Row]):
    """How rows look in the store."""

    def known(self, row: Row) -> Row:
        """With what is part of its place in the store, which must not be another one later."""
        ...

    def point(self, row: Row) -> Point:
        """Of a row that `known` gave."""
        ...


class Mirror(Generic[Row]):
    """First the store has them, then their marks say so: what is killed between the two is written again.

    `store_name` tells the store from others, `is_new` whether it has lost or never had anything.
    """

    def __init__(
        self,
        what: str,
        mirrored: Marked[Row],
        points: AsPoints[Row],
        store: Points,
        *,
        store_name: str,
        is_new: bool,
    ) -> None:
        self._what = what
        self._mirrored = mirrored
        self._points = points
        self._store = store
        self._store_name = store_name
        self._is_new = is_new
        self._begun = False
        self.refused = 0
        """Rows that the store would not have, ever."""

    def step(self) -> bool:
        """Copy some; whether there may be more. Raises TemporaryError, and then can be called again."""
        if not self._begun:
            self._mirrored.begin(self._store_name, anew=self._is_new)
            self._begun = True
        rows = [self._points.known(row) for row in self._mirrored.missing(ROWS_AT_ONCE)]
        if not rows:
            return False
        try:
            self._store.record([self._points.point(row) for row in rows])
        except RefusedError as error:  # those that can be kept are kept
            if not self.refused:
                log.warning("the store refuses %s, as is not told again: %s", self._what, error)
            self.refused += error.count
        self._mirrored.mark(rows)
        return len(rows) == ROWS_AT_ONCE
