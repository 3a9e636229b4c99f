"""A real InfluxDB 2.7 and its command `influx`, built from their Go modules: `python tests/influx2_programs.py`.

That takes some minutes and needs Go, Rust, clang and protoc, so it is nobody's duty: where the programs are not in
the user's cache, the tests that would run on them are left out.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from go_programs import CACHE

SERVER, COMMAND = CACHE / "influxd-2.7", CACHE / "influx-2.7"
INFLUXDB = "github.com/influxdata/influxdb/v2@v2.7.12"
LIBRARIES = "github.com/influxdata/pkg-config@v0.2.14"
"""Compiles what is in Rust."""
STRICT = '#![cfg_attr(feature = "strict", deny(warnings, missing_docs))]'
"""A newer Rust warns of more than the one it was written with."""


def is_there() -> bool:
    return SERVER.exists() and COMMAND.exists()


def build() -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        run("install", LIBRARIES, at=folder, GOBIN=scratch)
        server = copied(INFLUXDB, folder / "server")
        relax(server)
        libraries = {"PKG_CONFIG": str(folder / "pkg-config"), "RUSTUP_TOOLCHAIN": "stable"}
        run(
            "build",
            "-tags",
            "sqlite_foreign_keys,sqlite_json",
            "-o",
            SERVER,
            "./cmd/influxd",
            at=server,
            **libraries,
        )
        version = needed(server, "github.com/influxdata/influx-cli/v2")["Version"]
        command = copied(f"github.com/influxdata/influx-cli/v2@{version}", folder / "command")
        run("build", "-o", COMMAND, "./cmd/influx", at=command)
        subprocess.run(["chmod", "-R", "u+w", scratch], check=True)


def copied(module: str, folder: Path) -> Path:
    """A module that replaces others cannot be installed by name, only built where it lies."""
    shutil.copytree(json.loads(run("mod", "download", "-json", module, at=folder.parent))["Dir"], folder)
    subprocess.run(["chmod", "-R", "u+w", folder], check=True)
    return folder


def needed(folder: Path, module: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(run("list", "-m", "-json", module, at=folder))
    return found


def relax(server: Path) -> None:
    run("mod", "download", "github.com/influxdata/flux", at=server)
    rust = Path(needed(server, "github.com/influxdata/flux")["Dir"]) / "libflux"
    subprocess.run(["chmod", "-R", "u+w", rust], check=True)
    for part in ("flux", "flux-core"):
        file = rust / part / "src" / "lib.rs"
        file.write_text(file.read_text().replace(STRICT, "#![allow(warnings)]"))


def run(*arguments: object, at: Path, **environment: str) -> str:
    command = ["go", *map(str, arguments)]
    print("+", *command, file=sys.stderr)  # noqa: T201  # it takes minutes: what is it doing?
    done = subprocess.run(
        command, cwd=at, env=os.environ | environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


if __name__ == "__main__":
    build()
