"""What the fuzzers share: kernels as plain Python, seeds in a folder of their own, libFuzzer's options on top."""

from __future__ import annotations

import logging
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import atheris
import numba

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

TESTS = Path(__file__).parents[1]
MEMORY = Path("/dev/shm")  # noqa: S108  # files that are written a thousand times a second
SCRATCH = MEMORY if MEMORY.is_dir() else None
HANGS = "-timeout=20"
"""Seconds for one input, after which it counts as a hang."""
USAGE = """options are libFuzzer's, for example:
  -max_total_time=300   end after as many seconds (without it: never)
  -runs=100000          end after as many inputs
  FILE                  run this one input again, as a crash left it
  FOLDER                keep and go on with a corpus"""


@contextmanager
def plain_kernels() -> Iterator[None]:
    """What is imported herein has its kernels run as they are written, so that coverage sees them."""
    njit = numba.njit
    numba.njit = lambda *given, **_: given[0] if given else lambda kernel: kernel
    try:
        yield
    finally:
        numba.njit = njit
        if (made := sys.modules.get("scenewatch.model.compiled")) is not None:
            vars(made)["njit"] = njit  # it has the name, and makes the kernels that are imported later


def run(one: Callable[[bytes], None], seeds: Iterable[bytes], what: str) -> None:
    """Feed `one` with what libFuzzer makes of the seeds until it raises or the time is over."""
    if {"-h", "--help"} & set(sys.argv):
        sys.stdout.write(f"{what}\n{USAGE}\n")
        return
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        for i, seed in enumerate(seeds):
            (Path(folder) / f"seed{i}").write_bytes(seed)
        named = any(not argument.startswith("-") for argument in sys.argv[1:])
        atheris.Setup([sys.argv[0], HANGS, *sys.argv[1:], *([] if named else [folder])], one)
        atheris.Fuzz()
