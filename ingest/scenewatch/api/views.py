"""What the API may look at. The worker implements it; every method may be called from the server's thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from scenewatch.api.alarms_found import AlarmQuery
    from scenewatch.api.controls import Controls
    from scenewatch.api.explain import Explains
    from scenewatch.api.unknown import Unknown
    from scenewatch.model.ledger import Counts, DeadLetter
    from scenewatch.model.level import Summaries
    from scenewatch.model.load import Load
    from scenewatch.model.ports import Readings
    from scenewatch.model.registry import Registry
    from scenewatch.model.scene import Scene, Severity


@dataclass(frozen=True, slots=True)
class Now:
    """The newest reading of every series, by series number; time 0 where there is none yet."""

    t_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    flag: NDArray[np.uint8]
    test: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class AlarmView:
    """One alarm as the API tells it."""

    rule: str
    device: str
    state: str
    priority: str
    raised_at: int
    cleared_at: int | None
    value: float | None
    flag: str
    acknowledged_by: str | None = None
    """The operator who did so first."""
    acknowledged_at: int | None = None
    version: str = ""
    """Of the rule when it raised this; empty where an older release did."""
    hidden: str = ""
    """What keeps it from being shown, if anything does."""
    cause: str | None = None
    """Rule and device of the alarm that it follows from."""
    latched: bool = False
    """Its condition is over, and it waits for an operator's reset."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EventView:
    """One event as the API tells it."""

    position: int
    device: str
    kind: str
    level: str
    text: str
    at: int
    received_at: int
    lat: float | None
    lon: float | None
    media: str
    data: Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class EventQuery:
    """Which events are wanted; all that is given must fit. Times are [from_ms, to_ms)."""

    limit: int
    sites: Collection[str] | None = None
    """Ids."""
    device: str | None = None
    kind: str | None = None
    level: Severity | None = None
    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadQuery:
    """Of which alarms the load is wanted: those raised in [from_ms, to_ms), or standing in it."""

    from_ms: int
    to_ms: int
    sites: Collection[str] | None = None
    """Ids."""
    operators: int = 1


@dataclass(frozen=True, slots=True)
class SummariesView:
    """How far the record is summarised."""

    until: Mapping[str, int]
    """By the name of the level; empty while there is nothing."""
    waiting: int
    """Hours of devices to be made anew, because of readings that came late."""
    dropped: int
    """Those that were given up since the start."""


@dataclass(frozen=True, slots=True)
class LedgerView:
    """The account at one moment, and the state of the parts it passes through."""

    received: int
    counts: Counts
    readings_stored: int
    readings_late: int
    readings_duplicate: int
    values_refused: int
    positions_lost: int
    """Journal positions that damage made unreadable."""
    by_test: dict[str, int]
    journal_head: int
    journal_bytes: int
    journal_state: str
    source_state: str
    source_since: int
    source_events: dict[str, int]
    """What befell the broker's connection since the start, by name."""
    store_position: int
    store_state: str
    records_dropped: Mapping[str, int]
    """Alarms, events and figures that the store will never have, by kind."""

    @property
    def pending(self) -> int:
        c = self.counts
        return self.received - c.stored - c.duplicate - c.dead


@dataclass(frozen=True, slots=True)
class AccountsView:
    """The ledger by owner at one moment; a row an owner, a column a `Fate`. The sum is the ledger's."""

    devices: NDArray[np.int64]
    """By device number."""
    pending: NDArray[np.int64]
    """Of each device: decided, and on the way to the store."""
    site_of: NDArray[np.intp]
    """Of each device its site's place in `sites`."""
    others: NDArray[np.int64]
    """Messages of no known device: of no known site, then site by site."""
    others_pending: NDArray[np.int64]
    unread: int
    """Received, and not looked at yet: nobody knows whose they are."""
    sites: Sequence[str]
    """Ids, in the order of `others`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LetterQuery:
    """Which dead letters are wanted; all that is given must fit."""

    limit: int
    before: int | None = None
    """A position, for the next page."""
    reason: str | None = None
    """Any part of the reason."""
    topic: str | None = None
    """A filter as in MQTT."""
    site: str | None = None
    state: str = "dead"
    """`dead`, `taken` or `all`."""


@dataclass(frozen=True, slots=True)
class LetterView:
    """A dead letter and what was done about it."""

    letter: DeadLetter
    tries: int
    asked_at: int | None
    taken_at: int | None


@dataclass(frozen=True, slots=True)
class ChartView:
    """A long record as few windows; `width_ms` is how long each is, 0 for single readings."""

    windows: Summaries
    width_ms: int


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether the worker does its work, and if not, why."""

    ready: bool
    history: tuple[int, int] | None
    """Readings of the first day written, and to be written; None when there is no history to write."""
    reasons: tuple[str, ...]


class View(Protocol):
    """All that can be seen of a worker."""

    @property
    def registry(self) -> Registry: ...

    def scenes(self) -> Iterable[Scene]:
        """With operators' numbers in force."""
        ...

    def scenes_written(self) -> Iterable[Scene]:
        """The same ones, as their tables have them."""
        ...

    @property
    def strangers(self) -> Unknown: ...

    def now(self) -> Now: ...

    def online(self, device: int) -> bool | None:
        """None: nobody has said."""
        ...

    def missing(self, device: int) -> int:
        """Messages the device numbered that never came."""
        ...

    def alarms(self, state: str, limit: int) -> Sequence[AlarmView]:
        """Newest first. `state`: an ISA-18.2 state, `standing` or `all`."""
        ...

    def find_alarms(self, query: AlarmQuery) -> Sequence[AlarmView]:
        """Newest first."""
        ...

    def alarms_raised(self, from_ms: int) -> Mapping[str, int]:
        """How often since then, by rule."""
        ...

    def alarm_load(self, query: LoadQuery) -> Load:
        """How much they asked of those who read them."""
        ...

    def alarm_changes(self, after: int) -> tuple[int, Sequence[AlarmView]]:
        """Changes since the given number, and the number now."""
        ...

    @property
    def explains(self) -> Explains: ...

    def events(self, query: EventQuery) -> Sequence[EventView]:
        """Newest first."""
        ...

    def event_changes(self, after: int) -> tuple[int, Sequence[EventView]]:
        """Events since the given number, and the number now."""
        ...

    def readings(self, series: str, from_ms: int, to_ms: int, limit: int) -> Readings: ...

    def chart(self, series: str, from_ms: int, to_ms: int, points: int) -> ChartView:
        """At most `points` windows of [from_ms, to_ms), and no peak is hidden."""
        ...

    def dead_letters(self, query: LetterQuery) -> Sequence[LetterView]:
        """Newest first."""
        ...

    def dead_letter_reasons(self, most: int) -> Sequence[tuple[str, int]]:
        """How many there are of each kind of reason, the most frequent first."""
        ...

    def ledger(self) -> LedgerView: ...

    def accounts(self) -> AccountsView: ...

    def summaries(self) -> SummariesView: ...

    def readiness(self) -> Readiness: ...

    @property
    def controls(self) -> Controls: ...

    def now_ms(self) -> int: ...
