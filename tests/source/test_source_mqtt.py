"""The source against a broker played by the test: every greeting, every way to be lost."""

from __future__ import annotations

import logging
import random
import socket
import threading
from itertools import count

import pytest
from fake_broker import REFUSED_LIKE_NATS, Ear, Peer, wait_until
from mqtt_wire import CONNACK_3, CONNACK_5, PINGRESP, packet, publish

from scenewatch.model.messages import shortened
from scenewatch.model.ports import Listening
from scenewatch.source.cutter import KEPT_BYTES

pytestmark = pytest.mark.usefixtures("no_delay")


def test_mqtt_5_announces_how_much_it_takes_and_how_long_it_may_be_away(broker, make_source):
    ear = Ear()
    make_source(broker.port, ear, receive_maximum=1234, session_expiry_s=3600, max_packet=65_536)
    peer = broker.accept()
    subscribe = peer.greet()
    assert peer.level == 5
    assert peer.connect[7] == 0, "no clean start: the broker's session is wanted"
    for announced in (b"\x21\x04\xd2", b"\x11\x00\x00\x0e\x10"):
        assert announced in peer.connect
    assert b"\x27\x00\x01\x00\x00" not in peer.connect, "the broker would drop what is longer and say nothing"
    assert b"\x00\x12sw/+/+/+/telemetry\x01" in subscribe
    assert ear.connected() == "MQTT 5"


def test_messages_of_mqtt_5_lose_their_properties_and_are_acknowledged_when_told(broker, make_source):
    ear = Ear()
    source = make_source(broker.port, ear)
    peer = broker.accept()
    peer.greet()
    expiry = b"\x02\x00\x00\x00\x09"
    peer.send(publish(b"a", b"1", packet_id=7, properties=expiry) + publish(b"b", b"2", properties=b""))
    peer.send(publish(b"c", b"3", packet_id=8, properties=b"", flags=1))
    assert ear.payloads(3) == [b"1", b"2", b"3"]
    assert source.pending == 3
    for arrival in ear.arrivals:
        arrival.acknowledge()
    assert peer.pubacks(2) == [7, 8]
    wait_until(lambda: source.pending == 0, "all acknowledged")
    assert source.stats.messages == 3


@pytest.mark.parametrize("refusal", [REFUSED_LIKE_NATS, b"\x20\x03\x00\x84\x00", b"\x20\x02\x00\x01"])
def test_a_broker_that_refuses_mqtt_5_is_spoken_to_in_3_1_1_ever_after(broker, make_source, refusal):
    ear = Ear()
    make_source(broker.port, ear)
    first = broker.accept().read_connect()
    assert first.level == 5
    first.send(refusal)
    first.close()
    second = broker.accept()
    second.greet()
    assert (second.level, second.connect[7]) == (4, 0), "3.1.1 without a clean session"
    assert ear.connected() == "MQTT 3.1.1"
    second.close()
    assert ear.lost() == "closed by the broker"
    third = broker.accept().read_connect()
    assert third.level == 4
    third.close()
    assert broker.accept().read_connect().level == 4, "a version that worked is not doubted for a closed door"


def test_a_broker_that_closed_without_a_word_is_asked_for_mqtt_5_again_when_that_connection_is_lost(
    broker, make_source
):
    ear = Ear()
    make_source(broker.port, ear)
    for times in (1, 2):
        first = broker.accept().read_connect()
        assert first.level == 5
        first.close()
        second = broker.accept()
        second.greet()
        assert second.level == 4
        ear.connected(times)
        second.close()
    broker.accept().greet()
    assert ear.connected(3) == "MQTT 5"


