"""The page of one alarm: why it was raised, what to do first, and everything that helps to judge it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from scenewatch.console.choice import FRAME_KEYS, choose
from scenewatch.console.device_page import stacked
from scenewatch.console.holding import SHELVE, TAKE_OUT, form_of
from scenewatch.console.linewords import source_words
from scenewatch.console.picture import OF_PRIORITY
from scenewatch.console.texts import SIGNS, translate
from scenewatch.console.views import Views
from scenewatch.console.wording import clauses, device_name, number, of, span_text, value_text
from scenewatch.model.alarm import AlarmState
from scenewatch.model.errors import TemporaryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from scenewatch.console.choice import Choice
    from scenewatch.console.hub import Hub
    from scenewatch.console.pages import Pages
    from scenewatch.console.picture import Picture, State
    from scenewatch.console.shapes import Alarm, Channel, Device
    from scenewatch.console.shapes_explain import Explanation, QualityThen, ValueThen
    from scenewatch.console.worker import Worker

PATH = "/alarm"
KEYS = FRAME_KEYS | {"rule", "device", "raised_at", "from", "to"}
IDENTITY = ("rule", "device", "raised_at")
TO_ACKNOWLEDGE = (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED)
MOST_PLOTS = 3
FRESH_MS = 1000
"""A reading that is older than the alarm by less is told without its age."""


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One channel when the alarm was raised, in words."""

    title: str
    text: str
    flag: str
    sign: str
    why: str
    """Which test doubted it."""
    before: str
    """How long before the alarm it was read, where that is long."""
    is_source: bool


@dataclass(frozen=True, slots=True)
class Other:
    """Another alarm, in words."""

    href: str
    state: State
    title: str
    """Empty where it is of the same rule."""
    device: str
    """Empty where it is of the same device."""
    raised_at: int
    lasted: str
    """Empty while it stands."""
    by: str


class AlarmPage:
    """The endpoint of the page and of its changing part."""

    def __init__(self, hub: Hub, worker: Worker, pages: Pages) -> None:
        self._hub = hub
        self._worker = worker
        self._pages = pages

    async def page(self, request: Request) -> Response:
        await self._hub.first_look()
        picture = self._hub.picture
        choice = choose(request, picture, path=PATH, keys=KEYS)
        asked = {name: choice.asked.get(name, "") for name in IDENTITY}
        scope = asked["device"].rpartition(".")[0]
        try:
            found = await self._worker.explanation(asked)
        except TemporaryError:
            return self._pages.answer(request, "alarm", choice, scope=scope, found=None, away=True)
        if found is None:
            return self._pages.answer(request, "alarm", choice, scope=scope, status=404, found=None, away=False)
        return self._pages.answer(
            request,
            "alarm",
            choice,
            scope=scope,
            found=found,
            away=False,
            **_words(picture, choice, found, self._hub),
        )


def href(choice: Choice, alarm: Alarm) -> str:
    """The address of an alarm's page."""
    return choice.other(PATH, **dict(zip(IDENTITY, map(str, alarm.identity), strict=True)))


def _words(picture: Picture, choice: Choice, found: Explanation, hub: Hub) -> dict[str, Any]:
    language, alarm = choice.language, found.alarm
    device = picture.devices.get(alarm.device)
    channels, is_known = _channels(picture, device, found), picture.rule(alarm.rule) is not None
    site = alarm.device.rpartition(".")[0]
    values = [_value(picture, choice, found, value) for value in found.values]
    return {
        "state": OF_PRIORITY[alarm.priority],
        "raised_as": _raised_as(choice, found),
        "title": of(found.rule.title, language) if found.rule else alarm.rule,
        "key": " ".join(map(str, alarm.identity)),
        "device": device,
        "device_name": device_name(device, language) if device else alarm.device,
        "site": site,
        "site_title": Views(picture, choice).title_of(site),
        "zone": picture.scenes[device.scene].zone if device else "",
        "source": source_words(found.rule, language) if found.rule else "",
        "clauses": clauses(found.rule.text, language) if found.rule else [],
        "rule_is_known": is_known,
        "open": alarm.state in TO_ACKNOWLEDGE,
        "values": values,
        "at_alarm": next((row for row in values if not row.is_source and row.text), None),
        "quality": _quality(choice, found.quality),
        "cause": _others(picture, choice, alarm, [found.cause]) if found.cause else [],
        "follows": _others(picture, choice, alarm, found.follows),
        "similar": _others(picture, choice, alarm, found.similar),
        "cell": Views(picture, choice).cell(device, channels[0]) if device and channels and alarm.stands else None,
        "chart": _chart(picture, choice, found, channels, hub.now_ms()),
        "wishes": [form_of(choice, deed) for deed in (SHELVE, TAKE_OUT)]
        if alarm.stands and device and is_known
        else [],
        "at_device": _at_device(choice, found),
    }


def _raised_as(choice: Choice, found: Explanation) -> str:
    """What it was at first, where it is other now."""
    if found.raised_priority == found.alarm.priority:
        return ""
    priority = translate(f"state.{found.raised_priority}", choice.language)
    return translate("explain.raised_as", choice.language, priority=priority)


def _channels(picture: Picture, device: Device | None, found: Explanation) -> list[Channel]:
    """Those that the chart shows: the rule's own, then what else counted; of a device that is there."""
    if device is None or found.chart is None:
        return []
    known = {c.key: c for c in picture.type_of(device).channels}
    keys = dict.fromkeys([found.chart.channel, *(value.channel for value in found.values)])
    return [known[key] for key in keys if key in known][:MOST_PLOTS]


