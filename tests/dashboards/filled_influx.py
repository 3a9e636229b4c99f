"""A real InfluxDB with days of simulated kitchens in it, brought there by the project's own code alone."""

from __future__ import annotations

import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

import influx2_server
import influx_server
from ends import HandClock
from ports import free_port
from scenewatch.app import Worker
from scenewatch.devices.faults import FaultPlan, PlannedFault
from scenewatch.devices.fleet import Fleet
from scenewatch.devices.payload import SampleBuffer
from scenewatch.embedded.broker import command
from scenewatch.model.level import Level
from scenewatch.model.messages import Messages
from scenewatch.model.ports import RecordKind
from scenewatch.scenes import KITCHEN, demonstration
from scenewatch.settings import load
from scenewatch.store.devices import Inventory
from scenewatch.store.relational import Database
from scenewatch.worker import loop, repeated, summaries, writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from scenewatch.devices.telling import Telling
    from scenewatch.model.place import Device

BUCKET = "proof"
SITES = 5
SEED = 7
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MINUTE_MS = 60_000
LOCAL_MS = 8 * HOUR_MS
"""The kitchens' midnight comes so long before that of UTC."""
FROM_MS = 1_772_409_600_000 - LOCAL_MS
"""2 March 2026, midnight in the kitchens."""
NOW_MS = FROM_MS + DAY_MS + 6 * HOUR_MS
"""One day is closed, the next is at six in the morning."""


def _at(days: float) -> int:
    return FROM_MS + round(days * DAY_MS)


def _devices() -> Iterator[Device]:
    """All of the first site, of the third one of each type, of the others a fridge and a freezer with a gateway."""
    met = set()
    for device in demonstration(KITCHEN).devices(SITES):
        first = (device.site, device.type) not in met
        met.add((device.site, device.type))
        if device.site == "s001" or (first and (device.site == "s003" or device.type in (*COLD, "gateway"))):
            yield device


COLD = ("fridge", "freezer")
DEVICES = tuple(_devices())
CABINETS = [device.device for device in DEVICES if device.type in COLD]
ALARMED = ("s001-fridge-1", "s001-freezer-1")
"""Those have had an alarm of each priority that their rules have, within a day."""
TELLING = ("s001-camera", "s001-gate", "s004-gw")
"""Those measure nothing; they have told of something and have had an alarm within a day."""
_OF_TYPES = {d.type: d.device for d in reversed(DEVICES) if d.site == "s001"}
SHOWN = (*(device for kind, device in _OF_TYPES.items() if kind != "gateway"), "s004-gw")
"""One of each type."""
LATER_MS = NOW_MS + HOUR_MS
FAULTS = tuple(
    PlannedFault(fault, f"kitchen.{device[:4]}.{device}", from_ms, to_ms)
    for fault, device, from_ms, to_ms in (
        # All doors at once are a flood of alarms.
        *(("door_ajar", device, _at(0.95), _at(0.95) + 12 * MINUTE_MS) for device in CABINETS),
        *(("compressor_dead", device, _at(0.62), _at(0.87)) for device in ALARMED),
        *(("sensor_silent", device, _at(1.1), _at(1.15)) for device in ALARMED),
        ("smoker", "s001-camera", _at(0.5), _at(0.5) + 10 * MINUTE_MS),
        ("staff_unfit", "s001-gate", _at(0.3), _at(0.3) + 10 * MINUTE_MS),
        *(("sensor_silent", one, _at(0.5), _at(0.5) + HOUR_MS) for one in CABINETS if one.startswith("s004")),
        # These still stand: three alarms at s001, one at s002, one at s003, none at s004, and s005 is silent.
        ("compressor_dead", "s001-fridge-3", NOW_MS - 8 * HOUR_MS, LATER_MS),
        ("door_ajar", "s001-fridge-2", NOW_MS - 10 * MINUTE_MS, LATER_MS),
        ("door_ajar", "s002-fridge-1", NOW_MS - 10 * MINUTE_MS, LATER_MS),
        *(
            ("sensor_silent", device, NOW_MS - 3 * HOUR_MS, LATER_MS)
            for device in CABINETS
            if device in ("s001-freezer-2", "s003-freezer-1") or device.startswith("s005")
        ),
    )
)


@dataclass(frozen=True)
class Damage:
    """Readings of one series that come otherwise than they were measured."""

    series: str
    from_ms: int
    to_ms: int
    value: float | None = None
    ahead_ms: int = 0

    @property
    def device(self) -> str:
        return self.series.rpartition(".")[0]

    @property
    def channel(self) -> str:
        return self.series.rpartition(".")[2]

    @property
    def site(self) -> str:
        return self.series.split(".")[1]


