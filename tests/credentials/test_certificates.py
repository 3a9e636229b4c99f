"""Certificates by real handshakes: the right ones meet, all others do not."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest

from scenewatch.credentials import certificates

NOW = datetime.now(UTC)
NAMES = ("broker", "b.example", "127.0.0.1", "10.0.0.7")


@pytest.fixture(scope="module")
def authority():
    return certificates.authority(NOW)


@pytest.fixture(scope="module")
def pair(authority):
    return certificates.server(authority, NAMES, NOW, 30)


def shake_hands(folder, pair, trusted, name):
    """A client that trusts this authority, and calls the server by this name."""
    (folder / "s.pem").write_bytes(pair.certificate)
    (folder / "s.key").write_bytes(pair.key)
    (folder / "ca.pem").write_bytes(trusted.certificate)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "s.pem", folder / "s.key")
    calling = ssl.create_default_context(cafile=folder / "ca.pem")
    near, far = socket.socketpair()

    def serve():
        with far:
            try:
                serving.wrap_socket(far, server_side=True).close()
            except (ssl.SSLError, OSError):
                return  # the other end says why

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with near:
            near.settimeout(10)
            calling.wrap_socket(near, server_hostname=name).close()
    finally:
        thread.join()


@pytest.mark.parametrize("name", NAMES)
def test_each_name_and_address_it_was_made_for_is_trusted(tmp_path, authority, pair, name):
    shake_hands(tmp_path, pair, authority, name)


@pytest.mark.parametrize("name", ["other.example", "127.0.0.2", "example"])
def test_other_names_are_not(tmp_path, authority, pair, name):
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(tmp_path, pair, authority, name)


def test_a_stranger_of_the_same_name_is_not_trusted(tmp_path, pair):
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(tmp_path, pair, certificates.authority(NOW), "broker")


def test_one_that_is_over_is_not_trusted(tmp_path, authority):
    old = certificates.server(authority, NAMES, NOW - timedelta(days=31), 30)
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        shake_hands(tmp_path, old, authority, "broker")


def test_a_server_cannot_sign_for_others(tmp_path, authority, pair):
    forged = certificates.server(pair, ("victim.example",), NOW, 30)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(tmp_path, forged, authority, "victim.example")


def test_a_slow_clock_trusts_one_made_just_now(pair):
    assert certificates.facts(pair.certificate).since <= NOW - timedelta(minutes=59)


def test_what_it_says_of_itself(pair, authority):
    facts = certificates.facts(pair.certificate)
    assert facts.names == NAMES
    assert abs(facts.until - NOW - timedelta(days=30)) < timedelta(seconds=2)
    assert certificates.facts(authority.certificate).names == ()
