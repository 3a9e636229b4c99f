"""`alarms show`: why one alarm was raised, as the page of the console tells it, in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.cli.asking import add_worker, asked, worker_url
from scenewatch.cli.words import FOUND, WELL, add, add_json, moment

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from scenewatch.api.explainshapes import Explanation, ValueThen
    from scenewatch.api.shapes import Alarm
    from scenewatch.api.tableshapes import Bilingual
    from scenewatch.cli.words import Subparsers

    Section = tuple[str, list[str]]
    """A heading's key in the console's texts, and lines."""

LANGUAGES = ("en", "zh")


def add_show(parts: Subparsers) -> None:
    text = "why an alarm was raised: rule, limit and source, values, quality, usual causes, what to do first"
    example = "scenewatch alarms show kitchen.fridge_warm kitchen.s001.s001-fridge-1 --language zh"
    p = add(parts, "show", _show, text, example)
    p.add_argument("rule", metavar="RULE", help="scene.rule")
    p.add_argument("device", metavar="DEVICE", help="scene.site.device")
    p.add_argument("--at", type=moment, metavar="TIME", help="the newest raised by then; without it, of all")
    p.add_argument("--language", choices=LANGUAGES, default=LANGUAGES[0], help="of what is told (en)")
    add_worker(p)
    add_json(p)


def _show(options: argparse.Namespace) -> int:
    from scenewatch.api.explainshapes import Explanation
    from scenewatch.cli.show import put_json

    url = f"{worker_url(options)}/api/v1/alarms"
    alarm = _newest(url, options.rule, options.device, options.at)
    if alarm is None:
        print("no alarms")
        return FOUND
    this = {"rule": alarm.rule, "device": alarm.device, "raised_at": alarm.raised_at}
    found = asked(f"{url}/explanation", Explanation, **this)
    if options.json is not None:
        put_json(found.model_dump(by_alias=True), options.json)
    else:
        _print(found, options.language)
    return WELL


def _newest(url: str, rule: str, device: str, by_ms: int | None) -> Alarm | None:
    from scenewatch.api.shapes import Alarms

    before = {} if by_ms is None else {"before": f"{by_ms + 1}~{rule}~{device}"}
    alarms = asked(url, Alarms, rule=rule, device=device, limit=1, **before).alarms
    return alarms[0] if alarms else None


def _print(found: Explanation, language: str) -> None:
    from scenewatch.cli.show import printable

    words = Words(language)
    for key, lines in _sections(found, words):
        if lines:
            print(words.t(key))
            for line in lines:
                print(f"  {printable(line)}")


class Words:
    """Texts of the console and of the tables in one language."""

    def __init__(self, language: str) -> None:
        from scenewatch.console.texts import Language

        self._language = Language(language)

    def t(self, key: str, **parts: object) -> str:
        from scenewatch.console.texts import translate

        return translate(key, self._language, **parts)

    def of(self, text: Bilingual) -> str:
        return str(getattr(text, self._language))

    def span(self, span_s: float) -> str:
        from scenewatch.console.wording import span_text

        return span_text(span_s, self._language)


def _sections(found: Explanation, words: Words) -> Iterator[Section]:
    """In the order of the console's page."""
    rule, t = found.rule, words.t
    yield "alarms", [_headline(found.alarm, words), *_state(found, words)]
    yield (
        "explain.why",
        [] if rule is None else [words.of(rule.title), words.of(rule.text), *_changed(found, words)],
    )
    yield "explain.first", [] if found.advice is None else [words.of(found.advice)]
    yield "explain.source", [] if found.source is None else [_source(found, words)]
    yield "explain.values", [_value(value, found.alarm, words) for value in found.values]
    yield "explain.quality", _quality(found, words)
    yield (
        "explain.causes",
        [
            f"{words.of(one.title)} ({t('explain.causes.minimum', span=words.span(one.minimum_s))})"
            for one in found.causes
        ],
    )
    yield "explain.cause", [_headline(one, words) for one in [found.cause] if one is not None]
    yield "explain.follows", [_headline(one, words) for one in found.follows]
    yield "explain.course", _course(found, words)
    yield "explain.similar", [_headline(one, words) for one in found.similar]


def _headline(alarm: Alarm, words: Words) -> str:
    from scenewatch.cli.show import iso

    over = alarm.cleared_at is not None
    lasted = words.span(((alarm.cleared_at or 0) - alarm.raised_at) / 1000) if over else words.t("explain.stands")
    priority = words.t(f"state.{alarm.priority}")
    return f"{iso(alarm.raised_at)}  {lasted}  {priority}  {alarm.rule}  {alarm.device}"


def _state(found: Explanation, words: Words) -> Iterator[str]:
    alarm = found.alarm
    by = f", {words.t('alarms.by')} {alarm.acknowledged_by}" if alarm.acknowledged_by else ""
    yield f"{words.t(f'alarm.{alarm.state}')}{by}"
    if alarm.hidden:
        yield words.t(f"explain.hidden.{alarm.hidden}")
    if alarm.latched:
        yield words.t("explain.latched")


def _changed(found: Explanation, words: Words) -> Iterator[str]:
    if found.alarm.version:
        yield words.t("explain.version", version=found.alarm.version)
    if found.now is not None:
        yield f"{words.t('explain.changed')} {words.of(found.now.text)}"
    elif not found.as_raised:
        yield words.t("explain.as_now")


def _source(found: Explanation, words: Words) -> str:
    source = found.source
    return "" if source is None else f"{words.of(source.document)} ({words.t(f'mark.{source.mark}')})"


def _value(value: ValueThen, alarm: Alarm, words: Words) -> str:
    title, flag = words.of(value.title), words.t(f"flag.{value.flag}")
    if value.at is None or value.value is None:
        return f"{title}: {flag}"
    text = words.of(value.said) if value.said is not None else f"{value.value:g} {value.unit}".rstrip()
    doubt = f": {words.t(f'test.{value.test}')}" if value.test != "none" and value.flag != "good" else ""
    age_s = (alarm.raised_at - value.at) / 1000
    before = f", {words.t('explain.before', span=words.span(age_s))}" if age_s >= 1 else ""
    return f"{title}: {text} ({flag}{doubt}{before})"


def _quality(found: Explanation, words: Words) -> list[str]:
    quality = found.quality
    if quality is None:
        return []
    if not quality.readings:
        return [words.t("explain.quality.none")]
    shares = {"good": quality.good_share, "suspect": quality.suspect_share, "fail": quality.fail_share}
    percent = {name: f"{100 * (share or 0):.3g}" for name, share in shares.items()}
    return [words.t("explain.quality.of", **percent, readings=quality.readings, expected=quality.expected)]


def _course(found: Explanation, words: Words) -> list[str]:
    from scenewatch.cli.show import iso

    lines = [(iso(one.at), words.t(f"explain.step.{one.step}"), one.by or "") for one in found.course]
    return ["  ".join(line).rstrip() for line in lines]
