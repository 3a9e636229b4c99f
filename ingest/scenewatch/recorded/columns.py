"""One file's cells as arrays: times in UTC or local, numbers, devices and channels by their place in lists.

DuckDB reads and converts whole columns; what it cannot convert is counted and named, never taken for something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import duckdb
import numpy as np

from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.recorded import csvfile

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from scenewatch.recorded.csvfile import Csv
    from scenewatch.recorded.layout import Layout
    from scenewatch.recorded.mapping import FileEntry, Mapping
    from scenewatch.recorded.notes import Notes

MEMORY: Final = "2GB"
USUALLY_MISSING: Final = ("", "na", "n/a", "nan", "null", "none", "-", "--")
LOOKED_AT: Final = 1000
"""Rows by which a format of times is seen."""
FORMATS: Final = (
    ("epoch_ms", re.compile(r"[0-9]{13}")),
    ("epoch_s", re.compile(r"[0-9]{9,10}(\.[0-9]+)?")),
    ("%Y%m%d%H%M%S", re.compile(r"(19|20)[0-9]{12}")),
    ("%Y年%m月%d日 %H:%M:%S", re.compile(r"[0-9]{4}年[0-9]+月[0-9]+日 [0-9]+:[0-9]+:[0-9]+")),
    ("iso", re.compile(r"[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}([T ].*)?")),
)
"""What is taken without asking. Days before months, or months before days, leave a doubt and must be said."""
OFFSET_AT_END: Final = r":[0-9]{2}(\.[0-9]+)?\s*(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
EARLIEST_MS, LATEST_MS = 946_684_800_000, 4_102_444_800_000


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of one file in its order. `t_ms` is local where not `in_utc`; NO_TIME where there is none."""

    row: NDArray[np.int64]
    t_ms: NDArray[np.int64]
    in_utc: NDArray[np.bool_]
    device: NDArray[np.int32]
    devices: list[str]
    channel: NDArray[np.int32] | None
    channels: list[str]
    """By number: of a long file as it calls them, else their keys."""
    values: list[NDArray[np.float64]]
    """A column each; NaN where nothing was measured, or nothing that is a number."""
    spoilt: list[NDArray[np.bool_]]
    """Where there is something that is no number."""
    head_again: NDArray[np.bool_]
    units: list[tuple[str, str]]
    """Channel and unit, as a long file tells them."""
    format: str


NO_TIME: Final = -(2**62)
NO_DEVICE: Final = -1


