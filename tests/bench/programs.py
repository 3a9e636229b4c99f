"""Programs that are measured: started, stopped and started again, with what /proc tells of them; and our worker."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import eight_rules
import httpx

from ports import free_port
from scenewatch.store.devices import Inventory
from scenewatch.store.relational import Database

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scenewatch.model.place import Device

HTTP = httpx.Client(timeout=60, trust_env=False)
"""One for all: making a client takes longer than an answer."""
STOP_S = 60.0
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """What /proc tells of a process and of those it started."""

    pid: int

    def cpu_s(self) -> float:
        """User and system time so far, also of children that have ended."""
        ticks = 0
        for pid in self._tree():
            fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
        return ticks / TICKS_A_SECOND

    def peak_mib(self) -> float:
        """The most memory it held since its start or the last `forget_peak`."""
        return self._status_mib("VmHWM")

    def memory_mib(self) -> float:
        return self._status_mib("VmRSS")

    def forget_peak(self) -> None:
        for pid in self._tree():
            Path(f"/proc/{pid}/clear_refs").write_text("5", "ascii")

    def _status_mib(self, name: str) -> float:
        told = [Path(f"/proc/{pid}/status").read_text("ascii") for pid in self._tree()]
        return sum(int(text.partition(f"{name}:")[2].split()[0]) for text in told) / 1024

    def _tree(self) -> list[int]:
        found = [self.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (task / "children").read_text("ascii").split())
        return found


class Program:
    """May be stopped and started again; what it wrote to its output is in `log`."""

    def __init__(self, log: Path, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        self._command = list(command)
        self._environment = os.environ | (environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=self._environment)

    def stop(self) -> None:
        """As its operator would: it may finish what it holds."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(STOP_S)
            self._process = None

    @property
    def usage(self) -> Usage:
        if self._process is None:
            raise RuntimeError(f"{self.log.stem} is not running")
        return Usage(self._process.pid)


class Worker(Program):
    """`scenewatch work` with these devices in its inventory; the scene of eight rules a channel is installed."""

    def __init__(
        self,
        folder: Path,
        mqtt_port: int,
        devices: Sequence[Device],
        *,
        store: str,
        name: str = "sw",
        extra: str = "",
    ) -> None:
        """`name` is the root of its topics and its client id; `extra` are further lines of its settings."""
        self.folder = folder
        eight_rules.install(folder / "scene")
        self._http_port = free_port()
        config = folder / "work.toml"
        config.write_text(
            f'root = "{name}"\n[broker]\nurl = "mqtt://127.0.0.1:{mqtt_port}"\nclient_id = "{name}"\n'
            f'[store]\nurl = "{store}"\n[database]\nurl = "sqlite:///scenewatch.sqlite"\n'
            f'[journal]\npath = "journal"\n[http]\nport = {self._http_port}\n'
            f'[scenes]\nuse = ["{devices[0].scene}"]\n{extra}'
        )
        database = Database(f"sqlite:///{folder / 'scenewatch.sqlite'}")
        Inventory(database).upsert(devices)
        database.close()
        path = [str(folder / "scene"), str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        command = [sys.executable, "-m", "scenewatch", "work", "--config", str(config)]
        super().__init__(folder / "log", command, {"PYTHONPATH": os.pathsep.join(path)})

    def ask(self, path: str) -> dict[str, Any]:
        """Empty while it does not answer."""
        try:
            return dict(HTTP.get(f"http://127.0.0.1:{self._http_port}{path}").json())
        except httpx.HTTPError:
            return {}

    def ready(self) -> bool:
        return bool(self.ask("/readyz").get("ready"))

    def stored(self) -> int:
        """Messages."""
        return int(self.ask("/api/v1/ledger").get("stored", 0))
