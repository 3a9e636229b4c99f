"""One connection to the broker, from connect to its end; never used again after that."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from scenewatch.model.errors import TemporaryError
from scenewatch.model.refusals import failed, refused

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from paho.mqtt.reasoncodes import ReasonCode

    from scenewatch.model.broker import Broker

log = logging.getLogger(__name__)

ANSWER_S = 15.0
"""A broker that does not answer a login for so long is left."""
FAREWELL_S = 3.0
"""How long `close` waits for the last acknowledgement."""
KEEP_ALIVE_S = 30
AT_LEAST_ONCE = 1


class Connection:
    """paho's client with the one filter that is looked through at the start.

    `on_shown` gets topic and payload of each retained message, from paho's thread and holding `change`, which
    is notified of whatever happens.
    """

    def __init__(self, broker: Broker, change: threading.Condition, on_shown: Callable[[str, bytes], None]) -> None:
        self.lost = ""
        """Why it is over; empty while it lasts."""
        self.shown_at: float | None = None
        """When the broker last showed something retained (monotonic); None before it took the subscription."""
        self._broker = broker
        self._change = change
        self._on_shown = on_shown
        self._accepted = False
        self._last: paho.MQTTMessageInfo | None = None
        # A session of its own, apart from the source's, that leaves nothing behind.
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{broker.client_id}-alarms",
            clean_session=True,
            reconnect_on_failure=False,
        )
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def open(self) -> None:
        """Raises TemporaryError with the reason if the broker cannot be reached or does not let us in."""
        try:
            if self._broker.username:
                self._client.username_pw_set(self._broker.username, self._broker.password())
            if context := self._broker.tls_context():
                self._client.tls_set_context(context)
            self._client.connect(self._broker.host, self._broker.port, KEEP_ALIVE_S)
        except OSError as error:
            raise TemporaryError(failed(error, self._broker)) from error
        self._client.loop_start()
        with self._change:
            self._change.wait_for(lambda: self._accepted or self.lost, ANSWER_S)
            if not self._accepted:
                raise TemporaryError(self.lost or "the broker does not answer")

    def subscribe(self, topic_filter: str) -> None:
        self._client.subscribe(topic_filter, AT_LEAST_ONCE)

    def unsubscribe(self, topic_filter: str) -> None:
        self._client.unsubscribe(topic_filter)

    def retain(self, topic: str, payload: bytes) -> None:
        self._last = self._client.publish(topic, payload, AT_LEAST_ONCE, retain=True)

    def close(self) -> None:
        if self._last is not None and not self.lost and self._last.rc == paho.MQTT_ERR_SUCCESS:
            self._last.wait_for_publish(FAREWELL_S)
        self._client.disconnect()
        self._client.loop_stop()

    # --- paho's thread -------------------------------------------------------------------------------------

    def _on_connect(self, _client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, properties: Any) -> None:
        with self._change:
            if code.is_failure:
                self.lost = f"the broker refuses the login: {refused(code, properties, self._broker)}"
            else:
                self._accepted = True
            self._change.notify_all()

    def _on_disconnect(
        self,
        _client: paho.Client,
        _data: Any,
        _flags: Any,
        code: ReasonCode,
        _properties: Any,
    ) -> None:
        with self._change:
            self.lost = self.lost or f"the connection is lost: {code}"
            self._change.notify_all()

    def _on_subscribe(self, *_: object) -> None:
        with self._change:
            self.shown_at = time.monotonic()
            self._change.notify_all()

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        if not message.retain:
            return  # the echo of what was just published
        try:
            topic = message.topic
        except UnicodeDecodeError:
            log.warning("an alarm topic is not UTF-8 and stays as it is")
            return
        with self._change:
            self.shown_at = time.monotonic()
            self._on_shown(topic, bytes(message.payload))
            self._change.notify_all()
