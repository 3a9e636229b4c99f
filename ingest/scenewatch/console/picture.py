"""What the console knows now: tables, devices, values, alarms, ledger, and the states derived from them.

The worker's answers and events go in; pages and the hub read. All in the event loop's thread.
"""

from __future__ import annotations

from collections import Counter, deque
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from scenewatch.model.alarm import AlarmState
from scenewatch.model.scene import Priority

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scenewatch.console.shapes import (
        Alarm,
        Channel,
        Device,
        DeviceType,
        Ledger,
        Readiness,
        Rule,
        Scene,
        Site,
        Value,
    )
    from scenewatch.console.worker import Inventory

KEPT_ALARMS = 200
"""Alarms that no longer stand and are still shown as recent."""
RATE_OVER_MS = 10_000


class State(StrEnum):
    """The one state a site or device is shown in, the most urgent first."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    OFFLINE = "offline"
    PARTLY = "partly"
    UNKNOWN = "unknown"
    NORMAL = "normal"


URGENCY = {state: rank for rank, state in enumerate(State)}
OF_PRIORITY = {Priority.HIGH: State.HIGH, Priority.MEDIUM: State.MEDIUM, Priority.LOW: State.LOW}


class Picture:
    """One consistent view; what names a device that is not in the inventory is passed over, except alarms."""

    def __init__(self) -> None:
        self.live = False
        """The worker's stream is open and everything below is loaded."""
        self.readiness: Readiness | None = None
        self.scenes: dict[str, Scene] = {}
        self.sites: dict[str, Site] = {}
        self.devices: dict[str, Device] = {}
        self.values: dict[str, dict[str, Value]] = {}
        self.online: dict[str, bool | None] = {}
        self.alarms: dict[tuple[str, str, int], Alarm] = {}
        self.ledger: Ledger | None = None
        self.unknown = 0
        """Devices that publish and are in no inventory."""
        self._stored: deque[tuple[int, int]] = deque()
        self._types: dict[tuple[str, str], DeviceType] = {}
        self._rules: dict[str, Rule] = {}

    @property
    def known(self) -> bool:
        """Whether the worker ever answered: before that, no alarm is not good news."""
        return self.ledger is not None

    # --- taking in ---------------------------------------------------------------------------------------

    def take_inventory(self, inventory: Inventory) -> None:
        self.scenes = {s.key: s for s in inventory.scenes}
        self._types = {(s.key, t.key): t for s in inventory.scenes for t in s.device_types}
        self._rules = {f"{s.key}.{r.key}": r for s in inventory.scenes for r in s.rules}
        self.sites = {s.id: s for s in inventory.sites}
        self.devices = {d.id: d for d in inventory.devices if (d.scene, d.type) in self._types}
        self.online = {d.id: d.online for d in self.devices.values()}
        self.values = {}
        for d in self.devices.values():
            self.take_values({d.id: {c.key: (c.value, c.at, c.flag, c.test) for c in d.channels}})

    def take_values(self, changes: Mapping[str, Mapping[str, Value]]) -> bool:
        """Returns whether a device was heard for the first time, which changes its state."""
        first_words = False
        for device in changes.keys() & self.devices.keys():
            heard_before = self._heard(device)
            self.values.setdefault(device, {}).update(changes[device])
            first_words |= not heard_before and self._heard(device)
        return first_words

    def take_online(self, changes: Mapping[str, bool]) -> None:
        self.online.update({k: v for k, v in changes.items() if k in self.devices})

    def take_alarms(self, changes: Iterable[Alarm]) -> list[Alarm]:
        """Returns those that stand now and did not before."""
        fresh = []
        for alarm in changes:
            before = self.alarms.get(alarm.identity)
            if alarm.stands and not (before and before.stands):
                fresh.append(alarm)
            self.alarms[alarm.identity] = alarm
        for alarm in self.recent_alarms()[KEPT_ALARMS:]:
            del self.alarms[alarm.identity]
        return fresh

    def take_ledger(self, ledger: Ledger, now_ms: int) -> None:
        if self._stored and ledger.readings.stored < self._stored[-1][1]:
            self._stored.clear()  # another worker with an account of its own
        self.ledger = ledger
        self._stored.append((now_ms, ledger.readings.stored))
        while len(self._stored) > 2 and self._stored[1][0] < now_ms - RATE_OVER_MS:
            self._stored.popleft()

    # --- looking up --------------------------------------------------------------------------------------

    def type_of(self, device: Device) -> DeviceType:
        return self._types[device.scene, device.type]

    def rule(self, name: str) -> Rule | None:
        return self._rules.get(name)

    def rules_on(self, device: Device, channel: str) -> list[tuple[str, Rule]]:
        """Rules on one channel of a device, or with a limit on it, with their full names."""
        on = f"{device.type}.{channel}"

        def concerns(rule: Rule) -> bool:
            watched = any(o.partition(".")[0] == device.type for o in rule.on)
            return on in rule.on or (watched and any(line.channel == channel for line in rule.lines))

        return [(f"{device.scene}.{r.key}", r) for r in self.scenes[device.scene].rules if concerns(r)]

    def channel_of(self, alarm: Alarm) -> Channel | None:
        """The channel an alarm's rule watches on its device."""
        device, rule = self.devices.get(alarm.device), self.rule(alarm.rule)
        if device is None or rule is None:
            return None
        return next((c for c in self.type_of(device).channels if f"{device.type}.{c.key}" in rule.on), None)

    def standing_alarms(self) -> list[Alarm]:
        """The most urgent first, then the newest."""
        standing = (a for a in self.alarms.values() if a.stands)
        return sorted(standing, key=lambda a: (URGENCY[OF_PRIORITY[a.priority]], -a.raised_at))

    def recent_alarms(self) -> list[Alarm]:
        """What no longer stands, the newest first."""
        return sorted((a for a in self.alarms.values() if not a.stands), key=lambda a: -a.raised_at)

    def devices_of(self, site: str) -> list[Device]:
        return [d for d in self.devices.values() if d.site_id == site]

    # --- deriving ----------------------------------------------------------------------------------------

    def readings_per_s(self) -> float | None:
        """Stored readings a second over the last while; None until two ledgers have come."""
        if len(self._stored) < 2:
            return None
        (from_ms, before), (to_ms, after) = self._stored[0], self._stored[-1]
        return 1000 * (after - before) / (to_ms - from_ms) if to_ms > from_ms else None

    def device_states(self) -> dict[str, State]:
        states = {d: self._connection(d) for d in self.devices}
        for alarm in self.standing_alarms():
            if alarm.device in states:
                states[alarm.device] = min(
                    states[alarm.device], OF_PRIORITY[alarm.priority], key=URGENCY.__getitem__
                )
        return states

    def _connection(self, device: str) -> State:
        """What a device says of itself; one that sends readings is there even if it never said so."""
        online = self.online[device]
        if online is False:
            return State.OFFLINE
        return State.NORMAL if online or self._heard(device) else State.UNKNOWN

    def _heard(self, device: str) -> bool:
        return any(at is not None for _, at, _, _ in self.values.get(device, {}).values())

    def site_states(self, devices: Mapping[str, State]) -> dict[str, State]:
        by_site: dict[str, set[State]] = {site: set() for site in self.sites}
        for device, state in devices.items():
            by_site.setdefault(self.devices[device].site_id, set()).add(state)
        return {site: _worst(states) for site, states in by_site.items()}

    def states(self) -> dict[str, Any]:
        """States and sums as the browser is told them."""
        devices = self.device_states()
        return {"devices": devices, "sites": self.site_states(devices), "totals": self.totals()}

    def totals(self) -> dict[str, int]:
        """Sums of the summary strip; standing alarms by the name of their priority."""
        priorities = Counter(a.priority for a in self.standing_alarms())
        return {
            "sites": len(self.sites),
            "devices": len(self.devices),
            "online": sum(v is True for v in self.online.values()),
            **{p.value: priorities[p] for p in Priority},
            "unacknowledged": sum(a.state is AlarmState.UNACKNOWLEDGED for a in self.alarms.values()),
            "unknown": self.unknown,
        }


def _worst(states: set[State]) -> State:
    if not states:
        return State.UNKNOWN
    worst = min(states, key=URGENCY.__getitem__)
    return State.PARTLY if worst is State.OFFLINE and len(states) > 1 else worst
