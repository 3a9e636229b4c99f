"""The inventory as a CSV file that people edit in a spreadsheet.

Commas, semicolons and tabs part columns, whichever the head has. All mistakes are told at once, each with its
line and the mend; with one mistake nothing is imported.
"""

from __future__ import annotations

import csv
import io
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from scenewatch.inventory.checks import COLUMNS, Checks, plural
from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scenewatch.model.place import Device

FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""What a spreadsheet would run. Such a cell is written with one more apostrophe in front and read with one less.
https://owasp.org/www-community/attacks/CSV_Injection"""
DELIMITERS = ",;\t"
MOST_COLUMNS = 100


def parse_rows(text: str, checks: Checks) -> None:
    """Hand every row to `checks`; nothing but the head's mistakes if that is wrong."""
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    head: list[str] | None = None
    for line, cells in _lines(reader, checks):
        if head is None:
            head = [plain(cell.strip()) for cell in cells]
            if not _is_head(head, line, checks):
                return
        elif len(cells) != len(head):
            checks.wrong(line, f"has {len(cells)} cells, the head has {len(head)}: mend commas and quotes")
        else:
            checks.add(line, dict(zip(head, map(plain, cells), strict=True)))
    if head is None:
        checks.wrong(1, f"no head: the first line must be {','.join(COLUMNS)}")


def format_rows(devices: Sequence[Device]) -> str:
    """What `parse_rows` reads as the same."""
    further = property_names(devices)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, *map(harmless, further)])
    for d in devices:
        words = (d.scene, d.site, d.device, d.type, d.parent, d.name.en, d.name.zh)
        place = ("" if x is None else repr(x) for x in (d.lat, d.lon))
        properties = (harmless(d.properties.get(name, "")) for name in further)
        writer.writerow([*map(harmless, words), *place, *properties])
    return out.getvalue()


def property_names(devices: Sequence[Device]) -> list[str]:
    """Raises ConfigurationError where one could not be told from a column."""
    names = sorted({name for d in devices for name in d.properties})
    clashes = [name for name in names if name in COLUMNS]
    if clashes:
        raise ConfigurationError(
            [Mistake(f"property {name}", "has a column's name: rename it") for name in clashes]
        )
    return names


def harmless(text: str) -> str:
    """As a cell that no spreadsheet runs."""
    return f"'{text}" if FORMULA.match(text) else text


def plain(cell: str) -> str:
    """The text that `harmless` made this cell of."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def _delimiter(text: str) -> str:
    """The sign that parts most columns known here; the comma where none does."""
    head = next((line for line in io.StringIO(text) if line.strip()), "")
    return max(DELIMITERS, key=lambda sign: len({cell.strip(' "\r\n') for cell in head.split(sign)} & set(COLUMNS)))


def _lines(reader: Iterator[list[str]], checks: Checks) -> Iterator[tuple[int, list[str]]]:
    """Rows that are not empty, each with the line it begins in."""
    line = 1
    try:
        for cells in reader:
            if any(cells):
                yield line, cells
            line = reader.line_num + 1  # type: ignore[attr-defined]  # csv's readers have no public type
    except csv.Error as error:
        checks.wrong(line, f"not CSV ({error}): mend the quotes")


def _is_head(head: list[str], line: int, checks: Checks) -> bool:
    faults = [*_head_faults(head)]
    for fault in faults:
        checks.wrong(line, fault)
    return not faults


def _head_faults(head: list[str]) -> Iterator[str]:
    missing = [column for column in COLUMNS if column not in head]
    if missing:
        others = {cell.lower().replace(" ", "_"): cell for cell in head if cell not in COLUMNS}
        meant = [others[near] for column in missing if (near := _like(column, others)) is not None]
        hint = f" (are {', '.join(map(repr, dict.fromkeys(meant)))} meant?)" if meant else ""
        yield f"missing {plural('column', missing)}{hint}: the head needs {','.join(COLUMNS)}"
    for column in dict.fromkeys(c for c in head if head.count(c) > 1 and c):
        yield f"column {column} occurs more than once: remove or rename one"
    if "" in head:
        yield f"column {head.index('') + 1} has no name: name or remove it"
    if len(head) > MOST_COLUMNS:
        yield f"has {len(head)} columns: {MOST_COLUMNS} are allowed"


def _like(column: str, others: Iterable[str]) -> str | None:
    longer = (other for other in others if other.startswith(column))
    return next(longer, next(iter(get_close_matches(column, list(others), 1)), None))
