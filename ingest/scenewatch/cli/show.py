"""How findings are shown: times, names and sizes for a person, JSON for a program, payloads as they are."""

from __future__ import annotations

import base64
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from scenewatch.cli.words import STANDARD_OUTPUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def iso(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def printable(data: bytes | str) -> str:
    """On one line, and harmless to a terminal: topics come from anybody."""
    text = data if isinstance(data, str) else data.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """In columns, the last one ragged."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def put_json(found: Any, destination: str) -> None:
    """To the file that `--json` names, or to standard output."""
    text = msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"
    if destination == STANDARD_OUTPUT:
        put_bytes(text)
    else:
        Path(destination).write_bytes(text)


def put_bytes(data: bytes) -> None:
    """To standard output, as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def put_details(**details: object) -> None:
    """To standard error, so that standard output is the payload alone."""
    for name, value in details.items():
        print(f"{name}: {value}", file=sys.stderr)


def message(position: int, received_ms: int, topic: bytes, payload: bytes) -> dict[str, Any]:
    """One message whole, as JSON: what is no UTF-8 is told in base64, under a name that says so."""
    return {"position": position, "received_at": received_ms} | _text("topic", topic) | _text("payload", payload)


def _text(name: str, data: bytes) -> dict[str, str]:
    try:
        return {name: data.decode("utf-8")}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(data).decode("ascii")}
