"""One protocol version's client and the life of its connections: connect, subscribe, read until the end."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from scenewatch.model.errors import ProtocolError, TemporaryError
from scenewatch.model.messages import Messages
from scenewatch.source.cutter import Cutter
from scenewatch.source.tap import Tap
from scenewatch.source.timing import Pace

if TYPE_CHECKING:
    from collections.abc import Callable

    from paho.mqtt.client import DisconnectFlags
    from paho.mqtt.reasoncodes import ReasonCode

    from scenewatch.model.ports import Arrival, Clock
    from scenewatch.source.doorbell import Doorbell
    from scenewatch.source.settings import MqttSettings
    from scenewatch.source.stats import SourceStats

GREETING_S = 10.0
"""A broker that has not confirmed the subscription by then is left."""
CONNECT_S = 5.0
FAREWELL_S = 0.5
TURN_S = 1.0
"""Longest sleep, so that paho looks at its keep-alive."""
UNSUPPORTED_PROTOCOL = "Unsupported protocol version"
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Protocol(Enum):
    """Versions spoken, with their names for people."""

    MQTT_5 = "MQTT 5"
    MQTT_3 = "MQTT 3.1.1"


class Outcome(Enum):
    """How a connection ended, as far as it matters for the next one."""

    LEFT = "left on purpose"
    LOST = "lost"
    PROTOCOL_REFUSED = "the broker does not speak this version"
    NEVER_GREETED = "closed before any answer"


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of one connection. `served_s`: how long it had been subscribed."""

    outcome: Outcome
    reason: str
    served_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What outlives a session: the same for every connection of a source."""

    clock: Clock
    doorbell: Doorbell
    stats: SourceStats
    on_arrival: Callable[[Arrival], None]
    on_subscribed: Callable[[Protocol], None]
    leaving: Callable[[], bool]
    """Asked each turn; rung for through the doorbell."""


class TappedClient(Client):
    """paho with a `Tap` for a socket. `_create_socket` is the one private method that we touch."""

    make_tap: Callable[[socket.socket], Tap]

    def _create_socket(self) -> Tap:
        sock = cast("socket.socket", super()._create_socket())
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.make_tap(sock)


class Session:
    """Drives paho by its external-loop API in the calling thread. Kept over reconnects, and so is paho's state."""

    def __init__(self, settings: MqttSettings, protocol: Protocol, around: Surroundings) -> None:
        self._settings = settings
        self._protocol = protocol
        self._around = around
        self._client = self._make_client()
        self._tap: Tap | None = None
        self._greeted = False
        self._left = False
        self._told = ""
        """The broker's own words on why it refuses or closes."""
        self._given_up = ""
        """paho's word on why it closed the socket: keep-alive, or a packet that it does not understand."""
        self._subscribed_at: float | None = None

    @property
    def unacknowledged(self) -> int:
        tap = self._tap
        return tap.unacknowledged if tap else 0

    def run(self) -> Ending:
        """Connect and read until the connection ends. Raises what it does not expect, with the socket closed."""
        self._tap, self._subscribed_at = None, None
        self._greeted, self._left, self._told, self._given_up = False, False, "", ""
        try:
            reason = self._converse(self._connect())
        except (OSError, TemporaryError) as error:
            reason = str(error)
        except ProtocolError as error:
            self._around.stats.protocol_errors += 1
            self._greeted = True  # whatever it is, another version of MQTT will not mend it
            reason = str(error)
        finally:
            self._close()
        return Ending(self._outcome(), self._told or reason, self._served_s())

    # --- setting up ----------------------------------------------------------------------------------------

    def _make_client(self) -> TappedClient:
        modern = self._protocol is Protocol.MQTT_5
        client = TappedClient(
            CallbackAPIVersion.VERSION2,
            self._settings.client_id,
            clean_session=None if modern else False,
            protocol=MQTTProtocolVersion.MQTTv5 if modern else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.make_tap = self._make_tap
        client.connect_timeout = CONNECT_S
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_socket_register_write = _asked_each_turn
        if context := self._settings.tls_context():
            client.tls_set_context(context)
        address = (self._settings.host, self._settings.port, self._settings.keepalive_s)
        if modern:
            client.connect_async(*address, clean_start=False, properties=self._properties())
        else:
            client.connect_async(*address)
        return client

    def _properties(self) -> Properties:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has not typed it
        properties.ReceiveMaximum = self._settings.receive_maximum
        properties.SessionExpiryInterval = self._settings.session_expiry_s
        properties.MaximumPacketSize = self._settings.max_packet
        return properties

    def _make_tap(self, sock: socket.socket) -> Tap:
        cutter = Cutter(properties=self._protocol is Protocol.MQTT_5, max_packet=self._settings.max_packet)
        self._tap = Tap(
            sock,
            cutter=cutter,
            clock=self._around.clock,
            doorbell=self._around.doorbell,
            stats=self._around.stats,
            on_arrival=self._around.on_arrival,
        )
        return self._tap

    def _connect(self) -> Tap:
        if self._settings.username:
            self._client.username_pw_set(self._settings.username, self._settings.password())
        self._client.reconnect()
        return cast("Tap", self._client.socket())

    # --- one connection ------------------------------------------------------------------------------------

    def _converse(self, tap: Tap) -> str:
        """Returns why it ended."""
        doorbell, pace = self._around.doorbell, Pace()
        deadline = time.monotonic() + GREETING_S
        with selectors.DefaultSelector() as selector:
            selector.register(doorbell, READ)
            selector.register(tap, READ)
            while self._client.socket() is tap:
                if self._client.want_write():
                    self._client.loop_write()
                doorbell.listen()
                tap.flush()
                if self._around.leaving():
                    self._leave(tap, selector)
                    return "left on purpose"
                readable = _wait(selector, tap)
                doorbell.hush()
                if readable:
                    self._read(tap, pace)
                self._client.loop_misc()
                if self._subscribed_at is None and time.monotonic() > deadline:
                    raise TemporaryError(f"no subscription within {GREETING_S:.0f} s")
        return tap.ended_by or self._given_up

    def _read(self, tap: Tap, pace: Pace) -> None:
        wait_s = pace.wait_s(time.monotonic())
        if wait_s > 0:
            time.sleep(wait_s)
        stats = self._around.stats
        messages, size = stats.messages, stats.bytes
        self._client.loop_read()
        while tap.has_packets and self._client.socket() is tap:
            self._client.loop_read()
        pace.read(time.monotonic(), messages=stats.messages - messages, size=stats.bytes - size)

    def _leave(self, tap: Tap, selector: selectors.BaseSelector) -> None:
        """Send the last acknowledgements and say goodbye; the broker keeps the session.

        Those that come in time are waited for. Else a burst that is more than the journal may hold in memory
        would come again for ever: written each time, and each time left before it was acknowledged.
        """
        self._left = True
        doorbell = self._around.doorbell
        deadline = time.monotonic() + FAREWELL_S
        selector.modify(tap, WRITE)
        while (wait_s := deadline - time.monotonic()) > 0:
            doorbell.listen()
            tap.flush()
            if tap.awaits_writable:
                selector.select(wait_s)
                doorbell.hush()
            elif tap.unacknowledged:
                doorbell.wait(wait_s)
            else:
                break
        with contextlib.suppress(OSError):  # the broker may be gone first
            self._client.disconnect()
            self._client.loop_write()

    def _close(self) -> None:
        if self._tap:
            self._tap.close()

    # --- what paho tells -----------------------------------------------------------------------------------

    def _on_connect(self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        self._greeted = True
        if reason.is_failure:
            self._told = str(reason)
            return
        self._client.subscribe([(topic_filter, 1) for topic_filter in self._settings.filters])

    def _on_subscribe(
        self, _client: Client, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        refused = [f for f, reason in zip(self._settings.filters, reasons, strict=True) if reason.is_failure]
        if refused:
            raise TemporaryError(f"the broker refuses the subscription of {', '.join(refused)}")
        self._subscribed_at = time.monotonic()
        self._around.on_subscribed(self._protocol)

    def _on_disconnect(
        self, _client: Client, _data: Any, flags: DisconnectFlags, reason: ReasonCode, _properties: Any
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._told = str(reason)
        else:
            self._given_up = f"given up: {reason}"

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        """QoS 2, which nobody sends to a subscription of QoS 1; paho itself shakes hands for it."""
        if self._tap:
            pairs = [(message.topic.encode(), bytes(message.payload))]
            self._tap.hand_on(Messages.of(pairs, self._around.clock.now_ms()))

    # --- the end -------------------------------------------------------------------------------------------

    def _outcome(self) -> Outcome:
        if self._left:
            return Outcome.LEFT
        if self._told == UNSUPPORTED_PROTOCOL:
            return Outcome.PROTOCOL_REFUSED
        return Outcome.NEVER_GREETED if self._tap and not self._greeted else Outcome.LOST

    def _served_s(self) -> float:
        return 0.0 if self._subscribed_at is None else time.monotonic() - self._subscribed_at


def _wait(selector: selectors.BaseSelector, tap: Tap) -> bool:
    """Sleep until the tap or the doorbell has something; whether the tap should be read."""
    interest = READ | WRITE if tap.awaits_writable else READ
    if selector.get_key(tap).events != interest:
        selector.modify(tap, interest)
    hidden = tap.pending() > 0
    ready = {key.fileobj: events for key, events in selector.select(0 if hidden else TURN_S)}
    events = ready.get(tap, 0)
    return hidden or bool(events & READ) or (bool(events & WRITE) and tap.reads_when_writable)


def _asked_each_turn(_client: Client, _data: Any, _sock: Any) -> None:
    """Registered so that paho leaves writing to us; `want_write` tells when."""
