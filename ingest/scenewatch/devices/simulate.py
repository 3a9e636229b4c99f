"""Runs a simulated fleet on a broker, over as many processes as its message rate asks for."""

from __future__ import annotations

import logging
import math
import multiprocessing
import secrets
import signal
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from scenewatch.devices.clock import SpeedClock
from scenewatch.devices.fleet import NO_FAULTS, Fleet
from scenewatch.devices.gateway import gateways
from scenewatch.devices.publisher import Publisher
from scenewatch.devices.schedule import Schedule
from scenewatch.model.errors import ScenewatchError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.process import BaseProcess
    from multiprocessing.synchronize import Event as ProcessEvent
    from pathlib import Path

    from scenewatch.devices.faults import FaultPlan
    from scenewatch.model.broker import Broker
    from scenewatch.model.place import Device
    from scenewatch.model.ports import Clock
    from scenewatch.model.scene import Scene

log = logging.getLogger(__name__)

MESSAGES_A_PROCESS: Final = 1500
"""Per second. paho takes about 180 µs a message, the physics next to nothing."""
MOST_SAMPLES_A_TURN: Final = 5000
"""Connections must be served while a long past is caught up with."""
LONGEST_WAIT_S: Final = 0.2
"""How late a stop is noticed."""
GOODBYE_S: Final = 5.0
BEHIND_INTERVALS: Final = 2
LOOK_MS: Final = 10_000
"""How often the lag is looked at; it must have grown since the last look, so catching up is no news."""


class Stop(Protocol):
    """A `threading.Event`, or a process's."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float | None = None, /) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """What to simulate and where to. Goes to other processes whole."""

    scene: Scene
    devices: tuple[Device, ...]
    broker: Broker
    root: str
    seed: int
    start_ms: int
    """Where the physics begins. Up to `live_from_ms` nothing is published: others have written that."""
    live_from_ms: int
    clock: Clock
    logins: Path | None = None
    """Folder with a password for each site, where each site has a login of its own."""
    speed: float = 1.0
    """Above 1: time runs from `live_from_ms` at this speed until it meets the clock's. At 1 it is the clock's."""
    plan: FaultPlan = NO_FAULTS


def simulate(simulation: Simulation, stop: Stop, *, processes: int | None = None) -> None:
    """Until `stop` is set. Raises ScenewatchError if one of its processes falls over."""
    shares = split(simulation, processes or needed_processes(simulation))
    if len(shares) == 1:
        run_share(shares[0], stop)
    else:
        _run_in_processes(shares, stop)


def needed_processes(simulation: Simulation) -> int:
    types = {t.key: t for t in simulation.scene.device_types}
    a_second = sum(1000 / types[d.type].every for d in simulation.devices if types[d.type].channels)
    return max(1, math.ceil(a_second * simulation.speed / MESSAGES_A_PROCESS))


def split(simulation: Simulation, processes: int) -> list[Simulation]:
    """Whole sites, dealt out in turn; never an empty share."""
    sites = list(dict.fromkeys(d.site_id for d in simulation.devices))
    share_of = {site: n % processes for n, site in enumerate(sites)}
    shares = [
        tuple(d for d in simulation.devices if share_of[d.site_id] == n) for n in range(min(processes, len(sites)))
    ]
    return [replace(simulation, devices=share, plan=simulation.plan.of(share)) for share in shares]


def run_share(simulation: Simulation, stop: Stop) -> None:
    """One process's part, in the calling thread."""
    s = simulation
    clock = s.clock if s.speed == 1 else SpeedClock(s.live_from_ms, s.speed, s.clock)
    fleet = Fleet(s.scene, s.devices, seed=s.seed, start_ms=s.start_ms, plan=s.plan)
    schedule = Schedule(fleet)
    kept_back = list(schedule.skip(s.live_from_ms))
    lag = Lag(BEHIND_INTERVALS * fleet.every_ms * s.speed)
    boot = secrets.token_hex(4)
    with Publisher(gateways(fleet, root=s.root, boot=boot), s.broker, clock, s.logins) as publisher:
        publisher.offer(kept_back)
        while not stop.is_set():
            now_ms = clock.now_ms()
            publisher.offer(islice(schedule.due(now_ms), MOST_SAMPLES_A_TURN))
            if lag.due(s.clock.now_ms()):
                lag.look(publisher.lag_ms(now_ms))
            until_next_s = (schedule.next_ms() - now_ms) / 1000 / s.speed
            publisher.turn(min(LONGEST_WAIT_S, max(0.0, until_next_s)))
        publisher.stop(GOODBYE_S)


class Lag:
    """Says so when samples wait longer and longer although the broker is there; once, and once when it is over."""

    def __init__(self, limit_ms: float) -> None:
        self.behind = False
        self._limit_ms = limit_ms
        self._looked_ms = 0
        self._last_ms: int | None = None

    def due(self, now_ms: int) -> bool:
        """Whether it is time to look again; if so, time starts anew."""
        due = now_ms - self._looked_ms >= LOOK_MS
        if due:
            self._looked_ms = now_ms
        return due

    def look(self, lag_ms: int | None) -> None:
        """`lag_ms` is None while the broker is away, which is told elsewhere."""
        growing = lag_ms is not None and self._last_ms is not None and lag_ms > self._last_ms
        self._last_ms = lag_ms
        if lag_ms is None:
            return
        if not self.behind and growing and lag_ms > self._limit_ms:
            self.behind = True
            log.warning("devices are %.0f s behind: too many messages for this machine or broker", lag_ms / 1000)
        elif self.behind and lag_ms <= self._limit_ms / 2:
            self.behind = False
            log.warning("devices are on time again")


def _run_in_processes(shares: list[Simulation], stop: Stop) -> None:
    context = multiprocessing.get_context("spawn")
    stop_all = context.Event()
    children = [
        context.Process(target=_child, args=(share, stop_all), name=f"devices-{n}", daemon=True)
        for n, share in enumerate(shares)
    ]
    for child in children:
        child.start()
    try:
        while not stop.wait(LONGEST_WAIT_S):
            fallen = [c for c in children if c.exitcode is not None]
            if fallen:
                raise ScenewatchError(f"process {fallen[0].name} ended with status {fallen[0].exitcode}")
    finally:
        stop_all.set()
        _join(children)


def _join(children: Sequence[BaseProcess]) -> None:
    for child in children:
        child.join(2 * GOODBYE_S)
        if child.exitcode is None:
            log.warning("process %s does not end by itself: terminated", child.name)
            child.terminate()
            child.join()


class _StopWithParent:
    """A child whose parent was killed has nobody left to stop it."""

    def __init__(self, stop: ProcessEvent) -> None:
        self._stop = stop
        self._parent = multiprocessing.parent_process()

    def is_set(self) -> bool:
        return self._stop.is_set() or (self._parent is not None and not self._parent.is_alive())

    def wait(self, timeout: float | None = None, /) -> bool:
        return self._stop.wait(timeout)


def _child(share: Simulation, stop: ProcessEvent) -> None:
    # Ctrl-C reaches the whole process group; the parent decides, so that every gateway says goodbye.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    run_share(share, _StopWithParent(stop))
