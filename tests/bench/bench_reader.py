"""CPU time a message of the reader alone, beside plain paho, from a raw generator in a process of its own."""

from __future__ import annotations

import argparse
import multiprocessing
import socket
import ssl
import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from scenewatch.model.clock import SystemClock
from scenewatch.source.mqtt import MqttSource
from scenewatch.source.settings import MqttSettings

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from scenewatch.model.ports import Arrival

WINDOW = 15_000
STEP_S = 0.001


def publish_packets(count: int) -> list[bytes]:
    """QoS 1, MQTT 3.1.1, five values in JSON each; ids from 1 on."""
    packets = []
    for n in range(count):
        topic = b"sw/kitchen/site%d/device%04d/telemetry" % (n % 10, n % 1000)
        payload = (
            b'{"t":%d,"b":"k3f9","n":%d,"v":{"air_temp":4.21,"core_temp":3.75,"power":312.5,'
            b'"humidity":71.25,"door":0}}' % (1_760_000_000_000 + n, n)
        )
        body = len(topic).to_bytes(2, "big") + topic + (n % 65_000 + 1).to_bytes(2, "big") + payload
        packets.append(b"\x32" + bytes((len(body) & 0x7F | 0x80, len(body) >> 7)) + body)
    return packets


class Generator:
    """Just enough of a broker: refuses MQTT 5, greets, grants, then streams within a window of acknowledgements."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._acknowledged = 0

    def greet(self) -> bool:
        connect = self._packet()
        level = connect[6]
        self._sock.sendall(b"\x20\x02\x00" + (b"\x00" if level == 4 else b"\x01"))
        if level != 4:
            return False
        subscribe = self._packet()
        self._sock.sendall(b"\x90\x03" + subscribe[:2] + b"\x01")
        return True

    def stream(self, packets: list[bytes], rate: int) -> None:
        """All packets; at `rate` a second, or as fast as they are taken when it is 0."""
        drain = threading.Thread(target=self._drain, args=(len(packets),))
        drain.start()
        pause = threading.Event()
        started, sent = time.monotonic(), 0
        while sent < len(packets):
            due = int((time.monotonic() - started) * rate) if rate else sent + 500
            due = min(due, len(packets), self._acknowledged + WINDOW)
            if due > sent:
                self._sock.sendall(b"".join(packets[sent:due]))
                sent = due
            if rate or sent == self._acknowledged + WINDOW:
                pause.wait(STEP_S)
        drain.join()

    def _drain(self, count: int) -> None:
        received = 0
        while received < 4 * count:
            received += len(self._sock.recv(65_536))
            self._acknowledged = received // 4

    def _packet(self) -> bytes:
        self._exactly(1)
        size = shift = 0
        while True:
            byte = self._exactly(1)[0]
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            got = self._sock.recv(size - len(data))
            if not got:
                raise ConnectionError("the reader left")
            data += got
        return data


def generate(pipe: Connection, count: int, rate: int, certificate: tuple[str, str] | None) -> None:
    """The generator's process: tells its port, serves one reader."""
    packets = publish_packets(count)
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
    with socket.create_server(("127.0.0.1", 0)) as server:
        pipe.send(server.getsockname()[1])
        while True:
            sock, _ = server.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with context.wrap_socket(sock, server_side=True) if context else sock as peer:
                generator = Generator(peer)
                if generator.greet():
                    pipe.recv()
                    generator.stream(packets, rate)
                    pipe.recv()
                    return


def read_with_scenewatch(port: int, count: int, pipe: Connection, ca_file: Path | None) -> float:
    ready, done = threading.Event(), threading.Event()
    settings = MqttSettings(
        url=f"{'mqtts' if ca_file else 'mqtt'}://localhost:{port}",
        client_id="bench",
        filters=("sw/+/+/+/telemetry",),
        ca_file=ca_file,
    )
    source = MqttSource(settings, SystemClock())
    seen = 0

    def arrived(arrival: Arrival) -> None:
        nonlocal seen
        arrival.acknowledge()
        seen += len(arrival.messages)
        if seen >= count:
            done.set()

    source.start(arrived, lambda *_: ready.set())
    spent = _spend(ready, done, pipe)
    source.stop()
    return spent


def read_with_paho(port: int, count: int, pipe: Connection, ca_file: Path | None) -> float:
    ready, done = threading.Event(), threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, "bench", clean_session=False)
    if ca_file:
        client.tls_set(str(ca_file))
    seen = 0

    def arrived(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen >= count:
            done.set()

    client.on_connect = lambda *_: client.subscribe("sw/+/+/+/telemetry", 1)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = arrived
    client.connect("localhost", port)
    client.loop_start()
    spent = _spend(ready, done, pipe)
    client.disconnect()
    client.loop_stop()
    return spent


def _spend(ready: threading.Event, done: threading.Event, pipe: Connection) -> float:
    """CPU seconds of this process, user and system, while the stream is read."""
    ready.wait(30)
    before = time.process_time()
    pipe.send("stream")
    if not done.wait(120):
        raise TimeoutError("the stream did not end")
    return time.process_time() - before


READERS = {"scenewatch": read_with_scenewatch, "paho": read_with_paho}


def measure(reader: str, count: int, rate: int, folder: Path | None) -> float:
    """Microseconds of CPU a message."""
    certificate = (str(folder / "cert.pem"), str(folder / "key.pem")) if folder else None
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=generate, args=(theirs, count, rate, certificate))
    process.start()
    try:
        spent = READERS[reader](ours.recv(), count, ours, folder / "cert.pem" if folder else None)
        ours.send("done")
    finally:
        process.join(5)
        process.terminate()
    return spent / count * 1e6


def make_certificate(folder: Path) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"),
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300_000, help="messages to drain (paho: a tenth)")
    parser.add_argument("--rate", type=int, default=5_000, help="messages a second for the steady runs")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a steady run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=[*READERS], help="leave the other reader out")
    options = parser.parse_args()
    steady = int(options.rate * options.seconds)
    print(f"{'CPU µs a message':<40}{'best':>8}{'median':>8}")
    with tempfile.TemporaryDirectory() as name:
        make_certificate(Path(name))
        for reader in [options.only] if options.only else READERS:
            drained = options.count if reader == "scenewatch" else options.count // 10
            for what, count, rate, folder in (
                ("draining", drained, 0, None),
                (f"{options.rate} a second", steady, options.rate, None),
                ("draining, TLS", drained, 0, Path(name)),
                (f"{options.rate} a second, TLS", steady, options.rate, Path(name)),
            ):
                spent = [measure(reader, count, rate, folder) for _ in range(options.rounds)]
                row = f"{reader + ', ' + what:<40}{min(spent):>8.2f}{statistics.median(spent):>8.2f}"
                print(row, flush=True)


if __name__ == "__main__":
    main()
