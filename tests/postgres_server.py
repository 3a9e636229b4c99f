"""A real PostgreSQL of the system's packages, without a network address, as a user that is not root."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "postgres"
"""PostgreSQL does not run as root: then it runs as this user, whom its package makes."""
SETTINGS = {"listen_addresses": "", "fsync": "off", "max_connections": "300"}


def programs() -> Path | None:
    """The folder with initdb and postgres, which Debian keeps off the path; the newest of several."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


@contextmanager
def running() -> Iterator[Path]:
    """A server; gives the folder with its socket."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    other = USER if os.geteuid() == 0 else None
    if other:
        shutil.chown(folder, other)
    bin_folder = programs()
    assert bin_folder is not None
    try:
        made = [bin_folder / "initdb", "-D", folder / "data", "-U", USER, "-A", "trust", "--no-sync"]
        subprocess.run(made, user=other, cwd=folder, check=True, capture_output=True)
        settings = [f"--{name}={value}" for name, value in {**SETTINGS, "unix_socket_directories": folder}.items()]
        begin = [bin_folder / "pg_ctl", "-D", folder / "data", "-l", folder / "log", "-w"]
        subprocess.run(
            [*begin, "-o", " ".join(f"'{one}'" for one in settings), "start"],
            user=other, cwd=folder, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield folder
        finally:
            subprocess.run(
                [*begin, "-m", "immediate", "stop"], user=other, cwd=folder, check=True, capture_output=True
            )
    finally:
        shutil.rmtree(folder)


def create(folder: Path, name: str) -> str:
    """Make an empty database; gives the URL by which this program knows it."""
    _run(folder, f'CREATE DATABASE "{name}"')
    return f"postgresql+psycopg://{USER}@/{name}?host={folder}"


def drop(folder: Path, name: str) -> None:
    _run(folder, f'DROP DATABASE "{name}" WITH (FORCE)')


def _run(folder: Path, statement: str) -> None:
    with closing(psycopg.connect(f"host={folder} user={USER} dbname=postgres", autocommit=True)) as con:
        con.execute(statement)