def test_a_reconnect_makes_a_new_tap_and_old_acknowledgements_go_nowhere(broker, make_source):
    ear = Ear()
    source = make_source(broker.port, ear)
    first = broker.accept()
    first.greet()
    first.send(publish(b"t", b"old", packet_id=1, properties=b""))
    assert ear.payloads(1) == [b"old"]
    first.close()
    second = broker.accept()
    assert b"sw/+/+/+/telemetry" in second.greet(), "subscribed again, although the session may be present"
    second.send(publish(b"t", b"new", packet_id=1, properties=b""))
    second.send(publish(b"t", b"newer", packet_id=2, properties=b""))
    ear.payloads(3)
    assert source.pending == 2
    old, *new = ear.arrivals
    old.acknowledge()
    for arrival in reversed(new):
        arrival.acknowledge()
    assert sorted(second.pubacks(2)) == [1, 2]
    source.stop()
    assert second.rest() == [(0xE0, b"")], "nothing but the farewell: the old packet id 1 was forgotten"
    assert source.stats.reconnects == 1


def test_acknowledgements_from_other_threads_are_whole_and_all_there(broker, make_source):
    ear = Ear()
    make_source(broker.port, ear)
    peer = broker.accept()
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    peer.greet()

    def stream():
        for start in range(1, 10_001, 100):
            ids = range(start, start + 100)
            peer.send(b"".join(publish(b"t", b"x" * 50, packet_id=n, properties=b"") for n in ids))

    def acknowledge():
        done = 0
        for n in count():
            assert ear.wait_for(lambda n=n: len(ear.arrivals) > n)
            ear.arrivals[n].acknowledge()
            done += len(ear.arrivals[n].messages)
            if done == 10_000:
                return

    threads = [threading.Thread(target=stream), threading.Thread(target=acknowledge)]
    for thread in threads:
        thread.start()
    assert peer.pubacks(10_000) == list(range(1, 10_001))
    for thread in threads:
        thread.join()


def test_a_lone_message_is_not_kept_waiting(broker, make_source):
    ear = Ear(acknowledge=True)
    make_source(broker.port, ear)
    peer = broker.accept()
    peer.greet()
    ear.connected()
    for n in range(1, 6):
        peer.send(publish(b"t", b"x", packet_id=n, properties=b""))
        assert peer.pubacks(1) == [n]


@pytest.mark.parametrize(
    "insult",
    [
        b"\x00\x00",
        b"\x36\x03\x00\x01t",
        b"\x40\xff\xff\xff\x7f",
        b"\x30\xff\xff\xff\xff\xff",
        publish(b"t", b"x", packet_id=0, qos=1),
    ],
)
def test_garbage_ends_the_connection_and_a_new_one_goes_on(broker, make_source, insult):
    ear = Ear()
    source = make_source(broker.port, ear)
    peer = broker.accept()
    peer.greet()
    ear.connected()
    peer.send(publish(b"t", b"before", packet_id=1, properties=b"") + insult)
    assert ear.lost().startswith("not MQTT")
    peer = broker.accept()
    peer.greet()
    peer.send(publish(b"t", b"after", packet_id=1, properties=b""))
    assert ear.payloads(2) == [b"before", b"after"]
    assert (source.stats.protocol_errors, source.stats.reconnects) == (1, 1)


def test_a_message_cut_in_two_by_the_end_of_the_connection_comes_once(broker, make_source):
    ear = Ear()
    make_source(broker.port, ear)
    whole = publish(b"t", b"payload", packet_id=5, properties=b"")
    for cut in (1, 3, 6, len(whole) - 1):
        peer = broker.accept()
        peer.greet()
        peer.send(whole[:cut])
        peer.close()
    peer = broker.accept()
    peer.greet()
    peer.send(whole)
    assert ear.payloads(1) == [b"payload"]
    ear.arrivals[0].acknowledge()
    assert peer.pubacks(1) == [5]
    assert [text for listening, text in ear.told if listening is Listening.LOST] == ["closed by the broker"] * 4


