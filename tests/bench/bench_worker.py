"""CPU time a message of the whole worker, from the broker's socket to the store, and where it goes.

A real `scenewatch work` on a real Mosquitto: 1,000 devices of 200 kitchens, five values a message.
"""

from __future__ import annotations

import argparse
import bisect
import os
import random
import select
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1] / "integration"))

from chaos import Scene, wait_for

from scenewatch.model.messages import Messages
from scenewatch.model.ports import Record, RecordKind
from scenewatch.pipeline import Pipeline, encode_inventory
from scenewatch.scenes import SCENES
from scenewatch.store.duck import DuckStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scenewatch.model.place import Device

SITES = 200
CONNECTIONS = 4
WINDOW = 2_000
STEP_S = 0.005
WARM = 2_000
"""Messages that let a new process load its compiled kernels: taken in before anything is measured."""
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")

Message = tuple[bytes, bytes]


class Fleet:
    """Numbered messages of all devices in turn, each device's values on a slow walk of their own."""

    def __init__(self, devices: Sequence[Device]) -> None:
        self.topics = [f"sw/{d.scene}/{d.site}/{d.device}/telemetry".encode() for d in devices]
        self._boot = f"{random.getrandbits(32):08x}".encode()
        self._sent = 0

    def messages(self, count: int, *, first_ms: int, every_ms: float) -> list[Message]:
        """The next `count`, measured `every_ms` apart."""
        made = []
        for i in range(self._sent, self._sent + count):
            t_ms = first_ms + int((i - self._sent) * every_ms)
            n, device = divmod(i, len(self.topics))
            wave = abs(n % 100 - 50)
            payload = (
                b'{"t":%d,"b":"%s","n":%d,"v":{"air_temp":%.3f,"door":0,"compressor_power":%.1f,"defrost":0,'
                b'"battery":3.61}}' % (t_ms, self._boot, n, 4 + wave / 1000, 120 + wave / 10)
            )
            made.append((self.topics[device], payload))
        self._sent += count
        return made


class Publisher:
    """Just enough of a client: QoS 1 over a connection of its own, within a window of acknowledgements."""

    def __init__(self, port: int, name: str) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port))
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client_id = name.encode()
        body = b"\x00\x04MQTT\x04\x02\x00\x00" + len(client_id).to_bytes(2, "big") + client_id
        self._sock.sendall(b"\x10" + bytes([len(body)]) + body)
        if self._sock.recv(4) != b"\x20\x02\x00\x00":
            raise ConnectionError("the broker does not want us")
        self._pending = 0
        self._in_flight = 0

    def send(self, messages: Sequence[Message]) -> None:
        self._sock.sendall(b"".join(_publish(i, *message) for i, message in enumerate(messages, 1)))
        self._in_flight += len(messages)
        self.settle(WINDOW)

    def settle(self, most: int = 0) -> None:
        """Read acknowledgements until at most so many are missing; whatever is there in any case."""
        while self._in_flight > most or select.select([self._sock], [], [], 0)[0]:
            got = self._sock.recv(65_536)
            if not got:
                raise ConnectionError("the broker left")
            self._pending += len(got)
            acknowledged, self._pending = divmod(self._pending, 4)
            self._in_flight -= acknowledged

    def close(self) -> None:
        self.settle()
        self._sock.sendall(b"\xe0\x00")
        self._sock.close()


def _publish(packet_id: int, topic: bytes, payload: bytes) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + packet_id.to_bytes(2, "big") + payload
    return b"\x32" + bytes((len(body) & 0x7F | 0x80, len(body) >> 7)) + body


def publish(port: int, messages: Sequence[Message], rate: int) -> list[tuple[float, int]]:
    """All of them, at `rate` a second or as fast as they are taken when it is 0. Returns when how many were out."""
    publishers = [Publisher(port, f"bench-{i}") for i in range(CONNECTIONS)]
    pause, log = threading.Event(), list[tuple[float, int]]()
    started, sent = time.monotonic(), 0
    while sent < len(messages):
        due = int((time.monotonic() - started) * rate) if rate else sent + CONNECTIONS * WINDOW // 4
        due = min(due, len(messages), sent + CONNECTIONS * WINDOW)
        part, sent = messages[sent:due], due
        for i, publisher in enumerate(publishers):
            publisher.send(part[i::CONNECTIONS])
        log.append((time.monotonic(), sent))
        if rate:
            pause.wait(STEP_S)
    for publisher in publishers:
        publisher.close()
    return log


