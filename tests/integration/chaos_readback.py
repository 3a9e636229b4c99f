"""What the stores and the dead letters hold, and how that differs from what was sent."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chaos_devices import CHANNELS
from chaos_scene import query

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chaos_devices import Record, Values
    from chaos_scene import ChaosScene

    Rows = list[tuple[int, Values]]
    """Of one device: time, and a value for each channel, None where there is none. A time may be there twice."""
    Read = Callable[[str], Rows]

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


def compare(record: Record, read: Read, letters: Counter[tuple[bytes, bytes]]) -> Differences:
    lost = twice = strange = 0
    for device, places in record.places.items():
        found = read(device)
        times = Counter(t_ms for t_ms, _ in found)
        lost += len(places.keys() - times.keys())
        twice += times.total() - len(times)
        strange += sum(values not in places.get(t_ms, ()) for t_ms, values in found)
    wanted = record.letters.keys()
    return Differences(lost, twice, strange, len(wanted - letters.keys()), len(letters.keys() - wanted))


def reader(scene: ChaosScene) -> Read:
    return _influx_rows(scene.influx) if scene.setup.store == "influx" else _api_rows(scene)


def _api_rows(scene: ChaosScene) -> Read:
    """The API gives one channel at a time; they are joined by their order among readings of one time."""

    def read(device: str) -> Rows:
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

    return read


def _influx_rows(address: str) -> Read:
    """Asked past every link."""
    everything: dict[str, Rows] = {}
    for series in query(address, "SELECT * FROM /.+/ GROUP BY scene, site, device"):
        tags = series["tags"]
        columns: list[Any] = [series["columns"].index(c) if c in series["columns"] else None for c in CHANNELS]
        everything[f"{tags['scene']}.{tags['site']}.{tags['device']}"] = [
            (row[0], tuple(None if c is None else row[c] for c in columns)) for row in series["values"]
        ]
    return lambda device: everything.get(device, [])


def dead_letters(database: Path) -> Counter[tuple[bytes, bytes]]:
    """Topic and payload of each, from the file itself: the API shows them shortened."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as con:
        return Counter(con.execute("select topic, payload from dead_letter").fetchall())
