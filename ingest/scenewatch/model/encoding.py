"""Bytes that a person saved somewhere, as text: which encoding they are in is seen, taken and told."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

from scenewatch.model.errors import ConfigurationError, Mistake

MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
LOOKED_AT: Final = 16
"""Bytes by which UTF-16 without a mark is known: every other one of a head in ASCII is zero."""
THREE_BYTES: Final = re.compile(rb"[\xe0-\xef][\x80-\xbf]{2}")
"""A Chinese character in UTF-8. Text in GB18030 that is whole lines of them by chance is not met."""


@dataclass(frozen=True, slots=True)
class Read:
    """A file's text, and the encoding that it was taken for."""

    text: str
    encoding: str


def decode(data: bytes, source: str) -> Read:
    """By its mark; without one UTF-8 if it can be that, else GB18030, in which Chinese spreadsheets save.

    Raises ConfigurationError with the line where it is in none of them, or in both by turns.
    """
    for mark, codec, name in (*MARKS, *_unmarked(data)):
        if data.startswith(mark):
            return _strict(data, source, codec, name)
    try:
        return Read(data.decode("utf-8"), "UTF-8")
    except UnicodeDecodeError as error:
        in_utf8 = error
    other = data.count(b"\n", 0, in_utf8.start) + 1
    if (line := _first_in_utf8(data)) is not None and _is(data.split(b"\n")[other - 1], "gb18030"):
        what = f"is in UTF-8 and line {other} is not: save the whole file as “CSV UTF-8”"
        raise _mistake(f"{source}, line {line}", what) from in_utf8
    try:
        return Read(data.decode("gb18030"), "GB18030")
    except UnicodeDecodeError:
        what = "neither UTF-8 nor GB18030: save the file as “CSV UTF-8”"
        raise _mistake(f"{source}, line {other}", what) from in_utf8


def _first_in_utf8(data: bytes) -> int | None:
    """The first line with Chinese that is certainly UTF-8; None without one."""
    for number, line in enumerate(data.split(b"\n"), start=1):
        if THREE_BYTES.search(line) and _is(line, "utf-8"):
            return number
    return None


def _is(line: bytes, codec: str) -> bool:
    try:
        line.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _unmarked(data: bytes) -> list[tuple[bytes, str, str]]:
    head = data[:LOOKED_AT]
    for zeros, codec in ((head[1::2], "utf-16-le"), (head[::2], "utf-16-be")):
        if len(head) == LOOKED_AT and not any(zeros) and head.count(0) == len(zeros):
            return [(b"", codec, "UTF-16")]
    return []


def _strict(data: bytes, source: str, codec: str, name: str) -> Read:
    try:
        return Read(data.decode(codec), name)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(codec, "replace")
        place = f"{source}, line {before.count(chr(10)) + 1}"
        raise _mistake(place, f"begins as {name} and is not: save the file as “CSV UTF-8”") from error


def _mistake(place: str, what: str) -> ConfigurationError:
    return ConfigurationError([Mistake(place, what)])
