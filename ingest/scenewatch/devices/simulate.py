"""Runs a simulated fleet on a broker, over as many processes as its message rate asks for."""

from __future__ import annotations

import math
import os
import secrets
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final, Protocol

from scenewatch.devices.clock import SpeedClock
from scenewatch.devices.commands import Commands
from scenewatch.devices.fleet import NO_FAULTS, Fleet
from scenewatch.devices.gateway import gateways
from scenewatch.devices.openfiles import make_room
from scenewatch.devices.pace import Figures, Pace
from scenewatch.devices.processes import Crew, run_all
from scenewatch.devices.publisher import Publisher
from scenewatch.devices.schedule import Schedule

if TYPE_CHECKING:
    from pathlib import Path

    from scenewatch.devices.faults import FaultPlan
    from scenewatch.devices.pace import Told
    from scenewatch.model.broker import Broker
    from scenewatch.model.place import Device
    from scenewatch.model.ports import Clock
    from scenewatch.model.scene import Scene

MESSAGES_A_PROCESS: Final = 1500
"""Per second. paho takes about 180 µs a message, the physics next to nothing."""
SITES_A_PROCESS: Final = 500
"""Connecting them and keeping them alive is what many sites cost."""
MOST_SAMPLES_A_TURN: Final = 5000
"""Connections must be served while a long past is caught up with."""
TICK_S: Final = 0.01
"""What comes within it goes out together: a turn for each message of thousands of devices would cost more."""
LONGEST_WAIT_S: Final = 0.2
"""How late a stop is noticed."""
GOODBYE_S: Final = 5.0
GOODBYES_A_SECOND: Final = 1000
"""Each device's last status beyond that."""


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
    s = simulation
    shares = split(s, processes or fitting_processes(s, cores()))
    every_ms = max(t.every for t in s.scene.device_types if t.channels)
    pace = Pace(every_ms=every_ms, speed=s.speed, asked_a_second=messages_a_second(s))
    if len(shares) == 1:
        run_share(shares[0], stop, pace)
    else:
        patience_s = 2 * goodbye_s(len(shares[0].devices))
        run_all(Crew(shares, run_share, patience_s), stop, pace, s.clock)


def goodbye_s(devices: int) -> float:
    """How long so many devices may take to say that they are offline; without a broker they take no time."""
    return GOODBYE_S + devices / GOODBYES_A_SECOND


def cores() -> int:
    """That this process may run on."""
    return len(os.sched_getaffinity(0))


def messages_a_second(simulation: Simulation) -> float:
    types = {t.key: t for t in simulation.scene.device_types}
    a_second = sum(1000 / types[d.type].every for d in simulation.devices if types[d.type].channels)
    return a_second * simulation.speed


def fitting_processes(simulation: Simulation, most: int) -> int:
    """As many as the messages and the connections ask for, and at most `most`."""
    sites = len({d.site_id for d in simulation.devices})
    wanted = max(messages_a_second(simulation) / MESSAGES_A_PROCESS, sites / SITES_A_PROCESS)
    return max(1, min(most, math.ceil(wanted)))


def split(simulation: Simulation, processes: int) -> list[Simulation]:
    """Whole sites, dealt out in turn; never an empty share."""
    sites = list(dict.fromkeys(d.site_id for d in simulation.devices))
    share_of = {site: n % processes for n, site in enumerate(sites)}
    shares: list[list[Device]] = [[] for _ in range(min(processes, len(sites)))]
    for device in simulation.devices:
        shares[share_of[device.site_id]].append(device)
    return [replace(simulation, devices=tuple(part), plan=simulation.plan.of(part)) for part in shares]


def run_share(simulation: Simulation, stop: Stop, told: Told) -> None:
    """One process's part, in the calling thread."""
    s = simulation
    clock = s.clock if s.speed == 1 else SpeedClock(s.live_from_ms, s.speed, s.clock)
    fleet = Fleet(s.scene, s.devices, seed=s.seed, start_ms=s.start_ms, plan=s.plan)
    schedule, commands = Schedule(fleet), Commands(fleet)
    kept_back = list(schedule.skip(s.live_from_ms))
    speakers = gateways(fleet, root=s.root, boot=secrets.token_hex(4))
    make_room(len(speakers))
    with Publisher(speakers, s.broker, clock, s.logins) as publisher:
        publisher.offer(kept_back)
        while not stop.is_set():
            now_ms = clock.now_ms()
            publisher.offer(islice(schedule.due(now_ms), MOST_SAMPLES_A_TURN))
            _obey(publisher, commands, now_ms)
            if told.due(s.clock.now_ms()):
                told.tell(_figures(publisher, schedule, now_ms), s.clock.now_ms())
            until_next_s = (schedule.next_ms() - now_ms) / 1000 / s.speed
            publisher.turn(min(LONGEST_WAIT_S, max(0.0, until_next_s)))
            if not publisher.hurries:
                stop.wait(TICK_S)
        publisher.stop(goodbye_s(len(s.devices)))


def _obey(publisher: Publisher, commands: Commands, now_ms: int) -> None:
    for device, body in publisher.commands():
        commands.take(device, body, now_ms)
    for answer in commands.answers():
        publisher.answer(answer.device, answer.payload)


def _figures(publisher: Publisher, schedule: Schedule, now_ms: int) -> Figures:
    """Samples that are due and not even handed to their gateways wait as well."""
    lag_ms = publisher.lag_ms(now_ms)
    if lag_ms is not None:
        lag_ms = max(lag_ms, now_ms - schedule.next_ms())
    return Figures(publisher.messages, publisher.dropped, lag_ms, *publisher.entered())
