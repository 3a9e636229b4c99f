"""`scenewatch up`: broker, worker, simulated devices and console under one roof, with a day of history."""

from __future__ import annotations

import fcntl
import os
import socket
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import httpx
import msgspec

from scenewatch.embedded import broker
from scenewatch.embedded.plan import Demonstration, Plan
from scenewatch.embedded.supervisor import Supervisor
from scenewatch.model import operators
from scenewatch.model.errors import ConfigurationError, InUseError, Mistake, ScenewatchError
from scenewatch.model.words import hours, seconds
from scenewatch.scenes import demonstration
from scenewatch.settings import variables
from scenewatch.store.devices import Inventory
from scenewatch.store.relational import Database

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from scenewatch.model.place import Device
    from scenewatch.model.ports import Clock
    from scenewatch.model.scene import Scene

OPERATORS = "operators"
ORIGIN = "demonstration"
"""Property `origin` of the devices that `up` brings: it may take them away again, and no others."""
SHOW_AFTER = seconds(20)
"""From the start to being live, roughly: the mishap's alarm is due soon after that."""
LOOK_S = 0.2
PATIENCE_S = 600.0
OWN = (
    ("broker", "url"),
    ("store", "url"),
    ("database", "url"),
    ("journal", "path"),
    ("http", "port"),
    ("http", "operators_file"),
)
"""What it settles for the worker by a file of its own. The environment would have the last word."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What the command was told."""

    sites: int
    history_hours: float
    data: Path
    port: int
    mqtt_port: int
    broker: str | None
    devices: bool
    seed: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """How `up` speaks to the person who called it."""

    say: Callable[[str], None]
    warn: Callable[[str], None]
    progress: Callable[[int, int], None]
    """Readings of history written, and to be written."""
    stop: threading.Event


