"""What every address answers with: JSON that nobody keeps, and RFC 9457 problems."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

PROBLEM = "application/problem+json"
Refusals = dict[int | str, dict[str, Any]]
NOT_KEPT = {"Cache-Control": "no-store"}


def json_answer(body: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json", headers=NOT_KEPT)


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return Response(msgspec.json.encode(body), status, media_type=PROBLEM, headers=headers)


def refusals(**why: str) -> Refusals:
    """How OpenAPI describes an answer that is a problem; `_404` is what status 404 means."""
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {int(status[1:]): {"description": text, "content": content} for status, text in why.items()}


WRONG_QUERY = refusals(_422="A parameter is missing or wrong.")
NOT_SIGNED_IN = refusals(
    _401="Sign in first, or send a token as `Authorization: Bearer`.",
    _403="This worker has no operators, or a page from elsewhere asks.",
    _413="The body is too long.",
    _415="The body is not JSON.",
    _429="Too many wrong tokens; try again later.",
)
