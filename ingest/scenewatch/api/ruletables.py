"""From a scene's rules to the JSON shapes: their numbers, their words and the lines that charts draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scenewatch.model.conditions import KINDS, kind_of, lines, terms
from scenewatch.model.rule import (
    Above,
    AtLeast,
    Below,
    CausedBy,
    During,
    Flagged,
    Happened,
    NoData,
    Outside,
    Then,
    While,
)
from scenewatch.model.ruleversion import version_of
from scenewatch.model.speech import rule_text

if TYPE_CHECKING:
    from scenewatch.model.rule import Comparison, Condition, PriorityStep, Rule, Suppression, Term
    from scenewatch.model.scene import Scene
    from scenewatch.model.words import Text

Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Numbers:
    """What a comparison can have; a combination's stand in its terms."""

    limit: float | None = None
    deadband: float | None = None
    low: float | None = None
    high: float | None = None
    test: str | None = None


@dataclass(slots=True, kw_only=True)
class Held:
    """What holds an alarm back, or explains it; null what its kind has not."""

    kind: str = ""
    channel: str | None = None
    occasion: str | None = None
    rule: str | None = None
    at: str | None = None
    after_s: float


def rule(scene: Scene, of: Rule, written: Rule) -> Json:
    """`written` is the same rule as its table has it, before operators set other numbers."""
    when = of.when
    said, said_by_table = rule_text(scene, of), rule_text(scene, written)
    return {
        "key": of.key,
        "title": _text(of.title),
        "on": list(of.on),
        "version": version_of(scene, of),
        "kind": kind_of(scene, of),
        "comparison": KINDS[type(when)] if isinstance(when, Above | Below | Outside | Flagged) else None,
        **_numbers(when),
        "event": when.event if isinstance(when, Happened) else None,
        "after_s": when.after / 1000 if isinstance(when, NoData) else None,
        "quiet_s": when.quiet / 1000 if isinstance(when, Happened) else None,
        "count": when.count if isinstance(when, AtLeast) else None,
        "within_s": when.within / 1000 if isinstance(when, Then) else None,
        "terms": [_term(t) for t in terms(when)],
        "suppressed_by": [_suppression(s) for s in of.suppressed_by],
        "text": _text(said),
        "table_text": None if said == said_by_table else _text(said_by_table),
        "lines": [{"channel": e.channel, "at": e.at, "priority": str(e.priority)} for e in lines(scene, of)],
        "on_delay_s": of.on_delay / 1000,
        "off_delay_s": of.off_delay / 1000,
        "priority": str(of.priority),
        "priority_steps": [_step(s) for s in of.priority_steps],
        "latching": of.latching,
        "again_after_s": None if of.again_after is None else of.again_after / 1000,
        "follows": [_suppression(c) for c in of.follows],
        "source": {"document": _text(of.source.document), "mark": str(of.source.mark)},
        "advice": _text(of.advice),
        "proof": of.proof,
    }


def _numbers(when: Condition) -> Json:
    match when:
        case Above(limit, deadband) | Below(limit, deadband):
            found = Numbers(limit=limit, deadband=deadband)
        case Outside(low, high, deadband):
            found = Numbers(low=low, high=high, deadband=deadband)
        case Flagged(test):
            found = Numbers(test=test.name.lower())
        case _:
            found = Numbers()
    return {name: getattr(found, name) for name in Numbers.__slots__}


def _term(term: Term) -> Json:
    compared: Comparison = term.is_
    return {"channel": term.channel, "kind": KINDS[type(compared)], **_numbers(compared)}


def _step(step: PriorityStep) -> Json:
    beyond = step.beyond
    numbers = _numbers(beyond) if beyond is not None else dict.fromkeys(Numbers.__slots__)
    return {
        "to": str(step.to),
        "kind": None if beyond is None else KINDS[type(beyond)],
        **numbers,
        "lasting_s": step.lasting / 1000,
    }


def _suppression(suppression: Suppression) -> Json:
    found = Held(after_s=suppression.after / 1000)
    match suppression:
        case While(term=term):
            found.kind, found.channel = "while", term.channel
        case During(occasion=occasion):
            found.kind, found.occasion = "during", occasion
        case CausedBy(rule=rule, at=at):
            found.kind, found.rule, found.at = "caused_by", rule, str(at)
    return {name: getattr(found, name) for name in Held.__slots__}


def _text(text: Text) -> Json:
    return {"en": text.en, "zh": text.zh}
