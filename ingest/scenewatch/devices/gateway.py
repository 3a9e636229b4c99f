"""A gateway speaks for its devices: their samples, their status, and a last will for all of them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from scenewatch.devices import payload
from scenewatch.devices.connection import Connection
from scenewatch.devices.payload import SampleBuffer
from scenewatch.devices.telling import Telling
from scenewatch.model.place import Kind, device_topic
from scenewatch.model.words import hours

if TYPE_CHECKING:
    import selectors
    from collections.abc import Iterable, Mapping

    from scenewatch.devices.fleet import Fleet
    from scenewatch.devices.schedule import Said
    from scenewatch.model.broker import Broker
    from scenewatch.model.place import Device
    from scenewatch.model.ports import Clock

BUFFERED: Final = hours(24)
MOST_EVENTS: Final = 10_000
"""That wait for the broker; of more the oldest go."""


class Gateway:
    """Keeps samples while the broker is away; afterwards they go out as arrays, oldest first.

    `devices` are those of the fleet it speaks for, by their number there; `head` is the one its will is about.
    """

    def __init__(self, head: Device, devices: Mapping[int, Device], fleet: Fleet, *, root: str, boot: str) -> None:
        self.messages = 0
        self.site_id = head.site_id
        number = next(n for n, d in devices.items() if d == head)
        self._away = fleet.away(number)
        self.client_id = f"{root}-{head.scene}-{head.site}-{head.device}"
        self._will_topic = device_topic(root, head, Kind.STATUS)
        others = [d for d in devices.values() if d != head]
        self._status_topics = [self._will_topic, *(device_topic(root, d, Kind.STATUS) for d in others)]
        self._telemetry_topics = {n: device_topic(root, d, Kind.TELEMETRY) for n, d in devices.items()}
        capacity = BUFFERED // fleet.every_ms
        self._buffers = {n: SampleBuffer(fleet.channels[n], boot=boot, capacity=capacity) for n in devices}
        self._waiting: deque[int] = deque()
        """Devices with samples, each once; the first has waited longest."""
        self._event_topics = {n: device_topic(root, d, Kind.EVENT) for n, d in devices.items()}
        self._events: deque[Telling] = deque()
        self._events_dropped = 0
        self._to_tell: deque[tuple[str, bytes]] = deque()
        self._connection: Connection | None = None

    def open(self, broker: Broker, selector: selectors.BaseSelector, clock: Clock) -> Connection:
        def will() -> tuple[str, bytes]:
            return self._will_topic, payload.offline(clock.now_ms())

        def connected() -> None:
            self.tell(payload.online(clock.now_ms()))

        self._connection = Connection(broker, self.client_id, selector, will=will, on_connected=connected)
        return self._connection

    def tell(self, status: bytes) -> None:
        """Publish this status for the gateway and all its devices, in place of what was still to be told."""
        self._to_tell = deque((topic, status) for topic in self._status_topics)

    def away(self, now_ms: int) -> bool:
        """Cut off: the connection is left alone until the broker gives it up and says the will."""
        return any(from_ms <= now_ms < to_ms for from_ms, to_ms in self._away)

    def add(self, sample: Said) -> None:
        if isinstance(sample, Telling):
            self._add_event(sample)
            return
        buffer = self._buffers[sample.device]
        if not buffer:
            self._waiting.append(sample.device)
        buffer.add(sample.t_ms, sample.stamped_ms, sample.values)

    def _add_event(self, telling: Telling) -> None:
        if len(self._events) == MOST_EVENTS:
            self._events.popleft()
            self._events_dropped += 1
        self._events.append(telling)

    def pump(self) -> None:
        """Hand over as much as the connection has room for: status, events, then samples, devices in turn."""
        connection = self._connection
        while connection is not None and connection.has_room:
            if self._to_tell:
                topic, status = self._to_tell.popleft()
                connection.publish(topic, status, retain=True)
            elif self._events:
                telling = self._events.popleft()
                event = self._buffers[telling.device].event(telling)
                connection.publish(self._event_topics[telling.device], event, retain=False)
                self.messages += 1
            elif self._waiting:
                device = self._waiting.popleft()
                buffer = self._buffers[device]
                connection.publish(self._telemetry_topics[device], buffer.take(), retain=False)
                self.messages += 1
                if buffer:
                    self._waiting.append(device)
            else:
                return

    @property
    def devices(self) -> Iterable[int]:
        return self._buffers.keys()

    @property
    def idle(self) -> bool:
        """Everything is said and acknowledged, as far as there is somebody to say it to."""
        connection = self._connection
        if connection is None or not connection.connected:
            return True
        return not (self._to_tell or self._events or self._waiting or connection.in_flight)

    @property
    def dropped(self) -> int:
        return self._events_dropped + sum(b.dropped for b in self._buffers.values())

    def oldest_ms(self) -> int | None:
        """When the oldest sample that waits was taken."""
        return self._buffers[self._waiting[0]].oldest_ms if self._waiting else None


def gateways(fleet: Fleet, *, root: str, boot: str) -> list[Gateway]:
    """One for each parent and its children; a device whose parent is not in the fleet is its own."""
    numbers = {d.id: n for n, d in enumerate(fleet.devices)}
    grouped: dict[int, dict[int, Device]] = {}
    for n, device in enumerate(fleet.devices):
        head = numbers.get(f"{device.site_id}.{device.parent}", n)
        grouped.setdefault(head, {})[n] = device
    return [Gateway(fleet.devices[h], members, fleet, root=root, boot=boot) for h, members in grouped.items()]
