"""The machine the worker runs on: versions of what it runs with, and room on its disks."""

from __future__ import annotations

import platform
import shutil
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.doctor.findings import failed, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.doctor.findings import Finding, Subject
    from scenewatch.settings import Settings

PACKAGES = ("scenewatch", "paho-mqtt", "duckdb", "influxdb-client", "numba", "SQLAlchemy")
OLDEST_PYTHON = (3, 11)
LEAST_FREE_BYTES = 2**30
"""Beside what the journal may still grow by: for a day of readings and the database."""


def versions(_: Subject) -> Iterator[Finding]:
    if sys.version_info < OLDEST_PYTHON:
        yield failed(f"Python {platform.python_version()} is too old", "install Python 3.11 or newer")
    missing = [name for name in PACKAGES[1:] if _version(name) is None]
    if missing:
        yield failed(f"not installed: {', '.join(missing)}", "pip install scenewatch, in an environment of its own")
    have = ", ".join(f"{name} {version}" for name in PACKAGES if (version := _version(name)) is not None)
    yield ok(f"Python {platform.python_version()}, {have}")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def disk(subject: Subject) -> Iterator[Finding]:
    journal = subject.settings.journal
    for name, path in _places(subject.settings):
        needed = LEAST_FREE_BYTES
        if name == "journal.path":
            needed += max(0, journal.hard_max_bytes - _bytes_in(path))
        try:
            free = shutil.disk_usage(_nearest(path)).free
        except OSError as error:
            yield failed(f"{name} {path} cannot be looked at: {error.strerror}", "let the worker's user into it")
            continue
        what = f"{name} {path}: {_gib(free)} free"
        if free >= needed:
            yield ok(what)
        elif free < LEAST_FREE_BYTES:
            yield failed(f"{what}: soon nothing can be taken in", "make room, or put it on another disk")
        else:
            mend = "make room, or lower journal.max_bytes and journal.hard_max_bytes"
            yield warning(f"{what}, and the journal may grow by {_gib(needed - LEAST_FREE_BYTES)}", mend)


def _places(settings: Settings) -> Iterator[tuple[str, Path]]:
    yield "journal.path", settings.journal.path
    for name, url, prefix in (
        ("store.url", settings.store.url, "duckdb:"),
        ("database.url", settings.database.url, "sqlite:///"),
    ):
        if url.startswith(prefix):
            yield name, Path(url.removeprefix(prefix))


def _nearest(path: Path) -> Path:
    """The disk it is on, or will be on once it is made."""
    return next(one for one in (path, *path.absolute().parents) if one.exists())


def _bytes_in(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*") if file.is_file())


def _gib(size: int) -> str:
    return f"{size / 2**30:,.1f} GiB"
