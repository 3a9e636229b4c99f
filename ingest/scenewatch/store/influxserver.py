"""The one place that talks to an InfluxDB, 1.8 or 2.x, by the endpoints both have. Library errors end here."""

from __future__ import annotations

import gzip
import json
import re
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService
from urllib3.exceptions import HTTPError

from scenewatch.model.errors import RefusedError, TemporaryError

if TYPE_CHECKING:
    from scenewatch.store.influxurl import InfluxUrl

TIMEOUT_S = 30.0
GZIP_FROM_BYTES = 2_000
"""Below it a packet or two is saved at most, and on the same machine nothing is worth the time."""
REFUSED = (400, 413, 422)
DROPPED = re.compile(r"dropped=(\d+)")


class PointsRefusedError(RefusedError):
    """Some or all points of a write; `dropped` is how many the server says, None if it does not."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        found = DROPPED.search(reason)
        self.dropped = int(found[1]) if found else None


@dataclass(frozen=True, slots=True)
class Found:
    """One series of an answer: its tags and its rows, each beginning with the time in milliseconds."""

    tags: dict[str, str]
    rows: list[list[Any]]


class InfluxServer:
    """Safe to use from any thread. Connects when first asked, so that a server may come later."""

    def __init__(self, url: InfluxUrl, token: str) -> None:
        self._url = url
        self._compresses = not url.is_local
        client = InfluxDBClient(url.base, token, org=url.org, timeout=round(TIMEOUT_S * 1000))
        # What the client's synchronous write API calls; that one compresses all or nothing, and ten times slower.
        self._writes = WriteService(client.api_client)
        authorization = {"Authorization": f"Token {token}"} if token else {}
        self._reads = httpx.Client(base_url=url.base, headers=authorization, timeout=TIMEOUT_S)
        self._opened = ExitStack()
        for part in (client, self._reads):
            self._opened.callback(part.close)

    def write(self, lines: bytes) -> None:
        """Returns when the server has them. Raises TemporaryError, or PointsRefusedError when some are not kept."""
        options: dict[str, str] = {"content_type": "text/plain; charset=utf-8"}
        if self._compresses and len(lines) >= GZIP_FROM_BYTES:
            lines, options["content_encoding"] = gzip.compress(lines, 1), "gzip"
        try:
            self._writes.post_write(self._url.org, self._url.bucket, lines, precision=WritePrecision.MS, **options)
        except ApiException as error:
            reason = _reason(error.body)
            if error.status in REFUSED:
                raise PointsRefusedError(reason) from error
            raise self._temporary(error.status, reason) from error
        except (HTTPError, OSError) as error:
            raise TemporaryError(f"{self._url}: cannot be reached ({_cause(error)})") from error

    def query(self, *statements: str) -> list[list[Found]]:
        """Each statement's series. Raises TemporaryError."""
        form = {"db": self._url.database, "epoch": "ms", "q": ";".join(statements)}
        if self._url.policy:
            form["rp"] = self._url.policy
        query = {name: form[name] for name in form if name != "q"}
        try:
            response = self._reads.post("/query", params=query, data={"q": form["q"]})
        except httpx.HTTPError as error:
            raise TemporaryError(f"{self._url}: cannot be reached ({error})") from error
        if response.status_code != httpx.codes.OK:
            raise self._temporary(response.status_code, _reason(response.content))
        results = _decoded(response.content).get("results", [])
        errors = [result["error"] for result in results if "error" in result]
        if errors:
            raise TemporaryError(f"{self._url}: cannot be asked ({errors[0]})")
        return [[Found(s.get("tags", {}), s["values"]) for s in result.get("series", ())] for result in results]

    def close(self) -> None:
        self._opened.close()

    def _temporary(self, status: int, reason: str) -> TemporaryError:
        """Also of what a person must mend on the server: until then readings wait, and this is told."""
        if status in (401, 403):
            return TemporaryError(f"{self._url}: does not accept what store.token_file says ({reason})")
        if status == httpx.codes.NOT_FOUND:
            return TemporaryError(f"{self._url}: there is no such database or bucket; make it ({reason})")
        return TemporaryError(f"{self._url}: cannot take or give readings now ({status}: {reason})")


def _decoded(body: bytes) -> dict[str, Any]:
    """Whole numbers as floats: else the zero of `-0` loses its sign. Times are exact, being below 2**53."""
    try:
        answer = json.loads(body, parse_int=float)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _reason(body: bytes | str | None) -> str:
    raw = body.encode() if isinstance(body, str) else body or b""
    answer = _decoded(raw)
    told = answer.get("message") or answer.get("error") or raw.decode(errors="replace")
    return " ".join(str(told).split())[:500] or "no reason given"


def _cause(error: BaseException) -> str:
    """The libraries wrap what the system said in their own words."""
    while error.__cause__ is not None:
        error = error.__cause__
    return str(error)
