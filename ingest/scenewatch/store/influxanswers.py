"""What each answer of a server means for the batch at hand, with one line for a person. No network in here."""

from __future__ import annotations

import json
import re
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from scenewatch.model.errors import RefusedError, ScenewatchError, TemporaryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scenewatch.store.influxurl import InfluxUrl

LOGIN = (401, 403)
REFUSED = (400, 422)
BUSY = (429, 503)
BEYOND = "beyond retention policy"
"""What a server says of points that are older than it keeps any."""
DROPPED = re.compile(r"dropped=(\d+)")
LONGEST_REASON = 500
R = TypeVar("R", "_Results", "_TableResults")
TIMES_MS = 2.0**63 / 1e6
"""A server keeps nanoseconds in 64 bits."""


class PointsRefusedError(RefusedError):
    """Some or all points of a write; `dropped` is how many the server says, None if it does not."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        found = DROPPED.search(reason)
        self.dropped = int(found[1]) if found else None


class RequestTooLargeError(RefusedError):
    """As one request; its halves may be taken."""


class NoAnswerError(TemporaryError):
    """The request may have been too much at once, and may or may not have been taken."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Of HTTP, whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """One series of an answer: its tags and its rows, each beginning with the time in milliseconds."""

    tags: dict[str, str]
    rows: list[list[Any]]


class Table(msgspec.Struct):
    """One series of an answer that was read fast: all numbers are floats, and -0 has lost its sign."""

    values: list[list[float | str | bool | None]]
    columns: list[str]
    name: str = ""
    tags: dict[str, str] = {}
    partial: bool = False


class _Series(msgspec.Struct):
    values: list[list[Any]]
    tags: dict[str, str] = {}
    partial: bool = False


class _Result(msgspec.Struct):
    series: list[_Series] = []
    error: str = ""
    partial: bool = False


class _Results(msgspec.Struct):
    results: list[_Result]


class _TableResult(msgspec.Struct):
    series: list[Table] = []
    error: str = ""
    partial: bool = False


class _TableResults(msgspec.Struct):
    results: list[_TableResult]


def to_write(url: InfluxUrl, answer: Answer) -> ScenewatchError | None:
    """None: the points are kept. An InfluxDB says so by 204 alone, and what is in front of one may say 200."""
    if answer.status == HTTPStatus.NO_CONTENT:
        return None
    reason = _said(answer.body)
    if answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return RequestTooLargeError(reason or f"larger than {url} takes")
    if answer.status in REFUSED and reason is not None:
        return PointsRefusedError(reason)
    return _temporary(url, answer)


def to_query(url: InfluxUrl, answer: Answer, statements: int) -> list[list[Found]]:
    """Each statement's series. Raises TemporaryError."""
    results = _whole(url, answer, statements, lambda body: msgspec.convert(_decoded(body), _Results)).results
    rows = (row for result in results for one in result.series for row in one.values)
    if not all(map(_has_time, rows)):
        raise _no_influxdb(url, answer)
    return [[Found(one.tags, one.values) for one in result.series] for result in results]


def to_exact(url: InfluxUrl, answer: Answer, statements: int) -> list[list[Found]]:
    """The same, numbers as their text, so that none loses a digit or its type; rows need have no time."""
    results = _whole(url, answer, statements, lambda body: msgspec.convert(_decoded(body, str), _Results)).results
    return [[Found(one.tags, one.values) for one in result.series] for result in results]


def to_tables(url: InfluxUrl, answer: Answer, statements: int) -> list[list[Table]]:
    """The same, for answers that are large or do not tell of times."""
    results = _whole(url, answer, statements, lambda body: msgspec.json.decode(body, type=_TableResults)).results
    tables = [one for result in results for one in result.series]
    if any(len(row) != len(one.columns) for one in tables for row in one.values):
        raise _no_influxdb(url, answer)
    return [result.series for result in results]


