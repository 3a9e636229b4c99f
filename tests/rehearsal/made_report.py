"""A report as long as a rehearsal's, made up by seed: for the page, which judges nothing."""

import random

from scenewatch.load.figures import Shown, figures
from scenewatch.rehearsal.labels import Label, RaisedAlarm
from scenewatch.rehearsal.report import (
    AlarmEntry,
    Excerpt,
    FaultEntry,
    FlagScore,
    Found,
    Mark,
    Named,
    Plain,
    Report,
    RuleEntry,
    ScoreEntry,
)
from scenewatch.rehearsal.score import Run, by_chance, judge

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
BEGIN_MS = 1_779_033_600_000
KINDS = (
    ("ajar", Named("Door left ajar", "柜门虚掩"), 600_000),
    ("dead", Named("Compressor does not start", "压缩机不启动"), 6 * HOUR_MS),
    ("stuck", Named("Sensor is stuck", "传感器卡滞"), HOUR_MS),
    ("offline", Named("Gateway away", "网关离线"), HOUR_MS),
)
HOSTILE = "k.s1.<img src=x onerror=alert(1)>"


def entry(score):
    kinds = [
        Found(
            kind=key,
            title=title,
            faults=score.recall_by_kind[key][1],
            detected=score.recall_by_kind[key][0],
            recall=score.recall_by_kind[key][0] / score.recall_by_kind[key][1],
            delay_median_s=300.0,
            delay_p95_s=900.0,
            delay_worst_s=1200.0,
        )
        for key, title, _ in KINDS
        if key in score.recall_by_kind
    ]
    same = set(ScoreEntry.__struct_fields__) - {"recall_by_kind"}
    return ScoreEntry(**{name: getattr(score, name) for name in same}, recall_by_kind=kinds)


def labels_of(chance, count, days):
    labels = []
    for n in range(count):
        key, _, deadline = chance.choice(KINDS)
        from_ms = BEGIN_MS + chance.randrange(days * DAY_MS)
        device = HOSTILE if n == 3 else f"k.s{n % 20}.fridge-{n % 7}"
        labels.append(
            Label(
                kind=key,
                device=device,
                reaches=frozenset({device}),
                from_ms=from_ms,
                to_ms=from_ms + chance.randrange(deadline, 3 * deadline),
                size=chance.choice([None, 0.25, 4.0]),
                effect=chance.uniform(0, 90),
                findable=chance.random() < 0.75,
                rules=frozenset({f"{key}_rule"}),
                deadline=deadline,
                tail=HOUR_MS,
            )
        )
    return labels


def alarms_of(chance, labels, false, days):
    found = []
    for label in labels:
        if chance.random() < (0.95 if label.findable else 0.4):
            at = label.from_ms + int(label.deadline * chance.uniform(0.02, 1.05))
            found.append((f"{label.kind}_rule", label.device, at))
    devices = [f"k.s{n % 20}.fridge-{n % 7}" for n in range(false)]
    found += [("ajar_rule", device, BEGIN_MS + chance.randrange(days * DAY_MS)) for device in devices]
    return [
        RaisedAlarm(rule=rule, device=device, priority=chance.choice(["high", "medium", "low"]), raised_at_ms=at,
                    cleared_at_ms=None if n == 0 else at + chance.randrange(HOUR_MS))
        for n, (rule, device, at) in enumerate(sorted(found))
    ]  # fmt: skip


