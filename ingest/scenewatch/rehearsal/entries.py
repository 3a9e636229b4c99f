"""Puts what a run came to into the shapes of its report."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np

from scenewatch.model.ruleversion import version_of
from scenewatch.model.speech import rule_text
from scenewatch.rehearsal.report import AlarmEntry, FaultEntry, Found, Named, RuleEntry, ScoreEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scenewatch.model.rule import Rule
    from scenewatch.model.scene import Scene
    from scenewatch.model.words import Text
    from scenewatch.rehearsal.score import AlarmOutcome, FaultOutcome, Judgement


def named(text: Text) -> Named:
    return Named(en=text.en, zh=text.zh)


def fault_entries(faults: Iterable[FaultOutcome]) -> list[FaultEntry]:
    return [
        FaultEntry(
            key=f"{f.label.kind}.{f.label.device}.{f.label.from_ms}",
            kind=f.label.kind,
            device=f.label.device,
            from_ms=f.label.from_ms,
            to_ms=f.label.to_ms,
            size=f.label.size,
            effect=f.label.effect,
            findable=f.label.findable,
            censored=f.censored,
            detected=f.detected,
            rule=f.rule,
            delay_s=f.delay_s,
        )
        for f in faults
    ]


def alarm_entries(alarms: Iterable[AlarmOutcome]) -> list[AlarmEntry]:
    return [
        AlarmEntry(
            rule=a.alarm.rule,
            device=a.alarm.device,
            priority=a.alarm.priority,
            raised_at=a.alarm.raised_at_ms,
            cleared_at=a.alarm.cleared_at_ms,
            fault=a.fault,
            neutral=a.neutral,
            repeat=a.repeat,
            version=a.alarm.version,
            cause=a.alarm.cause,
        )
        for a in alarms
    ]


def score_entry(judgement: Judgement, titles: Mapping[str, Text]) -> ScoreEntry:
    """`titles` are of the kinds of faults."""
    score = judgement.score
    delays_s: dict[str, list[float]] = defaultdict(list)
    for fault in judgement.faults:
        if fault.counts and fault.delay_s is not None:
            delays_s[fault.label.kind].append(fault.delay_s)
    return ScoreEntry(
        faults=score.faults,
        detected=score.detected,
        recall=score.recall,
        owned=score.owned,
        false=score.false,
        neutral=score.neutral,
        nuisance=score.nuisance,
        precision=score.precision,
        delay_median_s=score.delay_median_s,
        delay_p95_s=score.delay_p95_s,
        delay_worst_s=score.delay_worst_s,
        false_a_device_month=score.false_a_device_month,
        recall_by_kind=[
            _found(kind, titles[kind], counts, delays_s[kind]) for kind, counts in score.recall_by_kind.items()
        ],
    )


def _found(kind: str, title: Text, counts: tuple[int, int], delays_s: list[float]) -> Found:
    detected, faults = counts
    return Found(
        kind=kind,
        title=named(title),
        faults=faults,
        detected=detected,
        recall=detected / faults if faults else None,
        delay_median_s=float(np.median(delays_s)) if delays_s else None,
        delay_p95_s=float(np.percentile(delays_s, 95)) if delays_s else None,
        delay_worst_s=max(delays_s, default=None),
    )


def rule_entries(scene: Scene, in_force: Iterable[Rule], alarms: Iterable[AlarmOutcome]) -> list[RuleEntry]:
    """Of every rule, raised or not, in the order of its table."""
    raised, owned, false = Counter[str](), Counter[str](), Counter[str]()
    for outcome in alarms:
        raised[outcome.alarm.rule] += 1
        false[outcome.alarm.rule] += outcome.false
        owned[outcome.alarm.rule] += outcome.fault is not None and not outcome.false and not outcome.neutral
    return [
        RuleEntry(
            key=rule.key,
            version=version_of(scene, rule),
            title=named(rule.title),
            text=named(rule_text(scene, rule)),
            source=named(rule.source.document),
            priority=rule.priority.value,
            raised=raised[rule.key],
            owned=owned[rule.key],
            false=false[rule.key],
        )
        for rule in in_force
    ]
