"""Rounds over one scene: each publishes, lets mishaps happen, waits for calm, and compares with what was sent."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as paho
from chaos import KITCHEN, wait_for
from chaos_devices import CHANNELS, Fleet, Publisher
from chaos_mishaps import draw, suffer
from chaos_readback import Differences, compare, dead_letters, in_api, in_influx
from chaos_scene import BUCKET, ChaosScene
from chaos_telegraf import NAME, Judge
from paho.mqtt.enums import CallbackAPIVersion

if TYPE_CHECKING:
    from pathlib import Path

    from chaos_mishaps import Drawn
    from chaos_readback import Stored
    from chaos_scene import Setup
    from chaos_telegraf import TelegrafVerdict

ALWAYS = 7
"""Devices that publish all the time, their doors shut; each round one more has its door opened."""
CALM_S = 120.0
"""How long a scene may take to have everything in its place when all is well again."""
DOOR = "kitchen.door_ajar"
ALARMS_S = 15.0
SAMPLE_MS = 30_000
MINUTE_MS = 60_000


@dataclass(frozen=True)
class Verdict:
    """What one round found. `sent` are messages since the scene began."""

    mishaps: tuple[str, ...]
    sent: int
    differences: Differences
    """Those that the rounds before had not."""
    ledger: dict[str, Any]
    balanced: bool
    missing: int
    """Gaps that the worker saw in the devices' numbers, though nothing was lost."""
    alarms_differ: str
    fell: tuple[str, ...]
    """Processes that ended by themselves."""
    calm_after_s: float
    telegraf: TelegrafVerdict | None

    @property
    def good(self) -> bool:
        return not self.differences.any and self.balanced and not self.missing and not self.alarms_differ


