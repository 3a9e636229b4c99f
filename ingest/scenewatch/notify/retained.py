"""A connection that publishes what the broker is to retain, and has it show what it retains."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from scenewatch.notify.connection import AT_LEAST_ONCE, Connection

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    import paho.mqtt.client as paho

    from scenewatch.model.broker import Broker

log = logging.getLogger(__name__)


class RetainedConnection(Connection):
    """With the one filter that is looked through at the start.

    `on_shown` gets topic and payload of each retained message, from paho's thread and holding `change`.
    """

    def __init__(self, broker: Broker, change: threading.Condition, on_shown: Callable[[str, bytes], None]) -> None:
        super().__init__(broker, change, "alarms")
        self.shown_at: float | None = None
        """When the broker last showed something retained (monotonic); None before it took the subscription."""
        self._on_shown = on_shown
        self.client.on_subscribe = self._on_subscribe
        self.client.on_message = self._on_message

    def subscribe(self, topic_filter: str) -> None:
        self.client.subscribe(topic_filter, AT_LEAST_ONCE)

    def unsubscribe(self, topic_filter: str) -> None:
        self.client.unsubscribe(topic_filter)

    def retain(self, topic: str, payload: bytes) -> None:
        self.last = self.client.publish(topic, payload, AT_LEAST_ONCE, retain=True)

    # --- paho's thread -------------------------------------------------------------------------------------

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
