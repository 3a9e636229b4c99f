"""Types the commands of a page as they stand there, with `docker compose` answered by the local stack."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local_stack import STAND_INS, LocalStack

import influx_server
from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SERVICES = ("broker", "influxdb", "influxdb-setup", "worker", "console")
STEP_S = 200
SHIM = """\
import json, os, socket, sys
read = lambda: sys.stdin.buffer.read().decode("latin-1")
with socket.socket(socket.AF_UNIX) as s:
    s.connect({address!r})
    words = {{"words": sys.argv[1:], "folder": os.getcwd(), "input": read() if "-T" in sys.argv else ""}}
    s.sendall(json.dumps(words).encode())
    s.shutdown(socket.SHUT_WR)
    answer = json.loads(b"".join(iter(lambda: s.recv(65536), b"")))
sys.stdout.write(answer["out"])
sys.stderr.write(answer["err"])
sys.exit(answer["status"])
"""


def steps(page: Path) -> list[str]:
    """The blocks of commands, in their order."""
    return BLOCK.findall(page.read_text("utf-8"))


class StackWithBackups(LocalStack):
    """Its InfluxDB can be backed up: 1.8's command in the place of `influx`."""

    backups = ""

    def _start_influxdb(self) -> None:
        if not self.backups:
            self.backups = f"127.0.0.1:{free_port()}"
            self._open.enter_context(
                influx_server.running(
                    self.folder / "influxdb",
                    self.port("influxdb"),
                    HTTP_AUTH_ENABLED="true",
                    HTTP_LOG_ENABLED="false",
                    BIND_ADDRESS=self.backups,
                )
            )

    def _set_influxdb_up(self) -> None:
        """The administrator is restored with everything else, and a token is made once."""
        if not (self.folder / "volumes" / "influxdb-tokens" / "worker" / "worker.token").exists():
            super()._set_influxdb_up()


