"""Puts a rule into words, the same ones for pages, alarms, messages and documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scenewatch.model.conditions import Compared, compared, passes, watched_types
from scenewatch.model.flags import Test
from scenewatch.model.rule import (
    Above,
    AtLeast,
    Below,
    CausedBy,
    Flagged,
    Happened,
    NoData,
    Outside,
    Priority,
    Reach,
    Then,
    While,
)
from scenewatch.model.spans import amount, span_text
from scenewatch.model.speech_derived import derived_text
from scenewatch.model.words import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scenewatch.model.rule import Comparison, PriorityStep, Rule, Suppression
    from scenewatch.model.scene import Channel, Scene

    Known = Mapping[str, Channel]
    """By their keys the channels beside the one that is spoken of."""

SAID_OF: Final[Mapping[Test, Text]] = {
    Test.STUCK: Text("{} stands still", "{}停滞不变"),
    Test.FASTEST: Text("{} jumps", "{}突变"),
    Test.EXPECTED: Text("{} is not where it is expected", "{}超出预期范围"),
    Test.CLOCK: Text("device clock is wrong", "设备时钟错误"),
}
"""The tests of quality that a rule may ask for, with a place for what was measured."""
SAID_AT: Final[Mapping[Reach, Text]] = {
    Reach.DEVICE: Text("at the same device", "本设备"),
    Reach.PARENT: Text("at its gateway", "所属网关"),
    Reach.SITE: Text("at its site", "本站点"),
}
PRIORITIES: Final[Mapping[Priority, Text]] = {
    Priority.LOW: Text("low", "低"),
    Priority.MEDIUM: Text("medium", "中"),
    Priority.HIGH: Text("high", "高"),
}


PARTED = Text("; ", "；")
"""What stands between the clauses of a rule's text, and nowhere within one."""


def rule_text(scene: Scene, rule: Rule) -> Text:
    """All that it does: when it is raised, and what becomes of an alarm that stands."""
    return _joined(PARTED.en, PARTED.zh, [condition_text(scene, rule), *_standing(scene, rule)])


def condition_text(scene: Scene, rule: Rule) -> Text:
    """The whole condition, with its delay and with what holds it back."""
    text = _condition(scene, rule)
    if rule.on_delay:
        span = span_text(rule.on_delay)
        text = Text(f"{text.en} for {span.en}", f"{text.zh}，持续{span.zh}")
    for suppression in rule.suppressed_by:
        unless = _suppression(scene, rule, suppression)
        text = _joined(PARTED.en, PARTED.zh, [text, Text(f"not {unless.en}", f"{unless.zh}不报警")])
    return text


def _known(scene: Scene, rule: Rule) -> Known:
    """Of two types that have the same the first: what is said of one is said of both."""
    return {c.key: c for t in reversed(watched_types(scene, rule)) for c in t.channels}


def _condition(scene: Scene, rule: Rule) -> Text:
    when = rule.when
    match when:
        case NoData(after):
            return _silence(rule, span_text(after))
        case Happened(event=event, quiet=quiet):
            title, span = _event(scene, rule, event), span_text(quiet)
            return Text(
                f"event “{title.en}”, until none has come for {span.en}",
                f"事件“{title.zh}”，{span.zh.lstrip()}无新事件后解除",
            )
        case AtLeast() | Then():
            return _combined(when, _of_terms(scene, rule), _known(scene, rule))
        case Above() | Below() | Outside() | Flagged():
            return _on_own_channel(scene, rule, when)


def _silence(rule: Rule, span: Text) -> Text:
    if any("." in on for on in rule.on):
        return Text(f"no good reading for {span.en}", f"{span.zh.lstrip()}无有效读数")
    return Text(
        f"no good reading for {span.en} from any device that speaks through it",
        f"经其通信的所有设备{span.zh}无有效读数",
    )


def _event(scene: Scene, rule: Rule, key: str) -> Text:
    titles = (e.title for t in watched_types(scene, rule) for e in t.events if e.key == key)
    return next(titles, Text(key, key))


def _of_terms(scene: Scene, rule: Rule) -> list[Compared]:
    """On the first device type that has all of them: the same keys mean the same on the others."""
    return max((compared(rule, t) for t in watched_types(scene, rule)), key=len, default=[])


def _on_own_channel(scene: Scene, rule: Rule, is_: Comparison) -> Text:
    """One rule may watch channels that are called differently on different types."""
    known = _known(scene, rule)
    channels = [c for t in watched_types(scene, rule) for c in t.channels if f"{t.key}.{c.key}" in rule.on]
    return _joined(" / ", "／", [_comparison(Compared(c, is_), known) for c in channels])


def _combined(when: AtLeast | Then, parts: list[Compared], known: Known) -> Text:
    if isinstance(when, Then):
        first, then = parts
        begun, second, span = _until(first, then, known), _comparison(then, known), span_text(when.within)
        return Text(f"{second.en} within {span.en} from {begun.en}", f"{begun.zh}开始后{span.zh}内{second.zh}")
    if when.count == len(when.terms):
        together = {c.key: [other.is_ for other in parts if other.channel is c] for c, _ in parts}
        return _joined(" and ", "，且", [_together(c, together[c.key], known) for c, _ in parts])
    said = [_comparison(part, known) for part in parts]
    if when.count == 1:
        return _joined(" or ", "或", said)
    listed = _joined(", ", "、", said)
    return Text(f"at least {when.count} of: {listed.en}", f"以下至少 {when.count} 项：{listed.zh}")


