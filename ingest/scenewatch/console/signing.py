"""Signing in and out: a token goes to the worker, its cookie comes back to the browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scenewatch.console.choice import FRAME_KEYS
from scenewatch.console.forms import BACK, go_to, read_form, way_back
from scenewatch.console.texts import translate
from scenewatch.model.errors import TemporaryError
from scenewatch.model.operators import SESSION_COOKIE

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scenewatch.console.answers import Answers
    from scenewatch.console.worker import Worker

PATH = "/sign-in"
SESSIONS = "/api/v1/sessions"
KEYS = FRAME_KEYS | {BACK}
UNAUTHORIZED = 401


class Signing:
    """Endpoints of the page and of its two forms. The token is never kept, logged or shown."""

    def __init__(self, answers: Answers, worker: Worker) -> None:
        self._answers = answers
        self._worker = worker

    async def page(self, request: Request) -> Response:
        return await self._page(request, way_back(request.query_params.get(BACK, "/")))

    async def sign_in(self, request: Request) -> Response:
        form = await read_form(request)
        token = form.one("token")
        language = (await self._answers.choice(request, PATH, KEYS)).language
        if not token:
            return await self._page(request, form.back, translate("sign.empty", language), 422)
        try:
            told = await self._worker.tell("POST", SESSIONS, {"token": token}, "")
        except TemporaryError:
            return await self._page(request, form.back, translate("deed.away", language), 503)
        if not told.done:
            why = translate("sign.wrong", language) if told.status == UNAUTHORIZED else told.why
            return await self._page(request, form.back, why, told.status)
        return _with_cookies(go_to(form.back), told.set_cookies)

    async def sign_out(self, request: Request) -> Response:
        form = await read_form(request)
        cookie = request.cookies.get(SESSION_COOKIE, "")
        language = (await self._answers.choice(request, PATH, KEYS)).language
        try:
            told = await self._worker.tell("DELETE", f"{SESSIONS}/current", None, cookie)
        except TemporaryError:
            return await self._page(request, form.back, translate("deed.away", language), 503)
        return _with_cookies(go_to(form.back), told.set_cookies)

    async def _page(self, request: Request, back: str, wrong: str = "", status: int = 200) -> Response:
        choice = await self._answers.choice(request, PATH, KEYS)
        found: dict[str, Any] = {"back": back, "wrong": wrong, "session": None, "away": False}
        try:
            found["session"] = await self._worker.session(request.cookies.get(SESSION_COOKIE, ""))
        except TemporaryError:
            found["away"] = True
        return self._answers.whole("sign_in", choice, found, status)


def _with_cookies(response: Response, cookies: tuple[str, ...]) -> Response:
    """As the worker made them: their flags are its business."""
    for cookie in cookies:
        response.headers.append("set-cookie", cookie)
    return response
