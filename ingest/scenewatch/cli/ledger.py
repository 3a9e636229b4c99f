"""`ledger`: what a running worker says has become of every message."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.cli.words import FOUND, WELL, add, add_json
from scenewatch.model.errors import ConfigurationError, Mistake, TemporaryError

if TYPE_CHECKING:
    import argparse

    from scenewatch.api.shapes import Ledger
    from scenewatch.cli.words import Subparsers

WORKER = "http://127.0.0.1:8080"
ANSWER_S = 10.0


def add_commands(commands: Subparsers) -> None:
    text = "ask a running worker whether every message is accounted for; status 1 while any is pending"
    p = add(commands, "ledger", _ledger, text, "scenewatch ledger --worker http://127.0.0.1:8080")
    where = p.add_mutually_exclusive_group()
    where.add_argument("--worker", default=None, metavar="URL", help=f"where the worker's API is ({WORKER})")
    where.add_argument("--config", type=Path, default=None, metavar="FILE", help="TOML file whose worker is asked")
    add_json(p)


def _ledger(options: argparse.Namespace) -> int:
    from scenewatch.api.shapes import Ledger
    from scenewatch.cli.show import put_json

    url = _configured(options.config) if options.config is not None else options.worker or WORKER
    answer = _get(f"{url.rstrip('/')}/api/v1/ledger")
    try:
        ledger = Ledger.model_validate_json(answer)
    except ValueError as error:
        raise TemporaryError(f"what answers at {url} is no worker of this release") from error
    complaint = _complaint(ledger)
    if options.json is not None:
        put_json(ledger.model_dump(), options.json)
    else:
        _show(ledger, complaint or "balanced: every message is accounted for")
    return FOUND if complaint else WELL


def _configured(config: Path) -> str:
    from scenewatch.settings import load

    http = load(config).http
    if http.port == 0:
        raise ConfigurationError([Mistake("http.port", "is 0, so nobody knows the port; use --worker URL")])
    host = f"[{http.host}]" if ":" in http.host else http.host
    return f"http://{host}:{http.port}"


def _get(url: str) -> bytes:
    import httpx

    try:
        answer = httpx.get(url, timeout=ANSWER_S, trust_env=False)
    except httpx.InvalidURL as error:
        raise ConfigurationError([Mistake("--worker", f"{url} is no URL ({error})")]) from error
    except httpx.UnsupportedProtocol as error:
        raise ConfigurationError([Mistake("--worker", f"{url} must begin with http:// or https://")]) from error
    except httpx.HTTPError as error:
        raise TemporaryError(f"no worker answers at {url} ({error})") from error
    if answer.status_code != httpx.codes.OK:
        raise TemporaryError(f"{url} answers with status {answer.status_code}")
    return answer.content


def _complaint(ledger: Ledger) -> str | None:
    accounted = ledger.stored + ledger.duplicate + ledger.dead + ledger.pending
    if ledger.received != accounted:
        return f"not balanced: {ledger.received} received, {accounted} accounted for"
    if ledger.pending:
        return f"{ledger.pending} pending: on their way to the store"
    return None


def _show(ledger: Ledger, verdict: str) -> None:
    from scenewatch.cli.show import iso, printable

    for name in ("received", "stored", "duplicate", "dead", "pending"):
        print(f"{name:<10}{getattr(ledger, name):>16,}")
    journal, source, store = ledger.journal, ledger.source, ledger.store
    lost = f", {journal.lost:,} positions lost to damage" if journal.lost else ""
    print(f"journal   {printable(journal.state)}, head {journal.head:,}, {journal.bytes:,} bytes{lost}")
    print(f"source    {printable(source.state)}, since {iso(source.since)}")
    print(f"store     {printable(store.state)}, position {store.position:,}")
    print(verdict)
