"""The worker itself: whether it runs, says it is well, and accounts for every message."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from scenewatch.api.shapes import Ledger, Ready
from scenewatch.doctor.findings import failed, ok, warning
from scenewatch.doctor.web import Web
from scenewatch.model.errors import TemporaryError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.doctor.findings import Finding, Subject
    from scenewatch.settings import HttpSettings

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # compared with, not listened on


def worker(subject: Subject) -> Iterator[Finding]:
    http = subject.settings.http
    if http.port == 0 and subject.worker is None:
        yield warning("http.port is 0, so nobody knows where the worker is", "give it a port of its own")
        return
    with Web(_address(subject)) as web:
        try:
            answer = web.get("/readyz")
        except TemporaryError as error:
            yield _silent(http, web.base, error)
            return
        try:
            ready = Ready.model_validate_json(answer.content)
        except ValueError:
            what = f"{web.base}: what answers there is no worker ({answer.status_code}): the port is in use"
            yield failed(what, "stop that program, or choose another http.port")
            return
        yield from _readiness(web.base, ready)
        yield from _ledger(web)


def has_received(subject: Subject) -> bool:
    """Whether a worker runs that has ever received a message. Nothing is told of one that cannot be asked."""
    try:
        with Web(_address(subject)) as web:
            return Ledger.model_validate_json(web.get("/api/v1/ledger").content).received > 0
    except (TemporaryError, ValueError):
        return False


def _address(subject: Subject) -> str:
    if subject.worker is not None:
        return subject.worker.rstrip("/")
    http = subject.settings.http
    host = EVERYWHERE.get(http.host, f"[{http.host}]" if ":" in http.host else http.host)
    return f"http://{host}:{http.port}"


def _silent(http: HttpSettings, base: str, error: TemporaryError) -> Finding:
    if "refused" in str(error):
        return warning(f"no worker runs: nothing listens at {base}", "start it: scenewatch work --config FILE")
    if "does not answer" in str(error) or "disconnected" in str(error) or "protocol" in str(error).lower():
        what = f"{base}: what listens there speaks no HTTP: the port is in use"
        return failed(what, "stop that program, or choose another http.port")
    return failed(f"the worker's API at {base} cannot be asked ({error})", f"check http.host {http.host}")


def _readiness(base: str, ready: Ready) -> Iterator[Finding]:
    if ready.ready:
        yield ok(f"the worker at {base} says it is ready")
    for reason in ready.reasons:
        yield failed(f"the worker at {base} says: {reason}", "mend that; its log says more")


def _ledger(web: Web) -> Iterator[Finding]:
    answer = web.get("/api/v1/ledger")
    if answer.status_code != HTTPStatus.OK:
        yield failed(f"the worker's ledger cannot be read ({answer.status_code})", "see the worker's log")
        return
    try:
        ledger = Ledger.model_validate_json(answer.content)
    except ValueError:
        yield failed("the worker is of another release than this command", "use the same release for both")
        return
    accounted = ledger.stored + ledger.duplicate + ledger.dead + ledger.pending
    if accounted != ledger.received:
        what = f"the ledger does not balance: {ledger.received:,} received, {accounted:,} accounted for"
        yield failed(what, "keep the journal, and report this")
    else:
        yield ok(f"the ledger balances: {ledger.received:,} messages, {ledger.pending:,} on their way")
    if ledger.dead:
        mend = "scenewatch dead-letters list --config FILE says why, and retry takes them once that is mended"
        yield warning(f"{ledger.dead:,} messages could not be taken", mend)
