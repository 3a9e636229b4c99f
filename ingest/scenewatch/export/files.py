"""Writes rows as CSV or Parquet, however many: what is in memory at once is one row, or one group of Parquet's.

A file has its name only when it is whole.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Final

from scenewatch.export.tables import Kind
from scenewatch.model.errors import ConfigurationError, Mistake, ScenewatchError, TemporaryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from scenewatch.export.tables import Cell, Columns, Row

CSV, PARQUET = ".csv", ".parquet"
FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")
"""What a spreadsheet would run, were it at the beginning of a cell; an apostrophe in front makes it text."""
MEMORY: Final = "256MB"
LONGEST_LINE: Final = 32 * 1024 * 1024
"""Bytes; a message has 16 MiB at most."""


def check(path: Path) -> None:
    """Raises ConfigurationError where nothing could be written there, before all is read in vain."""
    if path.suffix.lower() not in (CSV, PARQUET):
        raise ConfigurationError([Mistake("--out", f"{path} must end in {CSV} or {PARQUET}")])
    if path.exists() and not path.is_file():
        raise ConfigurationError([Mistake("--out", f"{path} is there and no file")])
    if not path.parent.is_dir():
        raise ConfigurationError([Mistake("--out", f"there is no folder {path.parent}")])


def write(path: Path, columns: Columns, rows: Iterable[Row]) -> int:
    """Returns how many rows. Parquet is made of a CSV file beside it, which goes again."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    parts = [unfinished]
    try:
        if path.suffix.lower() == CSV:
            count = _write_csv(unfinished, columns, rows, _harmless)
        else:
            parts.append(between := path.with_name(f"{path.name}.rows"))
            count = _write_csv(between, columns, rows, _as_it_is)
            _to_parquet(between, unfinished, columns)
        unfinished.replace(path)
    except OSError as error:
        raise ScenewatchError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        for part in parts:
            part.unlink(missing_ok=True)
    return count


def _write_csv(path: Path, columns: Columns, rows: Iterable[Row], text: Callable[[Cell], Cell]) -> int:
    count = 0
    texts = [at for at, kind in enumerate(columns.values()) if kind is Kind.TEXT]

    def cells() -> Iterator[list[Cell]]:
        nonlocal count
        for row in rows:
            count += 1
            made = list(row)
            for at in texts:
                made[at] = text(made[at])
            yield made

    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(cells())
    return count


def _harmless(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) else cell


def _as_it_is(cell: Cell) -> Cell:
    return cell


def _to_parquet(rows: Path, path: Path, columns: Columns) -> None:
    import duckdb  # noqa: PLC0415  # 0.1 s to load, for those who use it

    texts = [name for name, kind in columns.items() if kind is Kind.TEXT]
    settings: dict[str, str | bool | int | float | list[str]] = {"memory_limit": MEMORY, "threads": 1}
    try:
        with duckdb.connect(config=settings) as con:
            found = con.read_csv(
                str(rows),
                header=True,
                columns={name: str(kind) for name, kind in columns.items()},
                delimiter=",",
                quotechar='"',
                escapechar='"',
                auto_detect=False,
                parallel=False,
                max_line_size=LONGEST_LINE,
                force_not_null=texts,
            )
            found.write_parquet(str(path), compression="zstd")
    except duckdb.Error as error:
        raise TemporaryError(f"{path}: cannot be written ({str(error).partition(chr(10))[0]})") from error
