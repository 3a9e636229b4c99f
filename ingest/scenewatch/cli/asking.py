"""Asking a worker's API: where it is, and what came instead of an answer, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scenewatch.model.errors import ConfigurationError, Mistake, TemporaryError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WORKER: Final = "http://127.0.0.1:8080"
ANSWER_S: Final = 10.0


def configured(config: Path | None) -> str:
    """Where the worker of these settings has its API."""
    from scenewatch.settings import load

    http = load(config).http
    if http.port == 0:
        raise ConfigurationError([Mistake("http.port", "is 0, so nobody knows the port; use --worker URL")])
    host = f"[{http.host}]" if ":" in http.host else http.host
    return f"http://{host}:{http.port}"


def get(url: str, query: Mapping[str, Any] | None = None, answer_s: float = ANSWER_S) -> bytes:
    import httpx

    try:
        answer = httpx.get(url, params=query, timeout=answer_s, trust_env=False)
    except httpx.InvalidURL as error:
        raise ConfigurationError([Mistake("--worker", f"{url} is no URL ({error})")]) from error
    except httpx.UnsupportedProtocol as error:
        raise ConfigurationError([Mistake("--worker", f"{url} must begin with http:// or https://")]) from error
    except httpx.HTTPError as error:
        raise TemporaryError(f"no worker answers at {url} ({error})") from error
    if answer.status_code != httpx.codes.OK:
        raise TemporaryError(f"{url} answers with status {answer.status_code}")
    return answer.content