def _value(picture: Picture, choice: Choice, found: Explanation, value: ValueThen) -> ValueRow:
    language, raised_at = choice.language, found.alarm.raised_at
    age_ms = 0 if value.at is None else raised_at - value.at
    doubted = value.flag not in ("good", "missing") and value.test != "none"
    return ValueRow(
        title=of(value.title, language),
        text=_value_text(picture, choice, found, value),
        flag=value.flag,
        sign="" if value.value is None else SIGNS.get(value.flag, "?"),
        why=translate(f"test.{value.test}", language) if doubted else "",
        before=translate("explain.before", language, span=span_text(age_ms / 1000, language))
        if age_ms >= FRESH_MS
        else "",
        is_source=value.role == "source",
    )


def _value_text(picture: Picture, choice: Choice, found: Explanation, value: ValueThen) -> str:
    """As all pages write such a value; what is in no table any more with the decimals that it has."""
    if value.said is not None:
        return of(value.said, choice.language)
    device = picture.devices.get(found.alarm.device)
    channels = picture.type_of(device).channels if device else ()
    channel = next((c for c in channels if c.key == value.channel), None)
    text = value_text(channel, value.value, choice.language) if channel else f"{value.value or 0:g}"
    return f"{text} {value.unit}".rstrip() if value.value is not None else ""


def _quality(choice: Choice, quality: QualityThen | None) -> dict[str, Any] | None:
    """The sentence, and the shares one after the other of a hundred; None where nothing was measured."""
    if quality is None:
        return None
    if not quality.readings:
        return {"said": translate("explain.quality.none", choice.language), "shares": []}
    of_flag = {"good": quality.good_share, "suspect": quality.suspect_share, "fail": quality.fail_share}
    percent = {flag: 100 * (share or 0) for flag, share in of_flag.items()}
    begins = accumulate(percent.values(), initial=0.0)
    said = {flag: number(share, 0 if share in (0, 100) else 1) for flag, share in percent.items()}
    counts = {"readings": quality.readings, "expected": quality.expected}
    return {
        "said": translate("explain.quality.of", choice.language, **said, **counts),
        "shares": [
            {"flag": flag, "begin": round(begin, 2), "width": round(share, 2)}
            for (flag, share), begin in zip(percent.items(), begins, strict=False)
        ],
    }


def _others(picture: Picture, choice: Choice, this: Alarm, alarms: Iterable[Alarm]) -> list[Other]:
    return [_other(picture, choice, this, alarm) for alarm in alarms]


def _other(picture: Picture, choice: Choice, this: Alarm, alarm: Alarm) -> Other:
    language = choice.language
    device, rule = picture.devices.get(alarm.device), picture.rule(alarm.rule)
    title = of(rule.title, language) if rule else alarm.rule
    name = device_name(device, language) if device else alarm.device
    over = alarm.cleared_at is not None
    return Other(
        href=href(choice, alarm),
        state=OF_PRIORITY[alarm.priority],
        title="" if alarm.rule == this.rule else title,
        device="" if alarm.device == this.device else name,
        raised_at=alarm.raised_at,
        lasted=span_text(((alarm.cleared_at or 0) - alarm.raised_at) / 1000, language) if over else "",
        by=alarm.acknowledged_by or "",
    )


def _chart(
    picture: Picture, choice: Choice, found: Explanation, channels: Sequence[Channel], now_ms: int
) -> dict[str, Any] | None:
    """What the chart's script must know; while the alarm stands the chart goes with time. None without channels."""
    chart, alarm = found.chart, found.alarm
    if chart is None or not channels:
        return None
    kind = picture.type_of(picture.devices[chart.device])
    title = of(found.rule.title, choice.language) if found.rule else alarm.rule
    plots, bottom = stacked(Views(picture, choice), channels, lambda channel: _lines(found, channel, title))
    return {
        "device": chart.device,
        "every": kind.every_ms,
        "span": now_ms - chart.from_ms,
        "window": None if alarm.cleared_at is None else [chart.from_ms, chart.to_ms],
        "height": bottom,
        "channels": plots,
        "rules": {alarm.rule: [channel.key for channel in channels]},
        "titles": {alarm.rule: title},
        "kinds": {k.key: of(k.title, choice.language) for k in kind.events},
        "alarm": {
            "rule": alarm.rule,
            "device": alarm.device,
            "raised_at": alarm.raised_at,
            "cleared_at": alarm.cleared_at,
            "priority": alarm.priority,
        },
    }


def _lines(found: Explanation, channel: Channel, title: str) -> list[dict[str, Any]]:
    """The limits on a channel as they were; a state's limit is no line to look at."""
    lines = found.rule.lines if found.rule and not channel.states else ()
    return [
        {"at": one.at, "priority": found.alarm.priority, "text": title}
        for one in lines
        if one.channel == channel.key
    ]


def _at_device(choice: Choice, found: Explanation) -> str:
    """The device's page, at the time of the alarm."""
    chart = found.chart
    span: Sequence[tuple[str, str]] = (
        [] if chart is None else [("from", str(chart.from_ms)), ("to", str(chart.to_ms))]
    )
    return choice.other("/device", device=found.alarm.device, **dict(span))