def test_a_broker_that_breaks_off_anywhere_gets_every_message_acknowledged_in_the_end(broker, make_source):
    rng = random.Random(4)
    left = {n: b"payload %d" % n for n in range(1, 61)}
    everything = set(left.values())
    ear = Ear(acknowledge=True)
    make_source(broker.port, ear)
    while left:
        peer = broker.accept()
        peer.greet()
        packets = [publish(b"t", payload, packet_id=n, properties=b"") for n, payload in left.items()]
        whole = rng.randrange(min(len(packets), 12) + 1)
        broken = packets[whole][: rng.randrange(12)] if whole < len(packets) else b""
        peer.send(b"".join(packets[:whole]) + broken + rng.choice([b"", b"", b"\xf1garbage"]))
        for packet_id in peer.pubacks(rng.randrange(whole + 1)):
            del left[packet_id]
        peer.close()
    arrived = {payload for _, payload in ear.pairs()}
    assert arrived == everything


def test_a_broker_that_closes_after_each_connect_is_tried_again_and_logged_once(broker, make_source, caplog):
    caplog.set_level(logging.INFO, "scenewatch.source")
    ear = Ear()
    make_source(broker.port, ear)
    for _ in range(6):
        broker.accept().close()
    peer = broker.accept()
    peer.greet()
    ear.connected()
    first, *others = [r.getMessage() for r in caplog.records]
    assert "closed by the broker before any answer" in first
    assert others == [f"connected to mqtt://127.0.0.1:{broker.port}, MQTT 5"]


def test_the_brokers_own_words_are_the_reason_of_a_loss(broker, make_source):
    ear = Ear()
    make_source(broker.port, ear)
    peer = broker.accept()
    peer.greet()
    ear.connected()
    peer.send(b"\xe0\x02\x8b\x00")
    assert ear.lost() == "Server shutting down"


def test_a_failing_listener_leads_to_a_new_connection_and_no_acknowledgement(broker, make_source, caplog):
    class FailsOnce(Ear):
        def on_arrival(self, arrival):
            if not self.arrivals:
                self.arrivals.append(arrival)
                raise KeyError("journal")
            super().on_arrival(arrival)

    ear = FailsOnce()
    make_source(broker.port, ear)
    peer = broker.accept()
    peer.greet()
    ear.connected()
    peer.send(publish(b"t", b"x", packet_id=1, properties=b""))
    assert ear.lost() == "KeyError: 'journal'"
    assert peer.rest() == []
    peer = broker.accept()
    peer.greet()
    peer.send(publish(b"t", b"x", packet_id=1, properties=b"", flags=8))
    assert ear.payloads(2) == [b"x", b"x"]
    assert any(record.exc_info for record in caplog.records), "with its traceback"


def test_a_listener_that_fails_at_a_loss_does_not_end_the_reading(broker, make_source, caplog):
    class Fails(Ear):
        def on_listening(self, listening, text):
            super().on_listening(listening, text)
            if listening is Listening.LOST:
                raise KeyError("console")

    ear = Fails()
    make_source(broker.port, ear)
    for _ in range(2):
        peer = broker.accept()
        peer.greet()
        peer.close()
    ear.connected(2)
    assert any("the listener failed" in record.getMessage() for record in caplog.records)


def test_qos_2_is_taken_over_only_when_it_is_durable(broker, make_source):
    """PUBREC makes the broker forget the message, so it waits for the journal as PUBACK does."""
    ear = Ear()
    source = make_source(broker.port, ear)
    peer = broker.accept()
    peer.greet()
    peer.send(publish(b"rare", b"twice", packet_id=3, qos=2, properties=b""))
    assert ear.payloads(1) == [b"twice"]
    peer.send(publish(b"t", b"x", packet_id=4, properties=b""))
    ear.payloads(2)
    ear.arrivals[1].acknowledge()
    assert peer.packet() == (0x40, b"\x00\x04"), "nothing of packet 3 yet"
    ear.arrivals[0].acknowledge()
    assert peer.packet() == (0x50, b"\x00\x03")
    peer.send(packet(0x62, b"\x00\x03"))
    assert peer.packet() == (0x70, b"\x00\x03")
    assert ear.pairs()[0] == (b"rare", b"twice")
    wait_until(lambda: source.pending == 0, "counted like the others")