def _whole(url: InfluxUrl, answer: Answer, statements: int, read: Callable[[bytes], R]) -> R:
    """An answer that is complete and tells of no error."""
    if answer.status != HTTPStatus.OK:
        raise _temporary(url, answer)
    try:
        found = read(answer.body)
    except msgspec.MsgspecError:
        raise _no_influxdb(url, answer) from None
    for result in found.results:
        if result.error:
            raise _unanswered(url, _line(result.error))
        if result.partial or any(one.partial for one in result.series):
            raise TemporaryError(f"{url}: gives only a part of the rows; set max-row-limit to 0 there")
    if len(found.results) != statements:
        raise _no_influxdb(url, answer)
    return found


def no_answer(url: InfluxUrl, error: BaseException, *, asked: bool) -> TemporaryError:
    """`asked`: the request was on its way already. The libraries wrap what the system said in their own words."""
    cause = error
    while (inner := cause.__cause__ or cause.__context__) is not None:
        cause = inner
    said = _line(str(cause)) or type(cause).__name__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return TemporaryError(f"{url}: its certificate is not trusted; name its CA in store.ca_file ({said})")
    if isinstance(cause, ssl.SSLError):
        return TemporaryError(f"{url}: TLS does not work; is it https that is spoken there? ({said})")
    if not asked:
        return TemporaryError(f"{url}: cannot be reached ({said})")
    return NoAnswerError(f"{url}: gives no whole answer, it may be overloaded or ending ({said})")


def _temporary(url: InfluxUrl, answer: Answer) -> TemporaryError:
    """Also of what a person must mend on the server: until then readings wait, and this is told."""
    reason, status = _said(answer.body), answer.status
    if status in LOGIN:
        return TemporaryError(f"{url}: does not accept what store.token_file says ({reason or status})")
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        target = urlsplit(answer.headers.get("Location", ""))
        there = _line(f"{target.scheme}://{target.hostname}") if target.hostname else "elsewhere"
        return TemporaryError(f"{url}: sends us to {there} ({status}); put the server's own address into store.url")
    if status in BUSY:
        wish = answer.headers.get("Retry-After", "")
        what = f"{url}: is busy or limits us, that is waited for ({status}: {_told(answer)})"
        return TemporaryError(what, retry_after_s=float(wish) if re.fullmatch(r"\d{1,9}", wish) else 0.0)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return TemporaryError(f"{url}: cannot take or give readings now ({status}: {_told(answer)})")
    return _no_influxdb(url, answer) if reason is None else _unanswered(url, reason, status)


def _unanswered(url: InfluxUrl, reason: str, status: int = 0) -> TemporaryError:
    if status == HTTPStatus.NOT_FOUND or "not found" in reason:
        return TemporaryError(f"{url}: there is no such database or bucket; make it ({reason})")
    return TemporaryError(f"{url}: cannot be asked ({reason})")


def _no_influxdb(url: InfluxUrl, answer: Answer) -> TemporaryError:
    told = f"{answer.status}: {_told(answer)}"
    return TemporaryError(f"{url}: what answers is no InfluxDB; is store.url right? ({told})")


def _told(answer: Answer) -> str:
    return _said(answer.body) or _line(answer.body.decode(errors="replace")) or "no reason given"


def _said(body: bytes) -> str | None:
    """The reason, in one of the forms of InfluxDB's versions; None where it is none of them."""
    answer = _decoded(body)
    if not isinstance(answer, dict):
        return None
    reasons = [answer.get("message") or answer.get("error")]
    lines = answer.get("data")
    if isinstance(lines, list) and lines and isinstance(lines[0], dict):
        reasons.append(lines[0].get("error_message"))
    return _line(": ".join(reason for reason in reasons if isinstance(reason, str))) or None


def _line(text: str) -> str:
    """As one short line that every database and terminal can take."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:LONGEST_REASON]


def _decoded(body: bytes, number: Callable[[str], Any] = float) -> Any:
    """Whole numbers as floats: else the zero of `-0` loses its sign. Times are exact, being below 2**53."""
    try:
        return json.loads(body, parse_int=number, parse_float=number)
    except (ValueError, RecursionError):
        return None


def _has_time(row: list[Any]) -> bool:
    return bool(row) and isinstance(row[0], float) and -TIMES_MS <= row[0] <= TIMES_MS
