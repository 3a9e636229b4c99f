"""How commands ask a running worker's API, and how they say who asks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from scenewatch.model.errors import ConfigurationError, Mistake, RefusedError, TemporaryError

if TYPE_CHECKING:
    import argparse

    import httpx
    from pydantic import BaseModel

Shape = TypeVar("Shape", bound="BaseModel")
WORKER = "http://127.0.0.1:8080"
ANSWER_S = 10.0
OK = 200


def add_worker(parser: argparse.ArgumentParser) -> None:
    """`--worker` or `--config`, for `worker_url`."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--worker", default=None, metavar="URL", help=f"where the worker's API is ({WORKER})")
    where.add_argument("--config", type=Path, default=None, metavar="FILE", help="TOML file whose worker is asked")


def add_token(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--token-file", type=Path, required=True, metavar="FILE",
        help="file with an operator's token, or an operators' file with one line",
    )  # fmt: skip


def worker_url(options: argparse.Namespace) -> str:
    """Without a slash at its end."""
    url = configured(options.config) if options.config is not None else options.worker or WORKER
    return str(url).rstrip("/")


def asked(url: str, shape: type[Shape], **query: Any) -> Shape:
    """What the address answers, checked. Raises TemporaryError when nobody of this release is there."""
    return _shaped(url, _got(url, query), shape)


def get(url: str, answer_s: float = ANSWER_S, **query: Any) -> bytes:
    """As `asked`, for what is too long to be checked by a shape."""
    return _got(url, query, answer_s).content


def told(url: str, body: dict[str, Any], token_file: Path, shape: type[Shape], *, method: str = "POST") -> Shape:
    """What comes of having something changed. Raises RefusedError with the worker's reason."""
    headers = {"Authorization": f"Bearer {read_token(token_file)}"}
    answer = _answer(method, url, json=body, headers=headers)
    if answer.is_error:
        raise RefusedError(_reason(url, answer))
    return _shaped(url, answer, shape)


def read_token(path: Path) -> str:
    """Raises ConfigurationError, with nothing of what the file holds."""
    from scenewatch.model.operators import only_token

    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise ConfigurationError([Mistake("--token-file", f"{path} cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise ConfigurationError([Mistake("--token-file", f"{path} is not text")]) from None
    token = only_token(text)
    if token is None or not token.isascii():
        what = f"{path} holds not one token: put yours into a file of its own"
        raise ConfigurationError([Mistake("--token-file", what)])
    return token


def configured(config: Path | None) -> str:
    """Where the worker of these settings has its API."""
    from scenewatch.settings import load

    http = load(config).http
    if http.port == 0:
        raise ConfigurationError([Mistake("http.port", "is 0, so nobody knows the port; use --worker URL")])
    host = f"[{http.host}]" if ":" in http.host else http.host
    return f"http://{host}:{http.port}"


def _answer(method: str, url: str, *, answer_s: float = ANSWER_S, **more: Any) -> httpx.Response:
    import httpx

    try:
        return httpx.request(method, url, timeout=answer_s, trust_env=False, **more)
    except httpx.InvalidURL as error:
        raise ConfigurationError([Mistake("--worker", f"{url} is no URL ({error})")]) from error
    except httpx.UnsupportedProtocol as error:
        raise ConfigurationError([Mistake("--worker", f"{url} must begin with http:// or https://")]) from error
    except httpx.HTTPError as error:
        raise TemporaryError(f"no worker answers at {url} ({error})") from error


def _got(url: str, query: dict[str, Any], answer_s: float = ANSWER_S) -> httpx.Response:
    given = {name: value for name, value in query.items() if value is not None}
    answer = _answer("GET", url, answer_s=answer_s, params=given or None)
    if answer.status_code != OK:
        raise TemporaryError(f"{url} answers with status {answer.status_code}")
    return answer


def _shaped(url: str, answer: httpx.Response, shape: type[Shape]) -> Shape:
    try:
        return shape.model_validate_json(answer.content)
    except ValueError as error:
        at = url.partition("/api/")[0]
        raise TemporaryError(f"what answers at {at} is no worker of this release") from error


def _reason(url: str, answer: httpx.Response) -> str:
    from scenewatch.api.shapes import Problem

    try:
        return Problem.model_validate_json(answer.content).detail
    except ValueError:
        return f"{url} answers with status {answer.status_code}"
