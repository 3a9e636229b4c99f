"""The inventory as a CSV file that people edit in a spreadsheet.

All mistakes are told at once, each with its line and the mend; with one mistake nothing is imported.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from scenewatch.model.errors import ConfigurationError, Mistake, ScenewatchError
from scenewatch.model.place import ID, Device
from scenewatch.model.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from scenewatch.model.scene import Scene

COLUMNS = ("scene", "site", "device", "type", "parent", "name_en", "name_zh", "lat", "lon")

NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")

FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""What a spreadsheet would run. Such a cell is written with one more apostrophe in front and read with one less.
https://owasp.org/www-community/attacks/CSV_Injection"""


def read_devices(path: Path, scenes: Iterable[Scene]) -> list[Device]:
    """UTF-8, with or without byte order mark. Raises ConfigurationError with all mistakes."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigurationError([Mistake(str(path), f"cannot be read: {error.strerror}")]) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(
            [Mistake(f"{path}, line {line}", "not UTF-8: save the file as “CSV UTF-8”")]
        ) from error
    return parse_devices(text, str(path), scenes)


def parse_devices(text: str, source: str, scenes: Iterable[Scene]) -> list[Device]:
    """As `read_devices`; `source` is what the mistakes call the file."""
    return _Sheet(source, scenes).devices(text)


def write_devices(path: Path, devices: Sequence[Device]) -> None:
    """With a byte order mark, without which spreadsheets garble Chinese names."""
    text = format_devices(devices)
    try:
        path.write_text(text, encoding="utf-8-sig", newline="")
    except OSError as error:
        raise ScenewatchError(f"{path}: cannot be written: {error.strerror}") from error


def format_devices(devices: Sequence[Device]) -> str:
    further = sorted({name for d in devices for name in d.properties})
    clashes = [name for name in further if name in COLUMNS]
    if clashes:
        raise ConfigurationError(
            [Mistake(f"property {name}", "has a column's name: rename it") for name in clashes]
        )
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, *map(_safe, further)])
    for d in devices:
        words = (d.scene, d.site, d.device, d.type, d.parent, d.name.en, d.name.zh)
        place = ("" if x is None else repr(x) for x in (d.lat, d.lon))
        properties = (_safe(d.properties.get(name, "")) for name in further)
        writer.writerow([*map(_safe, words), *place, *properties])
    return out.getvalue()


def _safe(text: str) -> str:
    return f"'{text}" if FORMULA.match(text) else text


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


class _Sheet:
    """One reading of one file; collects its mistakes."""

    def __init__(self, source: str, scenes: Iterable[Scene]) -> None:
        self._source = source
        self._types = {s.key: {t.key for t in s.device_types} for s in scenes}
        self._mistakes: list[Mistake] = []

    def devices(self, text: str) -> list[Device]:
        found: dict[str, tuple[int, Device]] = {}
        for line, cells in self._rows(text):
            device = self._device(line, cells)
            if device.id in found:
                first = found[device.id][0]
                self._wrong(line, f"device {device.id} is in line {first} already: remove or rename one")
            else:
                found[device.id] = (line, device)
        for line, device in found.values():
            self._check_parent(line, device, found)
        if self._mistakes:
            raise ConfigurationError(sorted(self._mistakes, key=_line_of))
        return [device for _, device in found.values()]

    def _wrong(self, line: int, what: str) -> None:
        self._mistakes.append(Mistake(f"{self._source}, line {line}", what))

    def _rows(self, text: str) -> Iterator[tuple[int, dict[str, str]]]:
        """Line and cells by column, of each row that is not empty; none if the head is wrong."""
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        head: list[str] | None = None
        line = 1
        try:
            for cells in reader:
                if any(cells) and head is None:
                    head = [_plain(cell.strip()) for cell in cells]
                    if not self._check_head(line, head):
                        return
                elif any(cells) and head is not None:
                    if len(cells) != len(head):
                        self._wrong(
                            line, f"has {len(cells)} cells, the head has {len(head)}: mend commas and quotes"
                        )
                    else:
                        yield line, dict(zip(head, map(_plain, cells), strict=True))
                line = reader.line_num + 1
        except csv.Error as error:
            self._wrong(line, f"not CSV ({error}): mend the quotes")
        if head is None:
            self._wrong(1, f"no head: the first line must be {','.join(COLUMNS)}")

    def _check_head(self, line: int, head: list[str]) -> bool:
        before = len(self._mistakes)
        missing = [column for column in COLUMNS if column not in head]
        if missing and len(head) == 1 and ";" in head[0]:
            self._wrong(line, "columns are parted by semicolons: save the file with commas")
        elif missing:
            self._wrong(line, f"missing {_plural('column', missing)}: the head needs {','.join(COLUMNS)}")
        for column in dict.fromkeys(c for c in head if head.count(c) > 1 and c):
            self._wrong(line, f"column {column} occurs more than once: remove or rename one")
        if "" in head:
            self._wrong(line, f"column {head.index('') + 1} has no name: name or remove it")
        return len(self._mistakes) == before

    def _device(self, line: int, cells: Mapping[str, str]) -> Device:
        for column, cell in cells.items():
            if "\0" in cell:
                self._wrong(line, f"{column} has a zero character: remove it")
        self._check_kind(line, cells["scene"], cells["type"])
        for column in ("site", "device"):
            self._check_id(line, column, cells[column])
        lat, lon = self._position(line, cells["lat"], cells["lon"])
        return Device(
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

    def _check_kind(self, line: int, scene: str, kind: str) -> None:
        if scene not in self._types:
            self._wrong(line, f"unknown scene {scene!r}: use {_choice(self._types)}")
        elif kind not in self._types[scene]:
            self._wrong(line, f"unknown type {kind!r} in scene {scene}: use {_choice(self._types[scene])}")

    def _check_id(self, line: int, column: str, text: str) -> None:
        if not text:
            self._wrong(line, f"{column} is empty: give it an id")
        elif not ID.match(text):
            mend = "use at most 64 letters a-z A-Z, digits, _ and -"
            self._wrong(line, f"{column} {text[:80]!r} cannot be part of a topic: {mend}")

    def _check_parent(self, line: int, device: Device, found: Mapping[str, object]) -> None:
        if device.parent == device.device and device.parent:
            self._wrong(line, f"device {device.device} is its own parent: leave the cell empty")
        elif device.parent and f"{device.site_id}.{device.parent}" not in found:
            what = f"parent {device.parent!r} is not a device of site {device.site_id}"
            self._wrong(line, f"{what}: add it or leave the cell empty")

    def _position(self, line: int, lat_cell: str, lon_cell: str) -> tuple[float | None, float | None]:
        lat, lon = self._number(line, "lat", lat_cell), self._number(line, "lon", lon_cell)
        if (lat_cell == "") != (lon_cell == ""):
            self._wrong(line, "only one of lat and lon is given: give both or none")
        elif lat is not None and lon is not None:
            if 90 < abs(lat) <= 180 and abs(lon) <= 90:
                self._wrong(line, f"lat {lat:g} and lon {lon:g} are swapped: exchange them")
            else:
                self._check_range(line, "lat", lat, 90)
                self._check_range(line, "lon", lon, 180)
        return lat, lon

    def _number(self, line: int, column: str, cell: str) -> float | None:
        if NUMBER.fullmatch(cell.strip()):
            return float(cell)
        if cell:
            self._wrong(line, f"{column} {cell[:80]!r} is not a number: write degrees with a point, such as 31.23")
        return None

    def _check_range(self, line: int, column: str, degrees: float, most: int) -> None:
        if abs(degrees) > most:
            self._wrong(line, f"{column} {degrees:g} is out of range: -{most} to {most} degrees")


def _plural(word: str, names: Sequence[str]) -> str:
    return f"{word} {names[0]}" if len(names) == 1 else f"{word}s {', '.join(names)}"


def _choice(names: Iterable[str]) -> str:
    return " or ".join(sorted(names)) or "none, there is none"


def _line_of(mistake: Mistake) -> int:
    return int(mistake.place.rpartition(" ")[2])
