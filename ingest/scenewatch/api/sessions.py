"""Who has signed in, kept in a signed cookie; and how fast tokens may be tried."""

from __future__ import annotations

import base64
import hashlib
import hmac
import threading
from collections import deque
from dataclasses import dataclass

import msgspec

from scenewatch.model.words import hours, minutes

LASTS = hours(12)
LONGEST_COOKIE = 512
TRIES = 10
WITHIN = minutes(1)


@dataclass(frozen=True, slots=True)
class Session:
    """An operator who has signed in."""

    name: str
    expires_at_ms: int


class _Ticket(msgspec.Struct, frozen=True, array_like=True):
    """What a cookie holds, in the open: only the signature keeps it from being changed."""

    name: str
    expires_at_ms: int
    token: str
    """Print of the token it was given for: another token ends it."""


class Tickets:
    """Writes and reads cookies. `key` is the worker's own; whoever has it can sign in as anybody."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def write(self, session: Session, token_digest: bytes) -> str:
        ticket = _Ticket(session.name, session.expires_at_ms, self._print(token_digest))
        body = base64.urlsafe_b64encode(msgspec.json.encode(ticket)).decode()
        return f"{body}.{self._sign(body)}"

    def read(self, cookie: str, tokens: dict[str, bytes], now_ms: int) -> Session | None:
        """None for one that is not ours, over, or of an operator who has another token now or is gone."""
        body, _, signature = cookie.rpartition(".")
        if len(cookie) > LONGEST_COOKIE or not cookie.isascii():
            return None
        if not hmac.compare_digest(self._sign(body), signature):
            return None
        ticket = msgspec.json.decode(base64.urlsafe_b64decode(body), type=_Ticket)
        token_digest = tokens.get(ticket.name)
        if token_digest is None or not hmac.compare_digest(self._print(token_digest), ticket.token):
            return None
        return Session(ticket.name, ticket.expires_at_ms) if now_ms < ticket.expires_at_ms else None

    def _sign(self, body: str) -> str:
        return hmac.new(self._key, b"session " + body.encode(), hashlib.sha256).hexdigest()

    def _print(self, token_digest: bytes) -> str:
        return hmac.new(self._key, b"token " + token_digest, hashlib.sha256).hexdigest()[:16]


class Throttle:
    """At most `tries` failures within a span; those behind the console's proxy all look like one, so for all."""

    def __init__(self, tries: int = TRIES, within_ms: int = WITHIN) -> None:
        self._tries = tries
        self._within_ms = within_ms
        self._failures_ms: deque[int] = deque(maxlen=tries)
        self._lock = threading.Lock()

    def wait_ms(self, now_ms: int) -> int:
        """How long until the next try; 0 is now."""
        with self._lock:
            if len(self._failures_ms) < self._tries:
                return 0
            # a clock that was set back must not shut everybody out for as long as it went
            return min(max(0, self._failures_ms[0] + self._within_ms - now_ms), self._within_ms)

    def failed(self, now_ms: int) -> None:
        with self._lock:
            self._failures_ms.append(now_ms)
