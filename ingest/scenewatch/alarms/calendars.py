"""What the scenes' calendars say of each site, a day at a time, where the kernel can look it up."""

from __future__ import annotations

from functools import lru_cache
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.alarms.rows import FOREVER
from scenewatch.alarms.tables import occasions
from scenewatch.model.rule import During, NoData

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scenewatch.model.ports import Calendar
    from scenewatch.model.scene import Scene

    Spans = Sequence[tuple[int, int]]

DAY_MS: Final = 86_400_000
DAYS_KEPT: Final = 20_000
"""Of a site each. Readings of several days may come by turns: a backlog, and what is measured now."""


class Calendars:
    """One day's spans of each site: those of the day that was asked for last."""

    def __init__(self, scenes: Iterable[Scene]) -> None:
        used = {scene.key: (scene, occasions(scene)) for scene in scenes}
        self._occasions = {key: names for key, (_, names) in used.items()}
        self._calendars: dict[str, Calendar] = {
            key: resolve_name(scene.calendar) for key, (scene, names) in used.items() if names
        }
        self._after_ms = {key: _longest_after(scene) for key, (scene, _) in used.items()}
        self._sites: list[str] = []
        self._number: dict[str, int] = {}
        self._of_day = lru_cache(maxsize=DAYS_KEPT)(self._ask)
        most = max((len(names) for names in self._occasions.values()), default=0)
        self.known = np.zeros((0, 2), np.int64)
        self.spans = np.full((0, most, 1, 2), FOREVER, np.int64)

    def number(self, site: str) -> int:
        """The site's place in the arrays, from the next `grow` on. `site` is `scene.site`."""
        if site not in self._number:
            self._number[site] = len(self._sites)
            self._sites.append(site)
        return self._number[site]

    def grow(self) -> None:
        """Rows for the sites that are new, of which no day is known."""
        more = len(self._sites) - len(self.known)
        self.known = np.concatenate([self.known, np.zeros((more, 2), np.int64)])
        new = np.full((more, *self.spans.shape[1:]), FOREVER, np.int64)
        self.spans = np.concatenate([self.spans, new])

    def learn(self, site: int, t_ms: int) -> None:
        """Know the day that has `t_ms` at this site."""
        if self.known[site, 0] <= t_ms < self.known[site, 1]:
            return
        day = t_ms // DAY_MS
        found = self._of_day(site, day)
        most = max((len(spans) for spans in found), default=0)
        if (more := most - self.spans.shape[2]) > 0:
            self.spans = np.pad(self.spans, ((0, 0), (0, 0), (0, more), (0, 0)), constant_values=FOREVER)
        self.spans[site] = FOREVER
        for occasion, spans in enumerate(found):
            if spans:
                self.spans[site, occasion, : len(spans)] = spans
        self.known[site] = day * DAY_MS, (day + 1) * DAY_MS

    def _ask(self, site: int, day: int) -> tuple[Spans, ...]:
        """By occasion; with those of before that suppress into the day."""
        name = self._sites[site]
        scene = name.partition(".")[0]
        if scene not in self._calendars:
            return ()
        begin_ms, end_ms = day * DAY_MS - self._after_ms[scene], (day + 1) * DAY_MS
        calendar = self._calendars[scene]
        return tuple(calendar(name, begin_ms, end_ms, occasion) for occasion in self._occasions[scene])


def _longest_after(scene: Scene) -> int:
    """Missing data is suppressed by what was done at any time of the silence."""
    return max(
        (
            s.after + (rule.when.after + rule.on_delay if isinstance(rule.when, NoData) else 0)
            for rule in scene.rules
            for s in rule.suppressed_by
            if isinstance(s, During)
        ),
        default=0,
    )
