"""All contracts between the stages and the world: who calls, from which thread, and what is true afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol

from scenewatch.model.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from scenewatch.model.alarm import Transition, Transitions
    from scenewatch.model.batch import Batch
    from scenewatch.model.decoded import Decoded
    from scenewatch.model.event import Event, Happening
    from scenewatch.model.ledger import Counts
    from scenewatch.model.level import Level, Summaries
    from scenewatch.model.messages import Messages
    from scenewatch.model.pieces import Piece
    from scenewatch.model.place import Device
    from scenewatch.model.point import Point
    from scenewatch.model.registry import Registry


class Clock(Protocol):
    """The only way to ask for the time. Edges get the system's, tests one that they move by hand."""

    def now_ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        ...


# --- source to journal -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arrival:
    """What one read of the broker's connection brought, and how to acknowledge it.

    `acknowledge` may be called once, from any thread, when `messages` are durable. On a connection that is
    gone it does nothing: a stale packet id never acknowledges another message.
    """

    messages: Messages
    acknowledge: Callable[[], None]


class Listening(IntEnum):
    """What the source tells of its connection."""

    CONNECTED = 1
    """Subscribed: from here on silence is the device's own."""
    LOST = 2


class Source(Protocol):
    """Reads messages from a broker. One I/O thread of its own; never blocks on what comes behind it."""

    def start(
        self,
        on_arrival: Callable[[Arrival], None],
        on_listening: Callable[[Listening, str], None],
    ) -> None:
        """Begin, and reconnect for ever. Both are called from the I/O thread and must not block or raise."""
        ...

    def stop(self) -> None:
        """Disconnect with the session kept and end the thread. What was not acknowledged comes again."""
        ...


class RecordKind(IntEnum):
    """What a journal record holds. The numbers are on disk: add, never renumber."""

    MESSAGES = 1
    """`n` received messages; takes n positions."""
    HISTORY = 2
    """An unchecked `Batch` in its binary form; one position."""
    INVENTORY = 3
    """The whole inventory as msgpack list of `Device`; one position."""
    LISTENING = 4
    """The source subscribed at `received_ms`: earlier silence proves nothing; one position."""
    TICK = 5
    """At `received_ms` nothing had come and silence was overdue; one position."""
    RETRY = 6
    """Dead letters to be tried again, as `ledger.retry` writes them; one position."""
    LIMITS = 7
    """The operators' numbers from here on as msgpack, by `<scene>.<rule>`; one position."""
    EVENT = 8
    """An event of the time before the devices went live, as `model.event` writes it; one position."""
    ACTION = 9
    """What an operator did to alarms, as `model.action` writes it; one position."""


@dataclass(frozen=True, slots=True)
class Record:
    """One journal record: positions [first, end). `messages` for MESSAGES, else `body`."""

    first: int
    end: int
    kind: RecordKind
    received_ms: int
    messages: Messages | None
    body: bytes


class Journal(Protocol):
    """The durable order of everything that came in. Appending and reading may be in different threads."""

    def append(self, messages: Messages, on_durable: Callable[[], None] | None = None) -> None:
        """Queue for the next group. Never blocks on the disk.

        `on_durable` is called from the journal's thread once the bytes are on disk; never if that failed.
        """
        ...

    def put_record(self, kind: RecordKind, body: bytes, received_ms: int) -> None:
        """Queue one control record. Never blocks on the disk."""
        ...

    def append_record(self, kind: RecordKind, body: bytes, received_ms: int) -> int:
        """Write one control record and return its end position once it is durable (blocks)."""
        ...

    @property
    def head(self) -> int:
        """Position behind the last durable record."""
        ...

    def read(self, position: int, *, most: int, wait_s: float) -> Sequence[Record]:
        """Whole durable records from `position` on, at least one if any, up to about `most` positions.

        Waits up to `wait_s` for the first. One reader thread.
        """
        ...

    def release(self, position: int) -> None:
        """All stages are past `position`: older segments may go once their age is over the kept span."""
        ...

    def close(self) -> None:
        """Write what is queued, make it durable, let go of the folder."""
        ...


# --- decode, quality, alarms (one thread, by position) -----------------------------------------------------


