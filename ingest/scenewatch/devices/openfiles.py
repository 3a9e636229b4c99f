"""Room for a connection a gateway: how many files a process may have open."""

from __future__ import annotations

import resource
from typing import Final

from scenewatch.model.errors import ConfigurationError, Mistake

OTHERS: Final = 64
"""Beside the connections: modules, logs, pipes."""


def make_room(connections: int) -> None:
    """Raise this process's own limit as far as it needs and may. Raises ConfigurationError if it may not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + OTHERS
    if soft == resource.RLIM_INFINITY or needed <= soft:
        return
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise ConfigurationError([_too_few(connections, needed, hard)])
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _too_few(connections: int, needed: int, hard: int) -> Mistake:
    what = (
        f"{connections} connections need {needed} open files, and a process may have {hard} here: "
        f"call `ulimit -n {needed}` in the shell before, or share them among more with --processes"
    )
    return Mistake("open files", what)