class Bench:
    """The worker's process and the broker's, with what /proc tells of the worker."""

    def __init__(self, folder: Path) -> None:
        self.scene = Scene(folder, sites=SITES)
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.scene.mqtt_port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
            "max_inflight_messages 0\nmax_queued_messages 0\n"
        )
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.scene.commands["broker"] = [program, "-c", str(config)]
        self.fleet = Fleet([d for d in self.scene.devices if SCENES[0].device_type(d.type).channels])
        self._newest_ms = time.time_ns() // 1_000_000 - 3_600_000
        self.expected = 0
        self.scene.start("broker")
        self.start()

    def start(self) -> None:
        self.scene.start("worker")
        wait_for(self.scene.ready, "the worker")

    def stop(self) -> None:
        self.scene.processes["worker"].terminate()
        self.scene.processes["worker"].wait(60)

    def stored(self) -> int:
        return int(self.scene.ask("/api/v1/ledger").get("stored", 0))

    def drained(self) -> bool:
        return self.stored() >= self.expected

    def publish(self, count: int, *, rate: int = 0) -> list[tuple[float, int]]:
        """Live messages at a rate; else a backlog of what was measured since the newest before."""
        now_ms = time.time_ns() // 1_000_000
        first_ms = now_ms if rate else self._newest_ms + 1
        every_ms = 1000 / rate if rate else (now_ms - first_ms) / count
        messages = self.fleet.messages(count, first_ms=first_ms, every_ms=every_ms)
        self._newest_ms = first_ms + int(count * every_ms)
        self.expected += count
        return publish(self.scene.mqtt_port, messages, rate)

    def cpu_s(self) -> float:
        """User and system time of the worker so far."""
        stat = Path(f"/proc/{self.scene.processes['worker'].pid}/stat").read_text("ascii")
        user, system = stat.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / TICKS_A_SECOND

    def peak_mib(self) -> float:
        status = Path(f"/proc/{self.scene.processes['worker'].pid}/status").read_text("ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def drain(self, count: int) -> tuple[float, float]:
        """CPU and wall seconds of a worker that starts with so many messages waiting for it, all stored."""
        self.stop()
        self.publish(count)
        started = time.monotonic()
        self.start()
        wait_for(self.drained, "the backlog to be stored")
        return self.cpu_s(), time.monotonic() - started

    def steady(self, rate: int, seconds: float) -> float:
        """CPU seconds while messages come at a rate, until all are stored."""
        before = self.cpu_s()
        self.publish(int(rate * seconds), rate=rate)
        wait_for(self.drained, "the rest to be stored")
        return self.cpu_s() - before

    def latency(self, rate: int, seconds: float) -> list[float]:
        """Milliseconds from publishing to the store, as seen by looking at the account again and again."""
        before, looks, over = self.stored(), list[tuple[float, int]](), threading.Event()

        def look() -> None:
            while not over.wait(0.02):
                stored = self.stored() - before
                looks.append((time.monotonic(), stored))

        looking = threading.Thread(target=look)
        looking.start()
        log = self.publish(int(rate * seconds), rate=rate)
        wait_for(lambda: looks and looks[-1][1] >= log[-1][1], "the rest to be stored")
        over.set()
        looking.join()
        counts = [stored for _, stored in looks]
        return [1000 * (looks[bisect.bisect_left(counts, sent)][0] - at) for at, sent in log]


# --- stage by stage ----------------------------------------------------------------------------------------


class Stopwatch:
    """CPU time of this thread within the calls it wraps."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = {}

    def wrap(self, owner: object, method: str, name: str) -> None:
        inner: Callable[..., Any] = getattr(owner, method)
        self.spent[name] = 0

        def timed(*args: object) -> object:
            started = time.thread_time_ns()
            try:
                return inner(*args)
            finally:
                self.spent[name] += time.thread_time_ns() - started

        setattr(owner, method, timed)


def stages(devices: Sequence[Device], size: int, count: int, folder: Path) -> dict[str, float]:
    """Microseconds a message in each stage, for records of `size` messages, without any other process."""
    now_ms = time.time_ns() // 1_000_000
    pipeline, watch = Pipeline(SCENES, "sw"), Stopwatch()
    pipeline.run(Record(0, 1, RecordKind.INVENTORY, now_ms, None, encode_inventory(devices)))
    pipeline.run(Record(1, 2, RecordKind.LISTENING, now_ms, None, b""))
    fleet = Fleet([d for d in devices if SCENES[0].device_type(d.type).channels])
    watch.wrap(pipeline.decoder, "decode", "decode")
    watch.wrap(pipeline.identity, "duplicates", "identity")
    watch.wrap(pipeline.quality, "check", "quality")
    for method in ("step", "tick"):
        watch.wrap(pipeline.alarms, method, f"alarms' {method}")
    store = DuckStore(folder / f"{size}.duckdb")
    for run, total in enumerate((2 * size, count)):
        before = dict(watch.spent)
        messages = fleet.messages(total, first_ms=now_ms + 10 * run, every_ms=0.2)
        pipeline_ns = store_ns = 0
        for at in range(0, total, size):
            part = Messages.of(messages[at : at + size], now_ms + at // 5)
            record = Record(
                pipeline.position, pipeline.position + len(part), RecordKind.MESSAGES, part.received_ms, part, b""
            )
            started = time.thread_time_ns()
            batch = pipeline.run(record).batch
            ran = time.thread_time_ns()
            store.write(batch, pipeline.registry.series_name)
            pipeline_ns += ran - started
            store_ns += time.thread_time_ns() - ran
    store.close()
    spent = {name: ns - before[name] for name, ns in watch.spent.items()}
    spent["the rest of the pipeline"] = pipeline_ns - sum(spent.values())
    spent["store, a commit a batch"] = store_ns
    return {name: ns / count / 1000 for name, ns in spent.items()}


# --- tables ------------------------------------------------------------------------------------------------


def show_stages(options: argparse.Namespace, folder: Path) -> None:
    devices = Scene(folder, sites=SITES).devices
    tables = [stages(devices, size, min(options.count, 400 * size), folder) for size in options.sizes]
    print(f"{'CPU µs a message, in batches of':<40}" + "".join(f"{size:>9}" for size in options.sizes))
    for name in tables[0]:
        print(f"{name:<40}" + "".join(f"{table[name]:>9.2f}" for table in tables))
    print(f"{'all':<40}" + "".join(f"{sum(table.values()):>9.2f}" for table in tables), flush=True)


def show_worker(options: argparse.Namespace, folder: Path) -> None:
    bench = Bench(folder)
    try:
        bench.publish(WARM)
        wait_for(bench.drained, "the first messages")
        starts = [bench.drain(WARM)[0] for _ in range(options.rounds)]
        started = statistics.median(starts)
        drains = [bench.drain(options.count) for _ in range(options.rounds)]
        drained = [(cpu - started) / (options.count - WARM) * 1e6 for cpu, _ in drains]
        idle = bench.cpu_s()
        threading.Event().wait(options.seconds / 2)
        idle_share = (bench.cpu_s() - idle) / (options.seconds / 2)
        steady = [bench.steady(options.rate, options.seconds) for _ in range(options.rounds)]
        a_message = [cpu / (options.rate * options.seconds) * 1e6 for cpu in steady]
        peak_mib = bench.peak_mib()
        late = sorted(bench.latency(options.rate, options.seconds / 2))
    finally:
        bench.scene.end()
    print(f"{'worker, CPU µs a message':<40}{'best':>9}{'median':>9}")
    for name, spent in (("draining", drained), (f"{options.rate} a second", a_message)):
        print(f"{name:<40}{min(spent):>9.2f}{statistics.median(spent):>9.2f}")
    print(f"{'start with a few messages, CPU s':<40}{min(starts):>9.2f}{started:>9.2f}")
    print(f"{'idle, % of a core':<40}{'':>9}{100 * idle_share:>9.2f}")
    print(f"{'peak memory, MiB':<40}{'':>9}{peak_mib:>9.0f}")
    print(
        f"{'published to stored, ms: median, worst':<40}{statistics.median(late):>9.0f}{late[-1]:>9.0f}", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000, help="messages to drain (100000)")
    parser.add_argument("--rate", type=int, default=5_000, help="messages a second of the steady run (5000)")
    parser.add_argument("--seconds", type=float, default=10.0, help="its length (10)")
    parser.add_argument("--rounds", type=int, default=2, help="of each run (2)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 5000], help="batches by stage")
    parser.add_argument("--only", choices=("worker", "stages"), help="leave the other table out")
    options = parser.parse_args()
    for name, show in (("stages", show_stages), ("worker", show_worker)):
        if options.only in (None, name):
            with tempfile.TemporaryDirectory() as folder:
                show(options, Path(folder))


if __name__ == "__main__":
    main()