def _until(first: Compared, second: Compared, known: Known) -> Text:
    """Of two steps of one state only those before the second."""
    after = second.is_ if first.channel is second.channel else None
    return _states(first.channel, [first.is_], but=after) or _comparison(first, known)


def _together(channel: Channel, comparisons: list[Comparison], known: Known) -> Text:
    """Of all that must hold of one channel: limits from both sides leave a state its own word."""
    states = _states(channel, comparisons)
    return (
        _joined(" and ", "，且", [_comparison(Compared(channel, c), known) for c in comparisons])
        if states is None
        else states
    )


def _joined(en: str, zh: str, parts: Iterable[Text]) -> Text:
    parts = list(parts)
    return Text(
        en.join(dict.fromkeys(p.en for p in parts)),
        zh.join(dict.fromkeys(p.zh for p in parts)),
    )


def _comparison(one: Compared, known: Known) -> Text:
    channel, comparison = one
    title = channel.title
    if isinstance(comparison, Flagged):
        said = SAID_OF[comparison.test]
        return Text(said.en.format(title.en), said.zh.format(title.zh))
    states = _states(channel, [comparison]) or derived_text(channel, comparison, known)
    if states is not None:
        return states
    match comparison:
        case Above(limit):
            above = amount(limit, channel.unit)
            return Text(f"{title.en} above {above}", f"{title.zh}高于 {above}")
        case Below(limit):
            below = amount(limit, channel.unit)
            return Text(f"{title.en} below {below}", f"{title.zh}低于 {below}")
        case Outside(low, high):
            below, above = amount(low, channel.unit), amount(high, channel.unit)
            return Text(f"{title.en} below {below} or above {above}", f"{title.zh}低于 {below} 或高于 {above}")


def _states(channel: Channel, comparisons: list[Comparison], but: Comparison | None = None) -> Text | None:
    """The words of the numbers for which all hold, and `but` does not; None for what has no words."""
    ascending = sorted(channel.states, key=lambda s: s[0])
    beyond = [
        word
        for number, word in ascending
        if all(passes(c, number) for c in comparisons) and not (but is not None and passes(but, number))
    ]
    if not beyond:
        return None
    said, title = _joined(" or ", "或", beyond), channel.title
    return Text(f"{title.en} “{said.en}”", f"{title.zh}“{said.zh}”")


def _suppression(scene: Scene, rule: Rule, suppression: Suppression) -> Text:
    match suppression:
        case While():
            said = _while(scene, rule, suppression)
            text = Text(f"while {said.en}", f"{said.zh}时")
        case CausedBy():
            title, at = _cause(scene, suppression), SAID_AT[suppression.at]
            text = Text(f"while “{title.en}” stands {at.en}", f"{at.zh}有“{title.zh}”报警时")
        case _:
            key = suppression.occasion
            title = next((o.title for o in scene.occasions if o.key == key), Text(key, key))
            text = Text(f"during {title.en[:1].lower()}{title.en[1:]}", f"{title.zh}期间")
    if not suppression.after:
        return text
    after = span_text(suppression.after)
    return Text(f"{text.en} and {after.en} from then on", f"{text.zh}及其后{after.zh}内")


def _while(scene: Scene, rule: Rule, suppression: While) -> Text:
    term, known = suppression.term, _known(scene, rule)
    channel = known.get(term.channel)
    return Text(term.channel, term.channel) if channel is None else _comparison(Compared(channel, term.is_), known)


def _cause(scene: Scene, of: CausedBy) -> Text:
    return next((r.title for r in scene.rules if r.key == of.rule), Text(of.rule, of.rule))


def _standing(scene: Scene, rule: Rule) -> Iterable[Text]:
    for step in rule.priority_steps:
        yield _step(scene, rule, step)
    if rule.latching:
        yield Text("stands until an operator resets it", "须由操作员复位后解除")
    if rule.again_after is not None:
        span = span_text(rule.again_after)
        yield Text(f"calls again {span.en} after it was acknowledged", f"确认{span.zh}后仍未恢复则再次提醒")
    for cause in rule.follows:
        title, at = _cause(scene, cause), SAID_AT[cause.at]
        after = span_text(cause.after) if cause.after else None
        until = Text("", "") if after is None else Text(f" and {after.en} from then on", f"及其后{after.zh}内")
        yield Text(
            f"belongs to “{title.en}” while that stands {at.en}{until.en}",
            f"{at.zh}有“{title.zh}”报警时{until.zh}归入其下",
        )


def _step(scene: Scene, rule: Rule, step: PriorityStep) -> Text:
    to = PRIORITIES[step.to]
    span = span_text(step.lasting) if step.lasting else None
    if step.beyond is None:
        return Text(f"priority {to.en}", f"优先级为{to.zh}") if span is None else _after(to, span)
    said = _on_own_channel(scene, rule, step.beyond)
    lasting = Text("", "") if span is None else Text(f" for {span.en}", f"，持续{span.zh}")
    return Text(f"priority {to.en} at {said.en}{lasting.en}", f"{said.zh}{lasting.zh}时优先级为{to.zh}")


def _after(to: Text, span: Text) -> Text:
    return Text(f"priority {to.en} after {span.en}", f"报警{span.zh}后优先级为{to.zh}")
