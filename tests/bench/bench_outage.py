"""What an outage of the worker costs its broker: memory and disk a message, with production's configuration.

    python tests/bench/bench_outage.py --messages 400000

A session of the worker's waits while messages are published over TLS; then the broker is stopped, as an upgrade
would, and started again, and the session takes what waited for it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "stack"), str(HERE.parents[1] / "ingest")]

from local_stack import LocalStack  # noqa: E402  # found through the lines above
from mqtt_load import publish  # noqa: E402
from programs import Usage  # noqa: E402

from scenewatch import cli  # noqa: E402
from scenewatch.model.clock import SystemClock  # noqa: E402
from scenewatch.model.place import subscriptions  # noqa: E402
from scenewatch.source.mqtt import MqttSource  # noqa: E402
from scenewatch.source.settings import MqttSettings  # noqa: E402

HOUR = 3_600_000
PATIENCE_S = 900.0


class Reader:
    """The worker's session: counts what arrives, and acknowledges it."""

    def __init__(self, stack: LocalStack) -> None:
        self.count = 0
        self.listening = threading.Event()
        settings = MqttSettings(
            url=f"mqtts://{stack.address('broker')}",
            client_id="scenewatch-worker",
            username="scenewatch-worker",
            password_file=stack.secrets / "broker-worker.password",
            ca_file=stack.secrets / "ca.pem",
            filters=subscriptions("sw"),
        )
        self._source = MqttSource(settings, SystemClock())
        self._source.start(self._take, lambda *_: self.listening.set())
        assert self.listening.wait(PATIENCE_S)

    def _take(self, arrival) -> None:
        self.count += len(arrival.messages)
        arrival.acknowledge()

    def close(self) -> None:
        self._source.stop()


def messages(count: int):
    now_ms = time.time_ns() // 1_000_000
    for number in range(count):
        payload = (
            b'{"t":%d,"b":"5f3a90c1","n":%d,"v":{"air_temp":4.183,"door":0,"compressor_power":121.4,"defrost":0,'
            b'"battery":3.61}}' % (now_ms + number, number // 7)
        )
        yield b"sw/kitchen/s001/s001-fridge-%d/telemetry" % (number % 7), payload


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def measure(broker: str, count: int, folder: Path) -> None:
    keys = folder / "secrets"
    if not keys.exists():
        cli.main(["secrets", "init", "--dir", str(keys), "--site", "kitchen.s001"])
    with LocalStack(folder / broker, keys, SW_BROKER=broker) as stack:
        stack.up("broker")
        Reader(stack).close()
        usage = Usage(stack.process("broker").pid)
        before_mib = usage.memory_mib()
        password = (keys / "gateways/kitchen.s001.password").read_text().strip()
        began = time.perf_counter()
        publish(stack.port("broker"), keys / "ca.pem", "kitchen.s001", password, messages(count))
        published_s = time.perf_counter() - began
        memory = (usage.memory_mib() - before_mib) * 2**20 / count
        began = time.perf_counter()
        stack.stop("broker")
        stopped_s = time.perf_counter() - began
        disk = size(folder / broker / "volumes" / f"{broker}-data") / count
        began = time.perf_counter()
        stack.up("broker")
        started_s = time.perf_counter() - began
        began = time.perf_counter()
        reader = Reader(stack)
        pause = threading.Event()
        while reader.count < count and time.perf_counter() - began < PATIENCE_S:
            pause.wait(0.05)
        drained_s = time.perf_counter() - began
        reader.close()
        print(f"{broker}: {reader.count:,} of {count:,} messages of {len(next(messages(1))[1])} bytes came")
        print(f"| {broker}, memory | {memory:,.0f} | {memory * HOUR / 2**30:.1f} GiB |")
        print(f"| {broker}, disk | {disk:,.0f} | {disk * HOUR / 2**30:.1f} GiB |")
        print(f"  taken {count / published_s:,.0f}/s; stopped in {stopped_s:.1f} s, started in {started_s:.1f} s; "
              f"drained {count / drained_s:,.0f}/s")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--broker", choices=("mosquitto", "nats"), action="append")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for broker in options.broker or ("mosquitto", "nats"):
            measure(broker, options.messages, Path(folder))


if __name__ == "__main__":
    main()
