"""What benchmarks of a whole worker share: devices' messages, raw publishers, a broker."""

from __future__ import annotations

import random
import select
import shutil
import socket
import subprocess
import threading
import time
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import Self

    from scenewatch.model.place import Device

CHANNELS = ("air_temp", "door", "compressor_power", "defrost", "battery")
HOUR_MS = 3_600_000
CONNECTIONS = 4
WINDOW = 2_000
STEP_S = 0.005
PATIENCE_S = 120.0

PUBLISH = 3

Message = tuple[bytes, bytes]


class Fleet:
    """Numbered messages of all devices in turn, each device's values on a slow walk of their own."""

    def __init__(self, devices: Sequence[Device], root: str = "sw") -> None:
        self.topics = [f"{root}/{d.scene}/{d.site}/{d.device}/telemetry".encode() for d in devices]
        self._boot = f"{random.getrandbits(32):08x}".encode()
        self.sent = 0
        self.sums = dict.fromkeys(CHANNELS, 0.0)
        """Of all values sent, a channel."""
        self._newest_ms = time.time_ns() // 1_000_000 - HOUR_MS

    def backlog(self, count: int) -> list[Message]:
        """The next `count`, measured evenly between the newest before and now; the first ones over an hour."""
        first_ms = self._newest_ms + 1
        return self.messages(count, first_ms=first_ms, every_ms=(time.time_ns() // 1_000_000 - first_ms) / count)

    def live(self, count: int, rate: int) -> tuple[list[Message], int]:
        """The next `count`, measured from now on, and the time of the first."""
        now_ms = time.time_ns() // 1_000_000
        return self.messages(count, first_ms=now_ms, every_ms=1000 / rate), now_ms

    def messages(self, count: int, *, first_ms: int, every_ms: float) -> list[Message]:
        """The next `count`, measured `every_ms` apart."""
        made = []
        for i in range(self.sent, self.sent + count):
            t_ms = first_ms + int((i - self.sent) * every_ms)
            n, device = divmod(i, len(self.topics))
            wave = abs(n % 100 - 50)
            payload = (
                b'{"t":%d,"b":"%s","n":%d,"v":{"air_temp":%.3f,"door":0,"compressor_power":%.1f,"defrost":0,'
                b'"battery":3.61}}' % (t_ms, self._boot, n, 4 + wave / 1000, 120 + wave / 10)
            )
            self.sums["air_temp"] += 4 + wave / 1000
            self.sums["compressor_power"] += 120 + wave / 10
            made.append((self.topics[device], payload))
        self.sent += count
        self._newest_ms = max(self._newest_ms, first_ms + int(count * every_ms))
        self.sums["battery"] += 3.61 * count
        return made


def connect(port: int, name: str) -> socket.socket:
    """A connection that has been greeted, of MQTT 3.1.1 with a clean session and no keep-alive."""
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client_id = name.encode()
    body = b"\x00\x04MQTT\x04\x02\x00\x00" + len(client_id).to_bytes(2, "big") + client_id
    sock.sendall(b"\x10" + bytes([len(body)]) + body)
    if sock.recv(4) != b"\x20\x02\x00\x00":
        raise ConnectionError("the broker does not want us")
    return sock


class Publisher:
    """Just enough of a client: QoS 1 over a connection of its own, within a window of acknowledgements."""

    def __init__(self, port: int, name: str) -> None:
        self._sock = connect(port, name)
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


class Watcher:
    """A client that notes when it is shown what, on topics that match one filter. In a thread of its own."""

    def __init__(self, port: int, topic_filter: str) -> None:
        self.heard: dict[str, list[tuple[float, bytes]]] = defaultdict(list)
        """By topic: when (monotonic), and the payload."""
        self._sock = connect(port, "bench-watcher")
        subscribe = b"\x00\x01" + len(topic_filter).to_bytes(2, "big") + topic_filter.encode() + b"\x00"
        self._sock.sendall(b"\x82" + bytes([len(subscribe)]) + subscribe)
        self._data = bytearray()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._sock.close()

    def shown(self) -> int:
        """Messages with a payload so far."""
        return sum(bool(payload) for heard in list(self.heard.values()) for _, payload in heard)

    def _watch(self) -> None:
        while got := self._sock.recv(65_536):
            now = time.monotonic()
            self._data += got
            while (packet := self._packet()) is not None:
                kind, body = packet
                if kind == PUBLISH:
                    topic_end = 2 + int.from_bytes(body[:2], "big")
                    self.heard[body[2:topic_end].decode()].append((now, bytes(body[topic_end:])))

    def _packet(self) -> tuple[int, bytes] | None:
        """The next whole one; its length takes one byte or two."""
        data = self._data
        if len(data) < 3:
            return None
        size, at = (data[1], 2) if data[1] < 0x80 else (data[1] & 0x7F | data[2] << 7, 3)
        if len(data) < at + size:
            return None
        packet = data[0] >> 4, bytes(data[at : at + size])
        del data[: at + size]
        return packet


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


@contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """A broker that queues without bound and keeps nothing on disk; gives its port."""
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        "max_inflight_messages 0\nmax_queued_messages 0\n"
    )
    with (folder / "mosquitto.log").open("ab") as log:
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        process = subprocess.Popen([program, "-c", str(config)], stdout=log, stderr=log)
    try:
        wait_for(lambda: listens(port), "Mosquitto")
        yield port
    finally:
        process.terminate()
        process.wait(30)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(there: Callable[[], Any], what: str, *, look_s: float = 0.05, patience_s: float = PATIENCE_S) -> None:
    """Until it is true; TimeoutError after a while."""
    pause, deadline = threading.Event(), time.monotonic() + patience_s
    while not there():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {patience_s:g} s for {what}")
        pause.wait(look_s)


def percentile(figures: Sequence[float], share: float) -> float:
    """The smallest of them that is not below so large a share."""
    return sorted(figures)[min(len(figures) - 1, int(share * len(figures)))]