SPIKE = Damage("kitchen.s001.s001-freezer-2.air_temp", _at(0.7), _at(0.7) + MINUTE_MS // 2, 24.0)
"""One reading alone: it changes faster than air can, and must be seen at every level."""
DAMAGES = (
    SPIKE,
    Damage("kitchen.s002.s002-freezer-1.air_temp", _at(1.05), _at(1.05) + 2 * HOUR_MS, -18.25),
    Damage("kitchen.s003.s003-fridge-1.battery", _at(0.2), NOW_MS, 2.55),
    Damage("kitchen.s001.s001-freezer-1.door", _at(1.2), _at(1.2) + 3 * MINUTE_MS, ahead_ms=2 * HOUR_MS),
    # Beyond limits that no fault above passes, for less than any delay but that of gas.
    Damage("kitchen.s001.s001-gas.gas", _at(0.4), _at(0.4) + MINUTE_MS, 31.0),
    Damage("kitchen.s001.s001-gas.supply", _at(0.42), _at(0.42) + MINUTE_MS, 0.0),
    Damage("kitchen.s001.s001-leak.wet", _at(0.44), _at(0.44) + MINUTE_MS, 1.0),
    Damage("kitchen.s001.s001-cold-dish-room.air_temp", _at(0.46), _at(0.46) + MINUTE_MS, 25.5),
    Damage("kitchen.s001.s001-fridge-2.air_temp", _at(0.48), _at(0.48) + MINUTE_MS, -0.5),
    Damage("kitchen.s001.s001-freezer-2.battery", _at(0.5), _at(0.5) + MINUTE_MS, 2.9),
    Damage("kitchen.s001.s001-leak.battery", _at(0.52), _at(0.52) + MINUTE_MS, 2.9),
    *(
        Damage(f"{device.id}.{c.key}", _at(1.08), _at(1.08) + MINUTE_MS, c.possible.high + 0.5)
        for device in DEVICES
        if device.site == "s003"
        for c in KITCHEN.device_type(device.type).measured
    ),
)
"""Every quality test finds something, and every channel has something that a test found."""


TAKEN = (
    b"sw/kitchen/s004/s004-fridge-1/telemetry",
    b'{"t": %d, "b": "x", "n": 0, "v": {"air_temp": 4.1}}' % NOW_MS,
)
ALARMING = (
    b"sw/kitchen/s001/s001-gas/event",
    b'{"t": %d, "kind": "alarm", "level": "alarm", "text": "27 %% LEL", "media": "https://cam.example/1.jpg"}'
    % NOW_MS,
)
STARTED = (b"sw/kitchen/s004/s004-gw/event", b'{"t": %d, "kind": "started"}' % NOW_MS)
ODD_MESSAGES = (
    ALARMING,
    STARTED,
    TAKEN,
    TAKEN,
    (TAKEN[0], TAKEN[1].replace(b'"n": 0', b'"n": 5').replace(b"}}", b', "door": "open"}}')),
    (TAKEN[0], b"not JSON"),
    (b"sw/kitchen/s004/s004-fridge-9/telemetry", b"{}"),
)
"""What no device tells of by itself; one twice, one with numbers skipped before it and a text for a number, one
unreadable, one of nobody's."""


class _Publishers:
    """All devices of a fleet: each step's payloads as a gateway would send them, some of them damaged."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._buffers = [SampleBuffer(c, boot="b1", capacity=1) for c in fleet.channels]
        self._topics = [f"sw/{d.scene}/{d.site}/{d.device}/telemetry".encode() for d in fleet.devices]
        self._damages = [[one for one in DAMAGES if one.device == d.id] for d in fleet.devices]

    def until(self, to_ms: int) -> Iterator[Messages]:
        for block in self._fleet.advance(to_ms):
            if block.told:
                yield Messages.of([self._told(one) for one in block.told], max(one.t_ms for one in block.told))
            for t_ms, values, silent in zip(block.t_ms, block.values, block.silent, strict=True):
                measuring = [n for n, channels in enumerate(self._fleet.channels) if channels and not silent[n]]
                pairs = [(self._topics[n], self._payload(n, int(t_ms[n]), values)) for n in measuring]
                yield Messages.of(pairs, int(t_ms.max()))

    def _told(self, telling: Telling) -> tuple[bytes, bytes]:
        topic = self._topics[telling.device].replace(b"/telemetry", b"/event")
        return topic, self._buffers[telling.device].event(telling)

    def _payload(self, number: int, t_ms: int, values: NDArray[np.float64]) -> bytes:
        first = self._fleet.first_column
        sample = dict(zip(self._fleet.channels[number], values[first[number] :].tolist(), strict=False))
        ahead_ms = 0
        for one in self._damages[number]:
            if one.from_ms <= t_ms < one.to_ms:
                ahead_ms += one.ahead_ms
                if one.value is not None:
                    sample[one.channel] = one.value
        self._buffers[number].add(t_ms, t_ms + ahead_ms, list(sample.values()))
        return self._buffers[number].take()


STEP_MS = 20 * MINUTE_MS
PATIENCE_S = 100
QUICK = ((repeated, "LOOK_S", 0.01), (loop, "TICK_MS", 20), (writer, "IDLE_S", 0.01), (writer, "GATHER_S", 0.0))
"""How often a worker's threads look for something to do: here time passes quickly."""
AT_ONCE = ((summaries, "LOOK_S", PATIENCE_S), (summaries, "MOST_MS", dict.fromkeys(Level, DAY_MS // 2)))
"""Minutes, hours and days are made when all is there, in few goes."""


def fill(address: str, folder: Path, step_ms: int = STEP_MS, *, token: str = "") -> None:
    """Lets a real worker live through it all on a server that has nothing of it yet; `folder` is for its files.

    The clock goes in steps: at the end of each the devices have reported, and figures are taken. With a token it
    is an InfluxDB 2.
    """
    server = influx2_server if token else influx_server
    for level in Level:
        server.create(address, BUCKET + level.suffix)
    (folder / "token").write_text(token)
    login = 'token_file = "token"\n' if token else ""
    clock = HandClock(FROM_MS)
    with pytest.MonkeyPatch.context() as patch, _broker(folder) as broker:
        for module, name, value in (*QUICK, *AT_ONCE):
            patch.setattr(module, name, value)
        config = folder / "scenewatch.toml"
        config.write_text(
            f'[broker]\nurl = "{broker}"\n[store]\n{login}'
            f'url = "influx+{address}/?org={influx2_server.ORG}&bucket={BUCKET}"\n'
            f'[database]\nurl = "sqlite:///rows.sqlite"\n[journal]\npath = "journal"\n'
        )
        settings = load(config, {})
        database = Database(settings.database.url)
        Inventory(database).upsert(DEVICES)
        database.close()
        worker = Worker(settings, clock)
        worker.start()
        try:
            _live_through(worker, clock, step_ms)
        finally:
            worker.stop()


def _live_through(worker: Worker, clock: HandClock, step_ms: int) -> None:
    _wait(lambda: worker.source_state == "connected")
    publishers = _Publishers(Fleet(KITCHEN, DEVICES, seed=SEED, start_ms=FROM_MS, plan=FaultPlan(FAULTS)))
    for end_ms in range(FROM_MS + step_ms, NOW_MS + 1, step_ms):
        for messages in publishers.until(end_ms):
            worker.journal.append(messages)
        if end_ms == NOW_MS:
            worker.journal.append(Messages.of(ODD_MESSAGES, NOW_MS))
        worker.journal.append_record(RecordKind.TICK, b"", end_ms)
        _wait(lambda: worker.store.position() == worker.journal.head)
        clock.ms = end_ms
        _wait(lambda: worker.records._figures._told_ms == clock.ms)
    _wait(lambda: not worker.summaries.step() and _summarised(worker))
    _wait(lambda: not worker.records._figures._waiting)


def _summarised(worker: Worker) -> bool:
    """All whole days, and minutes up to those that readings may still come for."""
    progress = worker.summaries.state().progress
    due_ms = NOW_MS - summaries.GRACE_MS - MINUTE_MS
    return progress is not None and progress.minute_ms >= due_ms and progress.day_ms == FROM_MS + DAY_MS


def _wait(there: Callable[[], bool]) -> None:
    pause = threading.Event()
    until_s = time.monotonic() + PATIENCE_S
    while not there():
        assert time.monotonic() < until_s, "it did not come about in time"
        pause.wait(0.002)


@contextmanager
def _broker(folder: Path) -> Iterator[str]:
    """The one that is embedded: its URL."""
    port = free_port()
    process = subprocess.Popen(command(folder / "broker", port), stderr=subprocess.DEVNULL)
    try:
        yield f"mqtt://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
