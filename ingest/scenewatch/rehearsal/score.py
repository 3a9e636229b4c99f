"""Scores alarms against labelled faults: recall over findable faults, precision by alarm, delays, chance.

An alarm has at most one owner, the latest-starting fault that allows it. One repeat of a rule on a fault is
allowed; every further one is a nuisance and counts as owned by nobody. Alarms of faults too small to be found are
neither right nor wrong. Faults that begin less than their deadline before the end are left out.

After Tatbul et al. (2018), Huet et al. (2022) and Kim et al. (2022): points are never adjusted, and the same alarms
moved by chance in time must score badly, or the windows are too wide.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scenewatch.rehearsal.labels import Label, RaisedAlarm

ALLOWED_REPEATS: Final = 1
DAYS_A_MONTH: Final = 30
DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class FaultOutcome:
    """What became of one label. `rule` and `delay_s` are of the first alarm in time; None where there was none."""

    label: Label
    censored: bool
    detected: bool
    rule: str | None
    delay_s: float | None

    @property
    def counts(self) -> bool:
        return self.label.findable and not self.censored


@dataclass(frozen=True, slots=True)
class AlarmOutcome:
    """Whose one alarm is. `fault` is the owner's place among the labels."""

    alarm: RaisedAlarm
    fault: int | None
    neutral: bool
    repeat: bool
    """The owner has had this rule twice already: a nuisance."""

    @property
    def false(self) -> bool:
        return not self.neutral and (self.fault is None or self.repeat)


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """Shares are None where there is nothing to divide by. Delays are of detected faults that count."""

    faults: int
    """Findable and not censored."""
    detected: int
    recall: float | None
    recall_by_kind: Mapping[str, tuple[int, int]]
    """Detected and all, of each kind."""
    owned: int
    false: int
    neutral: int
    nuisance: int
    """Of the false ones, repeats."""
    precision: float | None
    delay_median_s: float | None
    delay_p95_s: float | None
    delay_worst_s: float | None
    false_a_device_month: float | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Outcomes in the order of labels and alarms, and the score over all."""

    faults: tuple[FaultOutcome, ...]
    alarms: tuple[AlarmOutcome, ...]
    score: Score


@dataclass(frozen=True, slots=True)
class Run:
    """Which span is judged, and of how many devices. What is raised before `from_ms` is learning, and left out."""

    from_ms: int
    to_ms: int
    devices: int

    @property
    def device_months(self) -> float:
        return self.devices * (self.to_ms - self.from_ms) / (DAYS_A_MONTH * DAY_MS)


def judge(labels: Sequence[Label], alarms: Iterable[RaisedAlarm], run: Run) -> Judgement:
    """`alarms` in any order; those outside of the run are left out."""
    raised = sorted(
        (a for a in alarms if run.from_ms <= a.raised_at_ms < run.to_ms),
        key=lambda a: (a.raised_at_ms, a.rule, a.device),
    )
    by_device: dict[str, list[int]] = defaultdict(list)
    for place in sorted(range(len(labels)), key=lambda n: (labels[n].from_ms, n)):
        for device in labels[place].reaches:
            by_device[device].append(place)
    outcomes = _outcomes(labels, by_device, raised)
    owned: dict[int, list[RaisedAlarm]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.fault is not None:
            owned[outcome.fault].append(outcome.alarm)
    faults = tuple(_fault(label, owned.get(n, ()), run) for n, label in enumerate(labels))
    return Judgement(faults, tuple(outcomes), _score(faults, outcomes, run))


def _outcomes(
    labels: Sequence[Label], by_device: Mapping[str, list[int]], raised: Sequence[RaisedAlarm]
) -> list[AlarmOutcome]:
    seen: Counter[tuple[int, str]] = Counter()
    outcomes = []
    for alarm in raised:
        owner = next((n for n in reversed(by_device.get(alarm.device, ())) if labels[n].allows(alarm)), None)
        if owner is None:
            outcomes.append(AlarmOutcome(alarm, None, neutral=False, repeat=False))
            continue
        neutral = not labels[owner].findable
        repeat = seen[owner, alarm.rule] > ALLOWED_REPEATS
        seen[owner, alarm.rule] += 1
        outcomes.append(AlarmOutcome(alarm, owner, neutral=neutral, repeat=repeat and not neutral))
    return outcomes


def _fault(label: Label, owned: Sequence[RaisedAlarm], run: Run) -> FaultOutcome:
    """`owned` are its alarms, in time."""
    censored = label.from_ms + label.deadline > run.to_ms or label.from_ms < run.from_ms
    first = next((alarm for alarm in owned if label.in_time(alarm)), None)
    if first is None:
        return FaultOutcome(label, censored, detected=False, rule=None, delay_s=None)
    delay_s = (first.raised_at_ms - label.from_ms) / 1000
    return FaultOutcome(label, censored, detected=True, rule=first.rule, delay_s=delay_s)


def _score(faults: Sequence[FaultOutcome], alarms: Sequence[AlarmOutcome], run: Run) -> Score:
    counted = [f for f in faults if f.counts]
    found = [f for f in counted if f.detected]
    of_kind, found_of_kind = (Counter(f.label.kind for f in among) for among in (counted, found))
    delays_s = np.array([f.delay_s for f in found], np.float64)
    false = sum(a.false for a in alarms)
    neutral = sum(a.neutral for a in alarms)
    owned = len(alarms) - false - neutral
    return Score(
        faults=len(counted),
        detected=len(found),
        recall=_share(len(found), len(counted)),
        recall_by_kind={kind: (found_of_kind[kind], of_kind[kind]) for kind in sorted(of_kind)},
        owned=owned,
        false=false,
        neutral=neutral,
        nuisance=sum(a.repeat for a in alarms),
        precision=_share(owned, owned + false),
        delay_median_s=float(np.median(delays_s)) if found else None,
        delay_p95_s=float(np.percentile(delays_s, 95)) if found else None,
        delay_worst_s=float(delays_s.max()) if found else None,
        false_a_device_month=_share(false, run.device_months),
    )


def by_chance(labels: Sequence[Label], alarms: Iterable[RaisedAlarm], run: Run, *, seed: int) -> Score:
    """The score of the same alarms, moved by chance."""
    return judge(labels, moved(alarms, run, seed=seed), run).score


def moved(alarms: Iterable[RaisedAlarm], run: Run, *, seed: int) -> list[RaisedAlarm]:
    """The same alarms, each device's moved in time by one random amount, round the run."""
    chance = random.Random(seed)
    span_ms = run.to_ms - run.from_ms
    moves: dict[str, int] = {}
    found = []
    for alarm in sorted(alarms, key=lambda a: (a.device, a.raised_at_ms, a.rule)):
        if not run.from_ms <= alarm.raised_at_ms < run.to_ms:
            continue
        if alarm.device not in moves:
            moves[alarm.device] = chance.randrange(span_ms)
        at_ms = run.from_ms + (alarm.raised_at_ms - run.from_ms + moves[alarm.device]) % span_ms
        found.append(replace(alarm, raised_at_ms=at_ms))
    return found


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
