"""Devices that publish in every odd way a device may, and the record of what must come of it."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as paho
from chaos import wait_for
from paho.mqtt.enums import CallbackAPIVersion

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scenewatch.model.place import Device

CHANNELS = ("air_temp", "door", "compressor_power", "defrost", "battery")
STEP_S = 0.005
"""Short, so that there is always something on the way when a mishap strikes."""
MOST_WAITING = 5000
HOUR_MS = 3_600_000
BUFFERED = 5
"""Samples in one message of a device that was out of reach."""
ODD = {
    "unknown": 0.01,
    "not_json": 0.01,
    "partly": 0.01,
    "again": 0.02,
    "buffer": 0.02,
    "replay": 0.02,
    "collision": 0.005,
    "reboot": 0.0005,
    "clock_back": 0.002,
}
"""How often a message is not an ordinary one."""

Values = tuple[float | None, ...]
"""One for each of CHANNELS."""


class Letter(Enum):
    """Why a message must be a dead letter."""

    UNKNOWN_DEVICE = auto()
    NOT_JSON = auto()
    A_BAD_VALUE = auto()
    """Its good values are stored all the same."""


@dataclass
class Record:
    """What was sent, as the store and the dead letters must have it in the end."""

    places: dict[str, dict[int, list[Values]]] = field(default_factory=lambda: defaultdict(dict))
    """Of each device and time the values sent: one of them must be there. Nearly always there is but one."""
    buffered: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """Of each device the times that were sent in arrays."""
    letters: dict[tuple[bytes, bytes], Letter] = field(default_factory=dict)
    """Topic and payload of what must be a dead letter."""
    messages: int = 0
    """With readings; each counted once, however often it was sent."""
    repeats: int = 0
    """Of these, those that may have brought nothing new."""

    @property
    def least_received(self) -> int:
        """So many messages at least must have been received when all has arrived."""
        return self.messages + sum(why is not Letter.A_BAD_VALUE for why in self.letters.values())


@dataclass
class Sender:
    """How one device is just now."""

    place: Device
    boot: str
    n: int = 0
    behind_ms: int = 0
    """How far its clock was set back."""
    set_back_for: int = 0
    """Messages until it is set right."""
    last: tuple[str, bytes] | None = None
    recent: list[tuple[int, Values]] = field(default_factory=list)

    @property
    def topic(self) -> str:
        return f"sw/{self.place.scene}/{self.place.site}/{self.place.device}/telemetry"


class Fleet:
    """Makes messages, and records what they must lead to. One thread."""

    def __init__(self, devices: list[Device], seed: int) -> None:
        self.record = Record()
        self._random = random.Random(seed)
        self._devices = {d.id: Sender(d, self._boot()) for d in devices}
        self._serial = 0

    @property
    def devices(self) -> Iterable[str]:
        return self._devices

    def ordinary(self, device: str, t_ms: int, *, door: float = 0.0) -> list[tuple[str, bytes]]:
        d = self._devices[device]
        return [self._telemetry(d, [self._sample(d, t_ms, door)])]

    def any(self, device: str, t_ms: int) -> list[tuple[str, bytes]]:
        """Mostly an ordinary message; now and then an odd one."""
        d = self._devices[device]
        if d.set_back_for:
            d.set_back_for -= 1
            t_ms -= d.behind_ms
        what = self._random.random()
        for name, share in ODD.items():
            what -= share
            if what < 0:
                return list(getattr(self, f"_{name}")(d, t_ms))
        return self.ordinary(device, t_ms)

    # --- the odd ones --------------------------------------------------------------------------------------

    def _unknown(self, d: Sender, t_ms: int) -> list[tuple[str, bytes]]:
        topic = f"sw/{d.place.scene}/{d.place.site}/stranger-{self._random.randrange(5)}/telemetry"
        body = json.dumps({"t": t_ms, "b": d.boot, "n": self._next(), "v": {"door": 0}})
        return [self._letter(Letter.UNKNOWN_DEVICE, topic, body)]

    def _not_json(self, d: Sender, _: int) -> list[tuple[str, bytes]]:
        odd = self._random.choice(['{"t": 1', "\x00\x01\x02", "ÿ" * 300, '{"t": "now", "v": {}}', "[" * 5000])
        return [self._letter(Letter.NOT_JSON, d.topic, f"{odd}{self._next()}")]

    def _partly(self, d: Sender, t_ms: int) -> list[tuple[str, bytes]]:
        """One value is text: the others are stored, and the message is kept aside too."""
        t_ms, values = self._sample(d, t_ms, 0.0)
        bad = self._random.randrange(len(CHANNELS))
        kept = (*values[:bad], None, *values[bad + 1 :])
        body = dict(zip(CHANNELS, values, strict=True)) | {CHANNELS[bad]: "warm"}
        topic, payload = self._message(d, {"t": t_ms, "v": body})
        self.record.places[d.place.id][t_ms] = [kept]
        self.record.letters[topic.encode(), payload] = Letter.A_BAD_VALUE
        return [(topic, payload)]

    def _again(self, d: Sender, t_ms: int) -> list[tuple[str, bytes]]:
        """The same message, bytes for bytes."""
        return [d.last] if d.last else self.ordinary(d.place.id, t_ms)

    def _buffer(self, d: Sender, t_ms: int) -> list[tuple[str, bytes]]:
        samples = [self._sample(d, t_ms - (BUFFERED - i) * 7, 0.0) for i in range(BUFFERED)]
        self.record.buffered[d.place.id].update(t_ms for t_ms, _ in samples)
        return [self._telemetry(d, samples)]

    def _replay(self, d: Sender, t_ms: int) -> list[tuple[str, bytes]]:
        """A buffer of samples that were sent before, in messages of their own."""
        if not d.recent:
            return self.ordinary(d.place.id, t_ms)
        self.record.repeats += 1
        return [self._telemetry(d, list(d.recent))]

    def _collision(self, d: Sender, t_ms: int) -> list[tuple[str, bytes]]:
        """Other values for a time that has been told."""
        if not d.recent:
            return self.ordinary(d.place.id, t_ms)
        told_ms, _ = self._random.choice(d.recent)
        self.record.repeats += 1
        return [self._telemetry(d, [(told_ms, self._values(0.0))])]

    def _reboot(self, d: Sender, t_ms: int) -> list[tuple[str, bytes]]:
        d.boot, d.n = self._boot(), 0
        return self.ordinary(d.place.id, t_ms)

    def _clock_back(self, d: Sender, t_ms: int) -> list[tuple[str, bytes]]:
        d.behind_ms, d.set_back_for = self._random.randrange(HOUR_MS, 3 * HOUR_MS), 20
        return self.ordinary(d.place.id, t_ms - d.behind_ms)

    # --- their parts ---------------------------------------------------------------------------------------

    def _telemetry(self, d: Sender, samples: list[tuple[int, Values]]) -> tuple[str, bytes]:
        places = self.record.places[d.place.id]
        for t_ms, values in samples:
            told = places.setdefault(t_ms, [])
            if values not in told:
                told.append(values)
        d.recent = (d.recent + samples)[-BUFFERED:]
        columns = list(zip(*(values for _, values in samples), strict=True))
        if len(samples) == 1:
            t: Any = samples[0][0]
            body: dict[str, Any] = dict(zip(CHANNELS, samples[0][1], strict=True))
        else:
            t = [t_ms for t_ms, _ in samples]
            body = {channel: list(column) for channel, column in zip(CHANNELS, columns, strict=True)}
        d.last = self._message(d, {"t": t, "v": body})
        return d.last

    def _message(self, d: Sender, body: dict[str, Any]) -> tuple[str, bytes]:
        self.record.messages += 1
        message = d.topic, json.dumps(body | {"b": d.boot, "n": d.n}).encode()
        d.n += 1
        return message

    def _letter(self, why: Letter, topic: str, payload: str) -> tuple[str, bytes]:
        self.record.letters[topic.encode(), payload.encode()] = why
        return topic, payload.encode()

    def _sample(self, d: Sender, t_ms: int, door: float) -> tuple[int, Values]:
        """At a time that the device has not told of, the next free one."""
        while t_ms in self.record.places[d.place.id] or any(t == t_ms for t, _ in d.recent):
            t_ms += 1
        self.record.places[d.place.id][t_ms] = []
        return t_ms, self._values(door)

    def _values(self, door: float) -> Values:
        """Unlike any before, so that no reading can stand in for another. The door alone raises an alarm."""
        part = self._next() / 2**26
        return (4.0 + part, door, 90.0 + part, 0.0, 3.5 + part)

    def _next(self) -> int:
        self._serial += 1
        return self._serial

    def _boot(self) -> str:
        return f"{self._random.getrandbits(48):012x}"


class Publisher:
    """Publishes on and on what it is given, and knows what the broker has acknowledged."""

    def __init__(self, port: int, name: str) -> None:
        self.name = name
        self.sent = 0
        self._acknowledged: list[int] = []
        self._stop = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
        self._client.max_inflight_messages_set(100)
        self._client.reconnect_delay_set(1, 1)
        # paho calls this holding a lock of its own, so nothing here may wait
        self._client.on_publish = lambda _c, _d, mid, *_: self._acknowledged.append(mid)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._thread: threading.Thread | None = None

    def start(self, fleet: Fleet, devices: list[str], a_second: int) -> None:
        self._thread = threading.Thread(target=self._run, args=(fleet, devices, a_second), daemon=True)
        self._thread.start()

    def stop(self, patience_s: float) -> None:
        """No more; wait until the broker has acknowledged all, whatever happened to it meanwhile."""
        self._stop.set()
        if self._thread:
            self._thread.join()
        wait_for(lambda: not self.waiting(), f"acknowledgements of {self.name}", patience_s)
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, messages: list[tuple[str, bytes]]) -> None:
        for topic, payload in messages:
            self.sent += 1
            self._client.publish(topic, payload, qos=1)

    def waiting(self) -> int:
        """How many the broker has not acknowledged yet."""
        return self.sent - len(self._acknowledged)

    def _run(self, fleet: Fleet, devices: list[str], a_second: int) -> None:
        i = 0
        while not self._stop.wait(STEP_S):
            now_ms = time.time_ns() // 1_000_000
            if self.waiting() > MOST_WAITING:
                continue
            for _ in range(round(a_second * STEP_S)):
                self.publish(fleet.any(devices[i % len(devices)], now_ms))
                i += 1
