"""What a cell says, as DuckDB's expressions: a number, a time, or something that is neither."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.recorded.mapping import FileEntry

USUALLY_MISSING: Final = ("", "na", "n/a", "nan", "null", "none", "-", "--")
FORMATS: Final = (
    ("epoch_ms", re.compile(r"[0-9]{13}")),
    ("epoch_s", re.compile(r"[0-9]{9,10}(\.[0-9]+)?")),
    ("%Y%m%d%H%M%S", re.compile(r"(19|20)[0-9]{12}")),
    ("%Y年%m月%d日 %H:%M:%S", re.compile(r"[0-9]{4}年[0-9]+月[0-9]+日 [0-9]+:[0-9]+:[0-9]+")),
    ("iso", re.compile(r"[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}([T ].*)?")),
)
"""What is taken without asking. Days before months, or months before days, leave a doubt and must be said."""
OFFSET: Final = r"\s*([+-][0-9]{2}):?([0-9]{2})$"


class Number(NamedTuple):
    """Expressions of a number, NULL where there is none, and of whether there is something that is none."""

    value: str
    spoilt: str


class Time(NamedTuple):
    """Expressions of epoch milliseconds, NULL where it is no time, and of whether they are UTC or local."""

    t_ms: str
    in_utc: str


def quoted_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def quoted_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def text_of(columns: Sequence[str]) -> str:
    """Several joined with a blank."""
    casts = ", ".join(f"CAST({column} AS VARCHAR)" for column in columns)
    return f"trim({casts})" if len(columns) == 1 else f"trim(concat_ws(' ', {casts}))"


def format_seen(texts: Sequence[str]) -> str | None:
    """The one that most of them are in; None where that leaves a doubt."""
    for form, pattern in FORMATS:
        if sum(pattern.fullmatch(text) is not None for text in texts) * 2 > len(texts):
            return form
    return None


def typed_time(column: str, kind: str) -> Time | None:
    """Of a column that holds times by its type."""
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        zoned = "TIME ZONE" in kind
        return Time(f"epoch_ms(CAST({column} AS {'TIMESTAMPTZ' if zoned else 'TIMESTAMP'}))", str(zoned).lower())
    return None


def time(text: str, form: str) -> Time:
    if form == "epoch_s":
        return Time(f"TRY_CAST(round(TRY_CAST({text} AS DOUBLE) * 1000) AS BIGINT)", "true")
    if form == "epoch_ms":
        return Time(f"TRY_CAST({text} AS BIGINT)", "true")
    if form == "iso":
        local = f"epoch_ms(TRY_CAST({text} AS TIMESTAMP))"
        behind = f"substr({text}, {len('2025-01-01 ') + 1})"
        zoned = f"(ends_with({text}, 'Z') OR contains({behind}, '+') OR contains({behind}, '-'))"
        # DuckDB takes an offset with a colon alone.
        whole = f"regexp_replace({text}, {quoted_text(OFFSET)}, '\\1:\\2')"
        return Time(
            f"CASE WHEN {zoned} THEN epoch_ms(TRY_CAST({whole} AS TIMESTAMPTZ)) ELSE {local} END",
            f"COALESCE({zoned}, false)",
        )
    return Time(f"epoch_ms(try_strptime({text}, {quoted_text(form)}))", str("%z" in form).lower())


def number(column: str, kind: str, entry: FileEntry) -> Number:
    if kind != "VARCHAR":
        value = f"TRY_CAST({column} AS DOUBLE)"
        return Number(f"CASE WHEN isfinite({value}){_not_among(value, entry)} THEN {value} END", f"isinf({value})")
    text = f"trim({column})"
    words = ", ".join(quoted_text(word.lower()) for word in (*USUALLY_MISSING, *entry.missing))
    value = f"TRY_CAST({_cleaned(text, entry)} AS DOUBLE)"
    something = f"{column} IS NOT NULL AND lower({text}) NOT IN ({words})"
    return Number(
        f"CASE WHEN isfinite({value}){_not_among(value, entry)} THEN {value} END",
        f"CASE WHEN isfinite({value}) THEN false ELSE {something} END",
    )


def _cleaned(text: str, entry: FileEntry) -> str:
    """As DuckDB reads numbers, which may have blanks around. Signs that group thousands must do so."""
    cleaned = text
    if sign := entry.thousands:
        grouped = f"[+-]?[0-9]{{1,3}}({re.escape(sign)}[0-9]{{3}})+({re.escape(entry.decimal)}[0-9]*)?"
        cleaned = (
            f"CASE WHEN NOT contains({text}, {quoted_text(sign)}) THEN {text} "
            f"WHEN regexp_full_match({text}, {quoted_text(grouped)}) "
            f"THEN replace({text}, {quoted_text(sign)}, '') END"
        )
    if entry.decimal == ".":
        return cleaned
    with_point = f"contains({text}, '.')" if entry.thousands != "." else "false"
    return f"CASE WHEN NOT {with_point} THEN replace({cleaned}, ',', '.') END"


def _not_among(value: str, entry: FileEntry) -> str:
    """Words for what is missing that are numbers, however they are written: -9999 and -9999.0."""
    numbers = [float(word) for word in entry.missing if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?", word)]
    return f" AND {value} NOT IN ({', '.join(f'{n!r}::DOUBLE' for n in numbers)})" if numbers else ""