class Decoder(Protocol):
    """One wire format. Called in the pipeline's thread; keeps nothing from one message to the next."""

    def grow(self, registry: Registry) -> None:
        """The inventory changed: topics and types are looked up anew."""
        ...

    def decode(self, messages: Messages, first: int) -> Decoded:
        """Columns of all readings; what cannot be read is in `dead` with its reason. Never raises on input.

        `first` is the journal position of the first message.
        """
        ...


class Check(Protocol):
    """A stage that judges readings in arrival order with state per series; the same result for any split."""

    def grow(self, registry: Registry) -> None:
        """Take up the series that are new since the last call. Before any batch with them."""
        ...

    def check(self, batch: Batch) -> None:
        """Fill `flag`, `test` and `place`; restamp `t_ms` where the clock was wrong."""
        ...

    def snapshot(self) -> Iterator[Piece]:
        """All state, at the position of the last batch: one MessagePack value, to be joined before the next one."""
        ...

    def restore(self, data: bytes) -> None:
        """Into an instance grown to the same registry."""
        ...


class AlarmEngine(Protocol):
    """Turns checked readings into alarm transitions; state per rule and series, same result for any split."""

    def grow(self, registry: Registry) -> None: ...

    def step(self, batch: Batch) -> Transitions:
        """Live, NEW readings in order. Value rules are raised at the reading that completes the delay."""
        ...

    def happened(self, events: Sequence[Event]) -> Transitions:
        """Live events in order, after the readings of the same record."""
        ...

    def overdue(self, now_ms: int) -> bool:
        """Whether `tick` would raise or clear anything. Changes nothing."""
        ...

    def tick(self, now_ms: int) -> Transitions:
        """What has a deadline at or before `now_ms`, dated at it: missing data, events that come no more."""
        ...

    def listening(self, since_ms: int) -> None:
        """The source was deaf until now: silence counts from here."""
        ...

    def retire(self, registry: Registry, at_ms: int) -> Transitions:
        """Clears the alarms of devices that are no longer in the inventory."""
        ...

    def change(self, limits: Mapping[str, Mapping[str, float]]) -> None:
        """Judge by these operators' numbers from now on, by `<scene>.<rule>`. States and delays stay as they are.

        What these tables cannot use is left out: the numbers may come from a journal that is older than they.
        """
        ...

    def standing(self) -> Transitions:
        """Every alarm that stands, as it was raised."""
        ...

    def snapshot(self) -> Iterator[Piece]: ...

    def restore(self, data: bytes) -> None: ...


# --- the ends ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Readings:
    """Columns of one series, ascending in time. `truncated`: there were more than asked for."""

    t_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    flag: NDArray[np.uint8]
    test: NDArray[np.uint8]
    truncated: bool


KeepApart = Callable[["Batch", Mapping[int, str]], "Counts"]
"""Takes the rows of a batch that its store refuses for good, each with the reason. When it returns they are on
record; the result is what that changes in the store's account. Asked again for the same rows it does no harm."""


def keep_nothing_apart(_: Batch, reasons: Mapping[int, str]) -> Counts:
    """For those who have no place for what is refused: they are told, and the batch does not count as written."""
    raise RefusedError(next(iter(reasons.values())))


class Store(Protocol):
    """Keeps readings exactly once by (series, t). One writer thread; reads from any thread."""

    def position(self) -> int:
        """Journal position behind the last durable write; 0 when new."""
        ...

    def counts(self) -> Counts:
        """The account of every position before `position()`."""
        ...

    def write(self, batch: Batch, names: Callable[[int], str], keep_apart: KeepApart = ...) -> int:
        """Rows, position and account, all or nothing; durable when it returns.

        A store whose rows cannot be in one transaction with its position has the rows first: after a crash
        between the two the same batch, coming again, finds them and changes nothing but the position.
        `names` gives the name of a series number. A batch at or before `position()` changes nothing. Of two
        readings at one (series, t) the first written stays. Readings that will never be taken go to `keep_apart`,
        before the position moves past them; the rest is stored. Returns the rows added. Raises TemporaryError:
        try the same batch again; RefusedError if `keep_apart` is left out and needed.
        """
        ...

    def readings(self, series: str, from_ms: int, to_ms: int, limit: int) -> Readings:
        """The earliest `limit` readings in [from_ms, to_ms)."""
        ...

    def newest_ms(self) -> int | None:
        """The time of the newest reading of all; None when empty."""
        ...

    def close(self) -> None: ...


