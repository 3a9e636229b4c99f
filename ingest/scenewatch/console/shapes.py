"""The worker's answers, checked where they come in. Unknown fields are ignored, so a newer worker still serves."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from scenewatch.model.alarm import STANDING, AlarmState
from scenewatch.model.rule import Mark, Priority  # noqa: TC001 - msgspec reads the types of fields at run time
from scenewatch.model.scene import Span  # noqa: TC001 - msgspec reads the types of fields at run time
from scenewatch.model.words import Text  # noqa: TC001 - likewise

Value: TypeAlias = tuple[float | None, int | None, str, str]
"""A channel's newest reading as the stream tells it: value, time in ms, flag, test."""


class StateWord(msgspec.Struct, frozen=True):
    """What one number of a state channel means."""

    value: float
    text: Text


class Channel(msgspec.Struct, frozen=True):
    """One thing a device type measures."""

    key: str
    title: Text
    unit: str
    quantity: str
    states: tuple[StateWord, ...] = ()
    expected: Span | None = None
    every_ms: int | None = None
    """How often a derived channel is told; None for one that is measured, with its device."""


class Titled(msgspec.Struct, frozen=True):
    """Something of a table that pages only name."""

    key: str
    title: Text


class CommandKind(msgspec.Struct, frozen=True):
    """What a device can be told to do: its channel then says `to`."""

    key: str
    title: Text
    channel: str
    to: float
    expires_after_s: float


class DeviceType(msgspec.Struct, frozen=True):
    """A kind of device. The first channel is the one shown large."""

    key: str
    title: Text
    every_ms: int
    channels: tuple[Channel, ...] = ()
    events: tuple[Titled, ...] = ()
    commands: tuple[CommandKind, ...] = ()


class RuleSource(msgspec.Struct, frozen=True):
    """Where a limit comes from and how well that was read."""

    document: Text
    mark: Mark


class LimitLine(msgspec.Struct, frozen=True):
    """A limit across the chart of a channel, in its unit."""

    channel: str
    at: float


class Rule(msgspec.Struct, frozen=True):
    """When readings are an alarm. `text` is the whole condition in words."""

    key: str
    title: Text
    on: tuple[str, ...]
    text: Text
    priority: Priority
    source: RuleSource
    advice: Text
    lines: tuple[LimitLine, ...] = ()
    off_delay_s: float = 0.0
    table_text: Text | None = None
    """The condition of the table, where operators have set other limits."""
    proof: str = ""
    version: str = ""
    """Each of its alarms names the one that raised it."""


class Scene(msgspec.Struct, frozen=True):
    """One scene's tables, as far as pages show them."""

    key: str
    title: Text
    site_title: Text
    device_types: tuple[DeviceType, ...]
    rules: tuple[Rule, ...]
    faults: tuple[Titled, ...] = ()
    occasions: tuple[Titled, ...] = ()
    zone: str = ""
    """IANA name of the zone in which its sites live; empty where that is not known."""


class Site(msgspec.Struct, frozen=True):
    """One place. Its state is derived here from devices and alarms, so that both move together."""

    id: str
    scene: str
    site: str


class Reading(msgspec.Struct, frozen=True):
    """A channel's newest reading in the list of devices."""

    key: str
    value: float | None
    at: int | None
    flag: str
    test: str


class Device(msgspec.Struct, frozen=True):
    """One device of the inventory with its values now."""

    id: str
    scene: str
    site: str
    device: str
    type: str
    name: Text
    parent: str = ""
    online: bool | None = None
    channels: tuple[Reading, ...] = ()

    @property
    def site_id(self) -> str:
        return f"{self.scene}.{self.site}"


class Alarm(msgspec.Struct, frozen=True):
    """One alarm; its identity is (rule, device, raised_at). Times in ms."""

    rule: str
    device: str
    state: AlarmState
    priority: Priority
    raised_at: int
    flag: str
    cleared_at: int | None = None
    value: float | None = None
    acknowledged_by: str | None = None
    acknowledged_at: int | None = None
    version: str = ""
    hidden: str = ""
    cause: str | None = None
    latched: bool = False

    @property
    def identity(self) -> tuple[str, str, int]:
        return self.rule, self.device, self.raised_at

    @property
    def stands(self) -> bool:
        return self.state in STANDING


