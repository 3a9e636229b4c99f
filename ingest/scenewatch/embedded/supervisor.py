"""Child processes that are started, watched, started again when they fall over, and ended in reverse order."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scenewatch.model.ports import Clock

log = logging.getLogger(__name__)

BACK_OFF_MS = (500, 1000, 2000, 5000, 10_000)
STABLE_MS = 60_000
"""Alive this long, a child's earlier falls are forgotten."""
PATIENCE_S = 12.0
"""Time for a child to end by itself: the worker drains for up to 10 s."""
PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Child:
    """One program under supervision. Its output goes to `log_path`."""

    name: str
    command: Sequence[str]
    log_path: Path
    process: subprocess.Popen[bytes] | None = None
    started_at_ms: int = 0
    again_at_ms: int | None = None
    falls: int = 0


@dataclass(slots=True)
class Supervisor:
    """Keeps children alive. All calls come from one thread; `watch` is called a few times a second."""

    clock: Clock
    children: list[Child] = field(default_factory=list)

    def start(self, name: str, command: Sequence[str], log_path: Path) -> Child:
        log_path.parent.mkdir(parents=True, exist_ok=True)
        child = Child(name, command, log_path)
        self._spawn(child)
        self.children.append(child)
        return child

    def watch(self) -> list[str]:
        """Start again what fell over and is due; returns one line about each fall."""
        now_ms = self.clock.now_ms()
        said: list[str] = []
        for child in self.children:
            if child.again_at_ms is not None:
                if now_ms >= child.again_at_ms:
                    self._spawn(child)
                continue
            if child.process is None or child.process.poll() is None:
                continue
            if now_ms - child.started_at_ms > STABLE_MS:
                child.falls = 0
            wait_ms = BACK_OFF_MS[min(child.falls, len(BACK_OFF_MS) - 1)]
            child.falls += 1
            child.again_at_ms = now_ms + wait_ms
            said.append(
                f"{child.name} ended ({_ending(child.process.returncode)}); "
                f"starting it again in {wait_ms / 1000:g} s, its log is {child.log_path}"
            )
        return said

    def stop(self) -> list[str]:
        """End all, the last started first; returns the names of those that had to be killed."""
        killed: list[str] = []
        for child in reversed(self.children):
            process = child.process
            if process is None or process.poll() is not None:
                continue
            process.terminate()
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed.append(child.name)
        self.children.clear()
        return killed

    def _spawn(self, child: Child) -> None:
        with child.log_path.open("ab") as output:
            child.process = subprocess.Popen(  # noqa: S603  # our own programs, no shell
                child.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=partial(_end_with, os.getpid()),  # noqa: PLW1509  # the supervisor has one thread
            )
        child.started_at_ms = self.clock.now_ms()
        child.again_at_ms = None


def _end_with(parent: int) -> None:
    """In the child, before its program: were the supervisor killed, nobody would end the children."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
