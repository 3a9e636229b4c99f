"""What a form of this console brings: read with a bound, and only from a page of this very server."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from scenewatch.console.pages import FRESH
from scenewatch.console.security import same_origin

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_BYTES = 64 * 1024
MOST_FIELDS = 500
FORM = "application/x-www-form-urlencoded"
BACK = "next"
"""The field, and the word in the address, that says where to go on."""


class Form:
    """The fields of one form, with the page it came from."""

    def __init__(self, fields: dict[str, list[str]], back: str) -> None:
        self._fields = fields
        self.back = back

    def all(self, name: str) -> list[str]:
        return self._fields.get(name, [])

    def one(self, name: str) -> str:
        """Its first value, without the spaces around; empty where there is none."""
        return self._fields.get(name, [""])[0].strip()


async def read_form(request: Request) -> Form:
    """Raises HTTPException for what no page of this console sends."""
    if not same_origin(request.headers):
        raise HTTPException(403, "A form of another page is not taken.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise HTTPException(415, f"A form is sent as {FORM}.")
    body = bytearray()
    async for block in request.stream():
        body += block
        if len(body) > MOST_BYTES:
            raise HTTPException(413, f"A form has at most {MOST_BYTES} bytes.")
    try:
        fields = parse_qs(body.decode("utf-8"), errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError as error:
        raise HTTPException(400, "The form cannot be read.") from error
    return Form(fields, way_back(fields.get(BACK, ["/"])[0]))


def way_back(asked: str) -> str:
    """An address of this server, whatever was asked for: the word comes from anybody."""
    is_ours = asked.startswith("/") and not asked.startswith("//") and asked.isprintable() and "\\" not in asked
    return asked if is_ours else "/"


def sign_in_first(back: str, language: str) -> str:
    """Where to sign in, and to come back from there."""
    return f"/sign-in?lang={language}&{BACK}={quote(back, safe='')}"


def wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


def go_to(address: str) -> Response:
    return RedirectResponse(address, 303, headers=FRESH)


def tell(*, done: bool, said: str, to: str = "", chart: str = "") -> Response:
    """For a page's script: what to show with a link to a chart, or where to go."""
    return JSONResponse({"done": done, "said": said, "to": to, "chart": chart}, headers=FRESH)
