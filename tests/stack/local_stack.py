"""docker-compose.yml without containers: the same configuration files, commands, secrets and health checks, run by
programs that are installed here.

Each service gets a folder that stands for its container's root, with links to what is mounted; in commands,
settings and configuration files the paths of mounts point there, and addresses of services to free ports on
127.0.0.1.

What differs from the containers, all of it:

- Mosquitto is the one that is installed (2.0), not 2.1; started by root it stays root, to read the secrets.
- InfluxDB is 1.8.10, not 2.9.1, with login. Its buckets are databases, made by InfluxQL from the same file with the
  same retention; its tokens are `user:password`, with the same rights, in the same files.
- Grafana is not run.
- What only containers have is not in force: users, read-only roots, capabilities, limits, networks.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import httpx
from compose_file import ROOT, Service, services

import influx_server
from ports import free_port

PORTS = {"broker": (8883, 8222, 4222), "influxdb": (8086,), "worker": (8080,), "console": (8081,)}
"""On which the services listen in their containers."""
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
STAND_INS = ("influxdb", "influxdb-setup")
STARTS_S = 60.0
ENDS_S = 120.0
LOOK_S = 0.1
TOLD = 5000
TOP = 3
"""Parts of a path such as /run/secrets: the folder of what is mounted below one is known too."""
READERS = ("worker", "grafana")


class LocalStack:
    """Some services of docker-compose.yml, until `close`. `secrets_folder` is of `scenewatch secrets`."""

    def __init__(self, folder: Path, secrets_folder: Path, **variables: str) -> None:
        self.folder = folder
        self.secrets = secrets_folder
        written = (secrets_folder.parent / ".env").read_text("utf-8").splitlines()
        self.services = services(dict(line.split("=", 1) for line in written) | variables)
        self._ports = {(name, port): free_port() for name, ports in PORTS.items() for port in ports}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._open = ExitStack()
        self._bin = folder / "bin"
        self._make_programs()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- what Docker Compose does

    def start(self, *names: str) -> None:
        """Each, once those it depends on are as it wants them; a one-shot service is waited for."""
        for name in names:
            service = self.services[name]
            if name in STAND_INS:
                self._start_influxdb() if name == "influxdb" else self._set_influxdb_up()
            elif service.given.get("restart") == "no":
                done = self.run(name)
                assert done.returncode == 0, done.stderr
            else:
                self._start(service)

    def wait_healthy(self, *names: str) -> None:
        pause = threading.Event()
        for name in names:
            for _ in range(round(STARTS_S / LOOK_S)):
                process = self._running.get(name)
                assert process is None or process.poll() is None, f"{name} ended:\n{self.log(name)}"
                if self.is_healthy(name):
                    break
                pause.wait(LOOK_S)
            else:
                raise AssertionError(f"{name} did not become healthy:\n{self.log(name)}")

    def up(self, *names: str) -> None:
        for name in names:
            self.start(name)
            if self.services[name].given.get("restart") != "no":
                self.wait_healthy(name)

    def is_healthy(self, name: str) -> bool:
        if name == "influxdb":
            return True  # waited for at its start
        return self.exec(name, *self.services[name].health).returncode == 0

    def run(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """As `docker compose run`: the service's own entry point and command, or another command for that."""
        service = self.services[name]
        whole = [service.command[0], *command] if command else service.command
        return self.exec(name, *whole)

    def exec(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """As `docker compose exec`: any command among the service's files."""
        service = self.services[name]
        return subprocess.run(
            self._command(service, list(command)),
            env=self._environment(service),
            cwd=self._root(service),
            capture_output=True,
            text=True,
            timeout=STARTS_S,
            check=False,
        )

    def stop(self, name: str, number: int = signal.SIGTERM) -> None:
        process = self._running.pop(name)
        process.send_signal(number)
        process.wait(ENDS_S)

    def process(self, name: str) -> subprocess.Popen[bytes]:
        return self._running[name]

    def signal(self, name: str, number: int) -> None:
        self._running[name].send_signal(number)

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text("utf-8", "replace")[-TOLD:] if path.exists() else ""

    def close(self) -> None:
        for name in reversed(list(self._running)):
            self.stop(name)
        self._open.close()

    # --- where things are here

    def address(self, name: str, port: int | None = None) -> str:
        return f"127.0.0.1:{self.port(name, port)}"

    def port(self, name: str, port: int | None = None) -> int:
        """The local one of a container's port; its first one if none is named."""
        return self._ports[name, port or PORTS[name][0]]

    def path(self, name: str, inside: str) -> Path:
        """Where a path in a service's container is here."""
        service = self.services[name]
        self._root(service)
        return Path(self._localized(service, inside))

    def localized(self, name: str, text: str) -> str:
        """Text with a container's paths and addresses, with those that hold here."""
        return self._localized(self.services[name], text)

    # --- within

    def _make_programs(self) -> None:
        """What images have on PATH."""
        self._bin.mkdir(parents=True)
        lines = {
            "scenewatch": f"exec {sys.executable} -m scenewatch",
            "python": f"exec {sys.executable}",
            "nats-server": f"exec {Path(sys.executable).parent / 'nats-server'}",
            "mosquitto": f"exec {MOSQUITTO}",
        }
        for name, line in lines.items():
            path = self._bin / name
            path.write_text(f'#!/bin/sh\n{line} "$@"\n', "utf-8")
            path.chmod(0o755)

    def _start(self, service: Service) -> None:
        with (self.folder / f"{service.name}.log").open("ab") as log:
            self._running[service.name] = subprocess.Popen(
                self._command(service, service.command),
                env=self._environment(service),
                cwd=self._root(service),
                stdout=log,
                stderr=log,
            )

    def _command(self, service: Service, words: list[str]) -> list[str]:
        local = [self._localized(service, word) for word in words]
        found = shutil.which(local[0], path=self._environment(service)["PATH"])
        assert found, f"{local[0]} is not installed"
        return [found, *local[1:]]

    def _environment(self, service: Service) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SCENEWATCH_")}
        given = {key: self._localized(service, value) for key, value in service.environment.items()}
        package = str(ROOT / "ingest")
        return kept | given | {"PATH": f"{self._bin}:{kept['PATH']}", "PYTHONPATH": package}

    def _root(self, service: Service) -> Path:
        """Made anew when it is asked for first."""
        root = self.folder / "roots" / service.name
        if not root.exists():
            root.mkdir(parents=True)
            for mount in service.mounts:
                place = Path(f"{root}{mount.target}")
                place.parent.mkdir(parents=True, exist_ok=True)
                if mount.volume is not None:
                    volume = self.folder / "volumes" / mount.volume
                    volume.mkdir(parents=True, exist_ok=True)
                    place.symlink_to(volume)
                elif mount.source is None:
                    place.mkdir()
                elif mount.source.is_relative_to(ROOT / "secrets"):
                    place.symlink_to(self.secrets / mount.source.relative_to(ROOT / "secrets"))
                elif mount.source.is_dir():
                    place.symlink_to(mount.source)
                else:
                    text = self._localized(service, mount.source.read_text("utf-8"))
                    place.write_text(_as_it_must_be_here(mount.source.name, text), "utf-8")
        return root

    def _localized(self, service: Service, text: str) -> str:
        """Paths of mounts, addresses of services, and the service's own ports, as they are here."""
        root = self.folder / "roots" / service.name
        places = {Path(mount.target) for mount in service.mounts}
        places |= {place.parent for place in places if len(place.parts) > TOP}
        targets = sorted(map(str, places), key=len, reverse=True)
        paths = "|".join(rf"(?<![\w.]){re.escape(target)}(?=[/\"'\s,:]|$)" for target in targets) or r"(?!)"
        others = "|".join(PORTS)
        own = "|".join(str(port) for port in PORTS.get(service.name, ())) or r"(?!)"

        def put_in(found: re.Match[str]) -> str:
            if found["path"]:
                return f"{root}{found['path']}"
            if found["name"]:
                return self.address(found["name"], int(found["port"]))
            if found["any"]:
                return "127.0.0.1"
            return str(self._ports[service.name, int(found["own"])])

        pattern = (
            rf"(?P<path>{paths})|\b(?P<name>{others}):(?P<port>\d+)\b"
            rf"|(?P<any>\b0\.0\.0\.0\b)|(?<![\w.])(?P<own>{own})(?![\w.])"
        )
        return re.sub(pattern, put_in, text)

    # --- InfluxDB 1.8 in the place of 2.9

    def _start_influxdb(self) -> None:
        running = influx_server.running(
            self.folder / "influxdb",
            self.port("influxdb"),
            HTTP_AUTH_ENABLED="true",
            HTTP_LOG_ENABLED="false",
        )
        self._open.enter_context(running)

    def _set_influxdb_up(self) -> None:
        """What ingest/stack/influxdb-setup.sh does, from the same file of buckets."""
        environment = self.services["influxdb"].environment
        admin = environment["DOCKER_INFLUXDB_INIT_USERNAME"]
        word = (self.secrets / "influxdb-admin.password").read_text().strip()
        self._influxql(f"CREATE USER \"{admin}\" WITH PASSWORD '{word}' WITH ALL PRIVILEGES", None)
        words = {reader: secrets.token_urlsafe(32) for reader in READERS}
        for reader, own in words.items():
            self._influxql(f"CREATE USER \"{reader}\" WITH PASSWORD '{own}'", (admin, word))
            token = self.folder / "volumes" / "influxdb-tokens" / reader / f"{reader}.token"
            token.parent.mkdir(parents=True, exist_ok=True)
            token.write_text(f"{reader}:{own}\n", "utf-8")
            token.chmod(0o640)
        for line in (ROOT / "ingest" / "stack" / "buckets").read_text("utf-8").splitlines():
            bucket, retention = line.split()
            span = "INF" if retention == "0" else retention
            self._influxql(f'CREATE DATABASE "{bucket}" WITH DURATION {span} NAME "autogen"', (admin, word))
            self._influxql(f'GRANT ALL ON "{bucket}" TO "worker"', (admin, word))
            self._influxql(f'GRANT READ ON "{bucket}" TO "grafana"', (admin, word))

    def _influxql(self, statement: str, login: tuple[str, str] | None) -> None:
        url = f"http://{self.address('influxdb')}/query"
        answer = httpx.post(url, data={"q": statement}, auth=login, trust_env=False)
        answer.raise_for_status()
        assert "error" not in answer.text, answer.text


def _as_it_must_be_here(name: str, text: str) -> str:
    if name != "mosquitto.conf":
        return text
    text, count = re.subn(r"^(listener \d+)$", r"\1 127.0.0.1", text, flags=re.MULTILINE)
    assert count == 1
    return f"user root\n{text}" if os.getuid() == 0 else text
