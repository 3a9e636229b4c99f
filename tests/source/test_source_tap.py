"""Both directions of a tap over real sockets, with buffers so small that nothing goes through in one piece."""

from __future__ import annotations

import random
import select
import socket
import ssl
import threading

import pytest
from mqtt_wire import CONNACK_3, PINGRESP, packet, puback, publish

from scenewatch.source.cutter import Cutter
from scenewatch.source.doorbell import Doorbell
from scenewatch.source.stats import SourceStats
from scenewatch.source.tap import Tap


class Noon:
    def now_ms(self):
        return 43_200_000


class Bench:
    """A tap with the broker's end of its socket; the test is the I/O thread."""

    def __init__(self, between=lambda sock: sock):
        ours, self.broker = socket.socketpair()
        for sock in (ours, self.broker):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            sock.setblocking(False)
        self.arrivals, self.stats, self.doorbell = [], SourceStats(), Doorbell()
        self.tap = Tap(
            between(ours),
            cutter=Cutter(properties=False, max_packet=100_000),
            clock=Noon(),
            doorbell=self.doorbell,
            stats=self.stats,
            on_arrival=self.arrivals.append,
        )

    def offer(self, data):
        """Send as much as the tap's end takes; what is left."""
        try:
            return data[self.broker.send(data) :]
        except BlockingIOError:
            return data

    def pull(self, size=65_536):
        """What paho would get now."""
        self.tap.read()
        try:
            return self.tap.recv(size)
        except BlockingIOError:
            return b""

    def taken(self, size=65_536):
        """What has reached the broker."""
        try:
            return self.broker.recv(size)
        except BlockingIOError:
            return b""

    def pairs(self):
        return [(a.messages.topic(i), a.messages.payload(i)) for a in self.arrivals for i in range(len(a.messages))]

    def close(self):
        self.tap.close()
        self.broker.close()
        self.doorbell.close()


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    bench.close()


