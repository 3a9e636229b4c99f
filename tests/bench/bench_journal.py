"""What it costs to make a message durable: CPU of `append` in its caller and of the journal's thread.

`flood` appends as fast as the journal takes it; a paced row appends evenly at a rate, so that groups are small
and each pays for its own fdatasync.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.journal.journal import FileJournal
from scenewatch.journal.limits import Limits
from scenewatch.model.clock import SystemClock
from scenewatch.model.messages import Messages

if TYPE_CHECKING:
    from collections.abc import Callable

TOPIC = b"sw/kitchen/site01/fridge01/telemetry"
MESSAGE_BYTES = 170
OUTSTANDING = 64
"""Batches under way at once in a flood, so that memory stays bounded."""


def batch(n: int) -> Messages:
    return Messages.of([(TOPIC, os.urandom(MESSAGE_BYTES - len(TOPIC))) for _ in range(n)], 1_700_000_000_000)


def one_round(folder: Path, messages: Messages, total: int, rate: float | None) -> tuple[float, float, int]:
    """CPU seconds, seconds and groups for `total` messages."""
    journal = FileJournal(folder, clock=SystemClock(), limits=Limits(memory_bytes=8 * 1024 * 1024))
    free = threading.Semaphore(OUTSTANDING)
    pause = threading.Event()
    batches = total // len(messages)
    writer = time.pthread_getcpuclockid(journal._thread.ident or 0)
    appending = 0.0
    try:
        cpu, start = time.clock_gettime(writer), time.perf_counter()
        for i in range(batches):
            if rate is not None:
                pause.wait(max(0.0, start + i * len(messages) / rate - time.perf_counter()))
            free.acquire()
            before = time.thread_time()
            journal.append(messages, free.release)
            appending += time.thread_time() - before
        for _ in range(OUTSTANDING):
            free.acquire()
        cpu = time.clock_gettime(writer) - cpu + appending
        return cpu, time.perf_counter() - start, journal.status().groups
    finally:
        journal.close()


def fdatasync_ms(folder: Path, size: int, times: int) -> list[float]:
    fd = os.open(folder / "probe", os.O_CREAT | os.O_RDWR)
    data = os.urandom(size)
    took = []
    try:
        for i in range(times):
            os.pwrite(fd, data, i * size)
            start = time.perf_counter()
            os.fdatasync(fd)
            took.append((time.perf_counter() - start) * 1000)
    finally:
        os.close(fd)
    return sorted(took)


def row(say: Callable[[str], object], args: argparse.Namespace, n: int, rate: float | None) -> None:
    messages = batch(n)
    total = args.messages if rate is None else int(rate * 2)
    cpu, speed, size = [], [], 0.0
    for _ in range(args.rounds):
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            cpu_s, wall_s, groups = one_round(Path(folder), messages, total, rate)
        cpu.append(cpu_s / total * 1e6)
        speed.append(total / wall_s)
        size = total / groups
    load = "flood" if rate is None else f"{rate:,.0f}/s"
    say(f"{n:>6} {load:>9} {min(cpu):>9.3f} {statistics.median(cpu):>9.3f} {max(speed):>12,.0f} {size:>9,.0f}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=512 * 1024, help="messages in a round of a flood")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", default=None, help="on the disk to measure; default: the temporary folder")
    args = parser.parse_args()
    say = sys.stdout.write
    say(f"messages of {MESSAGE_BYTES} bytes; CPU in microseconds a message\n")
    say(f"{'batch':>6} {'load':>9} {'CPU best':>9} {'median':>9} {'messages/s':>12} {'a group':>9}\n")
    for n in (64, 256, 1024):
        row(say, args, n, None)
    for n, rate in ((64, 10_000.0), (256, 50_000.0)):
        row(say, args, n, rate)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        took = fdatasync_ms(Path(folder), 256 * MESSAGE_BYTES, 200)
    say(f"fdatasync of {256 * MESSAGE_BYTES} bytes: median {took[100]:.2f} ms, p99 {took[197]:.2f} ms\n")


if __name__ == "__main__":
    main()
