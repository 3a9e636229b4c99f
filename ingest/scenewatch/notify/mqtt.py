"""Standing alarms as retained messages on the broker, made equal to the truth on every connection."""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import TYPE_CHECKING

from scenewatch.model.alarm import Step
from scenewatch.model.backoff import Backoff
from scenewatch.model.errors import TemporaryError
from scenewatch.model.place import alarm_filter
from scenewatch.notify.connection import Connection
from scenewatch.notify.payload import payload_of, topic_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from scenewatch.model.alarm import Transition
    from scenewatch.model.broker import Broker
    from scenewatch.model.registry import Registry
    from scenewatch.model.scene import Rule

log = logging.getLogger(__name__)

QUIET_S = 2.0
"""A broker that shows nothing more for so long has shown all it retains."""
CLEARED = b""


class MqttNotifier:
    """Keeps `ports.Notifier` on topics below `<root>/<scene>/<site>/alarm/` and on no others.

    Only the newest state of each alarm is kept, never a queue. On each connection the broker's retained alarms
    are compared: those that do not stand (a crash leaves ghosts) are cleared, missing and different ones
    published. Each connection is a new client, so that nothing an old one still held overtakes what is newer.
    """

    def __init__(
        self, broker: Broker, root: str, registry: Registry, rules: Callable[[], Mapping[str, Rule]]
    ) -> None:
        """`rules` gives those in force, by `<scene>.<rule>`; asked in the thread that brings the alarms."""
        broker.check()  # a wrong URL stops the start, not the thread
        self._broker = broker
        self._root = root
        self._registry = registry
        self._rules = rules
        self._standing: dict[str, bytes] = {}
        """Topic and payload of each standing alarm: the truth."""
        self._untold: dict[str, None] = {}
        """Topics to publish, in the order they changed."""
        self._known: set[str] = set()
        """Topics that the broker showed or was told on this connection."""
        self._closing = False
        self._backoff = Backoff(random.Random())
        self._of_use_since: float | None = None
        """When the retained alarms were made right on this connection (monotonic); None before that."""
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="notify", daemon=True)

    def start(self, standing: Iterable[Transition]) -> None:
        """Begin with all alarms that stand now, each as the transition that raised it."""
        for alarm in standing:
            self._standing[topic_of(self._root, self._registry, alarm)] = self._payload(alarm)
        self._thread.start()

    def publish(self, transitions: Sequence[Transition]) -> None:
        """Takes note and returns; the broker is told by another thread."""
        changes = [(topic_of(self._root, self._registry, alarm), alarm) for alarm in transitions]
        with self._change:
            for topic, alarm in changes:
                if alarm.step is Step.RAISED:
                    self._standing[topic] = self._payload(alarm)
                else:
                    self._standing.pop(topic, None)
                self._untold[topic] = None
            self._change.notify_all()

    def close(self) -> None:
        """Tell what is not told yet, if that is quick, and leave; standing alarms stay on the broker."""
        with self._change:
            self._closing = True
            self._change.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def _payload(self, alarm: Transition) -> bytes:
        return payload_of(self._registry, self._rules()[alarm.rule], alarm)

    # --- the notifier's thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        told_reason = ""
        while not self._closing:
            connection = Connection(self._broker, self._change, self._compare)
            try:
                connection.open()
                log.info("alarms are published on %s", self._broker.url)
                told_reason = ""
                self._serve(connection)
            except TemporaryError as error:
                if str(error) != told_reason:
                    told_reason = str(error)
                    log.warning("alarms are not published on %s: %s", self._broker.url, error)
                self._wait()
            finally:
                connection.close()

    def _serve(self, connection: Connection) -> None:
        """Publish until it is time to close; TemporaryError when the connection is lost."""
        self._known.clear()
        connection.subscribe(alarm_filter(self._root))
        comparing = True
        while True:
            with self._change:
                self._change.wait_for(
                    lambda: self._untold or self._closing or connection.lost,
                    _until_quiet_s(connection) if comparing else None,
                )
                if connection.lost:
                    raise TemporaryError(connection.lost)
                settled = comparing and _until_quiet_s(connection) == 0
                if settled:
                    self._untold.update(dict.fromkeys(self._standing.keys() - self._known))
                changes = [(topic, self._standing.get(topic, CLEARED)) for topic in self._untold]
                self._known.update(self._untold)
                self._untold.clear()
            for topic, payload in changes:
                connection.retain(topic, payload)
            if settled:
                comparing = False
                self._of_use_since = time.monotonic()
                connection.unsubscribe(alarm_filter(self._root))
            if self._closing:
                return

    def _compare(self, topic: str, payload: bytes) -> None:
        """What the broker retains against the truth. Comes from the connection, holding the lock."""
        self._known.add(topic)
        if self._standing.get(topic, CLEARED) != payload:
            self._untold[topic] = None

    def _wait(self) -> None:
        served_s = 0.0 if self._of_use_since is None else time.monotonic() - self._of_use_since
        self._of_use_since = None
        with self._change:
            self._change.wait_for(lambda: self._closing, self._backoff.next_s(served_s=served_s))


def _until_quiet_s(connection: Connection) -> float:
    """A broker that has not even taken the subscription is waited for; losing it ends that."""
    if connection.shown_at is None:
        return QUIET_S
    return max(0.0, connection.shown_at + QUIET_S - time.monotonic())
