"""A worker and a broker that are killed while devices publish; used by the test and by the long benchmark.

Real processes all through: the NATS server with the configuration of `up`, `scenewatch work`, paho publishers.
"""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from scenewatch.embedded import broker
from scenewatch.scenes import SCENES, demonstration
from scenewatch.store.devices import Inventory
from scenewatch.store.relational import Database

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KITCHEN = SCENES[0]
VICTIMS = (("worker",), ("broker",), ("worker", "broker"))
PATIENCE_S = 60.0
A_SECOND = 400
"""Messages, over all devices."""
MOST_WAITING = 5000
OPEN_DOOR = {"air_temp": 5.0, "door": 1, "compressor_power": 0, "defrost": 0, "battery": 3.6}
SHUT_DOOR = OPEN_DOOR | {"door": 0}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(there: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """The first true answer; AssertionError after a while."""
    pause, deadline = threading.Event(), time.monotonic() + patience_s
    while not (answer := there()):
        assert time.monotonic() < deadline, f"waited {patience_s:g} s for {what}"
        pause.wait(0.05)
    return answer


class Scene:
    """Broker, worker and inventory in one folder. `kill` is -9; `start` may follow at once."""

    def __init__(self, folder: Path, sites: int = 1) -> None:
        self.folder = folder
        self.mqtt_port, self.http_port = free_port(), free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.devices = demonstration(KITCHEN).devices(sites)
        config = folder / "work.toml"
        config.write_text(
            f'[broker]\nurl = "mqtt://127.0.0.1:{self.mqtt_port}"\n'
            '[store]\nurl = "duckdb:readings.duckdb"\n[database]\nurl = "sqlite:///scenewatch.sqlite"\n'
            f'[journal]\npath = "journal"\n[http]\nport = {self.http_port}\n'
        )
        database = Database(f"sqlite:///{folder / 'scenewatch.sqlite'}")
        Inventory(database).upsert(self.devices)
        database.close()
        self.commands = {
            "broker": broker.command(folder / "broker", self.mqtt_port),
            "worker": [sys.executable, "-m", "scenewatch", "work", "--config", str(config)],
        }

    def start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(self.commands[name], stdout=log, stderr=log)

    def kill(self, name: str) -> None:
        self.processes[name].kill()
        self.processes[name].wait()

    def end(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(30)

    def ask(self, path: str) -> dict[str, Any]:
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.http_port}{path}", timeout=30, trust_env=False)
        except httpx.HTTPError:
            return {}
        return dict(answer.json())

    def ready(self) -> bool:
        return bool(self.ask("/readyz").get("ready"))


@dataclass
class Publisher:
    """Devices that publish numbered messages with a time of their own each, and know what was acknowledged."""

    port: int
    name: str
    devices: list[Any]
    values: dict[str, dict[str, float]]
    sent: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self._n: dict[str, int] = defaultdict(int)
        self._boot = f"{random.getrandbits(32):08x}"
        self._handed_over = 0
        self._acknowledged: list[int] = []
        self._stop = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=self.name, clean_session=False)
        self._client.max_inflight_messages_set(100)
        self._client.reconnect_delay_set(1, 1)
        # paho calls this holding a lock of its own, so nothing here may wait
        self._client.on_publish = lambda _c, _d, mid, *_: self._acknowledged.append(mid)
        self._client.connect("127.0.0.1", self.port)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """No more; wait until the broker has acknowledged all, whatever happened to it meanwhile."""
        self._stop.set()
        self._thread.join()
        wait_for(lambda: not self._waiting(), f"acknowledgements of {self.name}")
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, device: Any, t_ms: int) -> None:
        n = self._n[device.id]
        self._n[device.id] += 1
        body = {"t": t_ms, "b": self._boot, "n": n, "v": self.values[device.id]}
        topic = f"sw/{device.scene}/{device.site}/{device.device}/telemetry"
        self._handed_over += 1
        self._client.publish(topic, json.dumps(body), qos=1)
        self.sent[device.id].append(t_ms)

    def _waiting(self) -> int:
        """How many the broker has not acknowledged yet."""
        return self._handed_over - len(self._acknowledged)

    def _run(self) -> None:
        i = 0
        while not self._stop.wait(0.05):
            now_ms = time.time_ns() // 1_000_000
            if self._waiting() > MOST_WAITING:
                continue
            for k in range(A_SECOND // 20):
                # each of a device's times once: 50 ms hold 50 of them, far more than its messages
                self.publish(self.devices[i % len(self.devices)], now_ms - 49 + k)
                i += 1


@dataclass(frozen=True)
class Verdict:
    """What one round found."""

    victims: tuple[str, ...]
    sent: int
    lost: int
    twice: int
    ledger: dict[str, Any]
    standing: list[tuple[str, str, int]]
    retained: set[str]

    @property
    def balanced(self) -> bool:
        g = self.ledger
        return g["pending"] == 0 and g["received"] == g["stored"] + g["duplicate"] + g["dead"]


class Rounds:
    """Rounds over one data folder: each publishes, kills at a random moment, and compares with what was sent."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.scene = Scene(folder)
        self.expected: dict[str, list[int]] = defaultdict(list)
        self.devices = [d for d in self.scene.devices if KITCHEN.device_type(d.type).channels]
        self.values = {d.id: SHUT_DOOR for d in self.devices} | {self.devices[0].id: OPEN_DOOR}
        for name in ("broker", "worker"):
            self.scene.start(name)
        wait_for(self.scene.ready, "the worker")
        self.raised = self._open_a_door()

    def _open_a_door(self) -> list[tuple[str, str, int]]:
        """One device's door has been open for ten minutes: its alarm must outlive all that follows."""
        publisher = self._publisher()
        now_ms = time.time_ns() // 1_000_000
        for minutes in range(10, 0, -1):
            publisher.publish(self.devices[0], now_ms - minutes * 60_000)
            publisher.publish(self.devices[0], now_ms - minutes * 60_000 + 30_000)
        publisher.start()
        publisher.stop()
        self._note(publisher)
        return wait_for(self.standing, "the door's alarm")

    def _publisher(self) -> Publisher:
        return Publisher(self.scene.mqtt_port, f"p{self.random.getrandbits(40):x}", self.devices, self.values)

    def _note(self, publisher: Publisher) -> None:
        for device, times in publisher.sent.items():
            self.expected[device] += times

    def standing(self) -> list[tuple[str, str, int]]:
        alarms = self.scene.ask("/api/v1/alarms?state=standing").get("alarms", [])
        return [(a["rule"], a["device"], a["raised_at"]) for a in alarms]

    def round(self) -> Verdict:
        victims = self.random.choice(VICTIMS)
        pause = threading.Event()
        publisher = self._publisher()
        publisher.start()
        pause.wait(self.random.uniform(0.2, 2.0))
        for name in victims:
            self.scene.kill(name)
            pause.wait(self.random.choice((0.0, self.random.uniform(0.0, 0.5))))
        for name in self.random.sample(victims, len(victims)):
            self.scene.start(name)
        pause.wait(self.random.uniform(0.2, 1.0))
        publisher.stop()
        self._note(publisher)
        return self._verdict(victims)

    def _verdict(self, victims: tuple[str, ...]) -> Verdict:
        total = sum(map(len, self.expected.values()))
        wait_for(self.scene.ready, "the worker")

        def drained() -> dict[str, Any] | None:
            ledger = self.scene.ask("/api/v1/ledger")
            return ledger if ledger and ledger["pending"] == 0 and ledger["stored"] >= total else None

        ledger = wait_for(drained, f"{total} messages in the store")
        lost = twice = 0
        for device in self.devices:
            page = self.scene.ask(f"/api/v1/readings?device={device.id}&channel=air_temp&limit=1000000")
            times = [reading["t"] for reading in page["readings"]]
            lost += len(set(self.expected[device.id]) - set(times))
            twice += len(times) - len(set(times)) + len(set(times) - set(self.expected[device.id]))
        return Verdict(victims, total, lost, twice, ledger, self.standing(), self._retained())

    def _retained(self) -> set[str]:
        """Topics of the alarms that a newcomer is shown."""
        shown: dict[str, bytes] = {}
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.on_message = lambda _c, _d, message: shown.update({message.topic: message.payload})
        client.connect("127.0.0.1", self.scene.mqtt_port)
        client.subscribe("sw/+/+/alarm/+/+", qos=1)
        client.loop_start()
        try:
            wanted = {_alarm_topic(rule, device) for rule, device, _ in self.standing()}
            wait_for(lambda: {t for t, p in shown.items() if p} == wanted, f"the retained alarms {wanted}", 15)
        finally:
            client.disconnect()
            client.loop_stop()
        return {topic for topic, payload in shown.items() if payload}

    def end(self) -> None:
        self.scene.end()


def _alarm_topic(rule: str, device: str) -> str:
    scene, site, name = device.split(".")
    return f"sw/{scene}/{site}/alarm/{rule.split('.')[1]}/{name}"
