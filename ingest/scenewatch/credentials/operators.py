"""The operators' file among the secrets: added to and renewed line by line, all else in it stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.credentials.folder import SHARED
from scenewatch.model.operators import FIRST, new_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from scenewatch.credentials.folder import Folder

FILE = "operators"
KEY = "operator:"
"""Before the name, wherever secrets are named."""


def keys(folder: Folder) -> list[str]:
    """Those there are, as `--renew` names them."""
    return [f"{KEY}{name}" for name in filter(None, map(_name, _lines(folder)))]


def add(folder: Folder, names: Iterable[str], renewed: Collection[str]) -> list[str]:
    """A token for each that has none, and another one for the renewed; gives the keys of what was made.

    Where nobody is wanted and nobody is there, the first one is made.
    """
    there = keys(folder)
    wanted = [f"{KEY}{name}" for name in names] or ([] if there else [f"{KEY}{FIRST}"])
    missing = [key for key in dict.fromkeys(wanted) if key not in there]
    made = [key for key in there if key in renewed] + missing
    if made:
        kept = [
            new_line(_name(line)) if f"{KEY}{_name(line)}" in renewed else f"{line}\n" for line in _lines(folder)
        ]
        text = "".join([*kept, *(new_line(key.removeprefix(KEY)) for key in missing)])
        folder.write(FILE, text.encode(), SHARED)
    return made


def _lines(folder: Folder) -> list[str]:
    return folder.read(FILE).decode().splitlines() if folder.has(FILE) else []


def _name(line: str) -> str:
    words = line.split()
    return words[0] if words and not words[0].startswith("#") else ""
