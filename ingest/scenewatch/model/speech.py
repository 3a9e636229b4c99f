"""Puts a rule's condition into words, the same ones for pages, alarms, messages and documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scenewatch.model.conditions import Compared, compared, passes, watched_types
from scenewatch.model.flags import Test
from scenewatch.model.scene import Above, AtLeast, Below, Flagged, Happened, NoData, Outside, Then, While
from scenewatch.model.words import Text, hours, minutes, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scenewatch.model.scene import Channel, Comparison, Rule, Scene, Suppression
    from scenewatch.model.words import Duration

UNITS_OF_TIME: Final = (
    (hours(1), Text("h", "小时")),
    (minutes(1), Text("min", "分钟")),
    (seconds(1), Text("s", "秒")),
)
SAID_OF: Final[Mapping[Test, Text]] = {
    Test.STUCK: Text("{} stands still", "{}停滞不变"),
    Test.FASTEST: Text("{} jumps", "{}突变"),
    Test.EXPECTED: Text("{} is not where it is expected", "{}超出预期范围"),
    Test.CLOCK: Text("device clock is wrong", "设备时钟错误"),
}
"""The tests of quality that a rule may ask for, with a place for what was measured."""


def condition_text(scene: Scene, rule: Rule) -> Text:
    """The whole condition, with its delay and with what holds it back."""
    text = _condition(scene, rule)
    if rule.on_delay:
        span = span_text(rule.on_delay)
        text = Text(f"{text.en} for {span.en}", f"{text.zh}，持续{span.zh}")
    for suppression in rule.suppressed_by:
        unless = _suppression(scene, rule, suppression)
        text = Text(f"{text.en}; not {unless.en}", f"{text.zh}；{unless.zh}不报警")
    return text


def span_text(span: Duration) -> Text:
    """In the largest unit that it is a whole number of, such as `90 min`."""
    size, unit = next((u for u in UNITS_OF_TIME if span % u[0] == 0), UNITS_OF_TIME[-1])
    return Text(f"{span / size:g} {unit.en}", f" {span / size:g} {unit.zh}")


def amount(number: float, unit: str) -> str:
    """With a true minus sign."""
    return f"{number:g} {unit}".rstrip().replace("-", "−")


def _condition(scene: Scene, rule: Rule) -> Text:
    when = rule.when
    match when:
        case NoData(after):
            span = span_text(after)
            return Text(f"no good reading for {span.en}", f"{span.zh.lstrip()}无有效读数")
        case Happened(event=event, quiet=quiet):
            title, span = _event(scene, rule, event), span_text(quiet)
            return Text(
                f"event “{title.en}”, until none has come for {span.en}",
                f"事件“{title.zh}”，{span.zh.lstrip()}无新事件后解除",
            )
        case AtLeast() | Then():
            return _combined(when, _of_terms(scene, rule))
        case Above() | Below() | Outside() | Flagged():
            found = [c for t in watched_types(scene, rule) for c in compared(rule, t)]
            return _any_title([_comparison(c) for c in found])


def _event(scene: Scene, rule: Rule, key: str) -> Text:
    titles = (e.title for t in watched_types(scene, rule) for e in t.events if e.key == key)
    return next(titles, Text(key, key))


def _of_terms(scene: Scene, rule: Rule) -> list[Compared]:
    """On the first device type that has all of them: the same keys mean the same on the others."""
    return max((compared(rule, t) for t in watched_types(scene, rule)), key=len, default=[])


def _combined(when: AtLeast | Then, parts: list[Compared]) -> Text:
    if isinstance(when, Then):
        begun, second, span = _until(*parts), _comparison(parts[1]), span_text(when.within)
        return Text(f"{second.en} within {span.en} from {begun.en}", f"{begun.zh}开始后{span.zh}内{second.zh}")
    if when.count == len(when.terms):
        together = {c.key: [other.is_ for other in parts if other.channel is c] for c, _ in parts}
        return _joined(" and ", "，且", [_together(c, together[c.key]) for c, _ in parts])
    said = [_comparison(part) for part in parts]
    if when.count == 1:
        return _joined(" or ", "或", said)
    listed = _joined(", ", "、", said)
    return Text(f"at least {when.count} of: {listed.en}", f"以下至少 {when.count} 项：{listed.zh}")


def _until(first: Compared, second: Compared) -> Text:
    """Of two steps of one state only those before the second."""
    after = second.is_ if first.channel is second.channel else None
    return _states(first.channel, [first.is_], but=after) or _comparison(first)


def _together(channel: Channel, comparisons: list[Comparison]) -> Text:
    """Of all that must hold of one channel: limits from both sides leave a state its own word."""
    states = _states(channel, comparisons)
    return (
        _joined(" and ", "，且", [_comparison(Compared(channel, c)) for c in comparisons])
        if states is None
        else states
    )


def _any_title(parts: Iterable[Text]) -> Text:
    """One rule may watch channels that are called differently on different types."""
    return _joined(" / ", "／", list(dict.fromkeys(parts)))


def _joined(en: str, zh: str, parts: list[Text]) -> Text:
    return Text(
        en.join(dict.fromkeys(p.en for p in parts)),
        zh.join(dict.fromkeys(p.zh for p in parts)),
    )


def _comparison(one: Compared) -> Text:
    channel, comparison = one
    title = channel.title
    if isinstance(comparison, Flagged):
        said = SAID_OF[comparison.test]
        return Text(said.en.format(title.en), said.zh.format(title.zh))
    states = _states(channel, [comparison])
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
    after = span_text(suppression.after) if suppression.after else None
    if isinstance(suppression, While):
        said = _while(scene, rule, suppression)
        text = Text(f"while {said.en}", f"{said.zh}时")
    else:
        key = suppression.occasion
        title = next((o.title for o in scene.occasions if o.key == key), Text(key, key))
        text = Text(f"during {title.en[:1].lower()}{title.en[1:]}", f"{title.zh}期间")
    if after is None:
        return text
    return Text(f"{text.en} and {after.en} from then on", f"{text.zh}及其后{after.zh}内")


def _while(scene: Scene, rule: Rule, suppression: While) -> Text:
    term = suppression.term
    channels = (c for t in watched_types(scene, rule) for c in t.channels if c.key == term.channel)
    channel = next(channels, None)
    return Text(term.channel, term.channel) if channel is None else _comparison(Compared(channel, term.is_))
