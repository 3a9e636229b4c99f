"""The scene of the chaos test: every way between its processes is a link that can be disturbed."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import chaos_telegraf
import httpx
from chaos import HTTP, Scene, wait_for
from chaos_disk import MIB, SmallDisk
from chaos_links import Network

from influx_server import create, program
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BROKERS = ("nats", "mosquitto")
STORES = ("influx", "duck")
BUCKET = "chaos"
JOURNAL = f"keep_hours = 0\nmax_bytes = {128 * MIB}\nhard_max_bytes = {128 * MIB + 250_000}\n"
"""What is stored makes room on the small disk. Little may wait in memory: a full disk makes the worker leave."""


@dataclass(frozen=True)
class Setup:
    """What the scene is made of: one of BROKERS, one of STORES."""

    broker: str
    store: str
    with_telegraf: bool = False
    """Beside the worker, with its own session and database; needs `influx`."""

    def __str__(self) -> str:
        return f"{self.broker} and {self.store}" + (" with Telegraf" if self.with_telegraf else "")


class ChaosScene(Scene):
    """All started and ready. The worker keeps its files on a small disk of its own, where mounting is permitted."""

    def __init__(self, folder: Path, setup: Setup, sites: int) -> None:
        super().__init__(folder, sites)
        self.setup = setup
        self.disk = SmallDisk(folder / "disk")
        self.influx_port = free_port()
        self.influx = f"http://127.0.0.1:{self.influx_port}"
        self._network = Network()
        self.links = {
            "worker-broker": self._network.link(self.mqtt_port),
            "publishers-broker": self._network.link(self.mqtt_port),
            "worker-store": self._network.link(self.influx_port),
        }
        store = f"duckdb:{self.disk.folder / 'readings.duckdb'}"
        if setup.store == "influx":
            store = f"influx+http://127.0.0.1:{self.links['worker-store'].port}/?bucket={BUCKET}"
        port = self.links["worker-broker"].port
        self.configure(data=self.disk.folder, mqtt_port=port, store=store, journal=JOURNAL)
        self._begin()

    @property
    def parts(self) -> frozenset[str]:
        """What there is that mishaps can be of."""
        disk = {"disk"} if self.disk.mounted else set()
        return frozenset({self.setup.broker, self.setup.store} | disk)

    def start(self, name: str) -> None:
        super().start(name)
        self._beside(name, super().start)

    def kill(self, name: str) -> None:
        self._beside(name, super().kill)
        super().kill(name)

    def stop(self, name: str) -> None:
        self._beside(name, super().stop)
        super().stop(name)

    def _beside(self, name: str, do: Callable[[str], None]) -> None:
        """Telegraf suffers what the worker suffers."""
        if name == "worker" and self.setup.with_telegraf:
            do(chaos_telegraf.NAME)

    def keep(self) -> None:
        """Copy the worker's files, which go with the small disk, into the folder."""
        shutil.copytree(self.disk.folder, self.folder / "kept")

    def end(self) -> None:
        try:
            super().end()
        finally:
            self._network.end()
            self.disk.end()

    def _begin(self) -> None:
        if self.setup.broker == "mosquitto":
            self.commands["broker"] = _mosquitto(self.folder, self.mqtt_port)
        if self.setup.store == "influx":
            self.commands["influx"], self.environments["influx"] = _influx(self.folder, self.influx_port)
            self.start("influx")
            wait_for(lambda: _answers(self.influx), "InfluxDB")
            create(self.influx, BUCKET)
        if self.setup.with_telegraf:
            create(self.influx, chaos_telegraf.NAME)
            self.commands[chaos_telegraf.NAME] = chaos_telegraf.command(
                self.folder,
                mqtt_port=self.links["worker-broker"].port,
                influx_port=self.links["worker-store"].port,
            )
        self.start("broker")
        self.start("worker")
        wait_for(self.ready, "the worker")


def _mosquitto(folder: Path, port: int) -> list[str]:
    """It keeps what it acknowledged over SIGTERM, not over SIGKILL."""
    kept = folder / "mosquitto"
    kept.mkdir()
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n"
        f"persistence true\npersistence_location {kept}/\nautosave_interval 60\n"
        "max_inflight_messages 0\nmax_queued_messages 0\n"
    )
    return [shutil.which("mosquitto") or "/usr/sbin/mosquitto", "-c", str(config)]


def _influx(folder: Path, port: int) -> tuple[list[str], dict[str, str]]:
    home = folder / "influx"
    environment = {
        "HTTP_BIND_ADDRESS": f"127.0.0.1:{port}",
        "BIND_ADDRESS": f"127.0.0.1:{free_port()}",
        "META_DIR": f"{home}/meta",
        "DATA_DIR": f"{home}/data",
        "DATA_WAL_DIR": f"{home}/wal",
        "REPORTING_DISABLED": "true",
        "MONITOR_STORE_ENABLED": "false",
        "HTTP_LOG_ENABLED": "false",
    }
    return [str(program()), "run"], os.environ | {f"INFLUXDB_{k}": v for k, v in environment.items()}


def _answers(address: str) -> bool:
    try:
        return HTTP.get(f"{address}/ping").is_success
    except httpx.TransportError:
        return False
