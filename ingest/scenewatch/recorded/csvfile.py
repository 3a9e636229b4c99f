"""A CSV file as a table of texts: its encoding and delimiter are seen, its rows are taken by DuckDB.

Where DuckDB stumbles, at a row that is too short or a quote left open, the file is gone through row by row: what
cannot be read is counted with its line, and the rest read once more.
"""

from __future__ import annotations

import csv
import gzip
from codecs import getincrementaldecoder
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scenewatch.model.encoding import MARKS, decode
from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.recorded.notes import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from scenewatch.recorded.mapping import FileEntry
    from scenewatch.recorded.notes import Notes

CHUNK: Final = 1 << 20
DELIMITERS: Final = ",;\t|"
FOREIGN: Final = (
    (b"PK\x03\x04", "is a spreadsheet or an archive: save it as “CSV UTF-8”"),
    (b"\xd0\xcf\x11\xe0", "is a spreadsheet: save it as “CSV UTF-8”"),
    (b"%PDF", "is a PDF file: ask for the data as CSV"),
    (b"PAR1", "is a Parquet file: call it .parquet"),
)
PACKED: Final = b"\x1f\x8b"
MOST_LINES_A_ROW: Final = 20
LONGEST_CELL: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Csv:
    """A file in UTF-8 with one head, and how its cells are parted."""

    path: Path
    delimiter: str
    head: tuple[str, ...]
    skip: int
    """Lines before the head."""


def open_csv(path: Path, entry: FileEntry, folder: Path, notes: Notes) -> Csv:
    """A copy in UTF-8 goes to `folder` where the file is otherwise. Raises ConfigurationError."""
    path = _in_utf8(path, folder, notes)
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = _records(file)
        for _ in range(entry.skip_lines):
            next(lines, None)
        first = next(((number, line) for number, line in lines if line.strip()), None)
    if first is None:
        raise _mistake(path, "is empty")
    number, line = first
    delimiter = entry.delimiter or max(DELIMITERS, key=line.count)
    head = next(csv.reader([line], delimiter=delimiter, strict=False))
    return Csv(path, delimiter, tuple(cell.strip() for cell in head), number - 1)


def gone_through(found: Csv, file: str, folder: Path, notes: Notes) -> Path:
    """The rows that fit the head, each with its line in a first column, as a CSV file without a head."""
    tidy = folder / f"{found.path.name}.tidy.csv"
    width = len(found.head)
    troubles: dict[Trouble, list[int]] = {Trouble.SHORT: [], Trouble.LONG: [], Trouble.QUOTES: []}
    before = csv.field_size_limit(LONGEST_CELL)
    try:
        with (
            found.path.open(encoding="utf-8-sig", newline="") as source,
            tidy.open("w", encoding="utf-8") as file_to,
        ):
            writer = csv.writer(file_to, lineterminator="\n")
            for line, text in _after_head(source, found.skip):
                try:
                    cells = next(csv.reader([text], delimiter=found.delimiter, strict=True), [])
                except csv.Error:
                    troubles[Trouble.QUOTES].append(line)
                    continue
                while len(cells) > width and not cells[-1].strip():
                    cells.pop()
                if len(cells) == width:
                    writer.writerow([line, *(" ".join(cell.splitlines()) for cell in cells)])
                elif cells:
                    troubles[Trouble.SHORT if len(cells) < width else Trouble.LONG].append(line)
    finally:
        csv.field_size_limit(before)
    for trouble, lines in troubles.items():
        notes.tell(file, trouble, len(lines), (f"line {n}" for n in lines))
    return tidy


def lines_of(found: Csv, rows: Sequence[int]) -> list[int]:
    """The lines in which these rows, counted from 0 behind the head, begin."""
    wanted, lines = set(rows), {}
    with found.path.open(encoding="utf-8-sig", newline="") as source:
        for row, (line, _) in enumerate(_after_head(source, found.skip)):
            if row in wanted:
                lines[row] = line
                if len(lines) == len(wanted):
                    break
    return [lines[row] for row in rows if row in lines]


def _after_head(source: Iterable[str], skip: int) -> Iterator[tuple[int, str]]:
    return ((number, text) for number, text in _records(source) if number > skip + 1 and text.strip())


def _records(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; a quote that is open at a line's end is looked for in the next few."""
    ahead: deque[str] = deque()
    source = iter(lines)
    number = 0
    while (text := ahead.popleft() if ahead else next(source, None)) is not None:
        number += 1
        joined = _joined(text, ahead, source) if text.count('"') % 2 else 0
        yield number, "".join([text, *(ahead.popleft() for _ in range(joined))]).rstrip("\r\n")
        number += joined


def _joined(text: str, ahead: deque[str], source: Iterator[str]) -> int:
    """How many of the lines ahead belong to this one; none where the quote is never closed."""
    quotes = text.count('"')
    for count in range(1, MOST_LINES_A_ROW):
        if len(ahead) < count:
            if (more := next(source, None)) is None:
                return 0
            ahead.append(more)
        quotes += ahead[count - 1].count('"')
        if quotes % 2 == 0:
            return count
    return 0


def _in_utf8(path: Path, folder: Path, notes: Notes) -> Path:
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise _mistake(path, f"cannot be read: {error.strerror}") from error
    if not head:
        raise _mistake(path, "is empty")
    for begin, what in FOREIGN:
        if head.startswith(begin):
            raise _mistake(path, what)
    if head.startswith(PACKED):
        return _in_utf8(_unpacked(path, folder), folder, notes)
    marked = any(head.startswith(mark) for mark, _, _ in MARKS[1:])
    if not marked and b"\0" not in head and _is_utf8(path):
        return path
    if b"\0" in head and not marked and head[:16].count(0) != 8:
        raise _mistake(path, "is no text: recorded data are CSV or Parquet files")
    read = decode(path.read_bytes(), str(path))
    notes.tell(str(path), Trouble.ENCODING, at=[read.encoding])
    copy = folder / path.name
    copy.write_text(read.text, encoding="utf-8", newline="")
    return copy


def _unpacked(path: Path, folder: Path) -> Path:
    copy = folder / path.name.removesuffix(".gz")
    try:
        with gzip.open(path) as packed, copy.open("wb") as file:
            while chunk := packed.read(CHUNK):
                file.write(chunk)
    except (EOFError, gzip.BadGzipFile) as error:
        raise _mistake(path, f"is packed and damaged: {error}") from error
    return copy


def _is_utf8(path: Path) -> bool:
    decoder = getincrementaldecoder("utf-8")("strict")
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _mistake(path: Path, what: str) -> ConfigurationError:
    return ConfigurationError([Mistake(str(path), what)])
