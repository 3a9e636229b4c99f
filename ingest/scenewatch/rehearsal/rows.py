"""Faults and alarms of a report as rows of its page: what became of each, and which of very many are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scenewatch.rehearsal.picks import is_false
from scenewatch.rehearsal.report import Named

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from scenewatch.rehearsal.report import AlarmEntry, FaultEntry, Report

    T = TypeVar("T")

MOST_ROWS: Final = 1000
FAULT_OUTCOMES: Final = ("missed", "found", "small", "small_found", "cut")
ALARM_OUTCOMES: Final = ("false", "repeat", "right", "neutral", "unjudged")


@dataclass(frozen=True, slots=True)
class FaultRow:
    """`n` is its place among all."""

    n: int
    entry: FaultEntry
    title: Named
    rule: Named | None
    outcome: str


@dataclass(frozen=True, slots=True)
class AlarmRow:
    """`owner` is its fault's title, whose row is there only if `shown`."""

    entry: AlarmEntry
    title: Named
    outcome: str
    owner: Named | None
    shown: bool


class Rows:
    """At most so many of each, those with something wrong first; in time."""

    def __init__(self, report: Report, most: int = MOST_ROWS) -> None:
        self._kinds = {f.kind: f.title for f in report.score.recall_by_kind} if report.score else {}
        self._rules = {rule.key: rule.title for rule in report.rules}
        places = _chosen(report.faults, lambda f: fault_outcome(f) == "missed", most)
        shown = set(places)
        self.faults = [self._fault(n, report.faults[n]) for n in places]
        alarms = _chosen(report.alarms, is_false, most)
        labelled = report.score is not None
        self.alarms = [self._alarm(report, report.alarms[n], shown, labelled=labelled) for n in alarms]

    def kind(self, key: str) -> Named:
        return self._kinds.get(key, Named(key, key))

    def rule(self, key: str) -> Named:
        return self._rules.get(key, Named(key, key))

    def _fault(self, n: int, fault: FaultEntry) -> FaultRow:
        rule = self.rule(fault.rule) if fault.rule else None
        return FaultRow(n, fault, self.kind(fault.kind), rule, fault_outcome(fault))

    def _alarm(self, report: Report, alarm: AlarmEntry, shown: set[int], *, labelled: bool) -> AlarmRow:
        owner = None if alarm.fault is None else self.kind(report.faults[alarm.fault].kind)
        outcome = alarm_outcome(alarm) if labelled else "unjudged"
        return AlarmRow(alarm, self.rule(alarm.rule), outcome, owner, alarm.fault in shown)


def fault_outcome(fault: FaultEntry) -> str:
    if fault.censored:
        return "cut"
    if not fault.findable:
        return "small_found" if fault.detected else "small"
    return "found" if fault.detected else "missed"


def alarm_outcome(alarm: AlarmEntry) -> str:
    if alarm.neutral:
        return "neutral"
    if alarm.repeat:
        return "repeat"
    return "false" if alarm.fault is None else "right"


def _chosen(entries: Sequence[T], is_wrong: Callable[[T], bool], most: int) -> list[int]:
    """Places, ascending."""
    order = sorted(range(len(entries)), key=lambda n: not is_wrong(entries[n]))
    return sorted(order[:most])
