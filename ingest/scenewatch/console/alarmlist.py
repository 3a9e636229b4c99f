"""The page of all alarms: standing ones first, then the past, found and paged by the worker."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scenewatch.console.choice import FRAME_KEYS
from scenewatch.console.holding import SHELVE, TAKE_OUT, form_of, held
from scenewatch.console.linewords import source_words
from scenewatch.console.picture import OF_PRIORITY, State
from scenewatch.console.texts import SIGNS
from scenewatch.console.wording import device_name, of, with_unit
from scenewatch.model.alarm import AlarmState
from scenewatch.model.errors import TemporaryError
from scenewatch.model.rule import Priority
from scenewatch.model.words import hours

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scenewatch.console.answers import Answers
    from scenewatch.console.choice import Choice
    from scenewatch.console.picture import Picture
    from scenewatch.console.shapes import Alarm
    from scenewatch.console.worker import Worker

PATH = "/alarms"
A_PAGE = 50
STATES = (
    "all",
    "standing",
    "unacknowledged",
    "acknowledged",
    "returned_unacknowledged",
    "shelved",
    "suppressed",
    "past",
)
IN_ALL = ("standing", "shelved", "suppressed", "past")
"""Of all, these come one after the other."""
PRIORITIES = tuple(p.value for p in Priority)
FILTERS = ("priority", "site", "rule", "search")
KEYS = FRAME_KEYS | {"state", "before", "device", *FILTERS}
LONGEST_SEARCH = 200
PLACE = re.compile(r"-?\d{1,18}~[\w.-]+~[\w.-]+", re.ASCII)
"""Where a page begins, as the worker tells it."""
TO_ACKNOWLEDGE = (AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED)
AROUND = hours(1)
"""The chart of an alarm begins so long before it and ends so long after."""
MOST_SITES = 300
"""From more than these, a site is typed and not chosen."""


@dataclass(frozen=True, slots=True)
class Line:
    """One alarm in words."""

    alarm: Alarm
    key: str
    """Its identity as a form sends it: no id has a space."""
    state: State
    title: str
    device: str
    site: str
    site_title: str
    condition: str
    source: str
    value: str
    flag: str
    sign: str
    advice: str
    chart: dict[str, str]
    """What the address of its chart says."""
    open: bool
    """It can be acknowledged."""
    followers: list[Line] = field(default_factory=list)
    """Those that follow from it, and are shown beneath it."""


class AlarmList:
    """The endpoint of the page."""

    def __init__(self, answers: Answers, worker: Worker) -> None:
        self._answers = answers
        self._worker = worker

    async def page(self, request: Request) -> Response:
        choice = await self._answers.choice(request, PATH, KEYS)
        asked = dict(choice.asked)
        state = asked.get("state", "")
        state = state if state in STATES else STATES[0]
        picture, now_ms = self._answers.hub.picture, self._answers.hub.now_ms()
        found: dict[str, Any] = {"lines": None, "next": None, "state": state}
        try:
            alarms, found["next"] = await self._find(state, asked)
            found["lines"] = folded([line(picture, choice, alarm, now_ms) for alarm in alarms])
            found["held"] = held(picture, await self._worker.holds(), choice.language, now_ms)
        except TemporaryError:
            found["lines"] = None
        sites = sorted(picture.sites)
        found |= {
            "states": STATES,
            "priorities": PRIORITIES,
            "sites": sites if len(sites) <= MOST_SITES else None,
            "rules": [
                (f"{s.key}.{r.key}", of(r.title, choice.language)) for s in picture.scenes.values() for r in s.rules
            ],
            "wishes": [form_of(choice, deed) for deed in (SHELVE, TAKE_OUT)],
            "later": bool(asked.get("before")),
            "shows_rest": {k: v for k, v in asked.items() if k not in {"state", "before", *FILTERS}},
        }
        return self._answers.page(request, "alarms", choice, found)

    async def _find(self, state: str, asked: dict[str, str]) -> tuple[list[Alarm], str | None]:
        """A page, and where the next one begins: `<group> <place>`. Of all, the standing ones come first."""
        query = _query(asked)
        groups = list(IN_ALL) if state == "all" else [state]
        first, _, before = asked.get("before", "").partition(" ")
        groups = groups[groups.index(first) :] if first in groups else groups
        before = before if PLACE.fullmatch(before) else ""
        found: list[Alarm] = []
        for group in groups:
            wanted = query | {"state": group, "limit": str(A_PAGE - len(found))}
            page = await self._worker.find_alarms(wanted | ({"before": before} if before else {}))
            found += page.alarms
            if page.next is not None:
                return found, f"{group} {page.next}"
            if len(found) == A_PAGE:
                return found, f"{groups[-1]} " if group != groups[-1] else None
            before = ""
        return found, None


def folded(lines: list[Line]) -> list[Line]:
    """Each beneath the alarm that it follows from, if that is among them too; the order stays."""
    by_name: dict[str, list[Line]] = {}
    for one in lines:
        by_name.setdefault(f"{one.alarm.rule} {one.alarm.device}", []).append(one)
    kept: list[Line] = []
    for one in lines:
        root, seen = one, {one.key}
        while (above := _cause(root, by_name)) is not None and above.key not in seen:
            root = above
            seen.add(root.key)
        (kept if root is one else root.followers).append(one)
    return kept


def _cause(one: Line, by_name: dict[str, list[Line]]) -> Line | None:
    earlier = (c for c in by_name.get(one.alarm.cause or "", ()) if c.alarm.raised_at <= one.alarm.raised_at)
    return next((c for c in earlier if c.alarm.stands == one.alarm.stands), None)


def _query(asked: dict[str, str]) -> dict[str, str]:
    """The filters that the worker would not refuse."""
    query = {name: asked[name] for name in (*FILTERS, "device") if asked.get(name) and asked[name].isprintable()}
    if query.get("priority") not in PRIORITIES:
        query.pop("priority", None)
    if "search" in query:
        query["search"] = query["search"][:LONGEST_SEARCH]
    return query


def line(picture: Picture, choice: Choice, alarm: Alarm, now_ms: int) -> Line:
    language = choice.language
    device, rule = picture.devices.get(alarm.device), picture.rule(alarm.rule)
    channel = picture.channel_of(alarm)
    site = alarm.device.rpartition(".")[0]
    scene = picture.scenes.get(site.partition(".")[0])
    value = with_unit(channel, alarm.value, language) if channel and alarm.value is not None else ""
    until = alarm.cleared_at if alarm.cleared_at is not None else now_ms
    chart = {"device": alarm.device, "from": str(alarm.raised_at - AROUND), "to": str(until + AROUND)}
    return Line(
        alarm=alarm,
        key=" ".join(map(str, alarm.identity)),
        state=OF_PRIORITY[alarm.priority],
        title=of(rule.title, language) if rule else alarm.rule,
        device=device_name(device, language) if device else alarm.device,
        site=site,
        site_title=f"{of(scene.site_title, language)} {site.partition('.')[2]}" if scene else site,
        condition=of(rule.text, language) if rule else "",
        source=source_words(rule, language) if rule else "",
        value=value,
        flag=alarm.flag,
        sign=SIGNS.get(alarm.flag, "?"),
        advice=of(rule.advice, language) if rule else "",
        chart=chart | ({"channel": channel.key} if channel else {}),
        open=alarm.state in TO_ACKNOWLEDGE,
    )
