"""`scenewatch up` with many kitchens: how long it starts from nothing and again, and what its processes take then.

    python tests/bench/bench_up.py --sites 60 --minutes 3

CPU time is in percent of one core, from the line that says it is live on; memory is resident, at the end.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from programs import Usage

from ports import free_port

STOP_S = 60.0


class Up:
    """One run of the command, live when this is made."""

    def __init__(self, data: Path, sites: int, hours: float) -> None:
        began = time.monotonic()
        command = [sys.executable, "-m", "scenewatch", "up", "--data", str(data), "--sites", str(sites)]
        command += ["--history", str(hours), "--port", str(free_port()), "--mqtt-port", str(free_port())]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        said = self._process.stdout.readline() if self._process.stdout else ""
        if "is live" not in said:
            raise RuntimeError(f"it did not start: {said}")
        self.started_s = time.monotonic() - began

    def processes(self) -> dict[str, int]:
        """Process ids by name."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text("ascii").split()
        return {"up": self._process.pid, **{_name(int(pid)): int(pid) for pid in children}}

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(STOP_S)


def _name(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    return words[3] if words[1:3] == ["-m", "scenewatch"] else Path(words[0]).name


def own_cpu_s(pid: int) -> float:
    """Without its children's."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / 100


def cpu_s(name: str, pid: int) -> float:
    return own_cpu_s(pid) if name == "up" else Usage(pid).cpu_s()


def folder_mib(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def watch(up: Up, minutes: float, rounds: int) -> None:
    """The share of each process, best and median of so many spans, and of all of them."""
    pause, processes = threading.Event(), up.processes()
    shares: dict[str, list[float]] = {name: [] for name in processes}
    for _ in range(rounds):
        before = {name: cpu_s(name, pid) for name, pid in processes.items()}
        began = time.monotonic()
        pause.wait(60 * minutes / rounds)
        gone_s = time.monotonic() - began
        for name, pid in processes.items():
            shares[name].append(100 * (cpu_s(name, pid) - before[name]) / gone_s)
    print("process       CPU % best  median    mean     MiB")
    for name, pid in processes.items():
        spans = sorted(shares[name])
        mib = Usage(pid).memory_mib() if name != "up" else 0.0
        mean = sum(spans) / len(spans)
        print(f"{name:12} {spans[0]:11.1f} {spans[len(spans) // 2]:7.1f} {mean:7.1f} {mib:7.0f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=60)
    parser.add_argument("--history", type=float, default=24.0, help="hours")
    parser.add_argument("--minutes", type=float, default=3.0, help="that each of the two runs is watched")
    parser.add_argument("--rounds", type=int, default=6, help="spans in which a run is watched")
    parser.add_argument("--keep", type=Path, help="folder for the data, which stays")
    options = parser.parse_args()
    data = options.keep or Path(tempfile.mkdtemp(prefix="bench-up-"))
    try:
        for start in ("from nothing", "again"):
            up = Up(data, options.sites, options.history)
            print(f"live {start}: {up.started_s:.1f} s", flush=True)
            try:
                watch(up, options.minutes, options.rounds)
            finally:
                up.stop()
            print(f"data: {folder_mib(data):.0f} MiB", flush=True)
    finally:
        if options.keep is None:
            shutil.rmtree(data)


if __name__ == "__main__":
    main()
