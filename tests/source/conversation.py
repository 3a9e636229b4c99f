"""One connection of the reader with a broker that says all it has to say at once, and then hangs up."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from unittest import mock

from mqtt_wire import Published, parse
from paho.mqtt.client import Client

from scenewatch.model.clock import SystemClock
from scenewatch.model.versions import Protocol
from scenewatch.source import timing
from scenewatch.source.doorbell import Doorbell
from scenewatch.source.session import Ending, Session, Surroundings
from scenewatch.source.settings import MqttSettings
from scenewatch.source.stats import SourceStats

if TYPE_CHECKING:
    from scenewatch.model.ports import Arrival

MAX_PACKET = 200
SETTINGS = MqttSettings(url="mqtt://127.0.0.1:1", client_id="w", filters=("a", "b"), max_packet=MAX_PACKET)


class Conversation:
    """Sockets that serve for all conversations of a test."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._doorbell = Doorbell()

    def close(self) -> None:
        self._server.close()
        self._doorbell.close()

    def hold(self, protocol: Protocol, stream: bytes) -> tuple[Ending, list[tuple[bytes, bytes]]]:
        """How it ended, and the messages that arrived."""
        got: list[tuple[bytes, bytes]] = []
        peers: list[socket.socket] = []

        def arrived(arrival: Arrival) -> None:
            messages = arrival.messages
            got.extend((messages.topic(i), messages.payload(i)) for i in range(len(messages)))
            arrival.acknowledge()

        def connected(_: Client) -> socket.socket:
            ours = socket.create_connection(self._server.getsockname())
            peers.append(self._server.accept()[0])
            peers[0].sendall(stream)
            peers[0].shutdown(socket.SHUT_WR)
            return ours

        around = Surroundings(
            clock=SystemClock(),
            doorbell=self._doorbell,
            stats=SourceStats(),
            on_arrival=arrived,
            on_subscribed=lambda _: None,
            leaving=lambda: False,
        )
        below_the_tap = mock.patch.object(Client, "_create_socket", connected)
        without_pauses = mock.patch.object(timing.Pace, "wait_s", return_value=0.0)
        with below_the_tap, without_pauses:
            ending = Session(SETTINGS, protocol, around).run()
        for peer in peers:
            peer.close()
        return ending, got

    def check(self, protocol: Protocol, stream: bytes) -> Ending:
        """The connection ends with a reason, and nothing arrives that was not sent, nor out of order."""
        ending, got = self.hold(protocol, stream)
        found, _ = parse(stream, properties=protocol is Protocol.MQTT_5, max_packet=MAX_PACKET)
        sent = [(f.topic, f.payload) for f in found if isinstance(f, Published)]
        if not ending.reason or got != sent[: len(got)]:
            raise AssertionError(f"{ending}: got {got} of {sent}")
        return ending
