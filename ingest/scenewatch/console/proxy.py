"""Passes the worker's own addresses through unchanged, so that one port serves pages and API alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
from starlette.background import BackgroundTask
from starlette.responses import JSONResponse, Response, StreamingResponse

from scenewatch.console.security import no_cookies, same_origin
from scenewatch.model.errors import TemporaryError
from scenewatch.model.operators import SESSION_COOKIE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

PASSED_BACK = frozenset(
    {
        "content-type",
        "content-security-policy",
        "content-encoding",
        "content-length",
        "content-disposition",
        "cache-control",
        "etag",
        "last-modified",
        "link",
        "location",
        "retry-after",
        "set-cookie",
        "vary",
        "www-authenticate",
    }
)
PASSED_ON = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "authorization",
        "content-type",
        "if-none-match",
        "if-modified-since",
        "last-event-id",
        "range",
    }
)
HEALTH = frozenset({"/healthz", "/readyz"})
LOOKS = frozenset({"GET", "HEAD"})
MOST_BYTES = 64 * 1024
"""Of what is sent; the worker takes no more either."""
TIMEOUT = httpx.Timeout(30.0, connect=3.0)


def problem(status: int, detail: str) -> Response:
    """An RFC 9457 problem in one line."""
    title = httpx.codes.get_reason_phrase(status)
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JSONResponse(body, status, media_type="application/problem+json")


class Proxy:
    """An endpoint: method, path, query and body go through byte for byte.

    The worker lets a browser change something only from a page of its own. To the browser this server is the
    worker: so whether the page is one of ours is looked at here, and said to the worker in its own name.
    """

    def __init__(self, worker_url: str) -> None:
        # Connections of its own, without bound: streams that readers hold open never keep the pages waiting.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        self._client = httpx.AsyncClient(
            base_url=worker_url, timeout=TIMEOUT, limits=limits, trust_env=False, cookies=no_cookies()
        )
        self._client.headers.clear()  # what the reader did not ask for, such as gzip, is not asked for here

    async def close(self) -> None:
        await self._client.aclose()

    async def endpoint(self, request: Request) -> Response:
        path = request.scope["raw_path"]
        query = request.scope["query_string"]
        url = self._client.base_url.copy_with(raw_path=path + (b"?" + query if query else b""))
        headers = {k: v for k, v in request.headers.items() if k in PASSED_ON}
        if SESSION_COOKIE in request.cookies:
            headers["cookie"] = f"{SESSION_COOKIE}={request.cookies[SESSION_COOKIE]}"
        body = None
        if request.method not in LOOKS:
            if "origin" in request.headers and not same_origin(request.headers):
                return problem(httpx.codes.FORBIDDEN, "The request comes from a page of another address.")
            body = await _given(request)
            if body is None:
                return problem(httpx.codes.REQUEST_ENTITY_TOO_LARGE, f"More than {MOST_BYTES} bytes.")
        asked = self._client.build_request(request.method, url, headers=headers, content=body)
        if body is not None and "origin" in request.headers:
            asked.headers["origin"] = f"{asked.url.scheme}://{asked.headers['host']}"
        try:
            answer = await self._client.send(asked, stream=True)
        except httpx.TransportError:
            away = httpx.codes.SERVICE_UNAVAILABLE if request.url.path in HEALTH else httpx.codes.BAD_GATEWAY
            return problem(away, "The worker does not answer; the console goes on trying.")
        kept = {k: v for k, v in answer.headers.items() if k in PASSED_BACK}
        return StreamingResponse(_body(answer), answer.status_code, kept, background=BackgroundTask(answer.aclose))


async def _given(request: Request) -> bytes | None:
    """What is sent; None for too much, of which no more is read."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for block in answer.aiter_raw():
            yield block
    except httpx.TransportError as error:
        # An event stream may end at any time; any other answer must not look complete when it is not.
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            raise TemporaryError(f"the worker went away in mid-answer: {error!r}") from error
    finally:
        await answer.aclose()
