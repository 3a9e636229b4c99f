"""What another set of rules changes on the same data: which alarms are new, gone or the same, and which faults."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scenewatch.rehearsal.report import AlarmEntry, FaultEntry, Report

NEVER_MS: Final = 2**62


class Pair(msgspec.Struct, frozen=True):
    """The same alarm, by its place among those before and after."""

    before: int
    after: int
    later_s: float
    """How much later it is raised after the change; negative where sooner."""


class RuleChange(msgspec.Struct, frozen=True, kw_only=True):
    """One rule's alarms. Versions are empty where one side does not have the rule."""

    rule: str
    version_before: str
    version_after: str
    before: int
    after: int
    same: int
    new: int
    gone: int


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Alarms and faults by their places in their reports, ascending."""

    same: list[Pair]
    new: list[int]
    """Among those after."""
    gone: list[int]
    """Among those before."""
    rules: list[RuleChange]
    """Those of either side that changed or raised anything, in the order of the tables."""
    gained: list[int]
    """Faults, among those after, that only the rules after find in time."""
    lost: list[int]
    """Faults, among those before, that only the rules before find in time."""


def compare(before: Report, after: Report) -> Comparison:
    """Alarms are the same where rule and device are, and they stand at the same time; each is paired once."""
    pairs = _pairs(before.alarms, after.alarms)
    kept_before, kept_after = {p.before for p in pairs}, {p.after for p in pairs}
    return Comparison(
        same=pairs,
        new=[n for n in range(len(after.alarms)) if n not in kept_after],
        gone=[n for n in range(len(before.alarms)) if n not in kept_before],
        rules=_rules(before, after, Counter(before.alarms[p.before].rule for p in pairs)),
        gained=_found_only(after.faults, before.faults),
        lost=_found_only(before.faults, after.faults),
    )


def _pairs(before: Sequence[AlarmEntry], after: Sequence[AlarmEntry]) -> list[Pair]:
    of_before, of_after = _by_owner(before), _by_owner(after)
    pairs = [
        pair for owner in of_before.keys() & of_after.keys()
        for pair in _meeting(before, of_before[owner], after, of_after[owner])
    ]  # fmt: skip
    return sorted(pairs, key=lambda p: p.before)


def _by_owner(alarms: Sequence[AlarmEntry]) -> Mapping[tuple[str, str], list[int]]:
    """Places of each rule's and device's alarms, in time."""
    found: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for n in sorted(range(len(alarms)), key=lambda n: alarms[n].raised_at):
        found[alarms[n].rule, alarms[n].device].append(n)
    return found


def _meeting(
    before: Sequence[AlarmEntry], ours: Sequence[int], after: Sequence[AlarmEntry], theirs: Sequence[int]
) -> Iterable[Pair]:
    """An alarm of a device stands once at a time, so both lists are walked side by side."""
    mine = other = 0
    while mine < len(ours) and other < len(theirs):
        one, two = before[ours[mine]], after[theirs[other]]
        if one.raised_at <= _end(two) and two.raised_at <= _end(one):
            yield Pair(ours[mine], theirs[other], (two.raised_at - one.raised_at) / 1000)
            mine, other = mine + 1, other + 1
        elif _end(one) < two.raised_at:
            mine += 1
        else:
            other += 1


def _end(alarm: AlarmEntry) -> int:
    return NEVER_MS if alarm.cleared_at is None else alarm.cleared_at


def _rules(before: Report, after: Report, same: Mapping[str, int]) -> list[RuleChange]:
    raised_before, raised_after = Counter(a.rule for a in before.alarms), Counter(a.rule for a in after.alarms)
    old, new = {r.key: r.version for r in before.rules}, {r.key: r.version for r in after.rules}
    changes = (
        RuleChange(
            rule=rule,
            version_before=old.get(rule, ""),
            version_after=new.get(rule, ""),
            before=raised_before[rule],
            after=raised_after[rule],
            same=same.get(rule, 0),
            new=raised_after[rule] - same.get(rule, 0),
            gone=raised_before[rule] - same.get(rule, 0),
        )
        for rule in dict.fromkeys((*old, *new, *raised_before, *raised_after))
    )
    return [c for c in changes if c.before or c.after or c.version_before != c.version_after]


def _found_only(here: Sequence[FaultEntry], there: Sequence[FaultEntry]) -> list[int]:
    missed = {fault.key for fault in there if not fault.detected}
    return [n for n, fault in enumerate(here) if fault.detected and fault.findable and fault.key in missed]
