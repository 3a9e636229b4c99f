"""What readers do by forms: acknowledge, reset and hold back alarms, adopt devices, send commands.

Each wish goes to the worker's API with the reader's own cookie; what the page then shows is what the worker says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenewatch.console.choice import FRAME_KEYS
from scenewatch.console.forms import go_to, read_form, sign_in_first, tell, wants_json
from scenewatch.console.holding import DEEDS, MAINTAIN, SHELVE, TAKE_OUT
from scenewatch.console.texts import translate
from scenewatch.console.wording import span_text
from scenewatch.model.errors import TemporaryError
from scenewatch.model.operators import SESSION_COOKIE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from scenewatch.console.answers import Answers
    from scenewatch.console.forms import Form
    from scenewatch.console.texts import Language
    from scenewatch.console.worker import Told, Worker

UNAUTHORIZED = 401
HOLD_PATHS = {
    SHELVE: "/api/v1/alarms/shelve",
    TAKE_OUT: "/api/v1/alarms/take-out",
    MAINTAIN: "/api/v1/maintenance",
}
MOST_DIGITS = 12
"""Of a span in milliseconds that a form sends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a wish, in words."""

    said: str
    done: bool
    needs_sign_in: bool = False
    """Nobody stands behind it, or nobody any more."""
    chart_of: str = ""
    """The device that is worth a look now."""


class Deeds:
    """Endpoints for POST. A script asks for JSON and stays; without one the page is shown again."""

    def __init__(self, answers: Answers, worker: Worker) -> None:
        self._answers = answers
        self._worker = worker

    async def acknowledge(self, request: Request) -> Response:
        return await self._do(request, self._acknowledge)

    async def reset(self, request: Request) -> Response:
        return await self._do(request, self._reset)

    async def hold(self, request: Request) -> Response:
        return await self._do(request, self._hold)

    async def end_hold(self, request: Request) -> Response:
        return await self._do(request, self._end_hold)

    async def adopt(self, request: Request) -> Response:
        return await self._do(request, self._adopt)

    async def command(self, request: Request) -> Response:
        return await self._do(request, self._command)

    async def _do(self, request: Request, deed: Callable[[Form, str, Language], Awaitable[Outcome]]) -> Response:
        form = await read_form(request)
        choice = await self._answers.choice(request, "/", FRAME_KEYS)
        try:
            outcome = await deed(form, request.cookies.get(SESSION_COOKIE, ""), choice.language)
        except TemporaryError:
            outcome = _failed(translate("deed.away", choice.language), choice.language)
        if outcome.needs_sign_in:
            to = sign_in_first(form.back, choice.language)
            return tell(done=False, said=outcome.said, to=to) if wants_json(request) else go_to(to)
        chart = choice.other("/device", device=outcome.chart_of) if outcome.chart_of else ""
        if wants_json(request):
            return tell(done=outcome.done, said=outcome.said, chart=chart)
        found = {"said": outcome.said, "back": form.back, "chart": chart}
        return self._answers.whole("told", choice, found, 200 if outcome.done else 422)

    async def _acknowledge(self, form: Form, cookie: str, language: Language) -> Outcome:
        return await self._each(form, cookie, language, path="acknowledge", text="alarms.done")

    async def _reset(self, form: Form, cookie: str, language: Language) -> Outcome:
        return await self._each(form, cookie, language, path="reset", text="alarms.reset")

    async def _each(self, form: Form, cookie: str, language: Language, *, path: str, text: str) -> Outcome:
        """One by its own button, else all that were chosen; one that is refused keeps no other back."""
        chosen = [key.split(" ") for key in form.all("one") or form.all("alarm")]
        wishes = [parts for parts in chosen if len(parts) == 3 and parts[2].isascii() and parts[2].isdigit()]
        if not wishes:
            return _failed(translate("deed.nothing", language), language)
        count, why = 0, ""
        for rule, device, raised_at in wishes:
            body = {"rule": rule, "device": device, "raised_at": int(raised_at)}
            told = await self._worker.tell("POST", f"/api/v1/alarms/{path}", body, cookie)
            if told.status == UNAUTHORIZED:
                return _unknown(told)
            count += told.done
            why = why if told.done else told.why
        failed = len(wishes) - count
        if not count:
            return _failed(why, language)
        if failed:
            said = translate(f"{text}_some", language, n=count, failed=failed, why=why)
            return Outcome(said=said, done=True)
        return Outcome(said=translate(text, language, n=count), done=True)

    async def _hold(self, form: Form, cookie: str, language: Language) -> Outcome:
        deed, now_ms = form.one("deed"), self._answers.hub.now_ms()
        spans = [form.one(name) for name in ("begins", "lasts")]
        if deed not in DEEDS or not all(len(ms) < MOST_DIGITS and (ms or "0").isdecimal() for ms in spans):
            return _failed(translate("deed.nothing", language), language)
        begins_ms, lasts_ms = (int(ms or 0) for ms in spans)
        body: dict[str, str | int] = {"reason": form.one("reason")}
        about = {"rule": form.one("rule"), "device": form.one("target")}
        if deed == MAINTAIN:
            from_ms = now_ms + begins_ms
            body |= {"target": form.one("target"), "from": from_ms, "until": from_ms + lasts_ms}
        else:
            body |= about | ({} if deed == TAKE_OUT else {"until": now_ms + lasts_ms})
        told = await self._worker.tell("POST", HOLD_PATHS[deed], body, cookie)
        done = translate(f"hold.done.{deed}", language, span=span_text(lasts_ms / 1000, language))
        return _outcome(told, done, language)

    async def _end_hold(self, form: Form, cookie: str, language: Language) -> Outcome:
        kind, target = form.one("kind"), form.one("target")
        if kind == "maintenance":
            told = await self._worker.tell("DELETE", "/api/v1/maintenance", {"target": target}, cookie)
        else:
            path = "unshelve" if kind == "shelved" else "put-back"
            body = {"rule": form.one("rule"), "device": target}
            told = await self._worker.tell("POST", f"/api/v1/alarms/{path}", body, cookie)
        return _outcome(told, translate("held.undone", language), language)

    async def _adopt(self, form: Form, cookie: str, language: Language) -> Outcome:
        body = {name: form.one(name) for name in ("scene", "site", "device", "type", "parent")}
        name = {"en": form.one("name_en"), "zh": form.one("name_zh")}
        told = await self._worker.tell("POST", "/api/v1/unknown-devices/adopt", body | {"name": name}, cookie)
        if told.status == UNAUTHORIZED:
            return _unknown(told)
        if not told.done:
            return _failed(told.why, language)
        device, retried = str(told.body["device"]), told.body["retried"]
        await self._answers.hub.learn(device)
        said = translate("unknown.adopted", language, device=device, n=retried)
        return Outcome(said=said, done=True, chart_of=device)

    async def _command(self, form: Form, cookie: str, language: Language) -> Outcome:
        body = {"device": form.one("device"), "name": form.one("name"), "args": {}}
        told = await self._worker.tell("POST", "/api/v1/commands", body, cookie)
        return _outcome(told, translate("commands.sent", language), language)


def _outcome(told: Told, done: str, language: Language) -> Outcome:
    """What the worker said; `done` are the words where it did it."""
    if told.status == UNAUTHORIZED:
        return _unknown(told)
    return Outcome(said=done, done=True) if told.done else _failed(told.why, language)


def _failed(why: str, language: Language) -> Outcome:
    return Outcome(said=translate("deed.failed", language, why=why), done=False)


def _unknown(told: Told) -> Outcome:
    return Outcome(said=told.why, done=False, needs_sign_in=True)
