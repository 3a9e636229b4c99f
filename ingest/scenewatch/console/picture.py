"""What the console knows now: tables, devices, values, alarms, ledger, and the states derived from them.

The worker's answers and events go in; pages and the hub read. All in the event loop's thread. States are derived
when something changes, and only those that it touches: there may be tens of thousands of devices.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING

import msgspec

from scenewatch.model.alarm import AlarmState
from scenewatch.model.rule import Priority

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
SILENT_INTERVALS = 3
SILENT_AT_LEAST_MS = 120_000


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
        self.tables = ""
        """Which tables of channels the scenes have: other ones have another name."""
        self.device_states: dict[str, State] = {}
        self.site_states: dict[str, State] = {}
        self.newest_at = 0
        """Time of the newest reading of all."""
        self.unknown = 0
        """Devices that publish and are in no inventory."""
        self._stored: deque[tuple[int, int]] = deque()
        self._types: dict[tuple[str, str], DeviceType] = {}
        self._rules: dict[str, Rule] = {}
        self._devices_of: dict[str, list[Device]] = {}
        self._standing: defaultdict[str, dict[tuple[str, str, int], Alarm]] = defaultdict(dict)
        self._site_newest: dict[str, int] = {}
        self._patience_ms: dict[str, int] = {}
        self._silent: set[str] = set()

    @property
    def known(self) -> bool:
        """Whether the worker ever answered: before that, no alarm is not good news."""
        return self.ledger is not None

    # --- taking in: each tells the sites whose state or rows may be others now -------------------------------

    def take_inventory(self, inventory: Inventory) -> None:
        self.scenes = {s.key: s for s in inventory.scenes}
        types = msgspec.json.encode([(s.key, s.device_types) for s in inventory.scenes])
        self.tables = blake2b(types, digest_size=6).hexdigest()
        self._types = {(s.key, t.key): t for s in inventory.scenes for t in s.device_types}
        self._rules = {f"{s.key}.{r.key}": r for s in inventory.scenes for r in s.rules}
        self.sites = {s.id: s for s in inventory.sites}
        self.devices = {d.id: d for d in inventory.devices if (d.scene, d.type) in self._types}
        self._devices_of = {}
        for d in self.devices.values():
            self._devices_of.setdefault(d.site_id, []).append(d)
        self.online = {d.id: d.online for d in self.devices.values()}
        self.values, self._site_newest, self._silent = {}, {}, set()
        self._patience_ms = {site: self._patience(devices) for site, devices in self._devices_of.items()}
        self.device_states = dict.fromkeys(self.devices, State.UNKNOWN)
        self.site_states = dict.fromkeys(self.sites, State.UNKNOWN)
        self.take_values(
            {d.id: {c.key: (c.value, c.at, c.flag, c.test) for c in d.channels} for d in self.devices.values()}
        )
        self._restate(self.devices)

    def take_values(self, changes: Mapping[str, Mapping[str, Value]]) -> set[str]:
        """Values alone move no state, but those of a device heard for the first time."""
        first_heard = []
        for device in changes.keys() & self.devices.keys():
            heard_before = self._heard(device)
            self.values.setdefault(device, {}).update(changes[device])
            newest = max((at for _, at, _, _ in changes[device].values() if at is not None), default=0)
            site = self.devices[device].site_id
            self._site_newest[site] = max(newest, self._site_newest.get(site, 0))
            self.newest_at = max(newest, self.newest_at)
            if not heard_before and self._heard(device):
                first_heard.append(device)
        return self._restate(first_heard)

    def take_online(self, changes: Mapping[str, bool]) -> set[str]:
        known = {k: v for k, v in changes.items() if k in self.devices and self.online[k] is not v}
        self.online.update(known)
        return self._restate(known)

    def forget_alarms(self) -> None:
        """Before all are asked for again: some may have ended unseen."""
        self.alarms.clear()
        self._standing.clear()
        self._restate(self.devices)

    def take_alarms(self, changes: Iterable[Alarm]) -> list[Alarm]:
        """Returns those that stand now and did not before."""
        fresh, touched = [], []
        for alarm in changes:
            before = self.alarms.get(alarm.identity)
            if alarm.stands and not (before and before.stands):
                fresh.append(alarm)
            self.alarms[alarm.identity] = alarm
            self._standing[alarm.device].pop(alarm.identity, None)
            if alarm.stands:
                self._standing[alarm.device][alarm.identity] = alarm
            touched.append(alarm.device)
        for alarm in self.recent_alarms()[KEPT_ALARMS:]:
            del self.alarms[alarm.identity]
        self._restate(touched)
        return fresh

    def take_ledger(self, ledger: Ledger, now_ms: int) -> None:
        if self._stored and ledger.readings.stored < self._stored[-1][1]:
            self._stored.clear()  # another worker with an account of its own
        self.ledger = ledger
        self._stored.append((now_ms, ledger.readings.stored))
        while len(self._stored) > 2 and self._stored[1][0] < now_ms - RATE_OVER_MS:
            self._stored.popleft()

    def notice_silence(self, now_ms: int) -> set[str]:
        """Time alone makes a site silent; what it measures next ends that."""
        silent = {s for s, at in self._site_newest.items() if at and now_ms - at > self._patience_ms[s]}
        changed = silent ^ self._silent
        self._silent = silent
        for site in changed:
            self._restate_site(site)
        return changed

    # --- looking up --------------------------------------------------------------------------------------

    def type_of(self, device: Device) -> DeviceType:
        return self._types[device.scene, device.type]

    def rule(self, name: str) -> Rule | None:
        return self._rules.get(name)

    def rules_of(self, device: Device) -> list[tuple[str, Rule]]:
        """Rules on a device's channels or events, with their full names."""
        on = f"{device.type}."
        scene = self.scenes[device.scene]
        return [(f"{scene.key}.{r.key}", r) for r in scene.rules if any(o.startswith(on) for o in r.on)]

    def channel_of(self, alarm: Alarm) -> Channel | None:
        """The channel an alarm's rule watches on its device."""
        device, rule = self.devices.get(alarm.device), self.rule(alarm.rule)
        if device is None or rule is None:
            return None
        return next((c for c in self.type_of(device).channels if f"{device.type}.{c.key}" in rule.on), None)

    def standing_alarms(self, site: str = "") -> list[Alarm]:
        """The most urgent first, then the newest; of one site or of all."""
        owners = (d.id for d in self.devices_of(site)) if site else self._standing.keys()
        standing = (a for owner in owners for a in self._standing.get(owner, {}).values())
        return sorted(standing, key=lambda a: (URGENCY[OF_PRIORITY[a.priority]], -a.raised_at))

    def recent_alarms(self) -> list[Alarm]:
        """What no longer stands, the newest first."""
        return sorted((a for a in self.alarms.values() if not a.stands), key=lambda a: -a.raised_at)

    def devices_of(self, site: str) -> list[Device]:
        return self._devices_of.get(site, [])

    def newest_of(self, site: str) -> int:
        """Time of a site's newest reading; 0 before the first."""
        return self._site_newest.get(site, 0)

    def online_of(self, site: str) -> int:
        """How many of a site's devices are there."""
        states = (self._connection(d.id) for d in self.devices_of(site))
        return sum(state is State.NORMAL for state in states)

    def is_silent(self, site: str) -> bool:
        return site in self._silent

    # --- deriving ----------------------------------------------------------------------------------------

    def readings_per_s(self) -> float | None:
        """Stored readings a second over the last while; None until two ledgers have come."""
        if len(self._stored) < 2:
            return None
        (from_ms, before), (to_ms, after) = self._stored[0], self._stored[-1]
        return 1000 * (after - before) / (to_ms - from_ms) if to_ms > from_ms else None

    def totals(self) -> dict[str, int]:
        """Sums as pages are told them: standing alarms by priority, sites by state."""
        priorities = Counter(a.priority for of_one in self._standing.values() for a in of_one.values())
        states = Counter(self.site_states.values())
        return {
            "sites": len(self.sites),
            "devices": len(self.devices),
            "online": sum(v is True for v in self.online.values()),
            **{p.value: priorities[p] for p in Priority},
            "unacknowledged": sum(a.state is AlarmState.UNACKNOWLEDGED for a in self.alarms.values()),
            "unknown": self.unknown,
            **{f"sites.{s.value}": states[s] for s in State},
        }

    def _restate(self, devices: Iterable[str]) -> set[str]:
        """Returns the sites they are of."""
        sites = set()
        for device in devices:
            if device in self.devices:
                standing = (OF_PRIORITY[a.priority] for a in self._standing.get(device, {}).values())
                self.device_states[device] = _most_urgent([*standing, self._connection(device)])
                sites.add(self.devices[device].site_id)
        for site in sites:
            self._restate_site(site)
        return sites

    def _restate_site(self, site: str) -> None:
        state = _worst({self.device_states[d.id] for d in self.devices_of(site)})
        if site in self._silent:
            state = _most_urgent([state, State.OFFLINE])
        self.site_states[site] = state

    def _connection(self, device: str) -> State:
        """What a device says of itself; one that sends readings is there even if it never said so."""
        online = self.online[device]
        if online is False:
            return State.OFFLINE
        return State.NORMAL if online or self._heard(device) else State.UNKNOWN

    def _heard(self, device: str) -> bool:
        return any(at is not None for _, at, _, _ in self.values.get(device, {}).values())

    def _patience(self, devices: Iterable[Device]) -> int:
        """Milliseconds: a site is silent when its most frequent device has missed a few readings."""
        kinds = (self.type_of(d) for d in devices)
        often = min((k.every_ms for k in kinds if k.channels), default=0)
        return max(SILENT_INTERVALS * often, SILENT_AT_LEAST_MS)


def _worst(states: set[State]) -> State:
    if not states:
        return State.UNKNOWN
    worst = _most_urgent(states)
    return State.PARTLY if worst is State.OFFLINE and len(states) > 1 else worst


def _most_urgent(states: Iterable[State]) -> State:
    return min(states, key=URGENCY.__getitem__)
