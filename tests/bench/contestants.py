"""What is measured side by side: each reads its own topics of one broker into a store of its own."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

sys.path.insert(0, str(Path(__file__).parents[1]))

import duckdb
from load import CHANNELS, Fleet
from programs import HTTP, Program, Worker

from go_programs import TELEGRAF
from influx_server import create
from scenewatch.model.level import Level
from telegraf_settings import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.model.place import Device

PROBED = "air_temp"
"""The channel by which messages are counted."""
PROBE_EVERY = 50
EVERYWHERE = "FROM /.*/"
"""Each contestant has a database of its own, whatever it calls its measurements."""

Totals = dict[str, tuple[int, float]]
"""Of each channel: how many values, and their sum."""


@dataclass(frozen=True)
class Ground:
    """What all contestants share."""

    folder: Path
    mqtt_port: int
    influx: str
    devices: Sequence[Device]


class Readable(Protocol):
    """A contestant's store, as its users read it."""

    probe_every: int
    """`seen` counts only messages whose number is a multiple of this."""

    def stored(self) -> int:
        """Messages whose values can be read."""
        ...

    def seen(self, since_ms: int) -> int:
        """As `stored`, and cheap: it is asked for many times a second. May leave out what was measured before."""
        ...

    def totals(self) -> Totals:
        """What it holds, once the program is stopped."""
        ...


@dataclass(frozen=True)
class Contestant:
    """A program with its devices' messages, its topics and its store, all by one name."""

    name: str
    ground: Ground
    program: Program
    store: Readable
    fleet: Fleet


class InInflux:
    """Asks InfluxDB itself, in InfluxQL; `field` makes a field's name of a channel."""

    probe_every = PROBE_EVERY

    def __init__(self, ground: Ground, database: str, field: str) -> None:
        self._ground = ground
        self._database = database
        self._field = field

    def stored(self) -> int:
        return self._count("")

    def seen(self, since_ms: int) -> int:
        probes = "|".join(d.device for d in self._ground.devices[::PROBE_EVERY])
        return self._count(f"WHERE time >= {since_ms}ms AND device =~ /^({probes})$/")

    def totals(self) -> Totals:
        found = {}
        for channel in CHANNELS:
            field = self._field.format(channel)
            series = self._query(f'SELECT count("{field}"), sum("{field}") {EVERYWHERE}')
            rows = [row for one in series for row in one["values"]]
            found[channel] = (sum(row[1] for row in rows), sum(row[2] for row in rows))
        return found

    def _count(self, where: str) -> int:
        series = self._query(f'SELECT count("{self._field.format(PROBED)}") {EVERYWHERE} {where}')
        return sum(int(one["values"][0][1]) for one in series)

    def _query(self, statement: str) -> list[dict[str, Any]]:
        """The series of the answer."""
        answer = HTTP.post(f"{self._ground.influx}/query", params={"db": self._database}, data={"q": statement})
        [result] = answer.raise_for_status().json()["results"]
        if "error" in result:
            raise RuntimeError(result["error"])
        return list(result.get("series", ()))


class InDuck:
    """Asks the worker, to whom the file belongs; reads the file itself once it is stopped."""

    probe_every = 1

    def __init__(self, worker: Worker, path: Path) -> None:
        self._worker = worker
        self._path = path

    def stored(self) -> int:
        return self._worker.stored()

    def seen(self, since_ms: int) -> int:
        del since_ms
        return self.stored()

    def totals(self) -> Totals:
        with duckdb.connect(str(self._path), read_only=True) as con:
            rows = con.execute(
                "select split_part(name, '.', 4) as channel, count(*), sum(value) "
                "from reading join series on series = id group by channel"
            ).fetchall()
        return {channel: (count, total) for channel, count, total in rows}


def ours_on_influx(name: str, ground: Ground) -> Contestant:
    for level in Level:
        create(ground.influx, f"{name}{level.suffix}")
    store = f"influx+{ground.influx}/?org=-&bucket={name}"
    worker = Worker(ground.folder / name, ground.mqtt_port, ground.devices, store=store, name=name)
    return Contestant(name, ground, worker, InInflux(ground, name, "{}"), Fleet(ground.devices, name))


def ours_on_duckdb(name: str, ground: Ground) -> Contestant:
    folder = ground.folder / name
    worker = Worker(folder, ground.mqtt_port, ground.devices, store="duckdb:readings.duckdb", name=name)
    return Contestant(name, ground, worker, InDuck(worker, folder / "readings.duckdb"), Fleet(ground.devices, name))


def telegraf(name: str, ground: Ground, *, gogc: str) -> Contestant:
    """As an integrator would set it up for these messages, tuned for throughput."""
    path = TELEGRAF.path()
    if path is None:
        raise SystemExit("Telegraf is not there and cannot be built: install Go")
    create(ground.influx, name)
    config = ground.folder / f"{name}.conf"
    config.write_text(
        settings(name, root=name, tags="_/_/site/device/_", mqtt_port=ground.mqtt_port, influx=ground.influx)
    )
    program = Program(ground.folder / f"{name}.log", [str(path), "--config", str(config)], {"GOGC": gogc})
    return Contestant(name, ground, program, InInflux(ground, name, "v_{}"), Fleet(ground.devices, name))
