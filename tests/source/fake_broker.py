"""A broker made of raw sockets, played by the test itself, and an ear for what the source tells."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

from mqtt_wire import CONNACK_3, CONNACK_5

from scenewatch.model.ports import Listening

PATIENCE_S = 10.0
REFUSED_LIKE_NATS = b"\x20\x02\x00\x84"
"""Reason 132, unsupported protocol version, in the short form."""


class Peer:
    """The broker's end of one connection. Reads strictly: every byte must belong to a whole packet."""

    def __init__(self, sock):
        self.sock = sock
        sock.settimeout(PATIENCE_S)
        self.connect = b""
        self._read = bytearray()

    def send(self, data):
        self.sock.sendall(data)

    def packet(self):
        """First byte and body of the next packet; None when the client has closed."""
        first = self._exactly(1)
        if not first:
            return None
        size = shift = 0
        while True:
            byte = self._exactly(1)
            assert byte, "the client closed within a packet"
            size |= (byte[0] & 0x7F) << shift
            shift += 7
            if byte[0] < 0x80:
                break
        body = self._exactly(size)
        assert len(body) == size, "the client closed within a packet"
        return first[0], body

    def _exactly(self, size):
        while len(self._read) < size:
            got = self.sock.recv(65_536)
            if not got:
                assert not self._read, "the client closed within a packet"
                return b""
            self._read += got
        data = bytes(self._read[:size])
        del self._read[:size]
        return data

    @property
    def level(self):
        return self.connect[6]

    def read_connect(self):
        first, self.connect = self.packet()
        assert first == 0x10
        assert self.connect[:6] == b"\x00\x04MQTT"
        return self

    def greet(self, *, present=False):
        """Let the client in and grant what it asks for; returns the SUBSCRIBE's body."""
        if not self.connect:
            self.read_connect()
        connack = CONNACK_5 if self.level == 5 else CONNACK_3
        self.send(connack[:2] + bytes([present]) + connack[3:])
        first, subscribe = self.packet()
        assert first == 0x82
        granted = subscribe[:2] + (b"\x00" if self.level == 5 else b"") + b"\x01"
        self.send(bytes([0x90, len(granted)]) + granted)
        return subscribe

    def pubacks(self, count):
        """The next `count` acknowledged packet ids."""
        ids = []
        while len(ids) < count:
            first, body = self.packet()
            assert (first, len(body)) == (0x40, 2)
            ids.append(int.from_bytes(body, "big"))
        return ids

    def rest(self):
        """All packets until the client closes."""
        packets = []
        while packet := self.packet():
            packets.append(packet)
        return packets

    def close(self):
        self.sock.close()


class FakeBroker:
    """Listens; each `accept` is the next connection of the client."""

    def __init__(self, context=None):
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(PATIENCE_S)
        self._context = context
        self._peers = []

    @property
    def port(self):
        return self._server.getsockname()[1]

    def accept(self):
        sock, _ = self._server.accept()
        if self._context:
            sock.settimeout(PATIENCE_S)
            sock = self._context.wrap_socket(sock, server_side=True)
        self._peers.append(Peer(sock))
        return self._peers[-1]

    def close(self):
        for peer in self._peers:
            with contextlib.suppress(OSError):
                peer.close()
        self._server.close()


class Ear:
    """Collects what a source tells, and waits for it."""

    def __init__(self, *, acknowledge=False):
        self._changed = threading.Condition()
        self._acknowledge = acknowledge
        self.arrivals = []
        self.told = []

    def on_arrival(self, arrival):
        if self._acknowledge:
            arrival.acknowledge()
        with self._changed:
            self.arrivals.append(arrival)
            self._changed.notify_all()

    def on_listening(self, listening, text):
        with self._changed:
            self.told.append((listening, text))
            self._changed.notify_all()

    def wait_for(self, condition, timeout_s=PATIENCE_S):
        """Whether it became true in time."""
        with self._changed:
            return self._changed.wait_for(condition, timeout_s)

    def pairs(self):
        return [(a.messages.topic(i), a.messages.payload(i)) for a in self.arrivals for i in range(len(a.messages))]

    def payloads(self, count, timeout_s=PATIENCE_S):
        """The first `count` payloads, once they have come."""
        assert self.wait_for(lambda: len(self.pairs()) >= count, timeout_s), self.pairs()
        return [payload for _, payload in self.pairs()]

    def connected(self, times=1):
        def enough():
            return sum(listening is Listening.CONNECTED for listening, _ in self.told) >= times

        assert self.wait_for(enough), self.told
        return self.told[-1][1]

    def lost(self, times=1):
        def enough():
            return sum(listening is Listening.LOST for listening, _ in self.told) >= times

        assert self.wait_for(enough), self.told
        return self.told[-1][1]


def wait_until(condition, what):
    """For what no callback tells."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        threading.Event().wait(0.005)
