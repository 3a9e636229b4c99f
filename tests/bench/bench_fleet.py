"""Simulated fleets on real brokers: how long they take to connect, how many messages they send, what each costs.

    python tests/bench/bench_fleet.py --sites 2000 --processes 1,2

In real time a fleet only has to keep pace; then, from an hour ago on and a thousand times as fast, it sends all
it can. CPU time is that of the devices' processes, and of the broker beside them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from load import wait_for
from programs import Program, Usage

from ports import free_port, listens
from scenewatch.devices.processes import Crew, run_all
from scenewatch.devices.simulate import Simulation, messages_a_second, run_share, split
from scenewatch.embedded import broker as embedded
from scenewatch.model.broker import Broker
from scenewatch.model.clock import SystemClock
from scenewatch.scenes import SCENES, demonstration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.devices.pace import Figures

HOUR_MS = 3_600_000
LOOK_MS = 500
FAST = 1000.0
PATIENCE_S = 300.0


class Watcher:
    """Implements `Told`: keeps the newest figures."""

    def __init__(self) -> None:
        self.figures: Figures | None = None
        self._told_ms = 0

    def due(self, now_ms: int) -> bool:
        return now_ms - self._told_ms >= LOOK_MS

    def tell(self, figures: Figures, now_ms: int) -> None:
        self.figures, self._told_ms = figures, now_ms

    def connected(self) -> bool:
        return self.figures is not None and self.figures.lag_ms is not None

    @property
    def messages(self) -> int:
        return 0 if self.figures is None else self.figures.messages


class Row(NamedTuple):
    connected_s: float
    a_second: float
    cpu_us: float
    broker_us: float
    lag_s: float
    memory_mib: float


def nats(folder: Path, port: int) -> list[str]:
    """The embedded broker as `up` starts it."""
    return embedded.command(folder / "nats", port)


def mosquitto(folder: Path, port: int) -> list[str]:
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    return [shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", str(config)]


BROKERS = {"nats": nats, "mosquitto": mosquitto}


@contextmanager
def running(name: str) -> Iterator[tuple[int, Usage]]:
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        program = Program(Path(folder) / "log", BROKERS[name](Path(folder), port))
        program.start()
        try:
            wait_for(lambda: listens(port), name)
            yield port, program.usage
        finally:
            program.stop()


def children() -> list[Usage]:
    """The devices' processes."""
    return [Usage(process.pid) for process in multiprocessing.active_children() if process.pid]


def spent_s() -> float:
    return sum(child.cpu_s() for child in children())


def measure(simulation: Simulation, processes: int, broker: Usage, seconds: float) -> Row:
    watcher, stop, clock = Watcher(), threading.Event(), SystemClock()
    crew = Crew(split(simulation, processes), run_share, patience_s=60.0)
    thread = threading.Thread(target=run_all, args=(crew, stop, watcher, clock))
    began = time.monotonic()
    thread.start()
    try:
        wait_for(watcher.connected, "every gateway to be connected", patience_s=PATIENCE_S)
        connected_s = time.monotonic() - began
        wait_for(lambda: watcher.messages > 0, "the first message")
        begin, sent, spent, brokers = time.monotonic(), watcher.messages, spent_s(), broker.cpu_s()
        stop.wait(seconds)
        gone_s, count = time.monotonic() - begin, watcher.messages - sent
        figures = watcher.figures
        return Row(
            connected_s=connected_s,
            a_second=count / gone_s,
            cpu_us=(spent_s() - spent) / count * 1e6,
            broker_us=(broker.cpu_s() - brokers) / count * 1e6,
            lag_s=(figures.lag_ms or 0) / 1000 / simulation.speed if figures else 0.0,
            memory_mib=sum(child.memory_mib() for child in children()),
        )
    finally:
        stop.set()
        thread.join()


def simulation_of(sites: int, port: int, speed: float) -> Simulation:
    scene, now_ms = SCENES[0], SystemClock().now_ms()
    from_ms = now_ms if speed == 1 else now_ms - 24 * HOUR_MS
    return Simulation(
        scene=scene,
        devices=tuple(demonstration(scene).devices(sites)),
        broker=Broker(url=f"mqtt://127.0.0.1:{port}"),
        root="sw",
        seed=1,
        start_ms=from_ms,
        live_from_ms=from_ms,
        clock=SystemClock(),
        speed=speed,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=2000)
    parser.add_argument("--processes", default="1,2", help="numbers, parted by commas")
    parser.add_argument("--brokers", default="nats,mosquitto", help="parted by commas")
    parser.add_argument("--speeds", default=f"1,{FAST:g}", help="parted by commas")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each measurement")
    options = parser.parse_args()
    print("broker     processes speed devices  connected s  asked/s  sent/s  µs/message  broker µs  lag s    MiB")
    for name in options.brokers.split(","):
        for processes in map(int, options.processes.split(",")):
            for speed in map(float, options.speeds.split(",")):
                with running(name) as (port, broker):
                    simulation = simulation_of(options.sites, port, speed)
                    row = measure(simulation, processes, broker, options.seconds)
                print(
                    f"{name:10} {processes:9} {speed:5g} {len(simulation.devices):7} {row.connected_s:12.1f}"
                    f" {messages_a_second(simulation):8.0f} {row.a_second:7.0f} {row.cpu_us:11.0f}"
                    f" {row.broker_us:10.0f} {row.lag_s:6.1f} {row.memory_mib:6.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
