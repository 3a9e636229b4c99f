"""A gateway speaks for its devices: their samples, their status, and a last will for all of them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from scenewatch.devices import payload
from scenewatch.devices.connection import Connection, Hearing
from scenewatch.devices.payload import SampleBuffer
from scenewatch.devices.telling import Telling
from scenewatch.model.place import Kind, device_topic
from scenewatch.model.words import hours

if TYPE_CHECKING:
    import selectors
    from collections.abc import Callable, Iterable, Mapping

    from scenewatch.devices.fleet import Fleet
    from scenewatch.devices.schedule import Said
    from scenewatch.model.broker import Broker
    from scenewatch.model.place import Device
    from scenewatch.model.ports import Clock

BUFFERED: Final = hours(24)
MOST_EVENTS: Final = 10_000
"""That wait for the broker; of more the oldest go."""
MOST_ANSWERS: Final = 256


class Message(NamedTuple):
    """On its way to the broker."""

    topic: str
    payload: bytes
    retain: bool


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
        self._device_of = {
            device_topic(root, d, Kind.COMMAND): n for n, d in devices.items() if fleet.types[n].commands
        }
        self._commands = f"{root}/{head.scene}/{head.site}/+/{Kind.COMMAND}"
        self._result_topics = {n: device_topic(root, devices[n], Kind.RESULT) for n in self._device_of.values()}
        self._answers: deque[tuple[str, bytes]] = deque(maxlen=MOST_ANSWERS)
        self._to_tell: deque[tuple[str, bytes]] = deque()
        self._connection: Connection | None = None

    def open(
        self,
        broker: Broker,
        selector: selectors.BaseSelector,
        clock: Clock,
        commanded: Callable[[int, bytes], None],
    ) -> Connection:
        """`commanded` is told each command: the device's number and the payload."""

        def will() -> tuple[str, bytes]:
            return self._will_topic, payload.offline(clock.now_ms())

        def connected() -> None:
            self.tell(payload.online(clock.now_ms()))

        def heard(topic: str, body: bytes) -> None:
            device = self._device_of.get(topic)
            if device is not None and not self.away(clock.now_ms()):
                commanded(device, body)

        hearing = Hearing(self._commands, heard) if self._device_of else None
        self._connection = Connection(
            broker, self.client_id, selector, will=will, on_connected=connected, hearing=hearing
        )
        return self._connection

    def tell(self, status: bytes) -> None:
        """Publish this status for the gateway and all its devices, in place of what was still to be told."""
        self._to_tell = deque((topic, status) for topic in self._status_topics)

    def answer(self, device: int, result: bytes) -> None:
        """Publish what came of a command. Of more than the broker takes the oldest go."""
        self._answers.append((self._result_topics[device], result))

    @property
    def waits(self) -> bool:
        """Has more to say than its connection has room for."""
        return bool(self._waiting or self._events)

    @property
    def wanders(self) -> bool:
        """Is away at some time."""
        return bool(self._away)

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

    def pump(self) -> int:
        """Hand over as much as the connection has room for, and return how many messages that were."""
        connection, count = self._connection, 0
        if connection is None:
            return 0
        while connection.has_room and (message := self._next()) is not None:
            connection.publish(message.topic, message.payload, retain=message.retain)
            count += 1
        connection.flush()
        return count

    def _next(self) -> Message | None:
        """Status, answers, events, then samples; devices in turn."""
        if self._to_tell:
            return Message(*self._to_tell.popleft(), retain=True)
        if self._answers:
            return Message(*self._answers.popleft(), retain=False)
        if self._events:
            return self._next_event(self._events.popleft())
        if not self._waiting:
            return None
        device = self._waiting.popleft()
        buffer = self._buffers[device]
        message = Message(self._telemetry_topics[device], buffer.take(), retain=False)
        self.messages += 1
        if buffer:
            self._waiting.append(device)
        return message

    def _next_event(self, telling: Telling) -> Message:
        self.messages += 1
        event = self._buffers[telling.device].event(telling)
        return Message(self._event_topics[telling.device], event, retain=False)

    @property
    def devices(self) -> Iterable[int]:
        return self._buffers.keys()

    @property
    def idle(self) -> bool:
        """Everything is said and acknowledged, as far as there is somebody to say it to."""
        connection = self._connection
        if connection is None or not connection.connected:
            return True
        return not (self._to_tell or self._answers or self._events or self._waiting or connection.in_flight)

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
