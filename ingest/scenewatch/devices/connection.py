"""One MQTT connection, driven from outside: paho's documented external-loop API on a shared selector."""

from __future__ import annotations

import random
import selectors
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from scenewatch.model.backoff import Backoff
from scenewatch.model.refusals import failed, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from paho.mqtt.client import ConnectFlags, DisconnectFlags, MQTTMessage
    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from scenewatch.model.broker import Broker

KEEP_ALIVE_S: Final = 30
TEND_S: Final = 1.0
"""How often a connection that stands is looked after."""
ASK_AGAIN_S: Final = 10.0
CONNECT_S: Final = 5.0
"""Connecting blocks the whole loop; all connections go to one broker, so all wait for the same."""
READ_AND_WRITE: Final = selectors.EVENT_READ | selectors.EVENT_WRITE
WINDOW: Final = 64
"""Unacknowledged messages a connection holds at most; what does not fit waits as samples."""


class Hearing(NamedTuple):
    """What a connection subscribes to, and who is told of each message: its topic and payload."""

    topics: str
    heard: Callable[[str, bytes], None]


class Connection:
    """Reconnects for ever, with its session kept. All methods belong to the one thread that owns the selector.

    What was published and not acknowledged is sent again by paho after a reconnect.
    """

    def __init__(
        self,
        broker: Broker,
        client_id: str,
        selector: selectors.BaseSelector,
        *,
        will: Callable[[], tuple[str, bytes]],
        on_connected: Callable[[], None],
        hearing: Hearing | None = None,
    ) -> None:
        self.connected = False
        self.in_flight = 0
        self.trouble = ""
        """Why there is no connection, once there should be one."""
        self.deaf = ""
        """Why the broker lets it hear nothing."""
        self._broker = broker
        self._selector = selector
        self._will = will
        self._on_connected = on_connected
        self._hearing = hearing
        self._writing = False
        """Whether the selector waits for room in the socket."""
        self._backoff = Backoff(random.Random(client_id))
        self._again_s = 0.0
        self._tried = False
        self._since_s = 0.0
        self._tend_s = 0.0
        self._ask_again_s = 0.0
        self._answered = False
        """Whether it hears, or why not."""
        self._client = self._make_client(client_id)

    def _make_client(self, client_id: str) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False)
        client.connect_timeout = CONNECT_S
        client.max_inflight_messages_set(WINDOW)
        client.connect_async(self._broker.host, self._broker.port, KEEP_ALIVE_S)
        if self._broker.username:
            client.username_pw_set(self._broker.username, self._broker.password())
        if context := self._broker.tls_context():
            client.tls_set_context(context)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_socket_open = self._socket_open
        client.on_socket_close = self._socket_close
        client.on_subscribe = self._subscribed
        client.on_message = self._message
        return client

    # --- called by the loop

    def tend(self, now_s: float) -> None:
        """Connect when it is time, keep alive otherwise. At least once a second, and after every trouble."""
        if self._client.socket() is not None:
            if now_s >= self._tend_s:
                self._tend_s = now_s + TEND_S
                self._tend_open(now_s)
            return
        if self._tried:
            self._tried = False
            stood_s = now_s - self._since_s if self._since_s else 0.0
            self._since_s = 0.0
            self._again_s = now_s + self._backoff.next_s(served_s=stood_s)
        if now_s >= self._again_s:
            self._connect()

    def _tend_open(self, now_s: float) -> None:
        self._client.loop_misc()
        if self.connected and self._since_s == 0.0:
            self._since_s = now_s
        if self.connected and self.deaf and now_s >= self._ask_again_s:
            self._ask_again_s = now_s + ASK_AGAIN_S
            self._ask_to_hear()
        self.flush()

    def _connect(self) -> None:
        self._tried = True
        self._answered = False
        topic, payload = self._will()
        self._client.will_set(topic, payload, qos=1, retain=True)
        try:
            self._client.reconnect()
        except OSError as error:
            self.trouble = failed(error, self._broker)

    def ready(self, events: int) -> None:
        """The socket can be read or written."""
        if events & selectors.EVENT_READ:
            self._read()
        if events & selectors.EVENT_WRITE:
            self._client.loop_write()
        self.flush()

    def flush(self) -> None:
        """Wait for the socket with what it does not take now.

        paho writes each packet when it is made, so asking the selector first would only cost another turn.
        """
        wants, sock = self._client.want_write(), self._client.socket()
        if sock is not None and wants != self._writing:
            self._writing = wants
            self._selector.modify(sock, READ_AND_WRITE if wants else selectors.EVENT_READ, self)

    def _read(self) -> None:
        """TLS may hold decrypted bytes back that no selector can see: read until it holds none."""
        while self._client.loop_read() == MQTTErrorCode.MQTT_ERR_SUCCESS:
            pending = getattr(self._client.socket(), "pending", None)
            if pending is None or not pending():
                return

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        self.in_flight += 1
        self._client.publish(topic, payload, qos=1, retain=retain)

    @property
    def settling(self) -> bool:
        """On its way in: the broker has not answered yet, be it the greeting or the wish to hear."""
        unanswered = self._hearing is not None and not self._answered
        return not self.closed and (unanswered or not self.connected)

    @property
    def has_room(self) -> bool:
        return self.connected and self.in_flight < WINDOW

    def disconnect(self) -> None:
        """Say goodbye, so that the will stays unsaid. The loop writes it out."""
        self._client.disconnect()

    def abandon(self) -> None:
        """Give the socket up as it is: whoever has not heard a goodbye will hear the will."""
        sock = self._client.socket()
        self._client.on_socket_close = None
        if sock is not None:
            self._selector.unregister(sock)
            sock.close()

    @property
    def closed(self) -> bool:
        return self._client.socket() is None

    # --- called by paho

    def _connected(
        self, _client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self.trouble = f"refused: {refused(reason, properties, self._broker)}"
            return
        self.connected = True
        self.trouble = ""
        self._ask_to_hear()
        self._on_connected()

    def _ask_to_hear(self) -> None:
        if self._hearing is not None:
            self._client.subscribe(self._hearing.topics, qos=1)

    def _subscribed(
        self, _client: Client, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        self._answered = True
        self.deaf = next((str(reason) for reason in reasons if reason.is_failure), "")

    def _message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if self._hearing is None:
            return
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return  # then it is none of ours
        self._hearing.heard(topic, bytes(message.payload))

    def _disconnected(
        self,
        _client: Client,
        _data: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if self.connected or not self.trouble:
            self.trouble = str(reason)
        self.connected = False

    def _published(
        self, _client: Client, _data: Any, _mid: int, _reason: ReasonCode, _properties: Properties
    ) -> None:
        self.in_flight -= 1

    def _socket_open(self, _client: Client, _data: Any, sock: Any) -> None:
        self._writing = False
        self._selector.register(sock, selectors.EVENT_READ, self)

    def _socket_close(self, _client: Client, _data: Any, sock: Any) -> None:
        self._selector.unregister(sock)
