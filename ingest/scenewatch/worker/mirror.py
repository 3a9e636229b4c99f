"""Copies alarms from their record to the store: all, as they stand, whatever was away or killed meanwhile."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scenewatch.model.errors import RefusedError

if TYPE_CHECKING:
    from scenewatch.model.ports import Points
    from scenewatch.store.mirrored import Mirrored
    from scenewatch.worker.alarmpoints import AlarmPoints

log = logging.getLogger(__name__)

ALARMS_AT_ONCE = 2_000


class Mirror:
    """First the store has them, then their marks say so: what is killed between the two is written again.

    `store_name` tells the store from others, `is_new` whether it has lost or never had anything.
    """

    def __init__(
        self, mirrored: Mirrored, points: AlarmPoints, store: Points, *, store_name: str, is_new: bool
    ) -> None:
        self._mirrored = mirrored
        self._points = points
        self._store = store
        self._store_name = store_name
        self._is_new = is_new
        self._begun = False
        self.refused = 0
        """Alarms that the store would not have, ever."""

    def step(self) -> bool:
        """Copy some; whether there may be more. Raises TemporaryError, and then can be called again."""
        if not self._begun:
            self._mirrored.begin(self._store_name, anew=self._is_new)
            self._begun = True
        rows = [self._points.known(row) for row in self._mirrored.missing(ALARMS_AT_ONCE)]
        if not rows:
            return False
        try:
            self._store.record([self._points.point(row) for row in rows])
        except RefusedError as error:  # those that can be kept are kept
            if not self.refused:
                log.warning("the store refuses alarms, as is not told again: %s", error)
            self.refused += error.count
        self._mirrored.mark(rows)
        return len(rows) == ALARMS_AT_ONCE
