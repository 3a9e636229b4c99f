"""One connection in one version of MQTT: connect, subscribe, read until the end."""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from scenewatch.model.errors import ProtocolError, TemporaryError
from scenewatch.model.refusals import (
    BEGIN_WITH_TLS,
    PROTOCOL_ERROR,
    UNSUPPORTED_PROTOCOL,
    failed,
    given_up,
    refused,
)
from scenewatch.model.versions import Outcome, Protocol
from scenewatch.source.cutter import Cutter
from scenewatch.source.tap import CLOSED, Tap
from scenewatch.source.timing import Pace

if TYPE_CHECKING:
    from collections.abc import Callable

    from paho.mqtt.client import ConnectFlags, DisconnectFlags
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
AT_LEAST_ONCE = 1
"""What is subscribed: a broker then sends QoS 2 as QoS 1. Were it to send QoS 2, that would be answered as such."""
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of one connection. `served_s`: how long it had been subscribed."""

    outcome: Outcome
    reason: str
    served_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What outlives a connection."""

    clock: Clock
    doorbell: Doorbell
    stats: SourceStats
    on_arrival: Callable[[Arrival], None]
    on_subscribed: Callable[[bool], None]
    """Told whether the broker still had our session."""
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
    """Drives paho by its external-loop API in the calling thread, for one connection; never used again after it."""

    def __init__(self, settings: MqttSettings, protocol: Protocol, around: Surroundings) -> None:
        self._settings = settings
        self._protocol = protocol
        self._around = around
        self._client = self._make_client()
        self._tap: Tap | None = None
        self._answer: ReasonCode | None = None
        """What CONNACK said."""
        self._kept = False
        """The broker still had our session."""
        self._granted: list[ReasonCode] | None = None
        """What SUBACK said of each filter."""
        self._left = False
        self._told = ""
        """The broker's own words on why it refuses or closes."""
        self._given_up = ""
        """paho's word on why it closed the socket."""
        self._subscribed_at: float | None = None

    @property
    def unacknowledged(self) -> int:
        tap = self._tap
        return tap.unacknowledged if tap else 0

    def run(self) -> Ending:
        """Connect and read until the connection ends. Raises what it does not expect, with the socket closed."""
        try:
            reason = self._converse(self._connect())
        except OSError as error:
            return Ending(Outcome.LOST, failed(error, self._settings), self._served_s())
        except TemporaryError as error:
            reason = str(error)
        except ProtocolError as error:
            self._around.stats.protocol_errors += 1
            # Whatever it is, another version of MQTT will not mend it.
            return Ending(Outcome.LOST, str(error), self._served_s())
        finally:
            if self._tap:
                self._tap.close()
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
        """No longest packet is announced: a broker would drop what is longer without telling anybody."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho has not typed it
        properties.ReceiveMaximum = self._settings.receive_maximum
        properties.SessionExpiryInterval = self._settings.session_expiry_s
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
        patience_s = GREETING_S
        deadline = time.monotonic() + patience_s
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
                    raise TemporaryError(f"no answer within {patience_s:g} s: check broker.url")
        if tap.failure:
            return failed(tap.failure, self._settings)
        if tap.ended_by and self._answer is None and not self._settings.secure:
            return f"{tap.ended_by} before any answer: {BEGIN_WITH_TLS}"
        return tap.ended_by or self._given_up

    def _read(self, tap: Tap, pace: Pace) -> None:
        wait_s = pace.wait_s(time.monotonic())
        if wait_s > 0:
            time.sleep(wait_s)
        stats = self._around.stats
        messages, size = stats.messages, stats.bytes
        tap.read()
        if tap.has_packets or tap.ended_by:
            self._feed_paho(tap)
        pace.read(time.monotonic(), messages=stats.messages - messages, size=stats.bytes - size)

    def _feed_paho(self, tap: Tap) -> None:
        """Let it have what it is to see, and the end; then act on what it told."""
        try:
            while (tap.has_packets or tap.ended_by) and self._client.socket() is tap:
                self._client.loop_read()
        except Exception as error:  # it checks little of what it parses, and raises anything
            raise ProtocolError(f"a packet that makes no sense: {type(error).__name__} {error}") from error
        if self._granted is not None and self._subscribed_at is None:
            self._check_subscription(self._granted)

    def _check_subscription(self, granted: list[ReasonCode]) -> None:
        filters = self._settings.filters
        if len(granted) != len(filters):
            raise ProtocolError(f"{len(granted)} answers to the subscription of {len(filters)} topic filters")
        for topic_filter, reason in zip(filters, granted, strict=True):
            if reason.is_failure:
                what = refused(reason, None, self._settings)
                raise TemporaryError(f"the broker refuses the subscription of {topic_filter}: {what}")
        self._subscribed_at = time.monotonic()
        self._around.on_subscribed(self._kept)

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

    # --- what paho tells -----------------------------------------------------------------------------------

    # These take note and no more: what they raised would look like paho's own trouble with a packet.

    def _on_connect(
        self, _client: Client, _data: Any, flags: ConnectFlags, reason: ReasonCode, properties: Any
    ) -> None:
        self._answer = reason
        if reason.is_failure:
            self._told = refused(reason, properties, self._settings)
            return
        self._kept = flags.session_present
        self._client.subscribe([(topic_filter, AT_LEAST_ONCE) for topic_filter in self._settings.filters])

    def _on_subscribe(
        self, _client: Client, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        self._granted = reasons

    def _on_disconnect(
        self, _client: Client, _data: Any, flags: DisconnectFlags, reason: ReasonCode, properties: Any
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._told = refused(reason, properties, self._settings)
        else:
            self._given_up = given_up(reason, self._settings.keepalive_s)
            self._around.stats.protocol_errors += reason == PROTOCOL_ERROR

    # --- the end -------------------------------------------------------------------------------------------

    def _outcome(self) -> Outcome:
        if self._left:
            return Outcome.LEFT
        if self._answer is not None and self._answer.value == UNSUPPORTED_PROTOCOL:
            return Outcome.PROTOCOL_REFUSED
        if self._answer is not None or self._tap is None:
            return Outcome.LOST
        closed = self._tap.ended_by == CLOSED
        silent = not self._tap.ended_by and not self._given_up
        return Outcome.NEVER_GREETED if closed or silent else Outcome.LOST

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