class Levels(Protocol):
    """Summaries of the readings, for long spans. Made by one thread, not the writer's; read from any."""

    def summarise(self, level: Level, from_ms: int, to_ms: int, *, devices: Sequence[str] | None = None) -> int:
        """Make the windows of `level` in [from_ms, to_ms) anew, of all devices or of those with these ids.

        Windows are counted from `from_ms`; `to_ms` is the end of one. They are made of the level below; a window
        of which that has nothing stays as it is. Again changes nothing. Returns how many windows were made.
        Raises TemporaryError; made again later, nothing is missing.
        """
        ...

    def summaries(self, series: str, level: Level, from_ms: int, to_ms: int, limit: int) -> Summaries:
        """The earliest `limit` windows that begin in [from_ms, to_ms)."""
        ...

    def oldest_ms(self) -> int | None:
        """The time of the oldest reading of all; None when empty."""
        ...

    def forget(self, before_ms: Mapping[Level, int]) -> int:
        """Delete what is before each level's time, where the server does not do so itself; returns the rows."""
        ...


class Points(Protocol):
    """Keeps alarms, events and figures beside the readings. From any thread."""

    def record(self, points: Sequence[Point]) -> None:
        """Durable when it returns; what is there already is replaced.

        Fields that a point is without stay as they are. Raises TemporaryError: try all again; RefusedError with
        the count of those that will never be taken: the rest is kept.
        """
        ...

    def recorded(self, measurement: str, keep: Level, from_ms: int, to_ms: int, limit: int) -> Sequence[Point]:
        """The earliest `limit` in [from_ms, to_ms), ascending in time, then by tags."""
        ...


class Notifier(Protocol):
    """Tells the outside about alarms. Never blocks; what could not be told is told again on reconnect."""

    def publish(self, transitions: Sequence[Transition]) -> None: ...

    def acknowledge(self, rule: str, device: int, raised_at_ms: int) -> None:
        """An operator has seen this alarm, if it still stands; it goes on standing."""
        ...

    def close(self) -> None: ...


# --- simulated devices -------------------------------------------------------------------------------------


class Simulator(Protocol):
    """One scene's devices as arrays. Made as `Simulator(devices, seed=..., start_ms=...)`.

    Random numbers depend on (seed, site, absolute time) only: the same whatever the start, the faults, or the
    other sites in the process. So a fault-free twin is simply a second instance without drives.
    """

    def step(self, at_ms: int, drives: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Advance to `at_ms` (one reporting interval on) and return every series' published value.

        `drives` maps an input's name to one number a device, NaN where it is free. The result is laid out
        device by device in the order given, each in the order of its type's channels.
        """
        ...

    def run(self, to_ms: int, drives: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
        """Every step up to and with `to_ms` at once: (steps, series), equal to single steps.

        Here `drives` holds (steps, devices); an input that is left out is free. The way history is made.
        """
        ...


class Teller(Protocol):
    """What one scene's devices tell of by themselves. Made as `Teller(devices, seed=...)`.

    Random numbers depend on (seed, site, absolute time) only, as the simulator's do.
    """

    def told(
        self, span_ms: tuple[int, int], t_ms: NDArray[np.int64], values: NDArray[np.float64]
    ) -> Sequence[Happening]:
        """What happened in the steps within (from, to], which follow on those of the call before.

        `t_ms` (steps, devices) is when the devices take their samples, `values` (steps, columns) what they read,
        laid out as the simulator's. Events of another time than a sample's lie within the span.
        """
        ...


class Calendar(Protocol):
    """When something is done at a site; the same answer for ever, so that a later run judges alike."""

    def __call__(self, site: str, from_ms: int, to_ms: int, occasion: str) -> Sequence[tuple[int, int]]:
        """Spans within [from_ms, to_ms), ascending, cut to it. `site` is `scene.site`."""
        ...


class Demonstration(Protocol):
    """Makes the inventory of a scene's demonstration sites."""

    def devices(self, sites: int) -> list[Device]: ...
