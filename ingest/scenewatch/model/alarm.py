"""Alarm words, after ISA-18.2 / IEC 62682."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, overload

import numpy as np

from scenewatch.model.rule import Priority

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from numpy.typing import NDArray


class AlarmState(StrEnum):
    """An alarm's state towards the operator."""

    NORMAL = "normal"
    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED_UNACKNOWLEDGED = "returned_unacknowledged"
    SHELVED = "shelved"
    SUPPRESSED = "suppressed"


STANDING = (AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED)
"""States in which the condition holds and the alarm is shown and published."""


class Step(StrEnum):
    """What an alarm just did."""

    RAISED = "raised"
    CLEARED = "cleared"
    REPRIORITISED = "reprioritised"
    """It got more or less urgent and is the same alarm."""
    RETURNED = "returned"
    """The condition of a latching alarm is over; it stands until an operator resets it."""
    HIDDEN = "hidden"
    """It stands, and an operator or a plan keeps it from being shown."""
    SHOWN = "shown"
    """It stands still, and what hid it is over."""
    ACKNOWLEDGED = "acknowledged"
    AGAIN = "again"
    """It still stands long after it was acknowledged, and wants to be seen again."""


class Hidden(StrEnum):
    """What keeps an alarm that stands from being shown."""

    NOT = ""
    SHELVED = "shelved"
    OUT_OF_SERVICE = "out_of_service"
    MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of one alarm, whose identity is (rule, device, raised_at): deriving it again changes nothing."""

    rule: str
    """`<scene>.<rule>`"""
    device: int
    """Device number in the registry."""
    step: Step
    at_ms: int
    """Data time at which the delay was complete, or the deadline of missing data."""
    raised_at_ms: int
    """For all but RAISED: when this same alarm was raised."""
    value: float
    """The reading that completed the delay; NaN for no data."""
    flag: int
    """Its quality flag; MISSING for no data."""
    priority: Priority | None = None
    """From now on. None: the rule's own."""
    version: str = ""
    """Which version of the rule made the step; see `model.ruleversion`."""
    hidden: Hidden = Hidden.NOT
    """From now on."""
    by: str = ""
    """The operator, where one did it."""
    cause: str = ""
    """`<scene>.<rule>` and device id of the alarm that it follows from, with a blank between; empty without one."""


STEPS: Final = tuple(Step)
PRIORITIES: Final = (*Priority, None)
HIDDEN: Final = tuple(Hidden)
"""What the numbers in TRANSITION stand for."""

TRANSITION: Final = np.dtype(
    [
        ("rule", np.int32),  # place in `Names.rules`
        ("device", np.int32),
        ("step", np.int8),
        ("at_ms", np.int64),
        ("raised_at_ms", np.int64),
        ("value", np.float64),
        ("flag", np.int8),
        ("priority", np.int8),
        ("hidden", np.int8),
        ("by", np.int32),  # place in `Names.words`, as the next
        ("cause", np.int32),
    ]
)


class Names(NamedTuple):
    """What the columns of transitions refer to."""

    rules: tuple[tuple[str, str], ...]
    """Each with its version."""
    words: tuple[str, ...] = ("",)


class Transitions(Sequence[Transition]):
    """Steps of alarms in their order, held as columns: each is made an object only when somebody looks at it."""

    __slots__ = ("names", "rows")
    NONE: ClassVar[Transitions]

    def __init__(self, rows: NDArray[np.void], names: Names) -> None:
        """`rows` are of TRANSITION, and not written to any more."""
        self.rows, self.names = rows, names

    @classmethod
    def of(cls, transitions: Iterable[Transition]) -> Transitions:
        rules: dict[tuple[str, str], int] = {}
        words = {"": 0}
        rows = [
            (
                rules.setdefault((t.rule, t.version), len(rules)),
                t.device,
                STEPS.index(t.step),
                t.at_ms,
                t.raised_at_ms,
                t.value,
                t.flag,
                PRIORITIES.index(t.priority),
                HIDDEN.index(t.hidden),
                words.setdefault(t.by, len(words)),
                words.setdefault(t.cause, len(words)),
            )
            for t in transitions
        ]
        return cls(np.array(rows, TRANSITION), Names(tuple(rules), tuple(words)))

    @classmethod
    def joined(cls, parts: Iterable[Transitions]) -> Transitions:
        """All of them, one after the other, at one go."""
        parts = [part for part in parts if len(part)]
        if len(parts) < 2:
            return parts[0] if parts else cls.NONE
        names = parts[0].names
        if all(part.names is names for part in parts):
            return cls(np.concatenate([part.rows for part in parts]), names)
        names = Names(
            tuple(dict.fromkeys(chain.from_iterable(part.names.rules for part in parts))),
            tuple(dict.fromkeys(chain.from_iterable(part.names.words for part in parts))),
        )
        return cls(np.concatenate([part._renamed(names) for part in parts]), names)  # noqa: SLF001 - of this class

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, at: int) -> Transition: ...
    @overload
    def __getitem__(self, at: slice) -> Transitions: ...
    def __getitem__(self, at: int | slice) -> Transition | Transitions:
        return Transitions(self.rows[at], self.names) if isinstance(at, slice) else self._made(self.rows[at].item())

    def __iter__(self) -> Iterator[Transition]:
        return map(self._made, self.rows.tolist())

    def __add__(self, others: Transitions) -> Transitions:
        return Transitions.joined((self, others))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(mine == its for mine, its in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Transitions.of({list(self)!r})"

    def _made(self, row: tuple[Any, ...]) -> Transition:
        number, device, step, at_ms, raised_at_ms, value, flag, priority, hidden, by, cause = row
        rule, version = self.names.rules[number]
        return Transition(
            rule,
            device,
            STEPS[step],
            at_ms,
            raised_at_ms,
            value,
            flag,
            PRIORITIES[priority],
            version,
            HIDDEN[hidden],
            self.names.words[by],
            self.names.words[cause],
        )

    def _renamed(self, names: Names) -> NDArray[np.void]:
        """Its rows, which refer to these names."""
        rows = self.rows.copy()
        rules = {rule: number for number, rule in enumerate(names.rules)}
        words = {word: number for number, word in enumerate(names.words)}
        rows["rule"] = np.array([rules[rule] for rule in self.names.rules], np.int32)[rows["rule"]]
        word = np.array([words[word] for word in self.names.words], np.int32)
        rows["by"], rows["cause"] = word[rows["by"]], word[rows["cause"]]
        return rows


Transitions.NONE = Transitions(np.empty(0, TRANSITION), Names(()))
