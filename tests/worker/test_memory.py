"""The allocator's settings, in a process of their own: what was needed for a moment is given back."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from pathlib import Path
from scenewatch.worker.memory import keep_small

def held_mib():
    return int(Path("/proc/self/status").read_text().partition("VmRSS:")[2].split()[0]) / 1024

if sys.argv[1] == "small":
    keep_small()
large = bytearray(30 << 20)  # once it is gone, glibc takes blocks of this size from its heap, unless told
del large
before = held_mib()
blocks = [bytearray(b"x" * (1 << 20)) for _ in range(60)]
pinned = blocks[-1]
blocks.clear()
print(held_mib() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the settings are glibc's")
def test_blocks_go_back_to_the_system_although_one_behind_them_stays():
    def left_mib(how):
        return float(subprocess.check_output([sys.executable, "-c", PROGRAM, how]))

    assert left_mib("small") < 10
    assert left_mib("as it is") > 30, "the test would not see it"
