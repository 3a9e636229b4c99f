"""One short visit to the broker, under a name of its own, so that no worker's session is disturbed."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from scenewatch.model.errors import TemporaryError
from scenewatch.model.refusals import BEGIN_WITH_TLS, UNSUPPORTED_PROTOCOL, failed, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from paho.mqtt.reasoncodes import ReasonCode

    from scenewatch.model.broker import Broker

KEEP_ALIVE_S = 30
AT_LEAST_ONCE = 1


class WrongVersionError(TemporaryError):
    """The broker does not speak this version of MQTT."""


class Visit:
    """A context. What happens is gathered from paho's thread; each wait ends at `end_s` (monotonic) at the latest.

    `session_s`: how long the broker is asked to keep a session; leaving, it is told to keep none.
    """

    def __init__(self, broker: Broker, version: MQTTProtocolVersion, session_s: int, end_s: float) -> None:
        self.granted: list[ReasonCode] = []
        """By filter, as subscribed."""
        self.connack: Any = None
        """The broker's properties, with MQTT 5."""
        self.came: list[tuple[str, bool]] = []
        """Topic, and whether it was retained."""
        self.published: ReasonCode | None = None
        self._broker = broker
        self._five = version == MQTTProtocolVersion.MQTTv5
        self._session_s = session_s
        self._end_s = end_s
        self._change = threading.Condition()
        self._accepted = False
        self._lost: TemporaryError | None = None
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            protocol=version,
            clean_session=None if self._five else True,
            reconnect_on_failure=False,
        )
        self._client.connect_timeout = max(0.1, end_s - time.monotonic())
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        """Raises TemporaryError with the reason, WrongVersionError where the other version may be tried."""
        try:
            if self._broker.username:
                self._client.username_pw_set(self._broker.username, self._broker.password())
            if context := self._broker.tls_context():
                self._client.tls_set_context(context)
            asked = _session(PacketTypes.CONNECT, self._session_s)
            options: dict[str, Any] = {"clean_start": True, "properties": asked} if self._five else {}
            self._client.connect(self._broker.host, self._broker.port, KEEP_ALIVE_S, **options)
        except OSError as error:
            raise TemporaryError(failed(error, self._broker)) from error
        self._client.loop_start()
        self.wait(lambda: self._accepted)
        if not self._accepted:
            lost = self._lost or TemporaryError("the broker does not answer the login: see whether it hangs")
            self.__exit__()
            raise lost
        return self

    def __exit__(self, *_: object) -> None:
        if self._five:
            self._client.disconnect(properties=_session(PacketTypes.DISCONNECT, 0))
        else:
            self._client.disconnect()
        self._client.loop_stop()

    def subscribe(self, surely: Sequence[str], once: Sequence[str]) -> None:
        """With QoS 1 and 0; waits for what is granted.

        All with 1 would be more than the worker asks for in one session: NATS limits what one may have pending.
        """
        self._client.subscribe([(one, AT_LEAST_ONCE) for one in surely] + [(one, 0) for one in once])
        self.wait(lambda: bool(self.granted))

    def publish(self, topic: str) -> None:
        """Nothing, and not retained."""
        self._client.publish(topic, b"", AT_LEAST_ONCE, retain=False)

    def wait(self, there: Callable[[], bool], most_s: float = 60.0) -> bool:
        """Until it is there, the visit's time is over, or the broker has ended the connection."""
        left_s = min(self._end_s - time.monotonic(), most_s)
        with self._change:
            self._change.wait_for(lambda: there() or self._lost is not None, max(0.0, left_s))
            return there()

    @property
    def lost(self) -> str:
        """Why the broker ended it; empty while it lasts."""
        return str(self._lost or "")

    # --- paho's thread -------------------------------------------------------------------------------------

    def _on_connect(self, _client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, properties: Any) -> None:
        with self._change:
            if code.is_failure:
                kind = WrongVersionError if code.value == UNSUPPORTED_PROTOCOL else TemporaryError
                self._lost = kind(f"the broker refuses the login, {refused(code, properties, self._broker)}")
            else:
                self._accepted, self.connack = True, properties
            self._change.notify_all()

    def _on_disconnect(
        self, _client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, properties: Any
    ) -> None:
        with self._change:
            if self._accepted or self._broker.secure:
                why = f"the broker ends the connection, {refused(code, properties, self._broker)}"
            else:
                why = f"the broker ends the connection before the login: {BEGIN_WITH_TLS}"
            self._lost = self._lost or TemporaryError(why)
            self._change.notify_all()

    def _on_subscribe(
        self, _client: paho.Client, _data: Any, _mid: int, codes: list[ReasonCode], _properties: Any
    ) -> None:
        with self._change:
            self.granted = codes
            self._change.notify_all()

    def _on_publish(self, _client: paho.Client, _data: Any, _mid: int, code: ReasonCode, _properties: Any) -> None:
        with self._change:
            self.published = code
            self._change.notify_all()

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        with self._change:
            if len(self.came) < 1000:  # of a busy broker's stream the beginning says enough
                self.came.append((bytes(message._topic).decode(errors="replace"), message.retain))  # noqa: SLF001  # `topic` raises where it is not UTF-8
            self._change.notify_all()


def _session(packet: int, kept_s: int) -> Properties:
    properties = Properties(packet)  # type: ignore[no-untyped-call]  # paho leaves its types out here
    properties.SessionExpiryInterval = kept_s
    return properties
