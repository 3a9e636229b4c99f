"""Somebody at the broker: connects by TLS as a user, says and hears, and remembers what it heard."""

from __future__ import annotations

import itertools
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

if TYPE_CHECKING:
    from pathlib import Path

from scenewatch.credentials.rights import Rights

PATIENCE_S = 10.0
WATCHER = Rights(user="watcher", writes=("#",), reads=("#",))
"""Of the tests alone: sees everything, so that nothing forbidden arrives unseen."""
WATCHERS_PASSWORD = "seen-by-nobody-else"  # noqa: S105  # of the tests
_numbers = itertools.count()


class MqttUser:
    """`code` is the broker's answer to the login, None until it comes. Speaks MQTT 3.1.1, as all brokers do."""

    def __init__(
        self,
        port: int,
        ca: Path,
        user: str | None,
        password: str | None,
        *,
        client_id: str = "",
        clean: bool = True,
        will: tuple[str, bytes] | None = None,
    ) -> None:
        self.code: Any = None
        self.heard: list[tuple[str, bytes]] = []
        self.lost = False
        self._change = threading.Condition()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id or f"test-{next(_numbers)}",
            clean_session=clean,
            reconnect_on_failure=False,
        )
        self._client.on_connect = self._on_connect
        self._client.on_connect_fail = self._on_lost
        self._client.on_disconnect = self._on_lost
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_done
        self._client.on_publish = self._on_done
        self._done: dict[int, Any] = {}
        if user is not None:
            self._client.username_pw_set(user, password)
        if will is not None:
            self._client.will_set(*will, qos=1, retain=True)
        self._client.tls_set_context(ssl.create_default_context(cafile=ca))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._wait(lambda: self.code is not None or self.lost)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def is_in(self) -> bool:
        return self.code is not None and not self.code.is_failure

    def subscribe(self, topic_filter: str, qos: int = 1) -> Any:
        """The broker's answer; None if it hung up instead."""
        return self._asked(self._client.subscribe(topic_filter, qos)[1])

    def say(self, topic: str, payload: bytes, qos: int = 1, *, retain: bool = False) -> None:
        """Returns when the broker has it, has refused it, or has hung up."""
        self._asked(self._client.publish(topic, payload, qos, retain).mid)

    def settle(self) -> None:
        """Returns when the broker has looked at all that was said: it answers in turn."""
        self.subscribe("settled")

    def wait_for_topics(self, topics: set[str]) -> None:
        self._wait(lambda: topics <= set(self.topics()))

    def wait_for(self, payload: bytes) -> None:
        self._wait(lambda: any(said == payload for _, said in self.heard))

    def topics(self) -> list[str]:
        return sorted(topic for topic, _ in self.heard)

    def vanish(self) -> None:
        """Without a goodbye, as a gateway whose power fails."""
        self._client.socket().shutdown(socket.SHUT_RDWR)
        self._client.loop_stop()

    def _asked(self, number: int) -> Any:
        self._wait(lambda: number in self._done or self.lost)
        return self._done.get(number)

    def _wait(self, there: Any) -> None:
        with self._change:
            assert self._change.wait_for(there, PATIENCE_S), "it did not come about in time"

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        with self._change:
            self.code = code
            self._change.notify_all()

    def _on_lost(self, *_: object) -> None:
        with self._change:
            self.lost = True
            self._change.notify_all()

    def _on_done(self, _client: Any, _data: Any, number: int, codes: Any, _properties: Any) -> None:
        with self._change:
            self._done[number] = codes
            self._change.notify_all()

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        with self._change:
            self.heard.append((message.topic, bytes(message.payload)))
            self._change.notify_all()
