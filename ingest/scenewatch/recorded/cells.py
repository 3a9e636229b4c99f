"""The cells of one file as a table that DuckDB holds, and where in the file each row stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import duckdb
import numpy as np

from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.recorded import csvfile
from scenewatch.recorded.expressions import quoted_name, quoted_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from scenewatch.recorded.csvfile import Csv
    from scenewatch.recorded.mapping import FileEntry
    from scenewatch.recorded.notes import Notes

MEMORY: Final = "2GB"
NAMED: Final = 4
"""Places that are looked up at a time."""
LONGEST_LINE: Final = 4 * 1024 * 1024
PARQUET: Final = (".parquet", ".pq")
MAGIC: Final = b"PAR1"


class Cells:
    """Columns are called c0, c1 and so on. Close it: it holds the file."""

    def __init__(self, path: Path, entry: FileEntry, folder: Path, notes: Notes) -> None:
        """`folder` is for copies. Raises ConfigurationError where the file is not what its name says."""
        self._path, self._folder, self._notes = path, folder, notes
        self._con = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(folder)})
        self._con.execute("SET TimeZone = 'UTC'")
        self._csv: Csv | None = None
        self._by_line = False
        """Whether a row is called by its line, as after going through a file by hand."""
        if path.suffix.lower() in PARQUET:
            self.head, kinds = self._parquet()
        else:
            self._csv = csvfile.open_csv(path, entry, folder, notes)
            self.head = self._csv.head
            kinds = ["VARCHAR"] * len(self.head)
        self.types: Mapping[str, str] = {f"c{at}": kind for at, kind in enumerate(kinds)}
        """Of each column, as DuckDB calls them; all of a CSV file are texts."""

    def close(self) -> None:
        self._con.close()

    def load(self, columns: Iterable[int]) -> None:
        """These columns, before anything is asked. Raises ConfigurationError."""
        names = ", ".join(f"c{at}" for at in sorted(set(columns)))
        try:
            self._create(names)
        except duckdb.Error as error:
            if self._csv is None:
                raise self._unreadable(error) from error
            self._load_by_line(self._csv, names)

    def select(self, columns: Mapping[str, str]) -> dict[str, NDArray[Any]]:
        """Arrays of these expressions, by name, in the file's order; none may be NULL."""
        found = self._ask(", ".join(f"{x} AS {n}" for n, x in columns.items())).fetchnumpy()
        return {name: np.asarray(column) for name, column in found.items()}

    def rows(self, what: str, more: str = "") -> list[tuple[Any, ...]]:
        return self._ask(what, more).fetchall()

    def number(self, name: str, text: str) -> tuple[list[str], str]:
        """All different texts, and an expression of each row's place among them, from 1; 0 without one."""
        texts = [str(row[0]) for row in self.rows(f"DISTINCT {text} AS x", f"WHERE {text} <> '' ORDER BY x")]
        if not texts:
            return [], "0"
        self._con.execute(f"CREATE TYPE {name} AS ENUM ({', '.join(map(quoted_text, texts))})")
        return texts, f"COALESCE(enum_code(TRY_CAST({text} AS {name})) + 1, 0)"

    def places(self, rows: NDArray[np.int64]) -> list[str]:
        """Of the first few rows, for people."""
        some = rows[:NAMED].tolist()
        if self._csv is None:
            return [f"row {row + 1}" for row in some]
        return [f"line {line}" for line in (some if self._by_line else csvfile.lines_of(self._csv, some))]

    def forget(self) -> None:
        """What was loaded; places can still be asked for."""
        self._con.execute("DROP TABLE IF EXISTS cells")

    def mistake(self, what: str) -> ConfigurationError:
        return ConfigurationError([Mistake(str(self._path), what)])

    def _parquet(self) -> tuple[tuple[str, ...], list[str]]:
        try:
            with self._path.open("rb") as file:
                if file.read(len(MAGIC)) != MAGIC:
                    raise self.mistake("is no Parquet file, whatever its name says")
        except OSError as error:
            raise self.mistake(f"cannot be read: {error.strerror}") from error
        try:
            found = self._con.execute("SELECT * FROM read_parquet(?) LIMIT 0", [str(self._path)]).description or []
        except duckdb.Error as error:
            raise self._unreadable(error) from error
        return tuple(str(column[0]) for column in found), [str(column[1]).upper() for column in found]

    def _load_by_line(self, csv: Csv, names: str) -> None:
        tidy = csvfile.gone_through(csv, str(self._path), self._folder, self._notes)
        self._by_line = True
        try:
            self._create(names, tidy)
        except duckdb.Error as error:
            raise self._unreadable(error) from error

    def _ask(self, what: str, more: str = "") -> duckdb.DuckDBPyConnection:
        try:
            return self._con.execute(_from(what, f"cells {more}"))
        except duckdb.Error as error:
            raise self._unreadable(error) from error

    def _create(self, names: str, tidy: Path | None = None) -> None:
        row = "line" if tidy is not None else "row_number() OVER () - 1"
        source = self._parquet_source() if self._csv is None else self._csv_source(self._csv, tidy)
        self._con.execute(_from(f"{row} AS row, {names}", source, "CREATE OR REPLACE TEMP TABLE cells AS "))

    def _parquet_source(self) -> str:
        columns = ", ".join(f"{quoted_name(head)} AS c{at}" for at, head in enumerate(self.head))
        return f"({_from(columns, f'read_parquet({quoted_text(str(self._path))})')})"

    def _csv_source(self, csv: Csv, tidy: Path | None) -> str:
        """A tidied file has no head, and its lines in front."""
        kinds = ({} if tidy is None else {"line": "BIGINT"}) | dict(self.types)
        columns = ", ".join(f"'{name}': '{kind}'" for name, kind in kinds.items())
        head = f"header=true, skip={csv.skip}" if tidy is None else "header=false"
        path, delimiter = (csv.path, csv.delimiter) if tidy is None else (tidy, ",")
        return (
            f"read_csv({quoted_text(str(path))}, delim={quoted_text(delimiter)}, quote='\"', escape='\"', {head}, "
            f"auto_detect=false, max_line_size={LONGEST_LINE}, columns={{{columns}}})"
        )

    def _unreadable(self, error: duckdb.Error) -> ConfigurationError:
        return self.mistake(f"cannot be read ({str(error).partition(chr(10))[0]})")


def _from(what: str, source: str, before: str = "") -> str:
    """Names in it are ours, and texts of the file are quoted."""
    return f"{before}SELECT {what} FROM {source}"  # noqa: S608 - see above