class Rounds:
    """As many as the scene has devices whose door can be opened.

    In each round one more door is found open, and the one of the round before is shut again; the first stays
    open. Whatever order the mishaps brought its readings into, when all is calm it is told once more, in order.
    """

    def __init__(
        self, folder: Path, setup: Setup, seed: int, rounds: int, *, longest_s: float, a_second: int
    ) -> None:
        """`longest_s` is how long a mishap may last; `a_second` how many messages all devices publish."""
        self._random = random.Random(seed)
        self._longest_s, self._a_second = longest_s, a_second
        self.scene = ChaosScene(folder, setup, sites=2 + (ALWAYS + rounds) // 5)
        devices = [d for d in self.scene.devices if KITCHEN.device_type(d.type).channels]
        self._shut = [d.id for d in devices[:ALWAYS]]
        self._unopened = [d.id for d in devices[ALWAYS:]]
        self._open: list[str] = []
        self._raised: dict[str, int] = {}
        """Which of the open doors is an alarm since when."""
        self.fleet = Fleet(devices, self._random.getrandbits(64))
        self._telegraf = Judge(self.scene.influx, self.fleet.record) if setup.with_telegraf else None
        self._known = Differences()
        self._publishers = 0

    def telegraf_lost(self) -> int:
        """For the end: what Telegraf has lost for good."""
        if self._telegraf is None:
            return 0

        def restart() -> None:
            self.scene.stop(NAME)
            self.scene.start(NAME)

        return self._telegraf.lost(restart)

    def end(self) -> None:
        self.scene.end()

    def round(self) -> Verdict:
        drawn = draw(self._random, self.scene.parts, self._longest_s)
        opened = self._unopened.pop(0)
        shut = self._open.pop() if len(self._open) > 1 else None
        self._open.append(opened)
        publisher = self._publisher()
        self._tell_door(publisher, opened, 1.0, range(-20 * MINUTE_MS, -9 * MINUTE_MS, SAMPLE_MS))
        self._tell_door(publisher, shut, 0.0, range(-80_000, 0, SAMPLE_MS))
        publisher.start(self.fleet, list(self._shut), self._a_second)
        suffer(self.scene, drawn)
        threading.Event().wait(self._random.uniform(0.2, 0.8))
        publisher.stop(CALM_S)
        calm_from = time.monotonic()
        self._calm()
        calm_after_s = time.monotonic() - calm_from
        publisher = self._publisher()
        self._tell_door(publisher, opened, 1.0, range(-8 * MINUTE_MS, -2 * MINUTE_MS + 1, SAMPLE_MS))
        self._tell_door(publisher, shut, 0.0, range(0, SAMPLE_MS + 1, SAMPLE_MS))
        publisher.stop(CALM_S)
        alarms_differ = self._alarms_differ()
        if shut is not None:
            self._shut.append(shut)
        return self._verdict(drawn, alarms_differ, calm_after_s)

    def _publisher(self) -> Publisher:
        self._publishers += 1
        name = f"p{self._publishers}"
        return Publisher(self.scene.links["publishers-broker"].port, name)

    def _tell_door(self, publisher: Publisher, device: str | None, door: float, times: range) -> None:
        """At times from now."""
        now_ms = time.time_ns() // 1_000_000
        for t_ms in times if device is not None else ():
            publisher.publish(self.fleet.ordinary(str(device), now_ms + t_ms, door=door))

    def _verdict(self, drawn: list[Drawn], alarms_differ: str, calm_after_s: float) -> Verdict:
        differences, ledger = self._calm()
        new, self._known = differences.since(self._known), differences
        record = self.fleet.record
        told = ledger["stored"] + ledger["duplicate"] + ledger["dead"]
        verdict = Verdict(
            mishaps=tuple(d.mishap.name for d in drawn),
            sent=record.least_received,
            differences=new,
            ledger=ledger,
            balanced=ledger["pending"] == 0
            and ledger["received"] == told
            and record.messages - record.repeats <= ledger["stored"] <= record.messages,
            missing=sum(d["missing"] for d in self.scene.ask("/api/v1/devices")["devices"]),
            alarms_differ=alarms_differ,
            fell=tuple(self.scene.fell),
            calm_after_s=calm_after_s,
            telegraf=self._telegraf.verdict() if self._telegraf else None,
        )
        self.scene.fell.clear()
        return verdict

    def _calm(self) -> tuple[Differences, dict[str, Any]]:
        """When nothing is missing or pending any more; else, after a while, what still differs."""
        deadline = time.monotonic() + CALM_S
        while True:
            self._wait_until_ready(deadline)
            late = time.monotonic() > deadline
            ledger = self.scene.ask("/api/v1/ledger")
            drained = ledger and ledger["pending"] == 0 and ledger["received"] >= self.fleet.record.least_received
            if drained or late:
                differences = compare(self.fleet.record, self._stored(), dead_letters(self.scene.database))
                if differences == self._known or late:
                    return differences, ledger
            threading.Event().wait(0.2)

    def _stored(self) -> Stored:
        if self.scene.setup.store == "influx":
            return in_influx(self.scene.influx, BUCKET, {channel: channel for channel in CHANNELS})
        return in_api(self.scene, self.fleet.devices)

    def _wait_until_ready(self, deadline: float) -> None:
        def ready() -> bool:
            self.scene.tend()
            return self.scene.ready()

        wait_for(ready, "the worker", max(1.0, deadline - time.monotonic()))

    def _alarms_differ(self) -> str:
        """Empty when alarms and retained messages are as the doors are, and none was raised anew."""
        seen: dict[str, int] = {}

        def as_the_doors_are() -> bool:
            seen.clear()
            seen.update(self._standing())
            return seen.keys() == set(self._open)

        try:
            wait_for(as_the_doors_are, "the alarms", ALARMS_S)
            wanted = {_alarm_topic(device) for device in seen}
            wait_for(lambda: self._retained(wanted), "the retained alarms", ALARMS_S)
        except AssertionError as error:
            return f"{error}: open are {self._open}, alarms are {seen}"
        anew = {device for device, since in seen.items() if self._raised.get(device, since) != since}
        self._raised = seen
        return f"raised anew: {anew}" if anew else ""

    def _standing(self) -> dict[str, int]:
        alarms = self.scene.ask("/api/v1/alarms?state=standing").get("alarms", [])
        return {a["device"]: a["raised_at"] for a in alarms if a["rule"] == DOOR}

    def _retained(self, wanted: set[str]) -> bool:
        """Whether a newcomer is shown these topics of alarms and no others."""
        shown: dict[str, bytes] = {}
        subscribed = threading.Event()
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.on_message = lambda _c, _d, message: shown.update({message.topic: message.payload})
        client.on_subscribe = lambda *_: subscribed.set()
        client.connect("127.0.0.1", self.scene.mqtt_port)
        client.subscribe(f"sw/+/+/alarm/{DOOR.split('.')[1]}/+", qos=1)
        client.loop_start()
        try:
            assert subscribed.wait(ALARMS_S)
            wait_for(lambda: {topic for topic, payload in shown.items() if payload} == wanted, "", 2.0)
        except AssertionError:
            return False
        finally:
            client.disconnect()
            client.loop_stop()
        return True


def _alarm_topic(device: str) -> str:
    scene, site, name = device.split(".")
    return f"sw/{scene}/{site}/alarm/{DOOR.split('.')[1]}/{name}"
