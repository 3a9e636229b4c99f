"""Operators change a rule's numbers, never its structure: what they gave is checked here and put in its place."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from scenewatch.alarms.terms import prefixes, terms_of
from scenewatch.model import reach, steps, together
from scenewatch.model.conditions import told_every, watched_types
from scenewatch.model.errors import Mistake
from scenewatch.model.rule import Above, AtLeast, Below, Flagged, Happened, NoData, Outside, Then
from scenewatch.model.words import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from scenewatch.model.rule import Comparison, Condition, PriorityStep, Rule, Term
    from scenewatch.model.scene import DeviceType, Scene
    from scenewatch.model.words import Duration

    Numbers = Mapping[str, float]
    """What is given for one rule, after reading."""

ON_DELAY, OFF_DELAY = "on_delay_s", "off_delay_s"
AGAIN_AFTER, LASTING = "again_after_s", "lasting_s"
STEP: Final = "step_"
"""What the names of a priority step's numbers begin with; its number from 1 on follows."""
MAY_BE_NEGATIVE: Final = ("limit", "low", "high")


def mistakes(scenes: Iterable[Scene], overrides: Mapping[str, Mapping[str, object]]) -> list[Mistake]:
    """Everything wrong with them, not the first.

    `overrides` has each rule's numbers by `<scene>.<rule>`, limits in the channel's unit, times in seconds. A
    mistake's place is `limits."<scene>.<rule>".<number>`.
    """
    scenes = tuple(scenes)
    rules = {f"{scene.key}.{rule.key}": (scene, rule) for scene in scenes for rule in scene.rules}
    found: list[Mistake] = []
    for key, numbers in overrides.items():
        section = f'limits."{key}"'
        if key not in rules:
            known = ", ".join(sorted(rules)) or "none, as no scene is in use"
            found.append(Mistake(section, f"there is no such rule; the rules are: {known}"))
            continue
        scene, rule = rules[key]
        unreadable = dict(_unreadable(rule, numbers))
        readable = {name: number for name, number in numbers.items() if name not in unreadable}
        out_of_reach = dict.fromkeys(_out_of_reach(scene, overridden(rule, readable), list(readable)))
        found.extend(Mistake(f"{section}.{name}", what) for name, what in (*unreadable.items(), *out_of_reach))
    return found


def in_force(scenes: Iterable[Scene], overrides: Mapping[str, Mapping[str, object]]) -> dict[str, Rule]:
    """Every rule by `<scene>.<rule>`, with these numbers, which have no mistakes."""
    rules = ((f"{scene.key}.{rule.key}", rule) for scene in scenes for rule in scene.rules)
    return {key: overridden(rule, overrides.get(key, {})) for key, rule in rules}


def usable(
    scenes: Iterable[Scene], overrides: Mapping[str, Mapping[str, object]]
) -> dict[str, Mapping[str, object]]:
    """Those of rules that are there and can take them, as a journal may be older than the tables."""
    scenes = tuple(scenes)
    return {key: numbers for key, numbers in overrides.items() if not mistakes(scenes, {key: numbers})}


def names(rule: Rule) -> tuple[str, ...]:
    """The numbers that operators may give for this rule; a term's begin with its channel, a step's with `step_`."""
    again = () if rule.again_after is None else (AGAIN_AFTER,)
    return (
        *_names_of(rule.when),
        *(name for prefix, step in _steps(rule) for name in _of_step(prefix, step)),
        *again,
    )


def _names_of(when: Condition) -> tuple[str, ...]:
    match when:
        case NoData():
            return ("after_s", OFF_DELAY)
        case Happened():
            return ("quiet_s", OFF_DELAY)
        case AtLeast() | Then():
            within = ("within_s",) if isinstance(when, Then) else ()
            limits = (
                prefix + name
                for prefix, term in zip(prefixes(when), terms_of(when), strict=True)
                for name in reach.LIMITS[type(term.is_)]
            )
            return (*within, *limits, ON_DELAY, OFF_DELAY)
        case Flagged():
            return (ON_DELAY, OFF_DELAY)
        case _:
            return (*reach.LIMITS[type(when)], "deadband", ON_DELAY, OFF_DELAY)


def _steps(rule: Rule) -> list[tuple[str, PriorityStep]]:
    """What the names of each step's numbers begin with, and the step."""
    return [(f"{STEP}{number}_", step) for number, step in enumerate(rule.priority_steps, 1)]


def _of_step(prefix: str, step: PriorityStep) -> Iterator[str]:
    if step.beyond is not None:
        yield from (prefix + name for name in (*reach.LIMITS[type(step.beyond)], "deadband"))
    yield prefix + LASTING


def overridden(rule: Rule, numbers: Mapping[str, object]) -> Rule:
    """The rule with these numbers, which have no mistakes."""
    given = {name: float(number) for name, number in numbers.items() if isinstance(number, int | float)}

    def span(name: str, before: Duration) -> Duration:
        return seconds(given[name]) if name in given else before

    return replace(
        rule,
        when=_condition(rule.when, given),
        on_delay=span(ON_DELAY, rule.on_delay),
        off_delay=span(OFF_DELAY, rule.off_delay),
        priority_steps=tuple(
            replace(
                step,
                beyond=None if step.beyond is None else _beyond(step.beyond, prefix, given),
                lasting=span(prefix + LASTING, step.lasting),
            )
            for prefix, step in _steps(rule)
        ),
        again_after=None if rule.again_after is None else span(AGAIN_AFTER, rule.again_after),
    )