def test_a_message_that_is_too_long_is_a_letter_of_its_beginning_and_the_connection_goes_on(broker, make_source):
    ear = Ear(acknowledge=True)
    source = make_source(broker.port, ear, max_packet=10_000)
    peer = broker.accept()
    peer.greet()
    peer.send(publish(b"t", b"x" * 3_000_000, packet_id=1, properties=b""))
    peer.send(publish(b"t", b"after", packet_id=2, properties=b""))
    assert peer.pubacks(2) == [1, 2]
    assert ear.pairs() == [(b"t", shortened(b"x" * KEPT_BYTES, 3_000_000)), (b"t", b"after")]
    assert (source.stats.too_long, source.stats.reconnects) == (1, 0)


def test_hold_disconnects_with_the_session_kept_and_release_comes_back(broker, make_source):
    ear = Ear()
    source = make_source(broker.port, ear)
    peer = broker.accept()
    peer.greet()
    peer.send(publish(b"t", b"x", packet_id=1, properties=b""))
    ear.payloads(1)
    source.hold()
    assert peer.rest() == [(0xE0, b"")], "a normal DISCONNECT that leaves the session's expiry as it is"
    ear.lost()
    assert source.pending == 0
    source.release()
    broker.accept().greet()
    ear.connected(2)


def test_hold_still_sends_the_acknowledgements_that_come_soon(broker, make_source):
    ear = Ear()
    source = make_source(broker.port, ear)
    peer = broker.accept()
    peer.greet()
    peer.send(b"".join(publish(b"t", b"x", packet_id=n, properties=b"") for n in (1, 2)))
    ear.payloads(2)
    source.hold()
    peer.sock.settimeout(0.1)
    with pytest.raises(TimeoutError):
        peer.packet()
    for arrival in ear.arrivals:
        arrival.acknowledge()
    peer.sock.settimeout(5)
    assert peer.rest() == [(0x40, b"\x00\x01"), (0x40, b"\x00\x02"), (0xE0, b"")]


def test_stop_sends_what_was_acknowledged_and_says_goodbye(broker, make_source):
    ear = Ear()
    source = make_source(broker.port, ear)
    peer = broker.accept()
    peer.greet()
    peer.send(b"".join(publish(b"t", b"x", packet_id=n, properties=b"") for n in range(1, 501)))
    ear.payloads(500)
    for arrival in ear.arrivals:
        arrival.acknowledge()
    source.stop()
    *pubacks, farewell = peer.rest()
    assert [int.from_bytes(body, "big") for _, body in pubacks] == list(range(1, 501))
    assert farewell == (0xE0, b"")
    assert [listening for listening, _ in ear.told] == [Listening.CONNECTED], "a stop is no loss"


@pytest.mark.timeout(30)
def test_stop_waits_for_nothing_while_the_broker_is_away(make_source):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    source = make_source(port, Ear())
    source.stop()


def test_paho_keeps_the_connection_alive_and_ends_a_dead_one(broker, make_source):
    ear = Ear()
    make_source(broker.port, ear, keepalive_s=1)
    peer = broker.accept()
    peer.greet()
    assert peer.packet() == (0xC0, b"")
    peer.send(PINGRESP)
    assert peer.packet() == (0xC0, b"")
    assert ear.lost().startswith("nothing came for 1 s, not even an answer")


def test_a_greeting_in_single_bytes_is_understood(broker, make_source):
    ear = Ear()
    make_source(broker.port, ear)
    peer = broker.accept().read_connect()
    peer.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in CONNACK_5:
        peer.send(bytes([byte]))
    _, subscribe = peer.packet()
    for byte in packet(0x90, subscribe[:2] + b"\x00\x01"):
        peer.send(bytes([byte]))
    assert ear.connected() == "MQTT 5"


def test_the_peer_of_these_tests_is_strict():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(CONNACK_3[:2])
        ours.shutdown(socket.SHUT_WR)
        with pytest.raises(AssertionError, match="within a packet"):
            Peer(theirs).packet()
