"""From publishing a reading until another MQTT client is shown the alarm it raises, while many others publish.

    python tests/bench/bench_alarm_latency.py --rate 10000

A generator in a process of its own publishes at the rate, QoS 1; at random moments it opens a door of one of fifty
further devices, each time the first reading beyond the limit (the rule's delays are set to nothing), and shuts
it later. A client subscribed to the alarms notes when it is shown each. A real worker on DuckDB, on the embedded
NATS server and on Mosquitto.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from load import (
    CONNECTIONS,
    STEP_S,
    WINDOW,
    Fleet,
    Publisher,
    Watcher,
    free_port,
    listens,
    mosquitto,
    percentile,
    wait_for,
)
from programs import Program, Worker

from scenewatch.embedded import broker
from scenewatch.model.place import alarm_filter, alarm_topic
from scenewatch.scenes import SCENES, demonstration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection

    from scenewatch.model.place import Device

KITCHEN = SCENES[0]
RULE = "door_ajar"
SITES = 210
ALARMING = 50
SETTLE_S = 3.0
"""The load goes on for so long before the first alarm and after the last."""
AT_ONCE = f"""
[limits."{KITCHEN.key}.{RULE}"]
on_delay_s = 0
off_delay_s = 0
"""
ROOT = "sw"
PATIENCE_S = 60.0


class Doors:
    """Opens and shuts the doors of some devices in turn; notes when each was opened."""

    def __init__(self, devices: Sequence[Device], port: int, every_s: float) -> None:
        self.opened: dict[str, list[float]] = {alarm_topic(ROOT, d, RULE): [] for d in devices}
        self._topics = [f"{ROOT}/{d.scene}/{d.site}/{d.device}/telemetry".encode() for d in devices]
        self._alarms = list(self.opened)
        self._boot = f"{random.getrandbits(32):08x}".encode()
        self._publisher = Publisher(port, "bench-doors")
        self._every_s = every_s
        self._moves = self._sent = 0

    def shut_all(self) -> None:
        for number in range(len(self._topics)):
            self._publisher.send([self._message(number, 0)])

    def wait_s(self) -> float:
        return random.expovariate(1 / self._every_s)

    def move(self) -> None:
        """Open the next one, shut the one that was opened half a turn ago."""
        number = self._moves % len(self._topics)
        message = self._message(number, 1)
        self.opened[self._alarms[number]].append(time.monotonic())
        self._publisher.send([message])
        half_a_turn_ago = (number + len(self._topics) // 2) % len(self._topics)
        self._publisher.send([self._message(half_a_turn_ago, 0)])
        self._moves += 1

    def close(self) -> None:
        self._publisher.close()

    def _message(self, number: int, door: int) -> tuple[bytes, bytes]:
        payload = (
            b'{"t":%d,"b":"%s","n":%d,"v":{"air_temp":4.0,"door":%d,"compressor_power":120.0,"defrost":0,'
            b'"battery":3.61}}' % (time.time_ns() // 1_000_000, self._boot, self._sent, door)
        )
        self._sent += 1  # one count for all: gaps do not matter here
        return self._topics[number], payload


def generate(pipe: Connection, port: int, rate: int, alarms: int, every_s: float) -> None:
    """The generator's process: publishes at the rate and moves doors at random moments; tells what it did."""
    devices = measuring_devices()
    doors, fleet = Doors(devices[:ALARMING], port, every_s), Fleet(devices[ALARMING:])
    publishers = [Publisher(port, f"bench-{i}") for i in range(CONNECTIONS)]
    doors.shut_all()
    pause = threading.Event()
    started = time.monotonic()
    moved, sent, next_at, end = 0, 0, started + SETTLE_S, None
    while end is None or time.monotonic() < end:
        now = time.monotonic()
        due = min(int((now - started) * rate), sent + CONNECTIONS * WINDOW)
        part = fleet.messages(due - sent, first_ms=time.time_ns() // 1_000_000, every_ms=0)
        for i, publisher in enumerate(publishers):
            publisher.send(part[i::CONNECTIONS])
        sent = due
        if moved < alarms and now >= next_at:
            doors.move()
            moved, next_at = moved + 1, now + doors.wait_s()
            end = now + SETTLE_S if moved == alarms else None
        pause.wait(STEP_S)
    rate_kept = sent / (time.monotonic() - started)
    for publisher in publishers:
        publisher.close()
    doors.close()
    pipe.send((doors.opened, rate_kept))


def measuring_devices() -> list[Device]:
    devices = demonstration(KITCHEN).devices(SITES)
    return [d for d in devices if d.type in {"fridge", "freezer"}]


@contextmanager
def nats(folder: Path) -> Iterator[int]:
    """The embedded broker, as `scenewatch up` runs it; gives its port."""
    port = free_port()
    server = Program(folder / "nats.log", broker.command(folder / "nats", port))
    server.start()
    try:
        wait_for(lambda: listens(port), "the NATS server")
        yield port
    finally:
        server.stop()


def measure(folder: Path, port: int, options: argparse.Namespace) -> dict[str, float]:
    """Figures of one broker."""
    worker = Worker(folder / "worker", port, measuring_devices(), store="duckdb:readings.duckdb", extra=AT_ONCE)
    ours, theirs = multiprocessing.Pipe()
    generator = multiprocessing.Process(
        target=generate, args=(theirs, port, options.rate, options.alarms, options.every_s)
    )
    worker.start()
    try:
        wait_for(worker.ready, "the worker")
        with Watcher(port, alarm_filter(ROOT)) as watcher:
            before, started = worker.usage.cpu_s(), time.monotonic()
            generator.start()
            wait_for(ours.poll, "the generator to end", patience_s=PATIENCE_S + options.alarms * options.every_s)
            opened, rate = ours.recv()
            share = (worker.usage.cpu_s() - before) / (time.monotonic() - started)
            generator.join()
            wait_for(lambda: watcher.shown() >= options.alarms, "the last alarm", patience_s=30)
    finally:
        generator.kill()
        worker.stop()
    late = sorted(
        1000 * (seen - at) for topic, times in opened.items() for at, seen in paired(times, watcher, topic)
    )
    return {
        "alarms seen": len(late),
        "published to seen, ms: p50": percentile(late, 0.5),
        "  p90": percentile(late, 0.9),
        "  p99": percentile(late, 0.99),
        "  worst": late[-1],
        "messages a second kept": rate,
        "worker, % of a core": 100 * share,
    }


def paired(opened: Sequence[float], watcher: Watcher, topic: str) -> list[tuple[float, float]]:
    """Each opening with the first time its alarm was shown after it."""
    shown = [at for at, payload in watcher.heard[topic] if payload]
    if len(shown) != len(opened):
        raise RuntimeError(f"{topic}: opened {len(opened)} times, shown {len(shown)} times")
    return list(zip(opened, shown, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=10_000, help="messages a second (%(default)s)")
    parser.add_argument("--alarms", type=int, default=300, help="how many are raised (%(default)s)")
    parser.add_argument("--every-s", type=float, default=0.1, help="between two, on average (%(default)s)")
    parser.add_argument("--broker", choices=BROKERS, nargs="+", default=list(BROKERS), help="both unless given")
    options = parser.parse_args()
    figures = {}
    for name in options.broker:
        with tempfile.TemporaryDirectory() as folder, BROKERS[name](Path(folder)) as port:
            figures[name] = measure(Path(folder), port, options)
    print(f"{options.rate} messages a second{'':<12}" + "".join(f"{name:>12}" for name in figures))
    for row in next(iter(figures.values())):
        print(f"{row:<36}" + "".join(f"{table[row]:>12.0f}" for table in figures.values()))


BROKERS = {"nats": nats, "mosquitto": mosquitto}

if __name__ == "__main__":
    main()
