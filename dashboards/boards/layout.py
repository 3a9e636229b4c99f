"""Puts panels on Grafana's 24 columns and numbers them; what would be too much at a glance is folded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from boards.panels import Json

COLUMNS: Final = 24
MOST_VISIBLE: Final = 15
"""More panels than this answer no question at a glance; each costs queries at every refresh too."""


class Placed(NamedTuple):
    """A panel with the room it takes."""

    panel: Json
    width: int
    height: int


@dataclass(kw_only=True)
class Section:
    """Panels under one heading. Without a title it has none, and is never folded."""

    title: str = ""
    placed: list[Placed] = field(default_factory=list)
    folded: bool = False

    def add(self, panel: Json, *, width: int, height: int) -> None:
        self.placed.append(Placed(panel, width, height))


def arrange(sections: Iterable[Section]) -> list[Json]:
    """Grafana's list of panels. Sections past the most that may be visible are folded."""
    found: list[Json] = []
    y, visible, number = 0, 0, 1
    for section in sections:
        if not section.placed:
            continue
        folded = bool(section.title) and (section.folded or visible + len(section.placed) > MOST_VISIBLE)
        row = {"type": "row", "title": section.title, "collapsed": folded, "id": number, "panels": []}
        if section.title:
            row["gridPos"] = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
            found.append(row)
            y, number = y + 1, number + 1
        panels, below = _place(section.placed, y, number)
        number += len(panels)
        if folded:
            row["panels"] = panels
        else:
            found += panels
            y, visible = below, visible + len(panels)
    return found


def _place(placed: Iterable[Placed], y: int, number: int) -> tuple[list[Json], int]:
    """Left to right, in lines as high as the highest in it. Returns where the next line would begin too."""
    panels: list[Json] = []
    x = height = 0
    for one in placed:
        if x + one.width > COLUMNS:
            x, y, height = 0, y + height, 0
        place = {"x": x, "y": y, "w": one.width, "h": one.height}
        panels.append({**one.panel, "id": number + len(panels), "gridPos": place})
        x, height = x + one.width, max(height, one.height)
    return panels, y + height
