"""Finds every mistake in what rules say of each other: who keeps whom from being raised, who explains whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.model.rule import CausedBy, Reach

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scenewatch.model.rule import Rule
    from scenewatch.model.scene import Scene
    from scenewatch.scenes.check_terms import Found

WIDER = (Reach.DEVICE, Reach.SITE)
"""A site has all that its devices have; what a gateway has, only those that speak through it know."""


def causes(scene: Scene) -> Iterator[Found]:
    """Each rule by itself, then the circles that they make together."""
    rules = {r.key: r for r in scene.rules}
    for rule in scene.rules:
        for field, number, cause in _named(rule):
            yield from _cause(f"rule {rule.key}: {field}[{number}]", rules, rule, cause)
        yield from _in_vain(rule)
    yield from _circles(rules)


def _named(rule: Rule) -> Iterator[tuple[str, int, CausedBy]]:
    for field in ("suppressed_by", "follows"):
        for number, cause in enumerate(getattr(rule, field)):
            if isinstance(cause, CausedBy):
                yield field, number, cause


def _cause(place: str, rules: Mapping[str, Rule], rule: Rule, cause: CausedBy) -> Iterator[Found]:
    if cause.after < 0:
        yield f"{place}.after", "must not be negative"
    if cause.rule == rule.key:
        yield f"{place}.rule", "names the rule itself: an alarm is not its own cause"
    elif (other := rules.get(cause.rule)) is None:
        yield f"{place}.rule", f"unknown rule {cause.rule}"
    elif cause.at is Reach.DEVICE and not _types(rule) & _types(other):
        watched = ", ".join(sorted(_types(other)))
        yield f"{place}.at", f"{cause.rule} is never raised at the same device: it watches {watched}"


def _types(rule: Rule) -> set[str]:
    return {on.partition(".")[0] for on in rule.on}


def _in_vain(rule: Rule) -> Iterator[Found]:
    """What is not raised while a cause stands is not shown beneath it either."""
    held = [s for s in rule.suppressed_by if isinstance(s, CausedBy)]
    for number, cause in enumerate(rule.follows):
        if any(s.rule == cause.rule and s.after >= cause.after and _as_wide(s.at, cause.at) for s in held):
            what = f"is in vain: suppressed_by keeps the alarm from being raised while {cause.rule} stands"
            yield f"rule {rule.key}: follows[{number}]", what


def _as_wide(held: Reach, followed: Reach) -> bool:
    return held is followed or (held in WIDER and followed in WIDER and held is Reach.SITE)


def _circles(rules: Mapping[str, Rule]) -> Iterator[Found]:
    """Each once, at the first of its rules, with all of it: A explains B, which explains A."""
    told: set[frozenset[str]] = set()
    for start in rules:
        circle = _back_to(start, rules)
        if circle and frozenset(circle) not in told:
            told.add(frozenset(circle))
            way = " <- ".join((*circle, circle[0]))
            yield f"rule {start}: causes", f"go round in a circle: {way}; take one of them out"


def _back_to(start: str, rules: Mapping[str, Rule]) -> list[str]:
    """The shortest way from a rule over its causes to itself, without its end; one step alone is told elsewhere."""
    ways = [[start]]
    seen = {start}
    for way in ways:
        for cause in dict.fromkeys(c.rule for _, _, c in _named(rules[way[-1]])):
            if cause == start and len(way) > 1:
                return way
            if cause in rules and cause not in seen:
                seen.add(cause)
                ways.append([*way, cause])
    return []
