"""Alarm load figures of EEMUA 191, ISA-18.2 and IEC 62682, over any alarms and any span.

What an operator is told of counts: a hidden alarm does not. One that is shown beneath its cause is a line less to
read: it is among the alarms, and in no rate, peak or flood.

*Ten minutes* slide where the worst is looked for (peak, floods), so that no grid halves a peak. The share of ten
minutes with too many is of fixed ones, one after the other from the span's beginning, as the standards count them;
the last may be shorter. *Within* a time is always less than it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import count
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import numpy as np

from scenewatch.model.load import Frequent, Load, Restless
from scenewatch.model.rule import Priority
from scenewatch.model.words import days, hours, minutes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Times = NDArray[np.int64]
    Mask = NDArray[np.bool_]

TEN_MINUTES_MS: Final = int(minutes(10))
MINUTE_MS: Final = int(minutes(1))
DAY_MS: Final = int(hours(24))
FLOOD_BEGINS_ABOVE: Final = 10
"""Alarms an operator within the last ten minutes."""
FLOOD_ENDS_BELOW: Final = 5
CHATTERS: Final = 3
"""So many times within a minute."""
MOST: Final = 10
MOST_STEPS: Final = 400
STEPS_MS: Final = tuple(int(s) for s in (minutes(10), hours(1), hours(6), days(1), days(7)))
NEVER_MS: Final = 2**62


@dataclass(frozen=True, slots=True)
class Shown:
    """One alarm on record."""

    rule: str
    device: str
    priority: str
    raised_at_ms: int
    cleared_at_ms: int | None
    """None while it stands."""
    hidden: bool = False
    """Raised while it was shelved, out of service or in maintenance."""
    cause: str = ""
    """The alarm it follows from, and is shown beneath; empty without one."""


def figures(alarms: Sequence[Shown], from_ms: int, to_ms: int, *, operators: int = 1) -> Load:
    """Of alarms in any order. Those raised before the span count as standing alone, those after it not at all.

    Raises ValueError for a span without length, or no operator.
    """
    if to_ms <= from_ms or operators < 1:
        raise ValueError("alarm load needs a span that ends after it begins, and at least one operator")
    columns = _Columns(alarms)
    shown = ~columns.hidden
    within = (columns.raised_ms >= from_ms) & (columns.raised_ms < to_ms)
    raised = np.flatnonzero(within & shown)
    told_ms = np.sort(columns.raised_ms[within & shown & ~columns.follows])
    peak, peak_at_ms = _peak(told_ms)
    flood_ms, floods = _floods(told_ms, to_ms, operators)
    too_many, slots = _slots_over(told_ms - from_ms, to_ms - from_ms, operators)
    standing, stale, standing_peak = _standing(columns, shown, from_ms, to_ms)
    frequent = _frequent(columns, raised)
    step_ms = _step(to_ms - from_ms)
    return Load(
        from_ms=from_ms,
        to_ms=to_ms,
        operators=operators,
        alarms=len(raised),
        mean_10_min=len(told_ms) / operators / ((to_ms - from_ms) / TEN_MINUTES_MS),
        peak_10_min=math.ceil(peak / operators),
        peak_at_ms=peak_at_ms,
        over_10_share=too_many / slots,
        flood_share=flood_ms / (to_ms - from_ms),
        floods=floods,
        chattering=_chattering(columns, raised),
        fleeting=int((columns.cleared_ms[raised] - columns.raised_ms[raised] < MINUTE_MS).sum()),
        stale=stale,
        standing=standing,
        standing_peak=standing_peak,
        most_frequent=frequent,
        most_frequent_share=sum(f.count for f in frequent) / len(raised) if len(raised) else None,
        priorities=_priorities(columns, raised),
        hidden=int((within & columns.hidden).sum()),
        grouped=int((within & shown & columns.follows).sum()),
        step_ms=step_ms,
        steps=np.bincount((told_ms - from_ms) // step_ms, minlength=-(-(to_ms - from_ms) // step_ms)).tolist(),
    )


class _Columns:
    """The alarms as arrays; `who` numbers each pair of rule and device. Loops are C's: there may be a million."""

    def __init__(self, alarms: Sequence[Shown]) -> None:
        rule, rules = _numbered(map(attrgetter("rule"), alarms))
        device, devices = _numbered(map(attrgetter("device"), alarms))
        pairs, who = np.unique(rule * max(1, len(devices)) + device, return_inverse=True)
        self.who: Times = who.astype(np.int64)
        self.pairs = [(rules[pair // len(devices)], devices[pair % len(devices)]) for pair in pairs.tolist()]
        self.priority, self.priorities = _numbered(map(attrgetter("priority"), alarms))
        self.raised_ms: Times = np.array(list(map(attrgetter("raised_at_ms"), alarms)), np.int64)
        cleared = map(attrgetter("cleared_at_ms"), alarms)
        self.cleared_ms: Times = np.array([NEVER_MS if at is None else at for at in cleared], np.int64)
        self.hidden: Mask = np.array(list(map(attrgetter("hidden"), alarms)), np.bool_)
        self.follows: Mask = np.array(list(map(bool, map(attrgetter("cause"), alarms))), np.bool_)


def _numbered(names: Iterable[str]) -> tuple[Times, list[str]]:
    """Each name's number, and the names in the order of their numbers."""
    numbers: defaultdict[str, int] = defaultdict(count().__next__)
    return np.array(list(map(numbers.__getitem__, names)), np.int64), list(numbers)


def _peak(told_ms: Times) -> tuple[int, int | None]:
    """Most alarms in any ten minutes, and when the first such begin."""
    if not len(told_ms):
        return 0, None
    counts = np.searchsorted(told_ms, told_ms + TEN_MINUTES_MS) - np.arange(len(told_ms))
    worst = int(counts.argmax())
    return int(counts[worst]), int(told_ms[worst])


def _floods(told_ms: Times, to_ms: int, operators: int) -> tuple[int, int]:
    """How long floods lasted within the span, and how many there were.

    The number of alarms within the last ten minutes goes up where one is told and down ten minutes later.
    """
    at_ms = np.concatenate([told_ms, told_ms + TEN_MINUTES_MS])
    change = np.repeat(np.array([1, -1]), len(told_ms))
    order = np.argsort(at_ms, kind="stable")
    at_ms, recent = at_ms[order], np.cumsum(change[order])
    settled = at_ms[1:] != at_ms[:-1]  # what comes and what leaves at one time is one change
    settled = np.append(settled, np.ones(min(1, len(at_ms)), np.bool_))
    at_ms, recent = at_ms[settled], recent[settled]
    begins = at_ms[recent > FLOOD_BEGINS_ABOVE * operators]
    ends = at_ms[recent < FLOOD_ENDS_BELOW * operators]
    lasted_ms = floods = 0
    at = 0
    while at < len(begins):
        begin_ms = begins[at]
        end_ms = ends[np.searchsorted(ends, begin_ms, side="right")]  # behind the last alarm all have left
        lasted_ms += int(min(end_ms, to_ms) - begin_ms)
        floods += 1
        at = int(np.searchsorted(begins, end_ms))
    return lasted_ms, floods


def _slots_over(since_begin_ms: Times, length_ms: int, operators: int) -> tuple[int, int]:
    """How many fixed ten minutes had too many alarms, and how many there are."""
    slots = -(-length_ms // TEN_MINUTES_MS)
    _, counts = np.unique(since_begin_ms // TEN_MINUTES_MS, return_counts=True)
    return int((counts > FLOOD_BEGINS_ABOVE * operators).sum()), slots


def _standing(columns: _Columns, shown: Mask, from_ms: int, to_ms: int) -> tuple[int, int, int]:
    """How many stood at the end, of them for longer than a day, and at most at one time."""
    known = shown & (columns.raised_ms < to_ms) & (columns.cleared_ms > from_ms)
    raised_ms, cleared_ms = columns.raised_ms[known], columns.cleared_ms[known]
    at_end = cleared_ms >= to_ms
    stale = at_end & (to_ms - raised_ms > DAY_MS)
    begins, ends = np.sort(np.maximum(raised_ms, from_ms)), np.sort(cleared_ms)
    stand = np.arange(1, len(begins) + 1) - np.searchsorted(ends, begins, side="right")
    return int(at_end.sum()), int(stale.sum()), int(stand.max(initial=0))


def _chattering(columns: _Columns, raised: Times) -> list[Restless]:
    """Those raised too often within a minute, with how many of their alarms that were; the worst first."""
    in_time = raised[np.argsort(columns.raised_ms[raised], kind="stable")]
    places = np.sort(
        columns.who[in_time] * len(in_time) + np.arange(len(in_time))
    )  # by whose they are, then in time
    order = in_time[places % max(1, len(in_time))]
    who, at_ms = columns.who[order], columns.raised_ms[order]
    last = CHATTERS - 1
    burst = np.zeros(len(order), np.bool_)
    begins = np.flatnonzero((who[last:] == who[:-last]) & (at_ms[last:] - at_ms[:-last] < MINUTE_MS))
    for later in range(CHATTERS):
        burst[begins + later] = True
    found = Counter(who[burst].tolist())
    restless = (
        Restless(rule=r, device=d, count=n) for (r, d), n in ((columns.pairs[k], n) for k, n in found.items())
    )
    return sorted(restless, key=lambda one: (-one.count, one.rule, one.device))


def _frequent(columns: _Columns, raised: Times) -> list[Frequent]:
    counts = np.bincount(columns.who[raised], minlength=len(columns.pairs)).tolist()
    most = sorted((-count, pair) for pair, count in zip(columns.pairs, counts, strict=True) if count)[:MOST]
    return [
        Frequent(rule=rule, device=device, count=-less, share=-less / len(raised)) for less, (rule, device) in most
    ]


def _priorities(columns: _Columns, raised: Times) -> dict[str, float]:
    """Empty without alarms."""
    counts = np.bincount(columns.priority[raised], minlength=len(columns.priorities)).tolist()
    known = dict(zip(columns.priorities, counts, strict=True))
    return {str(p): known.get(p, 0) / len(raised) for p in Priority} if len(raised) else {}


def _step(length_ms: int) -> int:
    """The finest step by which the span is not too many bars."""
    longest_ms = STEPS_MS[-1] * -(-length_ms // (STEPS_MS[-1] * MOST_STEPS))
    return next((s for s in STEPS_MS if length_ms <= s * MOST_STEPS), longest_ms)
