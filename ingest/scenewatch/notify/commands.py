"""Sends commands to devices: over the broker, once it says that it has them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from scenewatch.model.errors import RefusedError, TemporaryError
from scenewatch.model.refusals import refused
from scenewatch.model.versions import Protocol, Versions
from scenewatch.notify.connection import AT_LEAST_ONCE, Connection
from scenewatch.notify.persistent import Persistent

if TYPE_CHECKING:
    import threading

    import paho.mqtt.client as paho
    from paho.mqtt.reasoncodes import ReasonCode

    from scenewatch.model.broker import Broker

TAKEN_S = 3.0
"""How long a broker may take to confirm one."""


class CommandConnection(Connection):
    """In MQTT 5 the broker itself throws away what a device has not fetched in time."""

    def __init__(self, broker: Broker, change: threading.Condition, protocol: Protocol) -> None:
        super().__init__(broker, change, "commands", protocol)
        self._protocol = protocol
        self._answers: dict[int, str] = {}
        """By packet: empty for taken, else why not."""
        self.client.on_publish = self._on_publish

    def send(self, topic: str, payload: bytes, lasts_s: int) -> None:
        """Returns when the broker has it. Raises TemporaryError where that is not known, RefusedError for a no."""
        properties = None
        if self._protocol is Protocol.MQTT_5:
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho leaves it out
            properties.MessageExpiryInterval = lasts_s
        sent = self.client.publish(topic, payload, AT_LEAST_ONCE, properties=properties)
        with self._change:
            self._change.wait_for(lambda: sent.mid in self._answers or self.lost, TAKEN_S)
            answer = self._answers.pop(sent.mid, None)
        if answer is None:
            raise TemporaryError(self.lost or f"the broker did not confirm it within {TAKEN_S:g} s")
        if answer:
            raise RefusedError(f"the broker refuses it: {answer}")

    # --- paho's thread -------------------------------------------------------------------------------------

    def _on_publish(self, _client: paho.Client, _data: Any, packet: int, code: ReasonCode, properties: Any) -> None:
        with self._change:
            self._answers[packet] = refused(code, properties, self._broker) if code.is_failure else ""
            self._change.notify_all()


class CommandSender(Persistent[CommandConnection]):
    """`send` may be called from any thread. Nothing is kept for later: whoever commands is told at once."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker, "commands")
        self._versions = Versions()
        self._open: CommandConnection | None = None
        self._away = "not connected yet"

    def start(self) -> None:
        self._thread.start()

    def check(self) -> None:
        """Raises TemporaryError with the reason while the broker is away."""
        self._connection()

    def send(self, topic: str, payload: bytes, lasts_s: int) -> None:
        """As its connection's. Raises TemporaryError, too, while the broker is away."""
        self._connection().send(topic, payload, lasts_s)

    def _connection(self) -> CommandConnection:
        with self._change:
            if self._open is None or self._open.lost:
                raise TemporaryError(f"the broker {self._broker.url} is away: {self._away}")
            return self._open

    # --- the sender's thread -------------------------------------------------------------------------------

    def _make(self) -> CommandConnection:
        return CommandConnection(self._broker, self._change, self._versions.next)

    def _serve(self, connection: CommandConnection) -> None:
        self._versions.subscribed()
        self._of_use_since = time.monotonic()
        with self._change:
            self._open = connection
            self._change.notify_all()
            self._change.wait_for(lambda: self._closing or connection.lost)
            if connection.lost:
                raise TemporaryError(connection.lost)

    def _ended(self, connection: CommandConnection, reason: str) -> bool:
        with self._change:
            self._open, self._away = None, reason
        return bool(reason) and self._versions.ended(connection.outcome)
