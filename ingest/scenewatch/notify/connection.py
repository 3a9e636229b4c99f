"""One connection to the broker, from connect to its end; never used again after that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from scenewatch.model.errors import TemporaryError
from scenewatch.model.refusals import UNSUPPORTED_PROTOCOL, failed, refused
from scenewatch.model.versions import Outcome, Protocol

if TYPE_CHECKING:
    import threading

    from paho.mqtt.reasoncodes import ReasonCode

    from scenewatch.model.broker import Broker

ANSWER_S = 15.0
"""A broker that does not answer a login for so long is left."""
FAREWELL_S = 3.0
"""How long `close` waits for the last acknowledgement."""
KEEP_ALIVE_S = 30
AT_LEAST_ONCE = 1


class Connection:
    """paho's client. `change` is notified of whatever happens; `purpose` tells it from the worker's others."""

    def __init__(
        self, broker: Broker, change: threading.Condition, purpose: str, protocol: Protocol = Protocol.MQTT_3
    ) -> None:
        self.lost = ""
        """Why it is over; empty while it lasts."""
        self.outcome = Outcome.LOST
        """How it ended, if it is over."""
        self.last: paho.MQTTMessageInfo | None = None
        """What was published last."""
        self._broker = broker
        self._change = change
        self._accepted = False
        in_3 = protocol is Protocol.MQTT_3
        # A session of its own, apart from the source's, that leaves nothing behind.
        self.client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{broker.client_id}-{purpose}",
            clean_session=True if in_3 else None,
            protocol=MQTTProtocolVersion.MQTTv311 if in_3 else MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect

    def open(self) -> None:
        """Raises TemporaryError with the reason if the broker cannot be reached or does not let us in."""
        try:
            if self._broker.username:
                self.client.username_pw_set(self._broker.username, self._broker.password())
            if context := self._broker.tls_context():
                self.client.tls_set_context(context)
            self.client.connect(self._broker.host, self._broker.port, KEEP_ALIVE_S)
        except OSError as error:
            raise TemporaryError(failed(error, self._broker)) from error
        self.client.loop_start()
        with self._change:
            self._change.wait_for(lambda: self._accepted or self.lost, ANSWER_S)
            if not self._accepted:
                raise TemporaryError(self.lost or "the broker does not answer")

    def close(self) -> None:
        if self.last is not None and not self.lost and self.last.rc == paho.MQTT_ERR_SUCCESS:
            self.last.wait_for_publish(FAREWELL_S)
        self.client.disconnect()
        self.client.loop_stop()

    # --- paho's thread -------------------------------------------------------------------------------------

    def _on_connect(self, _client: paho.Client, _data: Any, _flags: Any, code: ReasonCode, properties: Any) -> None:
        with self._change:
            if code.is_failure:
                self.lost = f"the broker refuses the login: {refused(code, properties, self._broker)}"
                if code.value == UNSUPPORTED_PROTOCOL:
                    self.outcome = Outcome.PROTOCOL_REFUSED
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
            if not self.lost and not self._accepted:
                self.outcome = Outcome.NEVER_GREETED
            self.lost = self.lost or f"the connection is lost: {code}"
            self._change.notify_all()
