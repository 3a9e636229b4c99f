"""Labelled spans of recorded data in which something was truly wrong, as JSON or CSV files have them.

JSON: a list of [from, to] by series, as the Numenta Anomaly Benchmark has it. CSV: device, from, to and maybe kind.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from scenewatch.model.encoding import decode
from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.recorded.times import zone_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

KIND: Final = "window"
HEAD: Final = ("device", "from", "to")


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """From the first to the last moment. `device` is as the readings' files call it."""

    device: str
    from_ms: int
    to_ms: int
    kind: str = KIND


@dataclass(frozen=True, slots=True)
class _Said:
    """One window as it was written."""

    place: str
    device: str
    begin: str
    end: str
    kind: str


def load_windows(path: Path, devices: Sequence[str], zone: str = "") -> list[Window]:
    """Those of these devices, in time. Raises ConfigurationError with all that is wrong, or if none is theirs."""
    try:
        text = decode(path.read_bytes(), str(path)).text
    except OSError as error:
        raise ConfigurationError([Mistake(str(path), f"cannot be read: {error.strerror}")]) from error
    said = list(_of_json(path, text) if text.lstrip().startswith("{") else _of_csv(path, text))
    where = zone_of(zone) if zone else UTC
    found, mistakes = [], []
    for one in said:
        device = _device(one.device, devices)
        try:
            window = Window(
                device=device or one.device,
                from_ms=_moment(one.begin, where),
                to_ms=_moment(one.end, where),
                kind=one.kind,
            )
        except ValueError:
            mistakes.append(
                Mistake(one.place, f"{one.begin!r} to {one.end!r} are not two times such as 2024-01-05 08:30")
            )
            continue
        if window.from_ms >= window.to_ms:
            mistakes.append(Mistake(one.place, f"ends at {one.end}, not behind its begin at {one.begin}"))
        elif device is not None:
            found.append(window)
    if not mistakes and not found:
        mistakes.append(Mistake(str(path), f"has no window of {', '.join(devices)}"))
    if mistakes:
        raise ConfigurationError(mistakes)
    return sorted(found, key=lambda w: (w.from_ms, w.device))


def _device(said: str, devices: Sequence[str]) -> str | None:
    """A series may be called by its device, or by a file of that name."""
    stem = PurePosixPath(said).name.partition(".")[0]
    return next((d for d in (said, stem) if d in devices), None)


def _moment(text: str, zone: tzinfo) -> int:
    """A local time that came twice is taken for the first: a window has no order to tell."""
    moment = datetime.fromisoformat(text.strip())
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    return round(moment.timestamp() * 1000)


def _of_json(path: Path, text: str) -> Iterator[_Said]:
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigurationError([Mistake(f"{path}, line {error.lineno}", f"is not JSON: {error.msg}")]) from error
    mistakes = []
    for series, spans in body.items():
        for number, span in enumerate(spans if isinstance(spans, list) else [spans]):
            place = f"{path}: {series}[{number}]"
            if isinstance(span, list) and len(span) == 2 and all(isinstance(t, str) for t in span):
                yield _Said(place, series, span[0], span[1], KIND)
            else:
                mistakes.append(Mistake(place, "must be two times: [from, to]"))
    if mistakes:
        raise ConfigurationError(mistakes)


def _of_csv(path: Path, text: str) -> Iterator[_Said]:
    rows = csv.DictReader(io.StringIO(text, newline=""))
    rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
    if missing := [name for name in HEAD if name not in rows.fieldnames]:
        raise ConfigurationError(
            [Mistake(str(path), f"has no column {', '.join(missing)}: it needs {', '.join(HEAD)}")]
        )
    for row in rows:
        cells = {name: (row.get(name) or "").strip() for name in (*HEAD, "kind")}
        yield _Said(
            f"{path}, line {rows.line_num}", cells["device"], cells["from"], cells["to"], cells["kind"] or KIND
        )
