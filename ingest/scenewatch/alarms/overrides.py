"""Operators change a rule's numbers, never its structure: what they gave is checked here and put in its place."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from scenewatch.alarms.terms import channels, prefixes, terms_of
from scenewatch.model.conditions import passes
from scenewatch.model.errors import Mistake
from scenewatch.model.scene import Above, AtLeast, Below, Flagged, Happened, NoData, Outside, Then
from scenewatch.model.words import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scenewatch.model.scene import Channel, Comparison, Condition, Rule, Scene, Term

    Numbers = Mapping[str, float]
    """What is given for one rule, after reading."""

ON_DELAY, OFF_DELAY = "on_delay_s", "off_delay_s"
LIMITS: Final = {Above: ("limit",), Below: ("limit",), Outside: ("low", "high"), Flagged: ()}
"""A comparison's own numbers; those with a limit have a deadband too."""
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
        out_of_reach = _out_of_reach(scene, overridden(rule, readable), readable)
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
    """The numbers that operators may give for this rule; a term's begin with its channel."""
    match when := rule.when:
        case NoData():
            return ("after_s", OFF_DELAY)
        case Happened():
            return ("quiet_s", OFF_DELAY)
        case AtLeast() | Then():
            within = ("within_s",) if isinstance(when, Then) else ()
            limits = (
                prefix + name
                for prefix, term in zip(prefixes(when), terms_of(when), strict=True)
                for name in LIMITS[type(term.is_)]
            )
            return (*within, *limits, ON_DELAY, OFF_DELAY)
        case Flagged():
            return (ON_DELAY, OFF_DELAY)
        case _:
            return (*LIMITS[type(when)], "deadband", ON_DELAY, OFF_DELAY)


def overridden(rule: Rule, numbers: Mapping[str, object]) -> Rule:
    """The rule with these numbers, which have no mistakes."""
    given = {name: float(number) for name, number in numbers.items() if isinstance(number, int | float)}
    return replace(
        rule,
        when=_condition(rule.when, given),
        on_delay=seconds(given[ON_DELAY]) if ON_DELAY in given else rule.on_delay,
        off_delay=seconds(given[OFF_DELAY]) if OFF_DELAY in given else rule.off_delay,
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
    def number(name: str, before: float) -> float:
        return given.get(prefix + name, before)

    match is_:
        case Above(limit, deadband):
            return Above(number("limit", limit), number("deadband", deadband))
        case Below(limit, deadband):
            return Below(number("limit", limit), number("deadband", deadband))
        case Outside(low, high, deadband):
            return Outside(number("low", low), number("high", high), number("deadband", deadband))
        case Flagged():
            return is_


def _unreadable(rule: Rule, numbers: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    known = names(rule)
    for name, number in numbers.items():
        if name not in known:
            yield name, f"this rule has no such number; it has: {', '.join(known)}"
        elif isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            yield name, f"must be a number, not {number!r}"
        elif number < 0 and not name.endswith(MAY_BE_NEGATIVE):
            yield name, f"must not be negative, as {number} is"


def _out_of_reach(scene: Scene, rule: Rule, given: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Numbers with which the alarm could never come, or never go, on one of its channels."""
    when = rule.when
    if isinstance(when, Happened):
        return
    named = prefixes(when) if isinstance(when, AtLeast | Then) else ("",)
    for device_type, on in channels(scene, rule):
        if isinstance(when, NoData):
            if when.after <= device_type.every:
                what = f"the {device_type.every / 1000:g} s between two readings of {device_type.key}.{on.key}"
                yield "after_s", f"must be more than {what}"
            continue
        by_key = {c.key: c for c in device_type.channels}
        for prefix, term in zip(named, terms_of(when, on.key), strict=True):
            if (channel := by_key.get(term.channel)) is None:
                continue  # a mistake of the table's, found where tables are checked
            name = f"{device_type.key}.{channel.key}"
            for number, what in _cannot_be(term.is_, name, channel, prefix + "deadband" in given):
                yield prefix + number, what


def _cannot_be(is_: Comparison, name: str, channel: Channel, deadband_given: bool) -> Iterator[tuple[str, str]]:  # noqa: FBT001 - one caller, beside it
    if isinstance(is_, Flagged):
        return
    possible, unit = channel.possible, channel.unit
    span = f"{possible.low:g} to {possible.high:g} {unit}".rstrip()
    limits = {number: getattr(is_, number) for number in LIMITS[type(is_)]}
    outside = [number for number, limit in limits.items() if not possible.low <= limit <= possible.high]
    for number in outside:
        yield number, f"{limits[number]:g} is outside what {name} can measure: {span}"
    if outside:
        return
    blamed = "deadband" if deadband_given else next(iter(limits))
    if not (passes(is_, possible.low) or passes(is_, possible.high)):
        yield next(iter(limits)), f"the alarm would never come: {name} can measure only {span}"
        return
    if isinstance(is_, Outside):
        if is_.low >= is_.high:
            yield "low", f"{is_.low:g} must be below high, which is {is_.high:g}"
        elif is_.low + is_.deadband > is_.high - is_.deadband:
            yield blamed, f"the alarm would never return: no value is inside both limits by {is_.deadband:g}"
        return
    release = is_.limit - is_.deadband if isinstance(is_, Above) else is_.limit + is_.deadband
    if not possible.low <= release <= possible.high:
        yield blamed, f"the alarm would return at {release:g}, outside what {name} can measure: {span}"