def made(seed=1, *, faults=500, false=20, days=30, what="rehearsal"):
    chance = random.Random(seed)
    labels = labels_of(chance, faults, days)
    alarms = alarms_of(chance, labels, false, days)
    run = Run(BEGIN_MS + 7 * DAY_MS if days > 14 else BEGIN_MS, BEGIN_MS + days * DAY_MS, 140)
    judged = judge(labels, alarms, run)
    shown = [Shown(f"k.{a.rule}", a.device, a.priority, a.raised_at_ms, a.cleared_at_ms) for a in alarms]
    return Report(
        what=what,
        scene="k",
        title=Named("School-canteen kitchens", "学校食堂厨房"),
        from_ms=BEGIN_MS,
        to_ms=run.to_ms,
        learning_until_ms=run.from_ms,
        sites=20,
        devices=140,
        readings=83_000_000,
        seed=seed,
        files=[],
        took_s=48.2,
        faults=[fault_entry(outcome) for outcome in judged.faults],
        alarms=[alarm_entry(outcome) for outcome in judged.alarms],
        score=entry(judged.score) if faults else None,
        chance=entry(by_chance(labels, alarms, run, seed=1)) if faults else None,
        plain=Plain(
            delay_min=30.0, thermal_faults=210, recall=0.6, false=84, our_recall=0.97, our_false=2,
            times_our_false=42.0, raised_without_delay=18_023, raised_a_cooling_device_day=1.7,
        ),
        load=figures(shown, BEGIN_MS, run.to_ms),
        raised_while_learning=len(alarms) - len(judged.alarms),
        quality=[FlagScore(test="stuck", spoilt=1000, flagged=990, right=980, recall=0.98, precision=0.99)],
        flags={"good": 82_000_000, "suspect": 900_000, "fail": 100_000},
        rules=[rule_entry(key, title, judged.alarms) for key, title, _ in KINDS],
        excerpts=[excerpt(n) for n in range(4)],
        notes=[Named("Two files overlap; the first reading counts.", "两个文件有重叠，以先到的读数为准。")],
        zone="Asia/Shanghai",
    )  # fmt: skip


def fault_entry(outcome):
    label = outcome.label
    return FaultEntry(
        key=f"{label.kind}.{label.device}.{label.from_ms}", kind=label.kind, device=label.device,
        from_ms=label.from_ms, to_ms=label.to_ms, size=label.size, effect=label.effect, findable=label.findable,
        censored=outcome.censored, detected=outcome.detected, rule=outcome.rule, delay_s=outcome.delay_s,
    )  # fmt: skip


def alarm_entry(outcome):
    alarm = outcome.alarm
    return AlarmEntry(
        rule=alarm.rule, device=alarm.device, priority=alarm.priority, raised_at=alarm.raised_at_ms,
        cleared_at=alarm.cleared_at_ms, fault=outcome.fault, neutral=outcome.neutral, repeat=outcome.repeat,
        version="1a2b3c4d",
    )  # fmt: skip


def rule_entry(key, title, outcomes):
    of_rule = [outcome for outcome in outcomes if outcome.alarm.rule == f"{key}_rule"]
    return RuleEntry(
        key=f"{key}_rule", version="1a2b3c4d", title=title,
        text=Named("above 8 °C for 30 min", "高于 8 °C 持续 30 分钟"),
        source=Named("GB 31654-2021", "GB 31654-2021"), priority="medium", raised=len(of_rule),
        owned=sum(not o.false and not o.neutral for o in of_rule), false=sum(o.false for o in of_rule),
    )  # fmt: skip


def excerpt(n):
    t_ms = [BEGIN_MS + n * DAY_MS + at * 60_000 for at in range(300)]
    value = [4.0 + (at % 20) / 10 + (max(0, at - 150) / 20 if at < 260 else 0) for at in range(300)]
    value[40:60] = [None] * 20
    fault = Mark(kind="fault", title=KINDS[1][1], from_ms=t_ms[140], to_ms=t_ms[260])
    alarm = Mark(kind="alarm", title=KINDS[1][1], from_ms=t_ms[200], to_ms=None if n else t_ms[270])
    return Excerpt(
        title=KINDS[1][1], device=f"k.s{n}.fridge-1", channel=Named("Air temperature", "柜内温度"), unit="°C",
        t_ms=t_ms, value=value, limits=[8.0, -2.0][: n % 3], marks=[fault, alarm],
    )  # fmt: skip