class Columns:
    """Asks one file, which it holds open."""

    def __init__(self, path: Path, mapping: Mapping, folder: Path, notes: Notes) -> None:
        self._path, self._mapping, self._folder, self._notes = path, mapping, folder, notes
        self._con = duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(folder)})
        self._con.execute("SET TimeZone = 'UTC'")
        self._csv: Csv | None = None
        self._lines = False
        """Whether `row` is a line already."""
        if path.suffix.lower() == ".parquet":
            self.head = self._parquet()
        else:
            self._csv = csvfile.open_csv(path, mapping.file, folder, notes)
            self.head = self._csv.head

    def close(self) -> None:
        self._con.close()

    def places(self, rows: NDArray[np.int64]) -> list[str]:
        """Of a few rows, for people."""
        some = rows[:4].tolist()
        if self._csv is None:
            return [f"row {row + 1}" for row in some]
        lines = some if self._lines else csvfile.lines_of(self._csv, some)
        return [f"line {line}" for line in lines]

    def table(self, layout: Layout) -> Table:
        """Raises ConfigurationError where the file is not what its name or head says."""
        try:
            self._load(layout)
            return self._fetch(layout)
        except duckdb.Error as error:
            raise self._mistake(f"cannot be read ({str(error).partition(chr(10))[0]})") from error

    # --- where the cells come from ---------------------------------------------------------------------------

    def _parquet(self) -> tuple[str, ...]:
        try:
            found = self._con.execute("SELECT * FROM read_parquet(?) LIMIT 0", [str(self._path)]).description
        except duckdb.Error as error:
            raise self._mistake(f"is no Parquet file ({str(error).partition(chr(10))[0]})") from error
        self._types = {f"c{at}": str(column[1]).upper() for at, column in enumerate(found)}
        return tuple(column[0] for column in found)

    def _from(self) -> str:
        names = [f"c{at}" for at in range(len(self.head))]
        if self._csv is None:
            columns = ", ".join(f"{_quoted(h)} AS {n}" for n, h in zip(names, self.head, strict=True))
            return f"(SELECT {columns} FROM read_parquet({_text(str(self._path))}))"
        self._types = dict.fromkeys(names, "VARCHAR")
        first = {"line": "BIGINT"} if self._lines else {}
        path = self._tidy if self._lines else self._csv.path
        columns = ", ".join(f"'{name}': '{kind}'" for name, kind in (first | self._types).items())
        skip = "header=false" if self._lines else f"header=true, skip={self._csv.skip}"
        delimiter = "," if self._lines else self._csv.delimiter
        return (
            f"read_csv({_text(str(path))}, delim={_text(delimiter)}, quote='\"', escape='\"', {skip}, "
            f"auto_detect=false, max_line_size=4194304, columns={{{columns}}})"
        )

    def _load(self, layout: Layout) -> None:
        """Into a table `cells`, with the columns that the layout names."""
        if self._csv is None:
            self._create(layout)
            return
        try:
            self._create(layout)
        except duckdb.Error:
            self._tidy = csvfile.gone_through(self._csv, str(self._path), self._folder, self._notes)
            self._lines = True
            self._create(layout)

    def _create(self, layout: Layout) -> None:
        source = self._from()
        row = "line" if self._lines else "row_number() OVER () - 1"
        used = sorted({*layout.time, *(at for at, _ in layout.values), *_given(layout)})
        columns = ", ".join(f"c{at}" for at in used)
        self._con.execute(f"CREATE TEMP TABLE cells AS SELECT {row} AS row, {columns} FROM {source}")

    # --- what they say ---------------------------------------------------------------------------------------

    def _fetch(self, layout: Layout) -> Table:
        time, in_utc, form = self._time(layout)
        values = [self._number(at) for at, _ in layout.values]
        device = self._device(layout)
        heads = " AND ".join(f"trim(CAST(c{at} AS VARCHAR)) = {_text(self.head[at])}" for at in layout.time)
        wanted = {
            "row": "row",
            "t": f"COALESCE({time}, {NO_TIME})",
            "utc": in_utc,
            "head": f"COALESCE({heads}, false)",
        }
        for number, (value, spoilt) in enumerate(values):
            wanted |= {
                f"v{number}": f"COALESCE({value}, 'NaN'::DOUBLE)",
                f"s{number}": f"COALESCE({spoilt}, false)",
            }
        devices, channels = [""], [key for _, key in layout.values]
        if device:
            devices, wanted["device"] = self._numbered("devices", device)
        if layout.channel is not None:
            channels, wanted["channel"] = self._numbered("channels", f"trim(CAST(c{layout.channel} AS VARCHAR))")
        names = ", ".join(f"{what} AS {name}" for name, what in wanted.items())
        found = {k: _plain(v) for k, v in self._con.execute(f"SELECT {names} FROM cells").fetchnumpy().items()}
        n = len(found["row"])
        return Table(
            row=found["row"].astype(np.int64),
            t_ms=found["t"].astype(np.int64),
            in_utc=found["utc"].astype(np.bool_),
            device=found["device"].astype(np.int32) - 1 if device else np.zeros(n, np.int32),
            devices=devices,
            channel=found["channel"].astype(np.int32) - 1 if layout.channel is not None else None,
            channels=channels,
            values=[found[f"v{number}"].astype(np.float64) for number in range(len(values))],
            spoilt=[found[f"s{number}"].astype(np.bool_) for number in range(len(values))],
            head_again=found["head"].astype(np.bool_),
            units=self._units(layout),
            format=form,
        )

    def _numbered(self, name: str, text: str) -> tuple[list[str], str]:
        """All different texts, and an expression of each row's place among them, from 1; 0 without one."""
        rows = self._con.execute(f"SELECT DISTINCT {text} AS x FROM cells WHERE {text} <> '' ORDER BY x").fetchall()
        texts = [row[0] for row in rows]
        if not texts:
            return [], "0"
        listed = ", ".join(_text(t) for t in texts)
        self._con.execute(f"CREATE TYPE {name} AS ENUM ({listed})")
        return texts, f"COALESCE(enum_code(TRY_CAST({text} AS {name})) + 1, 0)"

    def _device(self, layout: Layout) -> str:
        """With its site in front where that is a column; empty where the file is one device."""
        if layout.device is None:
            return ""
        own = f"trim(CAST(c{layout.device} AS VARCHAR))"
        if layout.site is None:
            return own
        site = f"trim(CAST(c{layout.site} AS VARCHAR))"
        return f"CASE WHEN starts_with({own}, {site} || '.') THEN {own} ELSE {site} || '.' || {own} END"

    def _units(self, layout: Layout) -> list[tuple[str, str]]:
        if layout.unit is None or layout.channel is None:
            return []
        channel, unit = (f"trim(CAST(c{at} AS VARCHAR))" for at in (layout.channel, layout.unit))
        return self._con.execute(
            f"SELECT DISTINCT {channel}, {unit} FROM cells WHERE {channel} <> '' AND {unit} <> '' ORDER BY ALL"
        ).fetchall()

    def _time(self, layout: Layout) -> tuple[str, str, str]:
        """Expressions of epoch milliseconds and of whether they are UTC, and the format that was taken."""
        said = self._mapping.time.format if self._mapping.time is not None else ""
        kind = self._types[f"c{layout.time[0]}"] if len(layout.time) == 1 else "VARCHAR"
        column = f"c{layout.time[0]}"
        if kind.startswith("TIMESTAMP") or kind == "DATE":
            zoned = "TIME ZONE" in kind
            stamp = "TIMESTAMPTZ" if zoned else "TIMESTAMP"
            return f"epoch_ms(CAST({column} AS {stamp}))", str(zoned).lower(), "iso"
        text = "trim(concat_ws(' ', " + ", ".join(f"CAST(c{at} AS VARCHAR)" for at in layout.time) + "))"
        form = said or self._seen(text)
        if form == "epoch_s":
            return f"TRY_CAST(round(TRY_CAST({text} AS DOUBLE) * 1000) AS BIGINT)", "true", form
        if form == "epoch_ms":
            return f"TRY_CAST({text} AS BIGINT)", "true", form
        if form == "iso":
            zoned = f"regexp_matches({text}, {_text(OFFSET_AT_END)})"
            whole = f"regexp_replace({text}, '\\s*([+-][0-9]{{2}}):?([0-9]{{2}})$', '\\1:\\2')"
            stamp = f"epoch_ms(TRY_CAST({text} AS TIMESTAMP))"
            if not self._any(zoned):
                return stamp, "false", form
            return (
                f"CASE WHEN {zoned} THEN epoch_ms(TRY_CAST({whole} AS TIMESTAMPTZ)) ELSE {stamp} END",
                zoned,
                form,
            )
        return f"epoch_ms(try_strptime({text}, {_text(form)}))", str("%z" in form).lower(), form

    def _any(self, condition: str) -> bool:
        found = self._con.execute(f"SELECT bool_or({condition}) FROM cells").fetchone()
        return bool(found and found[0])

    def _seen(self, text: str) -> str:
        rows = self._con.execute(f"SELECT {text} FROM cells WHERE {text} <> '' LIMIT {LOOKED_AT}").fetchall()
        for form, pattern in FORMATS:
            if sum(pattern.fullmatch(row[0]) is not None for row in rows) * 2 > len(rows):
                return form
        if not rows:
            return "iso"
        what = f"times such as {rows[0][0]!r} leave a doubt: say in the map [time] format, such as '%d.%m.%Y %H:%M'"
        raise self._mistake(what)

    def _number(self, at: int) -> tuple[str, str]:
        """Expressions of a column's number, and of whether there is something that is none."""
        column, entry = f"c{at}", self._mapping.file
        if self._types[column] != "VARCHAR":
            value = f"TRY_CAST({column} AS DOUBLE)"
            fit = f"isfinite({value}){_not_among(value, entry)}"
            return f"CASE WHEN {fit} THEN {value} END", f"isinf({value})"
        text = f"trim({column})"
        words = ", ".join(_text(w.lower()) for w in (*USUALLY_MISSING, *entry.missing))
        number = f"TRY_CAST({_cleaned(text, entry)} AS DOUBLE)"
        missing = f"({column} IS NULL OR lower({text}) IN ({words}))"
        fit = f"NOT {missing} AND isfinite({number}){_not_among(number, entry)}"
        spoilt = f"NOT {missing} AND ({number} IS NULL OR NOT isfinite({number}))"
        return f"CASE WHEN {fit} THEN {number} END", spoilt

    def _mistake(self, what: str) -> ConfigurationError:
        return ConfigurationError([Mistake(str(self._path), what)])


