"""Inventory files of both kinds, read whole or not at all, and written so that reading gives the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenewatch.inventory.checks import Checks
from scenewatch.inventory.csvfile import format_rows, parse_rows
from scenewatch.inventory.geojson import format_features, parse_features
from scenewatch.inventory.textfile import read_text
from scenewatch.model.errors import ScenewatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from scenewatch.model.place import Device
    from scenewatch.model.scene import Scene

MAPS = (".geojson", ".json")


@dataclass(frozen=True, slots=True)
class Found:
    """A file's devices, and what is worth telling of it."""

    devices: list[Device]
    encoding: str
    warnings: list[str]


def read_devices(
    path: Path,
    scenes: Iterable[Scene],
    known: Iterable[Device] = (),
    *,
    retype: bool = False,
    on_entry: Callable[[], object] | None = None,
) -> Found:
    """Raises ConfigurationError with all mistakes. `known` is what the inventory has already."""
    read = read_text(path)
    checks = Checks(str(path), scenes, known, retype=retype)
    if on_entry is not None:
        checks.on_entry = on_entry
    parse = parse_features if path.suffix.lower() in MAPS else parse_rows
    parse(read.text, checks)
    return Found(checks.devices(), read.encoding, checks.warnings())


def write_devices(path: Path, devices: Sequence[Device]) -> None:
    """CSV, or GeoJSON by the name's end. Without a byte order mark spreadsheets garble Chinese names."""
    maps = path.suffix.lower() in MAPS
    text = format_features(devices) if maps else format_rows(devices)
    try:
        path.write_text(text, encoding="utf-8" if maps else "utf-8-sig", newline="")
    except OSError as error:
        raise ScenewatchError(f"{path}: cannot be written: {error.strerror}") from error
