"""TLS and login with a real Mosquitto: what works, and one line with the setting for each thing that does not."""

from __future__ import annotations

import logging
import shutil
import signal
import ssl
import subprocess
import threading

import pytest
from fake_broker import Ear, wait_until
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from test_source_brokers import MOSQUITTO, listens

from ports import free_port

PASSWD = shutil.which("mosquitto_passwd")
PASSWORD, WRONG = "open-sesame-41", "not-the-word-42"

pytestmark = [
    pytest.mark.usefixtures("no_delay"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket"),  # left to the GC by paho
    pytest.mark.skipif(
        not (MOSQUITTO and PASSWD and shutil.which("openssl")), reason="needs Mosquitto and openssl"
    ),
]


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def authority(folder, name):
    openssl(
        folder,
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"),
        *("-keyout", f"{name}.key", "-out", f"{name}.pem"),
    )


def certificate(folder, name, signer, days="2"):
    openssl(
        folder,
        *("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}"),
        *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{name}.key", "-out", f"{name}.csr"),
    )
    openssl(
        folder,
        *("x509", "-req", "-in", f"{name}.csr", "-CA", f"{signer}.pem", "-CAkey", f"{signer}.key"),
        *("-CAcreateserial", "-days", days, "-copy_extensions", "copy", "-out", f"{name}.pem"),
    )


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ca", "stranger"):
        authority(folder, name)
    certificate(folder, "server", "ca")
    certificate(folder, "expired", "ca", days="-1")
    certificate(folder, "client", "ca")
    certificate(folder, "old", "ca", days="-1")
    certificate(folder, "foreign", "stranger")
    (folder / "right").write_text(PASSWORD + "\n")
    (folder / "wrong").write_text(WRONG + "\n")
    subprocess.run([PASSWD, "-b", "-c", folder / "users", "worker", PASSWORD], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def ports(keys):
    """One Mosquitto: a listener that asks for all, one whose certificate has expired, a plain one."""
    asks, expired, plain = free_port(), free_port(), free_port()
    config = keys / "mosquitto.conf"
    common = f"cafile {keys}/ca.pem\nrequire_certificate true\n"
    config.write_text(
        "user root\n"  # started by root it would be another user, who cannot read the keys
        f"allow_anonymous false\npassword_file {keys}/users\n"
        f"listener {asks} 127.0.0.1\ncertfile {keys}/server.pem\nkeyfile {keys}/server.key\n{common}"
        f"listener {expired} 127.0.0.1\ncertfile {keys}/expired.pem\nkeyfile {keys}/expired.key\n{common}"
        f"listener {plain} 127.0.0.1\n"
    )
    with (keys / "broker.log").open("wb") as log:
        broker = subprocess.Popen([MOSQUITTO, "-c", config], stdout=log, stderr=log)
    try:
        wait_until(lambda: listens(plain), "the broker listens")
        yield {"asks": asks, "expired": expired, "plain": plain}
    finally:
        broker.send_signal(signal.SIGTERM)
        broker.wait(10)


@pytest.fixture
def make_secure(make_source, keys, ports):
    def make(ear, port="asks", scheme="mqtts", host="127.0.0.1", **changes):
        given = {"ca_file": "ca.pem", "cert_file": "client.pem", "key_file": "client.key", "password_file": "right"}
        files = {name: keys / file for name, file in (given | changes).items() if file}
        if scheme == "mqtt":
            files = {"password_file": files["password_file"]}
        return make_source(0, ear, url=f"{scheme}://{host}:{ports[port]}", username="worker", **files)

    return make


@pytest.fixture(autouse=True)
def no_secret_is_told(caplog):
    caplog.set_level(logging.DEBUG)
    yield
    for secret in (PASSWORD, WRONG, "PRIVATE KEY"):
        assert secret not in caplog.text


def test_with_authority_certificate_and_password_messages_come(make_secure, keys, ports):
    ear = Ear(acknowledge=True)
    make_secure(ear)
    assert ear.connected() == "MQTT 5"
    publisher = Client(CallbackAPIVersion.VERSION2)
    publisher.username_pw_set("worker", PASSWORD)
    publisher.tls_set(keys / "ca.pem", keys / "client.pem", keys / "client.key")
    there = threading.Event()
    publisher.on_connect = lambda *_: there.set()
    publisher.connect("127.0.0.1", ports["asks"])
    publisher.loop_start()
    assert there.wait(10)
    publisher.publish("sw/k/s/d/telemetry", b"x" * 100_000, 1).wait_for_publish(10)
    assert ear.payloads(1) == [b"x" * 100_000]
    publisher.disconnect()
    publisher.loop_stop()


WRONG_WAYS = {
    "another authority": (
        {"ca_file": "stranger.pem"},
        "nobody we trust has signed the broker's certificate: check broker.ca_file",
    ),
    "no authority given": (
        {"ca_file": None},
        "nobody we trust has signed the broker's certificate: check broker.ca_file",
    ),
    "expired at the broker": ({"port": "expired"}, "the broker's certificate has expired: have it renewed"),
    "another host": ({"host": "localhost"}, "the broker's certificate is not for localhost: check broker.url"),
    "no certificate of ours": ({"cert_file": None, "key_file": None}, "set broker.cert_file and broker.key_file"),
    "ours signed by a stranger": (
        {"cert_file": "foreign.pem", "key_file": "foreign.key"},
        "the broker does not trust who signed broker.cert_file",
    ),
    "ours expired": (
        {"cert_file": "old.pem", "key_file": "old.key"},
        "the certificate in broker.cert_file has expired",
    ),
    "wrong password": ({"password_file": "wrong"}, "check broker.username"),
    "TLS to a plain port": ({"port": "plain"}, "check the port in broker.url, or use mqtt://"),
    "plain to a TLS port": ({"scheme": "mqtt"}, "if this port speaks TLS, let broker.url begin with mqtts://"),
}


@pytest.mark.parametrize(("changes", "line"), WRONG_WAYS.values(), ids=WRONG_WAYS)
def test_one_line_names_the_setting(make_secure, caplog, changes, line):
    source = make_secure(Ear(), **changes)
    wait_until(lambda: source.stats.refusals >= 3, "tried again")
    told = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(told) == 1, told
    assert line in told[0]


def test_a_certificate_of_ours_that_was_renewed_is_taken_at_the_next_try(make_secure, keys, tmp_path):
    for kind in ("pem", "key"):
        shutil.copy(keys / f"old.{kind}", tmp_path / f"mine.{kind}")
    ear = Ear()
    source = make_secure(ear, cert_file=tmp_path / "mine.pem", key_file=tmp_path / "mine.key")
    wait_until(lambda: source.stats.refusals >= 1, "refused")
    for kind in ("key", "pem"):
        shutil.copy(keys / f"client.{kind}", tmp_path / f"new.{kind}")
        (tmp_path / f"new.{kind}").replace(tmp_path / f"mine.{kind}")
    assert ear.connected() == "MQTT 5"


def test_the_tests_own_certificates_are_what_they_say(keys):
    ssl.create_default_context(cafile=keys / "ca.pem").load_cert_chain(keys / "client.pem", keys / "client.key")