class Up:
    """One run of the command. All in the calling thread."""

    def __init__(self, options: Options, scene: Scene, clock: Clock, desk: Desk) -> None:
        self._options = options
        self._scene = scene
        self._clock = clock
        self._desk = desk
        self._supervisor = Supervisor(clock)
        self._logs = options.data / "logs"
        self._broker_url = options.broker or f"mqtt://127.0.0.1:{options.mqtt_port}"
        self._worker_port = 0

    def run(self) -> None:
        """Start all, say where to look, watch until told to stop, end all."""
        options = self._options
        options.data.mkdir(parents=True, exist_ok=True)
        with _hold(options.data):
            self._check()
            try:
                self._start()
                if not self._desk.stop.is_set():
                    self._desk.say(
                        f"Scenewatch is live: http://127.0.0.1:{options.port}/  "
                        f"(MQTT {self._broker_url}, data in {options.data}; Ctrl-C ends it)"
                    )
                    self._desk.say(
                        f"To acknowledge, command or adopt, sign in at http://127.0.0.1:{options.port}/sign-in "
                        f"with the token in {options.data / OPERATORS}"
                    )
                while not self._desk.stop.wait(LOOK_S):
                    self._watch()
            finally:
                for name in self._supervisor.stop():
                    self._desk.warn(f"{name} did not end by itself and was killed")

    def _check(self) -> None:
        ports = {"--port": self._options.port}
        if self._options.broker is None:
            ports["--mqtt-port"] = self._options.mqtt_port
        taken = [
            Mistake(flag, f"port {port} is taken on 127.0.0.1; choose another one")
            for flag, port in ports.items()
            if not _is_free(port)
        ]
        settled = [
            Mistake(name, "is settled by `up`, which brings its own parts: unset it, or start the worker by `work`")
            for name, place in variables().items()
            if place in OWN and name in os.environ
        ]
        if found := [*taken, *settled]:
            raise ConfigurationError(found)

    def _start(self) -> None:
        options, data = self._options, self._options.data
        if options.broker is None:
            command = broker.command(data / "broker", options.mqtt_port)
            self._supervisor.start("broker", command, self._logs / "broker.log")
            self._wait_for("the broker", lambda: not _is_free(options.mqtt_port))
        self._worker_port = _free_port()
        operators.make(data / OPERATORS)
        self._write_settings()
        self._bring_inventory()
        plan_path = data / "plan.json"
        work = ["work", "--config", str(data / "up.toml")]
        if options.devices:
            self._write_demonstration(data / "demonstration.json")
            work += ["--demonstration", str(data / "demonstration.json"), "--plan", str(plan_path)]
        self._scenewatch("worker", *work)
        self._scenewatch("console", "console", "--worker", self._worker_url, "--port", str(options.port))
        if options.devices:
            self._wait_for("the history", self._history_written)
            # before the worker has subscribed, what devices publish would be kept by nobody
            self._wait_for("the broker's connection", self._listens)
            self._start_devices(plan_path)
        self._wait_for("readings", lambda: self._ask("/readyz").get("ready") is True)
        self._wait_for("the console", lambda: not _is_free(options.port))

    def _start_devices(self, plan_path: Path) -> None:
        if self._desk.stop.is_set():
            return
        options = self._options
        plan = Plan.read(plan_path)
        faults = options.data / "faults.json"
        faults.write_bytes(msgspec.json.encode(plan.faults))
        self._scenewatch(
            "devices", "simulate", "--scene", self._scene.key, "--sites", str(options.sites),
            "--broker", self._broker_url, "--seed", str(options.seed), "--start", str(plan.from_ms),
            "--live-from", str(plan.live_from_ms), "--faults", str(faults),
        )  # fmt: skip

    def _scenewatch(self, name: str, *arguments: str) -> None:
        command = [sys.executable, "-m", "scenewatch", *arguments]
        self._supervisor.start(name, command, self._logs / f"{name}.log")

    def _write_settings(self) -> None:
        text = f"""\
# written at each start of `scenewatch up`
[broker]
url = {_toml(self._broker_url)}
[store]
url = "duckdb:readings.duckdb"
[database]
url = "sqlite:///scenewatch.sqlite"
[journal]
path = "journal"
[http]
port = {self._worker_port}
operators_file = {_toml(OPERATORS)}
"""
        (self._options.data / "up.toml").write_text(text, "utf-8")

    def _bring_inventory(self) -> None:
        """Put the demonstration's devices into the inventory, take former ones of it out, leave all others."""
        wanted: list[Device] = []
        if self._options.devices:
            wanted = [
                replace(d, properties={**d.properties, "origin": ORIGIN})
                for d in demonstration(self._scene).devices(self._options.sites)
            ]
        database = Database(f"sqlite:///{self._options.data / 'scenewatch.sqlite'}")
        try:
            inventory = Inventory(database)
            ids = {d.id for d in wanted}
            others = [d for d in inventory.devices() if d.properties.get("origin") != ORIGIN and d.id not in ids]
            inventory.replace([*others, *wanted])
        finally:
            database.close()

    def _write_demonstration(self, path: Path) -> None:
        now_ms = self._clock.now_ms()
        every = max(t.every for t in self._scene.device_types if t.channels)
        piece = Demonstration(
            scene=self._scene.key,
            sites=self._options.sites,
            seed=self._options.seed,
            history_ms=hours(self._options.history_hours),
            # a device stamps its sample up to one interval after the step: none may be in the future
            live_from_ms=now_ms // every * every - every,
            show_at_ms=now_ms + SHOW_AFTER,
        )
        path.write_bytes(msgspec.json.encode(piece))

    @property
    def _worker_url(self) -> str:
        return f"http://127.0.0.1:{self._worker_port}"

    def _history_written(self) -> bool:
        history = self._ask("/readyz").get("history")
        if not history:
            return False
        self._desk.progress(history["done"], history["of"])
        return bool(history["done"] >= history["of"])

    def _listens(self) -> bool:
        return bool(self._ask("/api/v1/ledger").get("source", {}).get("state") == "connected")

    def _ask(self, path: str) -> dict[str, Any]:
        try:
            answer = httpx.get(self._worker_url + path, timeout=5, trust_env=False)
            return dict(answer.json())
        except (httpx.HTTPError, ValueError):
            return {}

    def _wait_for(self, what: str, there: Callable[[], bool]) -> None:
        started_ms = self._clock.now_ms()
        while not self._desk.stop.is_set() and not there():
            if self._clock.now_ms() - started_ms > seconds(PATIENCE_S):
                raise ScenewatchError(f"{what} did not come within {PATIENCE_S:g} s; the logs are in {self._logs}")
            self._watch()
            self._desk.stop.wait(LOOK_S)

    def _watch(self) -> None:
        for line in self._supervisor.watch():
            self._desk.warn(line)


@contextmanager
def _hold(data: Path) -> Iterator[None]:
    """The data folder is one run's alone."""
    descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            what = f"{data} is in use by another scenewatch up; end that one, or choose another folder with --data"
            raise InUseError(what) from None
        yield
    finally:
        os.close(descriptor)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _toml(text: str) -> str:
    return msgspec.json.encode(text).decode()
