"""Asks a server over HTTP, within its time; errors in one line."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Self

import httpx

from scenewatch.model.errors import TemporaryError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ANSWER_S = 4.0


class Web:
    """One server. A context."""

    def __init__(self, base: str, *, ca_file: Path | None = None, headers: Mapping[str, str] | None = None) -> None:
        self.base = base
        try:
            trust = ssl.create_default_context(cafile=ca_file) if base.startswith("https:") else False
        except OSError as error:
            raise TemporaryError(f"{ca_file} cannot be used ({error}): name certificates as PEM") from error
        self._client = httpx.Client(base_url=base, verify=trust, timeout=ANSWER_S, headers=headers, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, **query: str) -> httpx.Response:
        return self.ask("GET", path, query)

    def ask(self, method: str, path: str, query: Mapping[str, str], **body: Any) -> httpx.Response:
        """Raises TemporaryError, with the mend behind a colon."""
        try:
            return self._client.request(method, path, params=query, **body)
        except httpx.TimeoutException:
            raise TemporaryError(
                f"{self.base} does not answer within {ANSWER_S:g} s: see whether it hangs"
            ) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise TemporaryError(
                f"{self.base} cannot be reached ({_said(error)}): check the address, and whether it runs"
            ) from error


def _said(error: BaseException) -> str:
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return " ".join(str(error).split()) or type(error).__name__
