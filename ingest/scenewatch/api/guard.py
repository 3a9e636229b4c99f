"""Who may change something: operators, by the cookie they got for their token, or by the token itself.

Looking is free. Every request that is not a look passes the gate before anything of it is read: so an address
that is added later is guarded without being told.
"""

from __future__ import annotations

import hmac
import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastapi import Request  # noqa: TC002 - FastAPI reads the annotation of a dependency
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser

from scenewatch.api.answers import problem
from scenewatch.api.sessions import LASTS, Session, Throttle, Tickets
from scenewatch.model import operators

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from scenewatch.model.ports import Clock

log = logging.getLogger(__name__)

LOOKS = frozenset({"GET", "HEAD", "OPTIONS"})
JSON = "application/json"
MOST_BYTES = 64 * 1024
SESSIONS = "/api/v1/sessions"
OPEN_TO_ALL = frozenset({SESSIONS, f"{SESSIONS}/current"})
"""Signing in and out: whoever does it is not signed in yet, or not any more."""
NO_OPERATORS = "nobody may change anything here: [http] operators_file names no file with a line NAME TOKEN each"
SIGN_IN = "sign in first, or send an operator's token as Authorization: Bearer"
FROM_ELSEWHERE = "the request comes from a page of another address: its Origin is not this Host"


class Guard:
    """Knows the operators. Any thread. `key` signs the cookies."""

    def __init__(self, file: Path | None, key: bytes, clock: Clock) -> None:
        """Raises ConfigurationError with all mistakes of the file."""
        self._file = file
        self._clock = clock
        self._tickets = Tickets(key)
        self._throttle = Throttle()
        self._tokens: dict[str, bytes] = {} if file is None else operators.read(file)

    def reload(self) -> None:
        """Read the file again. Raises ConfigurationError, and then the operators stay as they were."""
        if self._file is not None:
            self._tokens = operators.read(self._file)

    def sign_in(self, token: str) -> tuple[Session, str]:
        """The session and its cookie. Raises HTTPException."""
        name, token_digest = self._owner(token)
        session = Session(name, self._clock.now_ms() + LASTS)
        return session, self._tickets.write(session, token_digest)

    def session(self, headers: Headers) -> Session | None:
        """By the cookie."""
        cookie = cookie_parser(headers.get("cookie", "")).get(operators.SESSION_COOKIE)
        return None if cookie is None else self._tickets.read(cookie, self._tokens, self._clock.now_ms())

    def operator(self, headers: Headers) -> str:
        """The name of who asks for a change. Raises HTTPException."""
        if not self._tokens:
            raise HTTPException(403, NO_OPERATORS)
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return self._owner(token.strip())[0]
        session = self.session(headers)
        if session is None:
            raise HTTPException(401, SIGN_IN, {"WWW-Authenticate": "Bearer"})
        if not _is_own_page(headers):
            raise HTTPException(403, FROM_ELSEWHERE)
        return session.name

    def _owner(self, token: str) -> tuple[str, bytes]:
        """The operator whose token it is, and the token's digest. Raises HTTPException."""
        if not self._tokens:
            raise HTTPException(403, NO_OPERATORS)
        now_ms = self._clock.now_ms()
        if wait_ms := self._throttle.wait_ms(now_ms):
            wait_s = -(-wait_ms // 1000)
            raise HTTPException(429, f"too many wrong tokens: wait {wait_s} s", {"Retry-After": str(wait_s)})
        given = operators.digest(token)
        # each is compared, so that the time tells neither whose token is nearly right nor where it stands
        names = [name for name, one in self._tokens.items() if hmac.compare_digest(one, given)]
        if not names:
            self._throttle.failed(now_ms)
            log.warning("a wrong operator's token was refused")
            raise HTTPException(401, "this is no operator's token", {"WWW-Authenticate": "Bearer"})
        return names[0], given


def operator(request: Request) -> str:
    """FastAPI dependency: the name of the operator whom the gate let through."""
    name: str | None = request.scope.get("operator")
    if name is None:
        raise HTTPException(401, SIGN_IN)
    return name


class Gate:
    """In front of the application; lets requests for a change through with the operator's name and a whole body."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in LOOKS:
            await self._app(scope, receive, send)
            return
        try:
            headers = Headers(scope=scope)
            if scope["path"] in OPEN_TO_ALL:
                _check_page(headers)
            else:
                scope["operator"] = self._guard.operator(headers)
            body = await _body(headers, receive)
        except HTTPException as error:
            await problem(error.status_code, error.detail, error.headers)(scope, receive, send)
            return
        await self._app(scope, _given(body, receive), send)


def _check_page(headers: Headers) -> None:
    """A page from elsewhere must not sign anybody in as somebody else. Programs tell no Origin."""
    if "origin" in headers and not _is_own_page(headers):
        raise HTTPException(403, FROM_ELSEWHERE)


def _is_own_page(headers: Headers) -> bool:
    """Browsers tell with each change which page it comes from; the scheme is not compared, a proxy may end TLS."""
    try:
        origin = urlsplit(headers.get("origin", "")).netloc
    except ValueError:
        return False
    return bool(origin) and origin.lower() == headers.get("host", "").lower()


async def _body(headers: Headers, receive: Receive) -> bytes:
    """All of it, of which nobody is made to hold more than is allowed."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise HTTPException(400, "the request broke off")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"the body is longer than {MOST_BYTES} bytes")
    if body and headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        raise HTTPException(415, f"the body must be {JSON}")
    return bytes(body)


def _given(body: bytes, receive: Receive) -> Receive:
    """The body once, then what the connection tells."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def next_message() -> Message:
        return first.pop() if first else await receive()

    return next_message
