"""Grafana, where its address is given: that it is well, and, with a login, that it has our data sources."""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import TYPE_CHECKING

from scenewatch.doctor.dashboards import SOURCES
from scenewatch.doctor.findings import failed, ok, warning
from scenewatch.doctor.web import Web
from scenewatch.model.errors import TemporaryError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scenewatch.doctor.findings import Finding, Subject

LOGIN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
PROVISION = "mount dashboards/provisioning/ as /etc/grafana/provisioning, and restart Grafana"


def grafana(subject: Subject) -> Iterator[Finding]:
    if subject.grafana is None:
        return
    headers = _login(subject.grafana_login_file)
    with Web(subject.grafana, ca_file=subject.settings.store.ca_file, headers=headers) as web:
        health = web.get("/api/health")
        try:
            body = health.json()
            version, database = body["version"], body["database"]
        except (ValueError, KeyError, TypeError):
            yield failed(f"what answers at {web.base} is no Grafana ({health.status_code})", "check --grafana")
            return
        if database != "ok":
            yield failed(f"Grafana {version}: its database is {database}", "see Grafana's log")
        else:
            yield ok(f"Grafana {version} is well")
        if headers:
            yield from _data_sources(web)
        else:
            yield ok("its data sources are not looked at: --grafana-login-file FILE would let us")


def _login(file: Path | None) -> dict[str, str]:
    """A file of one line: USER:PASSWORD, or the token of a service account."""
    if file is None:
        return {}
    try:
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise TemporaryError(f"--grafana-login-file {file} cannot be read") from None
    if ":" in text:
        return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}
    return {"Authorization": f"Bearer {text}"}


def _data_sources(web: Web) -> Iterator[Finding]:
    for uid in SOURCES:
        there = web.get(f"/api/datasources/uid/{uid}")
        if there.status_code in LOGIN:
            yield failed("Grafana does not accept the login", "check the file of --grafana-login-file")
            return
        if there.status_code == HTTPStatus.NOT_FOUND:
            yield failed(f"Grafana has no data source {uid}", PROVISION)
            continue
        health = web.get(f"/api/datasources/uid/{uid}/health")
        if health.status_code == HTTPStatus.OK:
            yield ok(f"data source {uid} answers")
        elif health.status_code == HTTPStatus.NOT_FOUND:
            yield warning(f"Grafana does not say how the data source {uid} is", "open it there, and press Test")
        else:
            said = " ".join(str(_message(health.content)).split())[:300]
            yield failed(f"data source {uid} does not answer ({said})", "check its address, database and token")


def _message(body: bytes) -> str:
    return body.decode(errors="replace")