class ReadingCounts(msgspec.Struct, frozen=True):
    """Readings by their fate."""

    stored: int = 0
    late: int = 0
    duplicate: int = 0
    by_test: dict[str, int] = msgspec.field(default_factory=dict)


class Link(msgspec.Struct, frozen=True):
    """A part of the worker and whether it does its work."""

    state: str
    since: int | None = None


class Ledger(msgspec.Struct, frozen=True):
    """Every received message is in exactly one of stored, duplicate, dead and pending."""

    received: int
    stored: int
    duplicate: int
    dead: int
    pending: int
    readings: ReadingCounts
    journal: Link
    source: Link
    store: Link

    @property
    def balanced(self) -> bool:
        return self.received == self.stored + self.duplicate + self.dead + self.pending


class Account(msgspec.Struct, frozen=True):
    """The ledger's columns, of one owner or of several together."""

    received: int
    stored: int
    duplicate: int
    dead: int
    pending: int
    missing: int
    reused: int


class OwnedAccount(Account, frozen=True):
    """That of one site or device."""

    id: str


class SiteAccounts(msgspec.Struct, frozen=True):
    """`GET /api/v1/ledger/sites`."""

    total: Account
    sites: tuple[OwnedAccount, ...]
    unassigned: Account


class DeviceAccounts(msgspec.Struct, frozen=True):
    """`GET /api/v1/ledger/devices`."""

    total: Account
    devices: tuple[OwnedAccount, ...]
    unassigned: Account


class DeadLetter(msgspec.Struct, frozen=True):
    """A message that could not be taken: topic, reason and payload are anybody's."""

    position: int
    received_at: int
    topic: str
    reason: str
    payload: str
    bytes: int
    tries: int
    asked_at: int | None
    taken_at: int | None


class DeadLetters(msgspec.Struct, frozen=True):
    """`GET /api/v1/dead-letters`."""

    dead_letters: tuple[DeadLetter, ...]


class Reason(msgspec.Struct, frozen=True):
    """How many dead letters there are for one kind of reason."""

    reason: str
    count: int


class Reasons(msgspec.Struct, frozen=True):
    """`GET /api/v1/dead-letters/reasons`."""

    reasons: tuple[Reason, ...]


class Progress(msgspec.Struct, frozen=True):
    """How much of the history is written."""

    done: float
    of: float

    @property
    def percent(self) -> int:
        return min(100, int(100 * self.done / self.of)) if self.of else 100


class Readiness(msgspec.Struct, frozen=True):
    """The worker's answer to `/readyz`."""

    ready: bool
    history: Progress | None = None
    reasons: tuple[str, ...] = ()


class Scenes(msgspec.Struct, frozen=True):
    """`GET /api/v1/scenes`."""

    scenes: tuple[Scene, ...]


class Sites(msgspec.Struct, frozen=True):
    """`GET /api/v1/sites`."""

    sites: tuple[Site, ...]


class Devices(msgspec.Struct, frozen=True):
    """`GET /api/v1/devices`."""

    devices: tuple[Device, ...]


class Alarms(msgspec.Struct, frozen=True):
    """`GET /api/v1/alarms`, and the stream's event of the same name."""

    alarms: tuple[Alarm, ...]


class Values(msgspec.Struct, frozen=True):
    """The stream's `values`: device id to channel key to its newest reading."""

    at: int
    devices: dict[str, dict[str, Value]]


Online: TypeAlias = dict[str, bool]
"""The stream's `online`: device id to its connection."""


class AlarmPage(msgspec.Struct, frozen=True):
    """`GET /api/v1/alarms` with a limit: `next` is where the next page begins."""

    alarms: tuple[Alarm, ...]
    next: str | None = None


class DeviceEvent(msgspec.Struct, frozen=True):
    """What a device told of. `media` is an address that pages never fetch by themselves."""

    position: int
    device: str
    kind: str
    level: str
    text: str
    at: int
    received_at: int
    lat: float | None = None
    lon: float | None = None
    media: str = ""
    data: dict[str, Any] = msgspec.field(default_factory=dict)


class DeviceEvents(msgspec.Struct, frozen=True):
    """`GET /api/v1/events`, and the stream's event of the same name."""

    events: tuple[DeviceEvent, ...]
