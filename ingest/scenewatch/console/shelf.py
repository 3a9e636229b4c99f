"""ECharts from the shelf: a wheel that happens to carry it as an ES module, found on disk and never imported."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from scenewatch.model.errors import ConfigurationError, Mistake

WHEEL = "nicegui"
INSIDE = Path("elements/echart/dist")
CHUNK = re.compile(r"""from\s*["']\./([\w.-]+\.js)["']""")


@dataclass(frozen=True, slots=True)
class Shelf:
    """The one folder that is served, under an address that changes with the wheel and may be kept for ever."""

    folder: Path
    address: str
    chunk: str
    """File name of the part that holds the library itself; its name has a hash."""

    @property
    def module(self) -> str:
        return f"{self.address}/index.js"

    @property
    def preloads(self) -> tuple[str, str]:
        return self.module, f"{self.address}/{self.chunk}"


def echarts() -> Shelf:
    """Raises ConfigurationError when the wheel is missing or laid out otherwise than its pinned version."""
    spec = find_spec(WHEEL)
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise ConfigurationError([Mistake(WHEEL, "is not installed; it carries the chart library")])
    folder = Path(places[0]) / INSIDE
    index = folder / "index.js"
    found = CHUNK.search(index.read_text()) if index.is_file() else None
    if not found:
        raise ConfigurationError([Mistake(str(index), "is not the chart module of the pinned version")])
    return Shelf(folder, f"/shelf/{WHEEL}-{version(WHEEL)}/echart", found[1])
