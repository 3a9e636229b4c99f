"""The source on real brokers: the embedded one and Mosquitto."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from fake_broker import Ear, wait_until
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from ports import free_port
from scenewatch.model.messages import shortened
from scenewatch.source.cutter import KEPT_BYTES

pytestmark = pytest.mark.usefixtures("no_delay")

NATS = Path(sys.executable).with_name("nats-server")
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin")
REDELIVERED_AFTER_S = 1.0


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def nats_command(folder, port):
    if not NATS.exists():
        pytest.skip("nats-server is not installed beside this Python")
    config = folder / "nats.conf"
    config.write_text(
        f"""
        server_name: test
        listen: "127.0.0.1:{free_port()}"
        jetstream {{ store_dir: "{folder}/store", max_file_store: 100MB }}
        mqtt {{ listen: "127.0.0.1:{port}", ack_wait: "{REDELIVERED_AFTER_S:.0f}s", max_ack_pending: 15000 }}
        """
    )
    return [str(NATS), "-c", str(config)]


def mosquitto_command(folder, port):
    if not MOSQUITTO:
        pytest.skip("mosquitto is not installed")
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n")
    return [MOSQUITTO, "-c", str(config)]


@pytest.fixture
def run_broker(tmp_path):
    """Starts a real broker and returns its port."""
    processes = []

    def run(command):
        port = free_port()
        with (tmp_path / "broker.log").open("wb") as log:
            processes.append(subprocess.Popen(command(tmp_path, port), stdout=log, stderr=log))
        wait_until(lambda: listens(port), "the broker listens")
        return port

    yield run
    for process in processes:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


@pytest.fixture
def publish_to():
    """Publishes, with QoS 1 unless told, and waits for the broker's confirmation."""
    clients = []

    def publish(port, payloads, topic="sw/kitchen/site1/fridge/telemetry", *, qos=1, retain=False):
        client = Client(CallbackAPIVersion.VERSION2)
        clients.append(client)
        connected = threading.Event()
        client.on_connect = lambda *_: connected.set()
        client.connect("127.0.0.1", port)
        client.loop_start()
        assert connected.wait(10)
        for info in [client.publish(topic, payload, qos, retain=retain) for payload in payloads]:
            info.wait_for_publish(10)

    yield publish
    for client in clients:
        client.disconnect()
        client.loop_stop()


BROKERS = pytest.mark.parametrize(
    ("command", "protocol"),
    [
        pytest.param(nats_command, "MQTT 3.1.1", id="nats"),
        pytest.param(mosquitto_command, "MQTT 5", id="mosquitto"),
    ],
)


@BROKERS
def test_what_was_not_acknowledged_comes_again_and_what_was_does_not(
    run_broker, make_source, publish_to, command, protocol
):
    port = run_broker(command)
    payloads = [b'{"v":{"air_temp":%d}}' % n for n in range(20)]
    first = Ear()
    source = make_source(port, first)
    assert first.connected() == protocol
    publish_to(port, payloads)
    assert first.payloads(20) == payloads
    source.stop()

    second = Ear(acknowledge=True)
    source = make_source(port, second)
    assert sorted(second.payloads(20)) == sorted(payloads)
    source.stop()

    third = Ear(acknowledge=True)
    make_source(port, third)
    publish_to(port, [b"marker"])
    assert third.payloads(1) == [b"marker"]
    assert not third.wait_for(lambda: len(third.pairs()) > 1, 1.5 * REDELIVERED_AFTER_S), "redelivered all the same"


@BROKERS
def test_messages_sent_while_we_are_away_and_a_retained_one_come(
    run_broker, make_source, publish_to, command, protocol
):
    port = run_broker(command)
    status = "sw/kitchen/site1/gateway/status"
    publish_to(port, [b"online"], status, retain=True)
    ear = Ear(acknowledge=True)
    source = make_source(port, ear, filters=("sw/+/+/+/status", "sw/+/+/+/telemetry"))
    assert ear.connected() == protocol
    assert ear.payloads(1) == [b"online"]
    source.hold()
    ear.lost()
    publish_to(port, [b"away"])
    source.release()
    assert ear.wait_for(lambda: b"away" in [payload for _, payload in ear.pairs()]), ear.pairs()


def test_a_broker_of_mqtt_5_sends_no_more_than_the_receive_maximum(run_broker, make_source, publish_to):
    port = run_broker(mosquitto_command)
    ear = Ear()
    source = make_source(port, ear, receive_maximum=10)
    ear.connected()
    publish_to(port, [b"%d" % n for n in range(25)])
    ear.payloads(10)
    assert not ear.wait_for(lambda: len(ear.pairs()) > 10, 0.3)
    assert source.pending == 10
    acknowledged = 0
    while acknowledged < 25:
        assert ear.wait_for(lambda: len(ear.arrivals) > 0)
        arrival = ear.arrivals.pop(0)
        acknowledged += len(arrival.messages)
        arrival.acknowledge()
    wait_until(lambda: source.pending == 0, "all acknowledged")


@BROKERS
def test_qos_2_comes_as_qos_1_and_what_is_too_long_by_its_beginning(
    run_broker, make_source, publish_to, command, protocol
):
    port = run_broker(command)
    ear = Ear(acknowledge=True)
    source = make_source(port, ear, max_packet=10_000)
    assert ear.connected() == protocol
    publish_to(port, [b"exactly once"], qos=2)
    publish_to(port, [b"x" * 300_000, b"after"])
    payloads = ear.payloads(3)
    assert payloads == [b"exactly once", shortened(b"x" * KEPT_BYTES, 300_000), b"after"]
    greetings = 2 + source.stats.refusals
    assert source.stats.other_packets == greetings, "CONNACK and SUBACK; QoS 2 would have brought a PUBREL"
    wait_until(lambda: source.pending == 0, "all acknowledged")


@BROKERS
def test_another_client_of_our_name_is_suspected_and_the_session_it_cost_is_told(
    run_broker, make_source, publish_to, caplog, command, protocol
):
    """Neither broker says why it closes: Mosquitto 2.0.11 leaves "session taken over" out."""
    port = run_broker(command)
    ear = Ear(acknowledge=True)
    source = make_source(port, ear)
    assert ear.connected() == protocol
    for times in (1, 2, 3):
        other = Client(CallbackAPIVersion.VERSION2, client_id="worker", clean_session=True)
        other.connect("127.0.0.1", port)
        other.loop_start()
        ear.lost(times)
        other.disconnect()
        other.loop_stop()
        ear.connected(times + 1)
    assert source.stats.reconnects == 3
    assert source.stats.sessions_lost >= 1
    assert caplog.text.count("does another worker use broker.client_id worker?") == 1
    publish_to(port, [b"after"])
    assert ear.payloads(1) == [b"after"]
