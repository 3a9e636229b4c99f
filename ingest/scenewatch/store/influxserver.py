"""The one place that talks to an InfluxDB, 1.8 or 2.x, by the endpoints both have. Library errors end here."""

from __future__ import annotations

import gzip
import ssl
from contextlib import ExitStack
from copy import copy
from typing import TYPE_CHECKING, Self

import httpx
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.store import influxanswers
from scenewatch.store.influxanswers import LOGIN, Answer
from scenewatch.store.token import Token

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from scenewatch.store.influxanswers import Found, Table
    from scenewatch.store.influxurl import InfluxUrl

TIMEOUT_S = 30.0
GZIP_FROM_BYTES = 2_000
"""Below it a packet or two is saved at most, and on the same machine nothing is worth the time."""


class InfluxServer:
    """Safe to use from any thread. Connects when first asked, so that a server may come later."""

    def __init__(self, url: InfluxUrl, *, token_file: Path | None = None, ca_file: Path | None = None) -> None:
        self._url = url
        self._compresses = not url.is_local
        self._token = Token(token_file)
        trust = _trust(url, ca_file)
        client = InfluxDBClient(url.base, "", org=url.org, timeout=round(TIMEOUT_S * 1000), ssl_context=trust)
        self._client = client.api_client
        # What the client's synchronous write API calls; that one compresses all or nothing, and ten times slower.
        self._writes = WriteService(self._client)
        self._reads = httpx.Client(base_url=url.base, timeout=TIMEOUT_S, verify=trust, trust_env=False)
        self._opened = ExitStack()
        for part in (client, self._reads):
            self._opened.callback(part.close)

    def write(self, lines: bytes) -> None:
        """Returns when the server has them.

        Raises TemporaryError, PointsRefusedError when some are not kept, or RequestTooLargeError.
        """
        options: dict[str, str] = {"content_type": "text/plain; charset=utf-8"}
        if self._compresses and len(lines) >= GZIP_FROM_BYTES:
            lines, options["content_encoding"] = gzip.compress(lines, 1), "gzip"
        error = influxanswers.to_write(self._url, self._answer(lambda: self._post(lines, options)))
        if error is not None:
            raise error

    def query(self, *statements: str) -> list[list[Found]]:
        """Each statement's series. Raises TemporaryError."""
        return influxanswers.to_query(self._url, self._asked(statements), len(statements))

    def tables(self, *statements: str) -> list[list[Table]]:
        """The same, for large answers. Raises TemporaryError."""
        return influxanswers.to_tables(self._url, self._asked(statements), len(statements))

    def exact(self, *statements: str) -> list[list[Found]]:
        """The same, of rows that may have no time, with all numbers as the text they came as."""
        return influxanswers.to_exact(self._url, self._asked(statements), len(statements))

    def beside(self, suffix: str) -> Self:
        """The bucket whose name goes on like this, by the same connections; closed with this one."""
        other = copy(self)
        other._url = self._url.beside(suffix)  # noqa: SLF001  # a copy of this very class
        return other

    def close(self) -> None:
        self._opened.close()

    def _answer(self, request: Callable[[], Answer]) -> Answer:
        """Where the login is not accepted, once more with what the file says now: tokens change while we run."""
        answer = request()
        return request() if answer.status in LOGIN and self._token.renew() else answer

    def _post(self, lines: bytes, options: dict[str, str]) -> Answer:
        for name, value in self._token.headers().items():
            self._client.set_default_header(name, value)
        try:
            _, status, headers = self._writes.post_write_with_http_info(
                self._url.org, self._url.bucket, lines, precision=WritePrecision.MS, **options
            )
        except ApiException as error:
            if not error.status:  # no answer of HTTP: TLS
                raise influxanswers.no_answer(self._url, error, asked=False) from error
            return Answer(error.status, error.headers or {}, (error.body or "").encode())
        except UnicodeDecodeError as error:
            raise influxanswers.no_answer(self._url, error, asked=True) from error
        except (HTTPError, OSError) as error:
            asked = not isinstance(error, (NewConnectionError, ConnectTimeoutError))
            raise influxanswers.no_answer(self._url, error, asked=asked) from error
        return Answer(status, headers, b"")

    def _asked(self, statements: Sequence[str]) -> Answer:
        form = {"db": self._url.database, "epoch": "ms"}
        if self._url.policy:
            form["rp"] = self._url.policy
        return self._answer(lambda: self._ask(form, ";".join(statements)))

    def _ask(self, form: dict[str, str], statements: str) -> Answer:
        try:
            response = self._reads.post(
                "/query", params=form, data={"q": statements}, headers=self._token.headers()
            )
        except httpx.HTTPError as error:
            asked = not isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
            raise influxanswers.no_answer(self._url, error, asked=asked) from error
        return Answer(response.status_code, response.headers, response.content)


def _trust(url: InfluxUrl, ca_file: Path | None) -> ssl.SSLContext:
    if not url.base.startswith("https:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody; loading whom the system trusts takes 20 ms
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError([Mistake("store.ca_file", f"{ca_file} cannot be used: {error}")]) from error