def _cleaned(text: str, entry: FileEntry) -> str:
    """As DuckDB reads numbers. Signs that group thousands must do so, or it is no number."""
    cleaned = text
    if entry.thousands:
        sign, point = re.escape(entry.thousands), re.escape(entry.decimal)
        grouped = f"[+-]?[0-9]{{1,3}}({sign}[0-9]{{3}})+({point}[0-9]*)?"
        cleaned = (
            f"CASE WHEN NOT contains({text}, {_text(entry.thousands)}) THEN {text} "
            f"WHEN regexp_full_match({text}, {_text(grouped)}) THEN replace({text}, {_text(entry.thousands)}, '') END"
        )
    if entry.decimal == ",":
        return (
            f"CASE WHEN contains({text}, '.') AND {str(entry.thousands != '.').lower()} THEN NULL "
            f"ELSE replace({cleaned}, ',', '.') END"
        )
    return cleaned


def _not_among(value: str, entry: FileEntry) -> str:
    """Words for what is missing that are numbers, however they are written: -9999 and -9999.0."""
    numbers = [float(word) for word in entry.missing if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?", word)]
    return f" AND {value} NOT IN ({', '.join(f'{n!r}::DOUBLE' for n in numbers)})" if numbers else ""


def _given(layout: Layout) -> list[int]:
    return [at for at in (layout.device, layout.site, layout.channel, layout.unit) if at is not None]


def _plain(column: Any) -> NDArray[Any]:
    return np.asarray(np.ma.filled(column)) if isinstance(column, np.ma.MaskedArray) else np.asarray(column)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
