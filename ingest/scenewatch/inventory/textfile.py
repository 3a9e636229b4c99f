"""Bytes of a file that a person saved somewhere, as text: which encoding it is in is seen, taken and told."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES: Final = 64 * 1024 * 1024
"""Half a million devices; what is larger is no inventory."""
MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
LOOKED_AT: Final = 16
"""Bytes by which UTF-16 without a mark is known: every other one of a head in ASCII is zero."""


@dataclass(frozen=True, slots=True)
class Read:
    """A file's text, and the encoding that it was taken for."""

    text: str
    encoding: str


def read_text(path: Path) -> Read:
    """Raises ConfigurationError where it is too large or in no encoding known here."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _mistake(str(path), f"cannot be read: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise _mistake(str(path), f"is larger than {MOST_BYTES // 1024**2} MiB: import it in parts")
    return decode(data, str(path))


def decode(data: bytes, source: str) -> Read:
    """By its mark; without one UTF-8 if it can be that, else GB18030, in which Chinese spreadsheets save."""
    for mark, codec, name in (*MARKS, *_unmarked(data)):
        if data.startswith(mark):
            return _strict(data, source, codec, name)
    try:
        return Read(data.decode("utf-8"), "UTF-8")
    except UnicodeDecodeError as error:
        in_utf8 = error
    try:
        return Read(data.decode("gb18030"), "GB18030")
    except UnicodeDecodeError:
        line = data.count(b"\n", 0, in_utf8.start) + 1
        raise _mistake(
            f"{source}, line {line}", "neither UTF-8 nor GB18030: save the file as “CSV UTF-8”"
        ) from in_utf8


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
