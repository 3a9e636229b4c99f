"""What an examination finds: how bad, what, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from scenewatch.model.ports import Clock
    from scenewatch.model.scene import Scene
    from scenewatch.settings import Settings


class Verdict(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """It works, and should not stay so."""
    FAILED = "failed"
    """It does not work, or soon loses something."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of what, and one of what to do, which is empty where nothing is. Never with a secret in it."""

    verdict: Verdict
    what: str
    mend: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What is examined. Nothing of it is changed."""

    settings: Settings
    scenes: tuple[Scene, ...]
    clock: Clock
    worker: str | None = None
    """Where the worker's API is, if it is not asked at the address of the settings."""
    dashboards: Path | None = None
    """The folder that Grafana mounts."""
    grafana: str | None = None
    """Grafana's address."""
    grafana_login_file: Path | None = None


Check = Callable[[Subject], Iterator[Finding]]
"""One concern. What it has found is kept, also when it is given up in the midst of waiting for something."""


def ok(what: str) -> Finding:
    return Finding(Verdict.OK, what)


def warning(what: str, mend: str) -> Finding:
    return Finding(Verdict.WARNING, what, mend)


def failed(what: str, mend: str) -> Finding:
    return Finding(Verdict.FAILED, what, mend)


def failed_with(line: object, otherwise: str) -> Finding:
    """From an error's line of the form `what: what to do`; `otherwise` where it says only what."""
    what, _, mend = str(line).partition(": ")
    return failed(what, mend or otherwise)
