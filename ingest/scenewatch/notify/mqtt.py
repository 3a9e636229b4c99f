"""Standing alarms as retained messages on the broker, made equal to the truth on every connection."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from scenewatch.model.alarm import AlarmState, Step
from scenewatch.model.errors import TemporaryError
from scenewatch.model.place import alarm_filter
from scenewatch.notify.payload import payload_of, topic_of
from scenewatch.notify.persistent import Persistent
from scenewatch.notify.retained import RetainedConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from scenewatch.model.alarm import Transition
    from scenewatch.model.broker import Broker
    from scenewatch.model.registry import Registry
    from scenewatch.model.rule import Rule

QUIET_S = 2.0
"""A broker that shows nothing more for so long has shown all it retains."""
CLEARED = b""


class MqttNotifier(Persistent[RetainedConnection]):
    """Keeps `ports.Notifier` on topics below `<root>/<scene>/<site>/alarm/` and on no others.

    Only the newest state of each alarm is kept, never a queue. On each connection the broker's retained alarms
    are compared: those that do not stand (a crash leaves ghosts) are cleared, missing and different ones
    published.
    """

    def __init__(
        self, broker: Broker, root: str, registry: Registry, rules: Callable[[], Mapping[str, Rule]]
    ) -> None:
        """`rules` gives those in force, by `<scene>.<rule>`; asked in the thread that brings the alarms."""
        super().__init__(broker, "alarms")
        self._root = root
        self._registry = registry
        self._rules = rules
        self._standing: dict[str, bytes] = {}
        """Topic and payload of each standing alarm: the truth."""
        self._raised: dict[str, tuple[Transition, AlarmState]] = {}
        """By the same topics: how each was raised, and whether somebody has seen it."""
        self._untold: dict[str, None] = {}
        """Topics to publish, in the order they changed."""
        self._known: set[str] = set()
        """Topics that the broker showed or was told on this connection."""

    def start(self, standing: Iterable[Transition]) -> None:
        """Begin with all alarms that stand now, each as the transition that raised it."""
        for alarm in standing:
            self._take(self._topic(alarm), alarm)
        self._thread.start()

    def publish(self, transitions: Sequence[Transition]) -> None:
        """Takes note and returns; the broker is told by another thread."""
        changes = [(self._topic(alarm), alarm) for alarm in transitions]
        with self._change:
            for topic, alarm in changes:
                self._take(topic, alarm)
                self._untold[topic] = None
            self._change.notify_all()

    def acknowledge(self, rule: str, device: int, raised_at_ms: int) -> None:
        """Takes note and returns, likewise."""
        topic = topic_of(self._root, self._registry, device, rule)
        with self._change:
            alarm, state = self._raised.get(topic, (None, None))
            is_this = alarm is not None and alarm.raised_at_ms == raised_at_ms
            if alarm is not None and is_this and state is not AlarmState.ACKNOWLEDGED:
                self._stand(topic, alarm, AlarmState.ACKNOWLEDGED)
                self._untold[topic] = None
                self._change.notify_all()

    def _topic(self, alarm: Transition) -> str:
        return topic_of(self._root, self._registry, alarm.device, alarm.rule)

    def _take(self, topic: str, move: Transition) -> None:
        """What a step makes of what is told: nothing of what is over, or what operators keep from being shown."""
        if move.step is Step.CLEARED or move.hidden:
            self._standing.pop(topic, None)
            self._raised.pop(topic, None)
            return
        alarm, state = self._raised.get(topic, (move, AlarmState.UNACKNOWLEDGED))
        if alarm.raised_at_ms != move.raised_at_ms or move.step in (Step.RAISED, Step.AGAIN):
            alarm, state = move, AlarmState.UNACKNOWLEDGED
        if move.step is Step.ACKNOWLEDGED:
            state = AlarmState.ACKNOWLEDGED
        self._stand(topic, replace(alarm, priority=move.priority), state)

    def _stand(self, topic: str, alarm: Transition, state: AlarmState) -> None:
        self._raised[topic] = alarm, state
        self._standing[topic] = payload_of(self._registry, self._rules()[alarm.rule], alarm, state)

    # --- the notifier's thread -----------------------------------------------------------------------------

    def _make(self) -> RetainedConnection:
        return RetainedConnection(self._broker, self._change, self._compare)

    def _serve(self, connection: RetainedConnection) -> None:
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


def _until_quiet_s(connection: RetainedConnection) -> float:
    """A broker that has not even taken the subscription is waited for; losing it ends that."""
    if connection.shown_at is None:
        return QUIET_S
    return max(0.0, connection.shown_at + QUIET_S - time.monotonic())
