"""Faults and alarms of a report as rows of its page: what became of each, and which of very many are shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scenewatch.rehearsal.picks import is_false
from scenewatch.rehearsal.report import Named

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scenewatch.rehearsal.report import AlarmEntry, FaultEntry, Report

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
    """Of one report, at most `most` of each, those with something wrong first; in the report's order."""

    def __init__(self, report: Report, most: int = MOST_ROWS) -> None:
        self._report = report
        self._most = most
        self._kinds = {f.kind: f.title for f in report.score.recall_by_kind} if report.score else {}
        self._rules = {rule.key: rule.title for rule in report.rules}
        self.faults = self.faults_at(range(len(report.faults)))
        self._shown = {row.n for row in self.faults}
        self.alarms = self.alarms_at(range(len(report.alarms)))

    def faults_at(self, places: Sequence[int]) -> list[FaultRow]:
        faults = self._report.faults
        chosen = _chosen(places, lambda n: fault_outcome(faults[n]) == "missed", self._most)
        return [self._fault(n, faults[n]) for n in chosen]

    def alarms_at(self, places: Sequence[int]) -> list[AlarmRow]:
        alarms = self._report.alarms
        return [self._alarm(alarms[n]) for n in _chosen(places, lambda n: is_false(alarms[n]), self._most)]

    def kind(self, key: str) -> Named:
        return self._kinds.get(key, Named(key, key))

    def rule(self, key: str) -> Named:
        return self._rules.get(key, Named(key, key))

    def _fault(self, n: int, fault: FaultEntry) -> FaultRow:
        rule = self.rule(fault.rule) if fault.rule else None
        return FaultRow(n, fault, self.kind(fault.kind), rule, fault_outcome(fault))

    def _alarm(self, alarm: AlarmEntry) -> AlarmRow:
        owner = None if alarm.fault is None else self.kind(self._report.faults[alarm.fault].kind)
        outcome = "unjudged" if self._report.score is None else alarm_outcome(alarm)
        return AlarmRow(alarm, self.rule(alarm.rule), outcome, owner, alarm.fault in self._shown)


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


def _chosen(places: Sequence[int], is_wrong: Callable[[int], bool], most: int) -> list[int]:
    """Ascending."""
    if len(places) <= most:
        return list(places)
    return sorted(sorted(places, key=lambda n: not is_wrong(n))[:most])