def test_paho_gets_its_packets_whole_and_in_order_and_no_publish(bench):
    rng = random.Random(1)
    pairs = [(b"topic/%d" % n, rng.randbytes(rng.randrange(900))) for n in range(400)]
    mine = [
        CONNACK_3,
        packet(0x90, b"\x00\x01\x01"),
        PINGRESP,
        packet(0x62, b"\x00\x09"),
    ] * 20
    stream = CONNACK_3
    for n, (topic, payload) in enumerate(pairs, 1):
        stream += publish(topic, payload, packet_id=n)
        stream += mine[n // 5 - 1] if n % 5 == 0 else b""
    received = b""
    while stream or select.select([bench.tap], [], [], 0)[0]:
        piece = rng.randrange(1, 3000)
        stream = bench.offer(stream[:piece]) + stream[piece:]
        received += bench.pull(rng.randrange(1, 50))
    while piece := bench.pull():
        received += piece
    assert received == CONNACK_3 + b"".join(mine)
    assert bench.pairs() == pairs
    assert bench.stats.messages == 400
    assert bench.stats.other_packets == 81


def test_a_byte_at_a_time_gives_the_same(bench):
    stream = CONNACK_3 + publish(b"t", b"one", packet_id=5) + PINGRESP + publish(b"t", b"two")
    received = b""
    for i in range(len(stream)):
        bench.offer(stream[i : i + 1])
        received += bench.pull(1)
    while piece := bench.pull():
        received += piece
    assert received == CONNACK_3 + PINGRESP
    assert bench.pairs() == [(b"t", b"one"), (b"t", b"two")]


def test_acknowledgements_stand_between_whole_packets_under_partial_writes(bench):
    rng = random.Random(2)
    bench.offer(CONNACK_3)
    assert bench.pull() == CONNACK_3
    for n in range(1, 301):
        assert bench.offer(publish(b"t", b"x", packet_id=n)) == b""
        bench.pull()
    waiting = [packet(0xC0, b""), packet(0x82, b"\x00\x01\x00\x63" + b"f" * 99 + b"\x01")] * 60
    from_paho = []
    reached = b""
    for arrival in bench.arrivals:
        arrival.acknowledge()
        if rng.random() < 0.3:
            data = waiting.pop()
            assert bench.tap.send(data) == len(data), "paho must believe its packet is gone"
            from_paho.append(data)
        bench.tap.flush()
        reached += bench.taken(rng.randrange(1, 9))
    while bench.tap.awaits_writable:
        reached += bench.taken(rng.randrange(1, 999))
        bench.tap.flush()
    reached += bench.taken()
    assert bench.tap.unacknowledged == 0
    acknowledged, others = split_frames(reached)
    assert acknowledged == [puback(n) for n in range(1, 301)]
    assert others == from_paho


def split_frames(data):
    """Client packets shorter than 128 bytes: the PUBACKs and the others."""
    acknowledged, others = [], []
    while data:
        frame, data = data[: 2 + data[1]], data[2 + data[1] :]
        (acknowledged if frame[0] == 0x40 else others).append(frame)
    return acknowledged, others


def test_an_acknowledgement_from_another_thread_rings_the_bell(bench):
    bench.offer(CONNACK_3 + publish(b"t", b"x", packet_id=77))
    bench.pull()
    assert bench.tap.unacknowledged == 1
    bench.doorbell.listen()
    thread = threading.Thread(target=bench.arrivals[0].acknowledge)
    thread.start()
    assert select.select([bench.doorbell], [], [], 5)[0]
    thread.join()
    bench.tap.flush()
    assert bench.taken() == puback(77)
    assert bench.tap.unacknowledged == 0


def test_qos_0_needs_no_acknowledgement_but_counts_until_it_is_done(bench):
    bench.offer(CONNACK_3 + publish(b"t", b"x"))
    bench.pull()
    assert bench.tap.unacknowledged == 1
    bench.arrivals[0].acknowledge()
    bench.tap.flush()
    assert bench.tap.unacknowledged == 0
    assert bench.taken() == b""


def test_a_closed_tap_forgets_acknowledgements(bench):
    bench.offer(CONNACK_3 + publish(b"t", b"x", packet_id=1))
    bench.pull()
    bench.tap.close()
    bench.arrivals[0].acknowledge()
    assert bench.taken() == b""
    assert bench.tap.unacknowledged == 0
    with pytest.raises(ConnectionError):
        bench.tap.send(b"\xc0\x00")


def test_the_end_is_told_after_the_last_packet(bench):
    bench.offer(CONNACK_3 + publish(b"t", b"x", packet_id=1) + PINGRESP + b"\x32\x50half")
    bench.broker.close()
    bench.tap.read()
    bench.tap.read()
    assert bench.tap.recv(3) == CONNACK_3[:3]
    assert bench.tap.recv(99) == CONNACK_3[3:] + PINGRESP
    assert bench.tap.recv(99) == b""
    assert bench.tap.ended_by == "closed by the broker"
    assert bench.pairs() == [(b"t", b"x")]


def test_messages_carry_the_time_of_their_read(bench):
    bench.offer(CONNACK_3 + publish(b"t", b"x") + publish(b"t", b"y"))
    bench.pull()
    assert [a.messages.received_ms for a in bench.arrivals] == [43_200_000]


class Renegotiating:
    """A socket whose next call each way wants the other direction first, as TLS may."""

    def __init__(self, sock):
        self._sock = sock
        self.wants_write = self.wants_read = True

    def __getattr__(self, name):
        return getattr(self._sock, name)

    def recv_into(self, space):
        if self.wants_write:
            self.wants_write = False
            raise ssl.SSLWantWriteError
        return self._sock.recv_into(space)

    def send(self, data):
        if self.wants_read:
            self.wants_read = False
            raise ssl.SSLWantReadError
        return self._sock.send(data)


def test_a_read_that_wants_to_write_and_a_write_that_wants_to_read_are_repeated():
    bench = Bench(Renegotiating)
    bench.offer(CONNACK_3)
    assert bench.pull() == b""
    assert (bench.tap.awaits_writable, bench.tap.reads_when_writable) == (True, True)
    assert bench.pull() == CONNACK_3
    assert bench.tap.awaits_writable is False
    bench.tap.send(b"\xc0\x00")
    bench.tap.flush()
    assert bench.tap.awaits_writable is False, "it waits for something to read, not for room to write"
    bench.tap.flush()
    assert bench.taken() == b"\xc0\x00"
    bench.close()