def _condition(when: Condition, given: Numbers) -> Condition:
    match when:
        case NoData():
            return NoData(seconds(given["after_s"])) if "after_s" in given else when
        case Happened():
            return replace(when, quiet=seconds(given["quiet_s"])) if "quiet_s" in given else when
        case AtLeast():
            return replace(when, terms=_terms(when, given))
        case Then():
            first, second = _terms(when, given)
            within = seconds(given["within_s"]) if "within_s" in given else when.within
            return Then(first=first, second=second, within=within)
        case _:
            return _comparison(when, "", given)


def _terms(when: AtLeast | Then, given: Numbers) -> tuple[Term, ...]:
    return tuple(
        replace(term, is_=_comparison(term.is_, prefix, given))
        for prefix, term in zip(prefixes(when), terms_of(when), strict=True)
    )


def _comparison(is_: Comparison, prefix: str, given: Numbers) -> Comparison:
    return is_ if isinstance(is_, Flagged) else _beyond(is_, prefix, given)


def _beyond(is_: Above | Below | Outside, prefix: str, given: Numbers) -> Above | Below | Outside:
    def number(name: str, before: float) -> float:
        return given.get(prefix + name, before)

    match is_:
        case Above(limit, deadband):
            return Above(number("limit", limit), number("deadband", deadband))
        case Below(limit, deadband):
            return Below(number("limit", limit), number("deadband", deadband))
        case Outside(low, high, deadband):
            return Outside(number("low", low), number("high", high), number("deadband", deadband))


def _unreadable(rule: Rule, numbers: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    known = names(rule)
    for name, number in numbers.items():
        if name not in known:
            yield name, f"this rule has no such number; it has: {', '.join(known)}"
        elif isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            yield name, f"must be a number, not {number!r}"
        elif number < 0 and not name.endswith(MAY_BE_NEGATIVE):
            yield name, f"must not be negative, as {number} is"


def _out_of_reach(scene: Scene, rule: Rule, given: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Numbers with which the alarm could never come, or never go, or a step of it never be seen."""
    for number in (AGAIN_AFTER, "within_s", *_needed_spans(rule)):
        if number in given and not _span_of(rule, number):
            yield number, "must be more than nothing"
    for device_type in watched_types(scene, rule):
        if isinstance(rule.when, NoData):
            every, name = told_every(scene, device_type, rule)
            if rule.when.after <= every:
                yield "after_s", f"must be more than the {every / 1000:g} s between two readings of {name}"
        yield from _limits_of(device_type, rule, given)
        yield from _steps_of(device_type, rule, given)
        if given:
            yield from ((given[0], what) for _, what in together.flaws(rule, device_type))


def _needed_spans(rule: Rule) -> Iterator[str]:
    """Of steps that nothing but time brings."""
    return (f"{prefix}{LASTING}" for prefix, step in _steps(rule) if step.beyond is None)


def _span_of(rule: Rule, number: str) -> Duration | None:
    if number == AGAIN_AFTER:
        return rule.again_after
    if isinstance(rule.when, Then) and number == "within_s":
        return rule.when.within
    return next(step.lasting for prefix, step in _steps(rule) if number == f"{prefix}{LASTING}")


def _limits_of(device_type: DeviceType, rule: Rule, given: Sequence[str]) -> Iterator[tuple[str, str]]:
    on = next((c.key for c in device_type.channels if f"{device_type.key}.{c.key}" in rule.on), "")
    named = prefixes(rule.when) if isinstance(rule.when, AtLeast | Then) else ("",)
    by_key = {c.key: c for c in device_type.channels}
    for prefix, term in zip(named, terms_of(rule.when, on), strict=False):
        if (channel := by_key.get(term.channel)) is None:
            continue  # a mistake of the table's, found where tables are checked
        for number, what in reach.flaws(term.is_, f"{device_type.key}.{channel.key}", channel):
            yield _blamed(prefix, number, term.is_, given), what


def _steps_of(device_type: DeviceType, rule: Rule, given: Sequence[str]) -> Iterator[tuple[str, str]]:
    of_steps = [number for number in given if number.startswith(STEP)]
    for at, number, what in steps.flaws(rule, device_type):
        beyond, prefix = rule.priority_steps[at].beyond, f"{STEP}{at + 1}_"
        if number and beyond is not None:
            yield _blamed(prefix, number, beyond, given), what
        else:
            yield next(iter(of_steps), f"{STEP}{at + 1}"), what


def _blamed(prefix: str, number: str, is_: Comparison, given: Sequence[str]) -> str:
    """The deadband only where it was given: else it is the limit that does not go with it."""
    first = reach.LIMITS[type(is_)][0]
    return prefix + (first if number == "deadband" and prefix + number not in given else number)
