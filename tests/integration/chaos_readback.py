"""What the stores and the dead letters hold, and how that differs from what was sent."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Any

from chaos import HTTP
from chaos_devices import CHANNELS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from chaos import Scene
    from chaos_devices import Record, Values

    Rows = list[tuple[int, Values]]
    """Of one device: time, and a value for each channel, None where there is none. A time may be there twice."""
    Stored = Mapping[str, Rows]
    """By device."""

MOST = 1_000_000


@dataclass(frozen=True)
class Differences:
    """Readings of all channels at one time count as one."""

    lost: int = 0
    twice: int = 0
    strange: int = 0
    """Never sent, or with other values than were sent."""
    letters_lost: int = 0
    letters_strange: int = 0

    @property
    def any(self) -> bool:
        return self != Differences()

    def since(self, before: Differences) -> Differences:
        return Differences(*(now - then for now, then in zip(astuple(self), astuple(before), strict=True)))


def compare(record: Record, stored: Stored, letters: Counter[tuple[bytes, bytes]]) -> Differences:
    lost = twice = strange = 0
    for device in record.places.keys() | stored.keys():
        places, found = record.places.get(device, {}), stored.get(device, [])
        times = Counter(t_ms for t_ms, _ in found)
        lost += len(places.keys() - times.keys())
        twice += times.total() - len(times)
        strange += sum(values not in places.get(t_ms, ()) for t_ms, values in found)
    wanted = record.letters.keys()
    return Differences(lost, twice, strange, len(wanted - letters.keys()), len(letters.keys() - wanted))


def in_api(scene: Scene, devices: Iterable[str]) -> Stored:
    """The API gives one channel at a time; they are joined by their order among readings of one time."""
    return {device: _in_api(scene, device) for device in devices}


def _in_api(scene: Scene, device: str) -> Rows:
    rows: dict[tuple[int, int], list[float | None]] = {}
    for at, channel in enumerate(CHANNELS):
        page = scene.ask(f"/api/v1/readings?device={device}&channel={channel}&limit={MOST}")
        assert not page["truncated"]
        seen: Counter[int] = Counter()
        for reading in page["readings"]:
            t_ms = reading["t"]
            rows.setdefault((t_ms, seen[t_ms]), [None] * len(CHANNELS))[at] = reading["value"]
            seen[t_ms] += 1
    return [(t_ms, tuple(values)) for (t_ms, _), values in rows.items()]


def in_influx(address: str, database: str, fields: Mapping[str, str]) -> Stored:
    """Asked past every link. `fields` are the channels' names there."""
    stored: dict[str, Rows] = {}
    for series in _query(address, "SELECT * FROM /.+/ GROUP BY scene, site, device", database):
        tags, names = series["tags"], series["columns"]
        columns = [names.index(fields[c]) if fields[c] in names else None for c in CHANNELS]
        rows = [(row[0], tuple(None if c is None else row[c] for c in columns)) for row in series["values"]]
        # Where none of them is, a derived channel alone was told.
        measured = [row for row in rows if any(value is not None for value in row[1])]
        stored.setdefault(f"{tags['scene']}.{tags['site']}.{tags['device']}", []).extend(measured)
    return stored


def dead_letters(database: Path) -> Counter[tuple[bytes, bytes]]:
    """Topic and payload of each, from the file itself: the API shows them shortened."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as con:
        return Counter(con.execute("select topic, payload from dead_letter").fetchall())


def _query(address: str, statement: str, database: str) -> list[dict[str, Any]]:
    """The series of InfluxDB's answer."""
    form = {"db": database, "epoch": "ms", "q": statement}
    answer = HTTP.post(f"{address}/query", data=form)
    answer.raise_for_status()
    result = json.loads(answer.content)["results"][0]
    assert "error" not in result, result
    return list(result.get("series", []))
