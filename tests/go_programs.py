"""Go programs that tests and benchmarks start: built once with Go, kept in the user's cache."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "scenewatch-tests"
BUILD_S = 900


@dataclass(frozen=True, kw_only=True)
class GoProgram:
    """What `go install` needs to know. `name` is the file's; a new version takes a new one."""

    name: str
    source: str
    tags: tuple[str, ...] = ()

    def path(self) -> Path | None:
        """None where it is not there and cannot be built."""
        path = CACHE / self.name
        if path.exists():
            return path
        with self._alone():
            return path if path.exists() or self._build() else None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process of the tests builds it, the others wait for that."""
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / f"{self.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _build(self) -> bool:
        go = shutil.which("go")
        if go is None:
            return False
        command = [go, "install", "-tags", ",".join(self.tags), self.source]
        environment = os.environ | {"GOBIN": str(CACHE)}
        return (
            subprocess.run(command, env=environment, timeout=BUILD_S, capture_output=True, check=False).returncode
            == 0
        )


@dataclass(frozen=True, kw_only=True)
class GoModule:
    """The files of a module, as Go's proxy has them; checked by Go against its public record."""

    name: str

    def folder(self) -> Path | None:
        """None where Go is not there or does not get it."""
        go = shutil.which("go")
        if go is None:
            return None
        with tempfile.TemporaryDirectory() as empty:
            done = subprocess.run(
                [go, "mod", "download", "-json", self.name],
                cwd=empty,
                timeout=BUILD_S,
                capture_output=True,
                check=False,
            )
        return Path(json.loads(done.stdout)["Dir"]) if done.returncode == 0 else None


COMPOSE_GO = GoModule(name="github.com/compose-spec/compose-go/v2@v2.16.2")
INFLUXD = GoProgram(name="influxd", source="github.com/influxdata/influxdb/cmd/influxd@v1.8.10")
TELEGRAF = GoProgram(
    name="telegraf",
    source="github.com/influxdata/telegraf/cmd/telegraf@v1.37.2",
    tags=("custom", "inputs.mqtt_consumer", "outputs.influxdb_v2", "parsers.json"),
)
