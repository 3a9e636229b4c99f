"""Keeps the process small: glibc would hold on to most of what large batches and snapshots took for a moment."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Of mallopt(3)."""
LARGE_BYTES = 256 * 1024
"""Blocks from here on go back to the system at once; unless told, glibc raises the bound to 32 MiB as it goes."""
SPARE_BYTES = 1024 * 1024
ARENAS = 2
"""Else each of some ten threads keeps a heap of its own, with its own holes."""


def keep_small() -> None:
    """To be called before threads are started. Does nothing on a C library that has no such options."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    mallopt(M_ARENA_MAX, ARENAS)
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
    mallopt(M_TRIM_THRESHOLD, SPARE_BYTES)


def resident_mib() -> float:
    """What the process has in memory now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
