"""All that a broker may say or do instead of letting us in: one line each with what to do, counted, tried again."""

from __future__ import annotations

import logging
import socket
import struct

import pytest
from fake_broker import Ear, wait_until
from mqtt_wire import CONNACK_3, CONNACK_5, packet, publish

from scenewatch.source import session

pytestmark = pytest.mark.usefixtures("no_delay")


def lines(caplog):
    return [r.getMessage().split(": ", 1)[-1] for r in caplog.records if r.levelno >= logging.WARNING]


def text(words):
    return len(words).to_bytes(2, "big") + words


def connack(reason, properties=b""):
    return packet(0x20, bytes([0, reason, len(properties)]) + properties)


SAYS_NO = {
    "user or password": (
        connack(0x86),
        "Bad user name or password: check broker.username and broker.password_file",
    ),
    "not authorized": (connack(0x87), "Not authorized: the broker must allow this user"),
    "client id": (connack(0x85), "Client identifier not valid: choose another broker.client_id than worker"),
    "banned": (connack(0x8A), "Banned: the broker has banned this client"),
    "busy": (connack(0x89), "Server busy; trying again"),
    "another server": (
        connack(0x9C, b"\x1c" + text(b"other:1883")),
        "Use another server: set broker.url to the server that the broker names, 'other:1883'",
    ),
    "moved": (
        connack(0x9D, b"\x1c" + text(b"new:1883")),
        "Server moved: set broker.url to the server that the broker names, 'new:1883'",
    ),
    "in words of its own": (connack(0x88, b"\x1f" + text(b"at 5 again")), "Server unavailable ('at 5 again')"),
    "a reason that does not exist": (connack(0xEE), "the broker sent a packet that makes no sense"),
    "nonsense in the properties": (connack(0x86, b"\x7f\x7f"), "the broker sent a packet that makes no sense"),
    "a telnet server": (b"login: ", "does not greet like an MQTT broker: 6c 6f 67 69 6e 3a 20; check broker.url"),
    "a TLS port": (b"\x15\x03\x01\x00\x02\x02\x28", "let broker.url begin with mqtts://"),
    "packet type 0": (CONNACK_5 + b"\x00\x00", "not MQTT: 00 00"),
    "AUTH unasked": (CONNACK_5 + b"\xf0\x02\x18\x00", "the broker sent a packet that makes no sense"),
    "reserved flags": (CONNACK_5 + b"\xd7\x00", "not MQTT: d7 00"),
    "a client's packet": (CONNACK_5 + b"\xc0\x00", "not MQTT: c0 00"),
    "a length of five bytes": (CONNACK_5 + b"\x30\xff\xff\xff\xff\x01", "not MQTT: 30 ff ff ff ff 01"),
    "a subscription confirmed before it was asked for": (
        CONNACK_5 + packet(0x90, b"\x00\x09\x00\x01\x01"),
        "2 answers to the subscription of 1 topic filters",
    ),
    "disconnected with words": (
        CONNACK_5 + packet(0xE0, b"\x98\x00"),
        "Administrative action; trying again",
    ),
}


@pytest.mark.parametrize(("answer", "line"), SAYS_NO.values(), ids=SAYS_NO)
def test_one_line_says_what_to_do_and_it_is_tried_again(broker, make_source, caplog, answer, line):
    ear = Ear()
    source = make_source(broker.port, ear, username="worker")
    for _ in range(2):
        peer = broker.accept().read_connect()
        assert peer.level == 5, "none of this is mended by another version"
        peer.send(answer)
    broker.accept().greet()
    assert ear.connected() == "MQTT 5"
    told = lines(caplog)
    assert len(told) == 1, told
    assert line in told[0]
    assert source.stats.refusals == 2


OLD_ANSWERS = {
    2: "Client identifier not valid: choose another broker.client_id than worker",
    3: "Server unavailable",
    4: "Bad user name or password: check broker.username and broker.password_file",
    5: "Not authorized: the broker must allow this user",
    77: "Unspecified error",
}


@pytest.mark.parametrize(("code", "line"), OLD_ANSWERS.items())
def test_the_answers_of_3_1_1_are_told_in_the_same_words(broker, make_source, caplog, code, line):
    ear = Ear()
    make_source(broker.port, ear)
    broker.accept().read_connect().send(b"\x20\x02\x00\x01")
    for _ in range(2):
        peer = broker.accept().read_connect()
        assert peer.level == 4
        peer.send(bytes([0x20, 2, 0, code]))
    broker.accept().greet()
    ear.connected()
    (told,) = lines(caplog)
    assert told.startswith(line)


