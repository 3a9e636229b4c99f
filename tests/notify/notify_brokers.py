"""Real brokers on free ports, and an MQTT client that remembers what it saw."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable

DEADLINE_S = 15.0


class BrokerProcess:
    """A broker that can be stopped and started again on its port and files."""

    def __init__(self, command: list[str], port: int) -> None:
        self.command = command
        self.port = port
        self.url = f"mqtt://127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        tick = threading.Event()
        for _ in range(int(DEADLINE_S / 0.02)):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self._process.poll() is None, "the broker ended at once"
            tick.wait(0.02)
        raise AssertionError("the broker does not listen")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(DEADLINE_S)
            self._process = None


def mosquitto_at(folder: Path, *lines: str) -> BrokerProcess:
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text("\n".join([f"listener {port} 127.0.0.1", *(lines or ("allow_anonymous true",))]) + "\n")
    return BrokerProcess(["mosquitto", "-c", str(config)], port)


def nats_at(folder: Path) -> BrokerProcess:
    port = free_port()
    config = folder / "nats.conf"
    config.write_text(
        f'server_name: "test"\nhost: 127.0.0.1\nport: -1\n'
        f'jetstream {{ store_dir: "{folder}/js", max_file_store: 1GB }}\n'
        f"mqtt {{ host: 127.0.0.1, port: {port} }}\n",
    )
    return BrokerProcess([str(Path(sys.executable).parent / "nats-server"), "-c", str(config)], port)


class Watcher:
    """Subscribes to everything below a root; `now` is the newest payload of each topic, empty ones left out."""

    def __init__(self, port: int, root: str = "sw") -> None:
        self.now: dict[str, bytes] = {}
        self.log: list[tuple[str, bytes]] = []
        self._change = threading.Condition()
        self._subscribed = threading.Event()
        self.client = paho.Client(CallbackAPIVersion.VERSION2)
        self.client.on_connect = lambda *_: self.client.subscribe(f"{root}/#", 1)
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.on_message = self._on_message
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        assert self._subscribed.wait(DEADLINE_S)

    def _on_message(self, _client, _data, message) -> None:
        with self._change:
            self.log.append((message.topic, message.payload))
            if message.payload:
                self.now[message.topic] = message.payload
            else:
                self.now.pop(message.topic, None)
            self._change.notify_all()

    def wait(self, state: Callable[[dict[str, bytes]], object]) -> None:
        with self._change:
            assert self._change.wait_for(lambda: state(self.now), DEADLINE_S), self.log

    def retain(self, topic: str, payload: bytes) -> None:
        self.client.publish(topic, payload, 1, retain=True).wait_for_publish(DEADLINE_S)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
