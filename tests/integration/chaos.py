"""Real processes in one folder: a broker, `scenewatch work`, and whatever else a test wants to start and kill."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx

from ports import free_port
from scenewatch.embedded import broker
from scenewatch.scenes import SCENES, demonstration
from scenewatch.store.devices import Inventory
from scenewatch.store.relational import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

KITCHEN = SCENES[0]
PATIENCE_S = 60.0
HTTP = httpx.Client(timeout=30, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
"""One for all: making a client takes longer than an answer. No connection outlives the server behind it."""
END_S = 60.0
"""How long a process may take to end when it is told to."""


def wait_for(there: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """The first true answer; AssertionError after a while."""
    pause, deadline = threading.Event(), time.monotonic() + patience_s
    while not (answer := there()):
        assert time.monotonic() < deadline, f"waited {patience_s:g} s for {what}"
        pause.wait(0.05)
    return answer


class Processes:
    """Programs by name, each with its log `<name>.log` in the folder. `start` may follow `kill` at once.

    One that ends although nobody told it to is started again by `tend`, as a service manager would do.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commands: dict[str, list[str]] = {}
        self.environments: dict[str, Mapping[str, str]] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.fell: list[str] = []
        """Which ended by themselves."""
        self._lock = threading.RLock()

    def start(self, name: str) -> None:
        with self._lock, (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                self.commands[name], env=self.environments.get(name), stdout=log, stderr=log
            )

    def kill(self, name: str) -> None:
        """-9."""
        self._stopped(name, signal.SIGKILL)

    def stop(self, name: str) -> None:
        """Ask it to end, and wait for that."""
        self._stopped(name, signal.SIGTERM)

    def freeze(self, name: str) -> None:
        self.processes[name].send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self.processes[name].send_signal(signal.SIGCONT)

    def tend(self) -> None:
        with self._lock:
            for name, process in list(self.processes.items()):
                if process.poll() is not None:
                    self.fell.append(name)
                    self.start(name)

    def end(self) -> None:
        """The worker first, so that it can save its state."""
        for name in sorted(self.processes, key=lambda name: name != "worker"):
            if name in self.processes:  # it may have gone with another
                self.thaw(name)
                self.stop(name)

    def _stopped(self, name: str, number: signal.Signals) -> None:
        with self._lock:
            process = self.processes.pop(name)
        process.send_signal(number)
        process.wait(END_S)


class Scene(Processes):
    """Broker, worker, and an inventory of gateways, fridges and freezers.

    The broker is the NATS server with the configuration of `up`.
    """

    def __init__(self, folder: Path, sites: int = 1) -> None:
        super().__init__(folder)
        self.mqtt_port, self.http_port = free_port(), free_port()
        self.devices = [
            d for d in demonstration(KITCHEN).devices(sites) if d.type in {"gateway", "fridge", "freezer"}
        ]
        self.commands["broker"] = broker.command(folder / "broker", self.mqtt_port)
        self.configure(data=folder, mqtt_port=self.mqtt_port, store=f"duckdb:{folder / 'readings.duckdb'}")

    def configure(self, *, data: Path, mqtt_port: int, store: str, journal: str = "") -> None:
        """How the worker is to be started. `data` is where it keeps all its files."""
        self.database = data / "scenewatch.sqlite"
        config = self.folder / "work.toml"
        config.write_text(
            f'[broker]\nurl = "mqtt://127.0.0.1:{mqtt_port}"\n[store]\nurl = "{store}"\n'
            f'[database]\nurl = "sqlite:///{self.database}"\n[http]\nport = {self.http_port}\n'
            f'[journal]\npath = "{data / "journal"}"\n{journal}'
        )
        database = Database(f"sqlite:///{self.database}")
        Inventory(database).upsert(self.devices)
        database.close()
        self.commands["worker"] = [sys.executable, "-m", "scenewatch", "work", "--config", str(config)]

    def ask(self, path: str) -> dict[str, Any]:
        """Empty while nobody answers."""
        try:
            answer = HTTP.get(f"http://127.0.0.1:{self.http_port}{path}")
        except httpx.HTTPError:
            return {}
        return dict(answer.json())

    def ready(self) -> bool:
        return bool(self.ask("/readyz").get("ready"))
