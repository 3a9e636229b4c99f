"""What a device must be to come into the inventory, from a file or by a click: all mistakes are told at once.

Names are words of people and are kept as they are, markup and all: whoever shows them escapes them.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from scenewatch.inventory.places import swapped
from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.model.place import ID, Device
from scenewatch.model.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from scenewatch.model.scene import Scene

COLUMNS: Final = ("scene", "site", "device", "type", "parent", "name_en", "name_zh", "lat", "lon")
NAMES: Final = ("name_en", "name_zh")
MOST_NAME: Final = 200
"""Letters of a name."""
MOST_PROPERTY: Final = 1000
"""Letters of any further cell."""
NUMBER: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
LINE_SIGNS: Final = "\t\n\r"
"""Control characters that a longer text may have; a name has none."""
TURNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They turn the direction of writing around, so that a name reads as another one."""


class Checks:
    """Takes entries one after the other; `devices` gives them all, or raises with every mistake.

    `known` is what the inventory has: an entry may have its parent there. `source` begins each place.
    """

    def __init__(
        self, source: str, scenes: Iterable[Scene], known: Iterable[Device] = (), *, retype: bool = False
    ) -> None:
        self._source = source
        self._types = {s.key: {t.key for t in s.device_types} for s in scenes}
        self._known = {d.id: d for d in known}
        self._retype = retype
        self._found: dict[str, tuple[int, Device]] = {}
        self._mistakes: list[tuple[int, str]] = []
        self.word = "line"
        """What an entry's number counts."""
        self.on_entry: Callable[[], object] = _nothing
        """Called with each."""

    def wrong(self, number: int, what: str) -> None:
        self._mistakes.append((number, what))

    def place(self, number: int) -> str:
        return f"{self._source}, {self.word} {number}" if self.word else self._source

    def devices(self) -> list[Device]:
        """Raises ConfigurationError with all mistakes, by their place."""
        for number, device in self._found.values():
            self._check_parent(number, device)
            self._check_retype(number, device)
        for number, what in self._circles():
            self.wrong(number, what)
        if self._mistakes:
            told = sorted(self._mistakes, key=lambda mistake: mistake[0])
            raise ConfigurationError([Mistake(self.place(number), what) for number, what in told])
        return [device for _, device in self._found.values()]

    def warnings(self) -> list[str]:
        """What is taken as it is, and worth a second look."""
        return [f"{self.place(number)}: {what}" for number, what in swapped(self._found.values())]

    def add(self, number: int, cells: Mapping[str, str]) -> None:
        """One entry; `cells` has every column, and further ones, which are its properties."""
        self.on_entry()
        for column, cell in cells.items():
            self._check_text(number, column, cell)
        self._check_kind(number, cells["scene"], cells["type"])
        for column in ("site", "device"):
            self._check_id(number, column, cells[column])
        lat, lon = self._position(number, cells["lat"], cells["lon"])
        device = Device(
            scene=cells["scene"],
            site=cells["site"],
            device=cells["device"],
            type=cells["type"],
            parent=cells["parent"],
            name=Text(cells["name_en"], cells["name_zh"]),
            lat=lat,
            lon=lon,
            properties={name: cell for name, cell in cells.items() if name not in COLUMNS and cell},
        )
        if device.id in self._found:
            first = self._found[device.id][0]
            self.wrong(number, f"device {device.id} is in {self.word} {first} already: remove or rename one")
        else:
            self._found[device.id] = (number, device)

    # --- one cell ------------------------------------------------------------------------------------------

    def _check_text(self, number: int, column: str, cell: str) -> None:
        name = column in NAMES
        most = MOST_NAME if name else MOST_PROPERTY
        if len(cell) > most:
            self.wrong(number, f"{column[:80]} has {len(cell)} letters: {most} are allowed")
        if (sign := _bad_sign(cell, "" if name else LINE_SIGNS)) is not None:
            self.wrong(number, f"{column[:80]} has {sign}: remove it")

    def _check_kind(self, number: int, scene: str, kind: str) -> None:
        if scene not in self._types:
            self.wrong(number, f"unknown scene {scene[:80]!r}: use {_choice(self._types)}")
        elif kind not in self._types[scene]:
            self.wrong(number, f"unknown type {kind[:80]!r} in scene {scene}: use {_choice(self._types[scene])}")

    def _check_id(self, number: int, column: str, text: str) -> None:
        if not text:
            self.wrong(number, f"{column} is empty: give it an id")
        elif not ID.match(text):
            mend = "use at most 64 letters a-z A-Z, digits, _ and -"
            self.wrong(number, f"{column} {text[:80]!r} cannot be part of a topic: {mend}")

    def _position(self, number: int, lat_cell: str, lon_cell: str) -> tuple[float | None, float | None]:
        lat, lon = self._number(number, "lat", lat_cell), self._number(number, "lon", lon_cell)
        if (lat_cell == "") != (lon_cell == ""):
            self.wrong(number, "only one of lat and lon is given: give both or none")
        elif lat is not None and lon is not None:
            if 90 < abs(lat) <= 180 and abs(lon) <= 90:
                self.wrong(number, f"lat {lat:g} and lon {lon:g} are swapped: exchange them")
            else:
                self._check_range(number, "lat", lat, 90)
                self._check_range(number, "lon", lon, 180)
        return lat, lon

    def _number(self, number: int, column: str, cell: str) -> float | None:
        if NUMBER.fullmatch(cell.strip()):
            return float(cell)
        if cell:
            mend = "write degrees with a point, such as 31.23"
            self.wrong(number, f"{column} {cell[:80]!r} is not a number: {mend}")
        return None

    def _check_range(self, number: int, column: str, degrees: float, most: int) -> None:
        if abs(degrees) > most:
            self.wrong(number, f"{column} {degrees:g} is out of range: -{most} to {most} degrees")

    # --- one device among the others -----------------------------------------------------------------------

    def _check_parent(self, number: int, device: Device) -> None:
        if device.parent == device.device and device.parent:
            self.wrong(number, f"device {device.device} is its own parent: leave the cell empty")
        elif device.parent and self._device(_parent_id(device)) is None:
            what = f"parent {device.parent[:80]!r} is not a device of site {device.site_id[:160]}"
            self.wrong(number, f"{what}: add it or leave the cell empty")

    def _check_retype(self, number: int, device: Device) -> None:
        """Its series begin anew beside the old ones, whose channels may bear the same names."""
        known = self._known.get(device.id)
        if known is not None and known.type != device.type and not self._retype:
            what = f"device {device.id} is a {known.type} and would become a {device.type}"
            self.wrong(number, f"{what}: give it a new id; or, if it was exchanged, import with --change-types")

    def _circles(self) -> Iterator[tuple[int, str]]:
        """Each once, at its first entry. Whose parent is itself has been told."""
        done: set[str] = set()
        for number, device in self._found.values():
            way: dict[str, Device] = {}
            at: Device | None = device
            while at is not None and at.parent and at.id not in way and at.id not in done:
                way[at.id] = at
                at = self._device(_parent_id(at))
            if at is not None and at.id in way and at.parent != at.device:
                circle = [d.device for d in list(way.values())[list(way).index(at.id) :]]
                yield number, f"parents go round in a circle, {' to '.join((*circle, at.device))}: break it"
            done.update(way)

    def _device(self, device_id: str) -> Device | None:
        """As it will be: what is entered stands for what is known."""
        if device_id in self._found:
            return self._found[device_id][1]
        return self._known.get(device_id)


def _nothing() -> None:
    """Nobody wants to know."""


def _parent_id(device: Device) -> str:
    return f"{device.site_id}.{device.parent}"


def _bad_sign(cell: str, allowed: str) -> str | None:
    """What is wrong with a text that is not one to be read, in words."""
    if cell.isprintable():  # none of the signs below is, and most cells are
        return None
    for sign in cell:
        if sign == "\0":
            return "a zero character"
        if sign in TURNS:
            return f"a sign that turns the text around (U+{ord(sign):04X})"
        if unicodedata.category(sign) == "Cc" and sign not in allowed:
            return "a line break" if sign in "\n\r" else f"a control character (U+{ord(sign):04X})"
        if unicodedata.category(sign) == "Cs":
            return "half a character"
    return None


def _choice(names: Iterable[str]) -> str:
    return " or ".join(sorted(names)) or "none, there is none"


def plural(word: str, names: Sequence[str]) -> str:
    return f"{word} {names[0]}" if len(names) == 1 else f"{word}s {', '.join(names)}"
