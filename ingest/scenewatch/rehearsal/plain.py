"""The same limits as a thermometer with a buzzer has them: what would they have raised?

Without context, deadband or release delay; with one delay for all. Each delay is a rule of its own, so that one
pass over the readings tries them all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from scenewatch.model.conditions import watched_types
from scenewatch.model.quantity import Quantity
from scenewatch.model.rule import NO_DELAY, Above, Below, Outside
from scenewatch.model.words import minutes
from scenewatch.rehearsal.report import Plain
from scenewatch.rehearsal.score import DAY_MS, judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scenewatch.model.rule import Condition, Rule
    from scenewatch.model.scene import Scene
    from scenewatch.rehearsal.labels import Label, RaisedAlarm
    from scenewatch.rehearsal.score import Judgement, Run

DELAYS_MIN: Final = (0, 5, 10, 15, 20, 30, 45, 60)
BEHIND: Final = "@"
"""Between a rule's key and its delay."""


def plain_scene(scene: Scene, in_force: Iterable[Rule]) -> Scene:
    """The scene with nothing but its limits of temperatures, each with every delay."""
    rules = [
        replace(
            rule,
            key=f"{rule.key}{BEHIND}{delay_min}",
            when=bare,
            on_delay=minutes(delay_min),
            off_delay=NO_DELAY,
            suppressed_by=(),
            follows=(),
            priority_steps=(),
            latching=False,
            again_after=None,
        )
        for rule in in_force
        if (bare := _bare(rule.when)) is not None and _of_temperature(scene, rule)
        for delay_min in DELAYS_MIN
    ]
    return replace(scene, rules=tuple(rules))


def _bare(when: Condition) -> Condition | None:
    """Without deadband; None for what no single limit says."""
    match when:
        case Above() | Below() | Outside():
            return replace(when, deadband=0.0)
        case _:
            return None


def _of_temperature(scene: Scene, rule: Rule) -> bool:
    """Measured ones: what is derived has no thermometer."""
    channels = [c for t in watched_types(scene, rule) for c in t.channels if f"{t.key}.{c.key}" in rule.on]
    return all(c.quantity is Quantity.TEMPERATURE and c.derived is None for c in channels)


def apart(raised: Iterable[RaisedAlarm]) -> dict[int, list[RaisedAlarm]]:
    """What was raised with each delay, in minutes, by the rules' own keys."""
    found: dict[int, list[RaisedAlarm]] = {delay_min: [] for delay_min in DELAYS_MIN}
    for alarm in raised:
        key, _, delay_min = alarm.rule.partition(BEHIND)
        found[int(delay_min)].append(replace(alarm, rule=key))
    return found


class _Tried(NamedTuple):
    delay_min: int
    judgement: Judgement


def limits(scene: Scene) -> frozenset[str]:
    """Keys of the rules that are limits of temperatures."""
    return frozenset(rule.key.partition(BEHIND)[0] for rule in plain_scene(scene, scene.rules).rules)


def cooled(scene: Scene) -> frozenset[str]:
    """Types of devices with an upper limit of a temperature."""
    bare = plain_scene(scene, scene.rules).rules
    return frozenset(t.key for r in bare if isinstance(r.when, Above) for t in watched_types(scene, r))


def compare(
    labels: Sequence[Label],
    ours: Judgement,
    raised: Mapping[int, Sequence[RaisedAlarm]],
    run: Run,
    *,
    limits: frozenset[str],
    cooling_devices: int,
) -> Plain:
    """On thermal faults alone: those that one of `limits`, by their rules' keys, may find.

    The delay is the longest that finds as many of them as we do, or if none does, that which finds most. What a
    limit raises while anything at all is amiss with a device is not held against it.
    """
    thermal = {label.kind for label in labels if label.rules & limits}
    kinds = {rule for label in labels if label.kind in thermal for rule in label.rules}
    lenient = [replace(label, rules=label.rules | limits) for label in labels]
    our_recall = _recall(ours, thermal)
    tried = [_Tried(delay_min, judge(lenient, alarms, run)) for delay_min, alarms in sorted(raised.items())]
    chosen = _nearest(tried, thermal, our_recall)
    false = sum(a.false for a in chosen.judgement.alarms)
    our_false = sum(a.false for a in ours.alarms if a.alarm.rule in kinds)
    without_delay = sum(a.fault is None for a in tried[0].judgement.alarms)
    device_days = cooling_devices * (run.to_ms - run.from_ms) / DAY_MS
    return Plain(
        delay_min=chosen.delay_min,
        thermal_faults=sum(f.counts and f.label.kind in thermal for f in ours.faults),
        recall=_recall(chosen.judgement, thermal),
        false=false,
        our_recall=our_recall,
        our_false=our_false,
        times_our_false=false / our_false if our_false else None,
        raised_without_delay=without_delay,
        raised_a_cooling_device_day=without_delay / device_days if device_days else None,
    )


def _nearest(tried: Sequence[_Tried], thermal: set[str], our_recall: float | None) -> _Tried:
    enough = [one for one in tried if (_recall(one.judgement, thermal) or 0.0) >= (our_recall or 0.0)]
    if enough:
        return enough[-1]
    return max(tried, key=lambda one: (_recall(one.judgement, thermal) or 0.0, one.delay_min))


def _recall(judgement: Judgement, thermal: set[str]) -> float | None:
    counted = [f for f in judgement.faults if f.counts and f.label.kind in thermal]
    return sum(f.detected for f in counted) / len(counted) if counted else None
