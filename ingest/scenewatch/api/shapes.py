"""The JSON of `/api/v1`, as OpenAPI shows it. Times are epoch milliseconds, UTC; texts come in two languages."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from scenewatch.api.tableshapes import Bilingual  # noqa: TC001 - pydantic reads the types of fields at run time

FlagName = Literal["good", "not_evaluated", "suspect", "fail", "missing"]


class Site(BaseModel):
    """One site and how it is."""

    id: str
    scene: str
    site: str
    devices: int
    online: bool | None
    standing: int
    worst: str | None
    newest_at: int | None


class Sites(BaseModel):
    """`GET /sites`"""

    sites: list[Site]


class ChannelNow(BaseModel):
    """A channel's newest reading; `at` is null before the first."""

    key: str
    value: float | None
    at: int | None
    flag: FlagName
    test: str


class Device(BaseModel):
    """One device with its values now."""

    id: str
    scene: str
    site: str
    device: str
    type: str
    parent: str
    name: Bilingual
    lat: float | None
    lon: float | None
    online: bool | None
    missing: int
    channels: list[ChannelNow]


class Devices(BaseModel):
    """`GET /devices`"""

    devices: list[Device]


class Reading(BaseModel):
    """One reading with its quality flag and the test that set it."""

    t: int
    value: float
    flag: FlagName
    test: str


class ReadingsPage(BaseModel):
    """`GET /readings`, ascending in time; `truncated` when there were more than `limit`."""

    device: str
    channel: str
    unit: str
    readings: list[Reading]
    truncated: bool


class ChartWindow(BaseModel):
    """All readings of one span of time; `mean` is of the `good` ones, which are those that did not fail."""

    t: int
    low: float
    high: float
    mean: float | None
    count: int
    good: int
    flag: FlagName


class Chart(BaseModel):
    """`GET /chart`, ascending in time; `width_ms` is how long a window is at most, 0 for single readings."""

    device: str
    channel: str
    unit: str
    width_ms: int
    windows: list[ChartWindow]
    truncated: bool


class Alarm(BaseModel):
    """One alarm; (rule, device, raised_at) is its identity. `priority` is the present one.

    `version` is that of the rule when it raised this, `hidden` what keeps it from being shown, `cause` rule and
    device of the alarm that it follows from; `latched` while its condition is over and it waits for a reset.
    """

    rule: str
    device: str
    state: str
    priority: str
    raised_at: int
    cleared_at: int | None
    value: float | None
    flag: FlagName
    acknowledged_by: str | None
    acknowledged_at: int | None
    version: str = ""
    hidden: Literal["", "shelved", "out_of_service", "maintenance"] = ""
    cause: str | None = None
    latched: bool = False


class Alarms(BaseModel):
    """`GET /alarms`, newest first."""

    alarms: list[Alarm]
    next: str | None = None
    """`before` of the next page; null where this is the last."""


class Raised(BaseModel):
    """How often a rule raised an alarm."""

    rule: str
    count: int


class RaisedByRule(BaseModel):
    """`GET /alarms/raised`; rules that raised none are left out."""

    rules: list[Raised]


class DeadLetter(BaseModel):
    """A message that could not be taken; `payload` is its beginning, `bytes` the whole length.

    `tries` is how often it was tried again, `asked_at` when that was last asked for and has not been done yet,
    `taken_at` when it was taken at last.
    """

    position: int
    received_at: int
    topic: str
    reason: str
    payload: str
    bytes: int
    tries: int
    asked_at: int | None
    taken_at: int | None


class DeadLetters(BaseModel):
    """`GET /dead-letters`, newest first; the next page is `before` the last position."""

    dead_letters: list[DeadLetter]


class DeadLetterReason(BaseModel):
    """One kind of reason: the text before its details."""

    reason: str
    count: int


class DeadLetterReasons(BaseModel):
    """`GET /dead-letters/reasons`, the most frequent first."""

    reasons: list[DeadLetterReason]


class ReadingCounts(BaseModel):
    """Readings since the worker started."""

    stored: int
    late: int
    duplicate: int
    refused: int
    by_test: dict[str, int]


class JournalState(BaseModel):
    """Where the journal is; `lost` are positions that damage on the disk made unreadable."""

    head: int
    bytes: int
    state: str
    lost: int


class SourceState(BaseModel):
    """Whether the broker's connection stands, and since when."""

    state: str
    since: int


class StoreState(BaseModel):
    """How far the store is."""

    position: int
    state: str


class Ledger(BaseModel):
    """`GET /ledger`: received = stored + duplicate + dead + pending, in messages."""

    received: int
    stored: int
    duplicate: int
    dead: int
    pending: int
    readings: ReadingCounts
    journal: JournalState
    source: SourceState
    store: StoreState


class Account(BaseModel):
    """received = stored + duplicate + dead + pending, in messages.

    `missing` are numbers that devices skipped; `reused`, of the duplicates, those that brought readings nobody
    had seen under a number used before.
    """

    received: int
    stored: int
    duplicate: int
    dead: int
    pending: int
    reused: int
    missing: int


class SiteAccount(Account):
    """One site. `unassigned` of its messages name no device that the inventory has."""

    id: str
    scene: str
    site: str
    unassigned: int


class DeviceAccount(Account):
    """One device. A device whose type changed keeps the account of its former type beside."""

    id: str
    scene: str
    site: str
    device: str
    active: bool


class SiteAccounts(BaseModel):
    """`GET /ledger/sites`: the sites and `unassigned`, what names no known site, add up to `total`."""

    total: Account
    sites: list[SiteAccount]
    unassigned: Account


class DeviceAccounts(BaseModel):
    """`GET /ledger/devices`: the devices and `unassigned`, what names no known device, add up to `total`."""

    total: Account
    devices: list[DeviceAccount]
    unassigned: Account


class History(BaseModel):
    """Progress of the first day's history, in readings."""

    done: int
    of: int


class Ready(BaseModel):
    """`GET /readyz`"""

    ready: bool
    history: History | None
    reasons: list[str]


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
