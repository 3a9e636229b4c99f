"""TLS: the same stream through records, retried writes, and a certificate nobody knows."""

from __future__ import annotations

import contextlib
import select
import shutil
import socket
import ssl
import subprocess

import pytest
from fake_broker import Ear, FakeBroker
from mqtt_wire import puback, publish

pytestmark = [
    pytest.mark.usefixtures("no_delay"),
    pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificates with the openssl command"),
]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    for name in ("broker", "client"):
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
                *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{name}.key", "-out", f"{name}.pem"),
            ],
            cwd=folder,
            check=True,
            capture_output=True,
        )
    return folder


@pytest.fixture
def tls_broker(certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "broker.pem", certificates / "broker.key")
    context.load_verify_locations(certificates / "client.pem")
    context.verify_mode = ssl.CERT_OPTIONAL
    broker = FakeBroker(context)
    yield broker
    broker.close()


def test_many_records_arrive_whole_and_are_acknowledged_in_order(tls_broker, make_source, certificates):
    ear = Ear(acknowledge=True)
    make_source(
        tls_broker.port,
        ear,
        url=f"mqtts://127.0.0.1:{tls_broker.port}",
        ca_file=certificates / "broker.pem",
        cert_file=certificates / "client.pem",
        key_file=certificates / "client.key",
    )
    peer = tls_broker.accept()
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    peer.greet()
    assert peer.sock.getpeercert()["subject"] == ((("commonName", "client"),),)
    stream = b"".join(publish(b"t", b"%06d" % n * 20, packet_id=n, properties=b"") for n in range(1, 10_001))
    assert exchange(peer.sock, stream, 4 * 10_000) == b"".join(puback(n) for n in range(1, 10_001))
    assert ear.pairs() == [(b"t", b"%06d" % n * 20) for n in range(1, 10_001)]


def exchange(sock, data, size):
    """Send all of `data` while receiving `size` bytes, in one thread: TLS in Python does not take two."""
    sock.setblocking(False)
    received, data = b"", memoryview(data)
    while len(received) < size:
        with contextlib.suppress(ssl.SSLWantWriteError):  # full: go on receiving
            data = data[sock.send(data[:50_000]) :] if data else data
        try:
            received += sock.recv(700)
        except ssl.SSLWantReadError:
            assert select.select([sock], [sock] if data else [], [], 10) != ([], [], []), "nothing more came"
    return received


def test_a_message_that_fills_many_records_is_one_message(tls_broker, make_source, certificates):
    ear = Ear()
    ca_file = certificates / "broker.pem"
    make_source(tls_broker.port, ear, url=f"mqtts://127.0.0.1:{tls_broker.port}", ca_file=ca_file)
    peer = tls_broker.accept()
    peer.greet()
    payload = bytes(range(256)) * 4000
    peer.send(publish(b"t", payload, packet_id=1, properties=b"") * 3)
    assert ear.payloads(3) == [payload] * 3