@pytest.mark.parametrize(
    ("level", "code", "words"),
    [(5, 0x87, "Not authorized: the broker must allow this user"), (4, 0x80, "Unspecified error")],
)
def test_a_subscription_that_is_not_allowed_is_no_connection(broker, make_source, caplog, level, code, words):
    ear = Ear()
    source = make_source(broker.port, ear)
    if level == 4:
        broker.accept().read_connect().send(b"\x20\x02\x00\x01")
    for _ in range(2):
        peer = broker.accept().read_connect()
        peer.send(CONNACK_5 if level == 5 else CONNACK_3)
        _, subscribe = peer.packet()
        peer.send(packet(0x90, subscribe[:2] + (b"\x00" if level == 5 else b"") + bytes([code])))
        assert peer.packet() is None or level == 5
    broker.accept().greet()
    ear.connected()
    (told,) = lines(caplog)
    assert f"refuses the subscription of sw/+/+/+/telemetry: {words}" in told
    assert source.stats.refusals >= 2


def test_a_session_taken_over_names_the_setting(broker, make_source, caplog):
    ear = Ear()
    make_source(broker.port, ear)
    peer = broker.accept()
    peer.greet()
    ear.connected()
    peer.send(b"\xe0\x02\x8e\x00")
    assert ear.lost() == (
        "Session taken over: does another worker use broker.client_id worker? Each needs one of its own"
    )
    assert len(lines(caplog)) == 1


def test_3_1_1_has_no_words_for_a_takeover_so_its_likeness_is_told_once(broker, make_source, caplog):
    ear = Ear()
    make_source(broker.port, ear)
    for times in range(1, 6):
        peer = broker.accept()
        peer.greet()
        ear.connected(times)
        peer.close()
        ear.lost(times)
    hints = [line for line in lines(caplog) if "does another worker use broker.client_id worker?" in line]
    assert len(hints) == 1


@pytest.mark.parametrize(("expects", "lost"), [(False, 1), (True, 2)])
def test_a_session_that_the_broker_has_forgotten_is_told_and_counted(broker, make_source, caplog, expects, lost):
    ear = Ear()
    source = make_source(broker.port, ear, start=False)
    source.expects_session = expects
    source.start(ear.on_arrival, ear.on_listening)
    for times, present in ((1, False), (2, True), (3, False)):
        peer = broker.accept()
        peer.greet(present=present)
        ear.connected(times)
        peer.close()
        ear.lost(times)
    broker.accept().greet(present=True)
    ear.connected(4)
    assert source.stats.sessions_lost == lost
    assert sum("has forgotten the session of worker" in r.getMessage() for r in caplog.records) == lost


def test_a_broker_that_takes_the_connection_and_says_nothing_is_left_with_a_word(
    broker, make_source, caplog, monkeypatch
):
    monkeypatch.setattr(session, "GREETING_S", 0.2)
    monkeypatch.setattr(session, "TURN_S", 0.05)
    ear = Ear()
    make_source(broker.port, ear)
    assert [broker.accept().read_connect().level for _ in range(2)] == [5, 4], "an old one may be silent on MQTT 5"
    monkeypatch.setattr(session, "GREETING_S", 10.0)
    broker.accept().greet()
    ear.connected()
    (told,) = lines(caplog)
    assert told.startswith("no answer within 0.2 s: check broker.url")


def test_a_port_where_nothing_listens_is_told_once(make_source, caplog):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    source = make_source(port, Ear())
    wait_until(lambda: source.stats.refusals >= 3, "tried again")
    (told,) = lines(caplog)
    assert told.startswith(f"nothing listens on port {port} of 127.0.0.1: check broker.url")


def test_a_name_that_nobody_knows_is_told(make_source, caplog):
    source = make_source(1883, Ear(), url="mqtt://broker.invalid:1883")
    wait_until(lambda: source.stats.refusals >= 2, "tried again")
    assert lines(caplog)[0].startswith("the name broker.invalid is not known: check broker.url")


def test_a_connection_reset_is_a_closed_one(broker, make_source):
    ear = Ear()
    make_source(broker.port, ear)
    peer = broker.accept()
    peer.greet()
    ear.connected()
    peer.send(publish(b"t", b"x", packet_id=1, properties=b""))
    ear.payloads(1)
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()
    assert ear.lost() == "closed by the broker"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "broker.password_file {path} cannot be read: No such file or directory"),
        (b"\xff\xfe", "broker.password_file {path} is not UTF-8 text"),
    ],
)
def test_a_password_file_that_went_away_is_named_and_a_new_one_is_read(
    broker, make_source, caplog, tmp_path, content, line
):
    file = tmp_path / "password"
    file.write_text("first\n")
    ear = Ear()
    source = make_source(broker.port, ear, username="worker", password_file=file)
    peer = broker.accept().read_connect()
    assert peer.connect.endswith(text(b"worker") + text(b"first"))
    peer.greet()
    ear.connected()
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    peer.close()
    wait_until(lambda: source.stats.refusals >= 2, "tried again")
    file.write_text("second\n")
    peer = broker.accept().read_connect()
    assert peer.connect.endswith(text(b"worker") + text(b"second"))
    assert [one for one in lines(caplog) if "password_file" in one] == [line.format(path=file) + "; trying again"]
    assert "first" not in caplog.text
    assert "second" not in caplog.text