class Desk:
    """A folder in which somebody types; `docker compose` there means the stack of this test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stack: StackWithBackups | None = None
        self._stacks = 0
        self._ports: dict[tuple[str, int], int] = {}
        """Of the first stack, and of every one after it: addresses stay when all else is lost."""
        self._bin = folder / "bin"
        self._bin.mkdir()
        (folder / "dashboards").symlink_to(ROOT / "dashboards")
        self._address = str(folder / "compose.sock")
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(self._address)
        self._server.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self._program("docker", SHIM.format(address=self._address))
        self._program("scenewatch", "import sys\nfrom scenewatch.cli import main\nsys.exit(main())\n")

    def type(self, block: str) -> subprocess.CompletedProcess[str]:
        """As in a shell, each line only if the one before did well."""
        text = block
        if self.stack is not None:
            text = block.replace("-p 8883", f"-p {self.stack.port('broker', 8883)}")
        path = f"{self._bin}:{os.environ['PATH']}"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SCENEWATCH_")}
        return subprocess.run(
            ["bash", "-euc", text],
            cwd=self.folder,
            env=environment | {"PATH": path, "PYTHONPATH": str(ROOT / "ingest")},
            capture_output=True,
            text=True,
            timeout=STEP_S,
            check=False,
        )

    def close(self) -> None:
        self._server.close()
        if self.stack is not None:
            self.stack.close()

    def _program(self, name: str, code: str) -> None:
        path = self._bin / name
        path.write_text(f"#!{sys.executable}\n{code}", "utf-8")
        path.chmod(0o755)

    # --- docker compose

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return  # closed
            with connection:
                asked = json.loads(connection.makefile("rb").read())
                try:
                    status, out, err = self._answer(asked["words"], asked["input"])
                except AssertionError as error:
                    status, out, err = 1, "", str(error)
                connection.sendall(json.dumps({"status": status, "out": out, "err": err}).encode())

    def _answer(self, words: list[str], given: str) -> tuple[int, str, str]:
        assert words[0] == "compose", words
        ways: dict[str, Callable[[list[str], str], tuple[int, str, str]]] = {
            "up": self._up,
            "down": self._down,
            "exec": self._exec,
            "run": self._run,
            "cp": self._cp,
            "kill": self._kill,
        }
        return ways[words[1]](words[2:], given)

    def _up(self, words: list[str], _: str) -> tuple[int, str, str]:
        if self.stack is None:
            variables = dict(line.split("=", 1) for line in (self.folder / ".env").read_text().splitlines() if line)
            self._stacks += 1
            folder = self.folder / f"stack{self._stacks}"
            self.stack = StackWithBackups(folder, self.folder / "secrets", **variables)
            self._ports = self.stack._ports = self._ports or self.stack._ports
        if "--build" in words:
            for name in ("console", "worker"):
                if name in self.stack._running:  # a new image is a new container
                    self.stack.stop(name)
        wanted = [word for word in words if not word.startswith("-")] or SERVICES
        self.stack.up(*(name for name in wanted if name not in self.stack._running))
        return 0, "", ""

    def _down(self, words: list[str], _: str) -> tuple[int, str, str]:
        assert words == ["--volumes"]
        assert self.stack is not None
        self.stack.close()
        shutil.rmtree(self.stack.folder)
        self.stack = None
        return 0, "", ""

    def _exec(self, words: list[str], given: str) -> tuple[int, str, str]:
        name, *command = [word for word in words if word != "-T"]
        if command[0] == "influx":
            return self._influx(command[1:])
        done = self._in(name, command, {}, given)
        pause = threading.Event()
        for _ in range(100):
            if "ledger" not in command or done[0] == 0:
                break
            pause.wait(0.1)  # as somebody would who is told that something is on its way
            done = self._in(name, command, {}, given)
        return done

    def _run(self, words: list[str], given: str) -> tuple[int, str, str]:
        volumes = {}
        while words[0].startswith("-"):
            option, *words = words
            if option == "--volume":
                source, target, _ = words[0].split(":")
                volumes[target] = str(self.folder / source)
                words = words[1:]
        name, *command = words
        if name in STAND_INS:
            assert self.stack is not None
            self.stack.start(name)
            return 0, "", ""
        return self._in(name, ["scenewatch", *command], volumes, given)

    def _in(self, name: str, command: list[str], volumes: dict[str, str], given: str) -> tuple[int, str, str]:
        """Among the service's files."""
        assert self.stack is not None
        service = self.stack.services[name]
        environment, root = self.stack._environment(service), self.stack._root(service)
        words = [volumes.get(word) or self.stack.localized(name, word) for word in command]
        done = subprocess.run(
            [str(shutil.which(words[0], path=environment["PATH"])), *words[1:]],
            env=environment,
            cwd=root,
            input=given.encode("latin-1"),
            capture_output=True,
            timeout=STEP_S,
            check=False,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def _influx(self, words: list[str]) -> tuple[int, str, str]:
        assert self.stack is not None
        folder = self.stack.path("influxdb", words[-1])
        command: list[Any] = [influx_server.program(), words[0], "-portable", "-host", self.stack.backups, folder]
        done = subprocess.run(command, capture_output=True, text=True, timeout=STEP_S, check=False)
        return done.returncode, done.stdout, done.stderr

    def _kill(self, words: list[str], _: str) -> tuple[int, str, str]:
        option, name, service = words
        assert option == "--signal"
        assert self.stack is not None
        self.stack.signal(service, signal.Signals[f"SIG{name}"])
        return 0, "", ""

    def _cp(self, words: list[str], _: str) -> tuple[int, str, str]:
        assert self.stack is not None
        source, target = map(self._place, words)
        shutil.copytree(source, target)
        return 0, "", ""

    def _place(self, word: str) -> Path:
        assert self.stack is not None
        name, colon, path = word.partition(":")
        return self.stack.path(name, path) if colon else self.folder / word
