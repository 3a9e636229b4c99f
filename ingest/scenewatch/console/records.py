"""The pages of record: the ledger by site and device, and the dead letters. Asked of the worker at each look."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from scenewatch.console.choice import FRAME_KEYS
from scenewatch.model.errors import TemporaryError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scenewatch.console.answers import Answers
    from scenewatch.console.worker import Worker

LETTERS_A_PAGE = 50
LETTER_STATES = ("dead", "taken", "all")
LETTER_KEYS = frozenset({"reason", "state", "before"})
RETRY = "scenewatch dead-letters retry {which} --config scenewatch.toml"


class Records:
    """Endpoints of whole pages, and of their changing part."""

    def __init__(self, answers: Answers, worker: Worker) -> None:
        self._answers = answers
        self._worker = worker

    async def ledger(self, request: Request) -> Response:
        site = request.query_params.get("site", "")
        found: dict[str, Any] = {"sites": None, "devices": None, "site": site}
        try:
            found["sites"] = await self._worker.site_accounts()
            if site:
                found["devices"] = await self._worker.device_accounts(site)
        except TemporaryError:
            found["sites"] = None
        return await self._answer(request, "ledger", "/ledger", FRAME_KEYS | {"site"}, found)

    async def dead_letters(self, request: Request) -> Response:
        asked = {k: v for k, v in request.query_params.items() if k in LETTER_KEYS and v}
        state = asked.get("state", "")
        state = state if state in LETTER_STATES else LETTER_STATES[0]
        before = asked.get("before", "")
        query = {"limit": str(LETTERS_A_PAGE + 1), "state": state}
        if before.isascii() and before.isdigit() and len(before) < 19:
            query["before"] = before
        if reason := asked.get("reason", ""):
            query["reason"] = reason
        found: dict[str, Any] = {"letters": None, "reasons": (), "state": state, "reason": reason, "more": False}
        try:
            letters = await self._worker.dead_letters(query)
            found |= {"letters": letters[:LETTERS_A_PAGE], "more": len(letters) > LETTERS_A_PAGE}
            found["reasons"] = await self._worker.dead_letter_reasons()
        except TemporaryError:
            found["letters"] = None
        found |= {"states": LETTER_STATES, "later": "before" in query, "retry": retry_command(reason)}
        return await self._answer(request, "letters", "/dead-letters", FRAME_KEYS | LETTER_KEYS, found)

    async def _answer(
        self, request: Request, name: str, path: str, keys: frozenset[str], found: dict[str, Any]
    ) -> Response:
        choice = await self._answers.choice(request, path, keys)
        return self._answers.page(request, name, choice, found)


def retry_command(reason: str) -> str:
    """What to type; empty if it cannot be typed. A reason is anybody's text, so it is quoted, and its longest
    piece serves that has nothing in it which a terminal takes for a sign.
    """
    if not reason:
        return RETRY.format(which="--all")
    pieces = "".join(c if c.isprintable() else "\n" for c in reason).split("\n")
    longest = max(pieces, key=len)
    return RETRY.format(which=f"--reason {shlex.quote(longest)}") if longest else ""
