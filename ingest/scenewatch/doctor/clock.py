"""The clock of this machine beside those of the servers, which give their time with every answer of HTTP."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from scenewatch.doctor.findings import ok, warning
from scenewatch.doctor.web import Web
from scenewatch.model.errors import TemporaryError
from scenewatch.store.influxurl import PREFIX, InfluxUrl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.doctor.findings import Finding, Subject

MOST_APART_S = 60
"""A reading that is a minute ahead of our clock carries its receive time instead of its own."""


def clocks(subject: Subject) -> Iterator[Finding]:
    asked = 0
    for name, base, path in _servers(subject):
        try:
            with Web(base, ca_file=subject.settings.store.ca_file) as web:
                before_ms = subject.clock.now_ms()
                date = web.get(path).headers.get("Date", "")
                now_ms = (before_ms + subject.clock.now_ms()) // 2
        except TemporaryError:
            continue  # told by those who need that server
        try:
            there_ms = round(parsedate_to_datetime(date).timestamp() * 1000)
        except ValueError:
            continue  # it gives no time
        asked += 1
        apart_s = (now_ms - there_ms) / 1000
        if abs(apart_s) > MOST_APART_S:
            ahead = "ahead of" if apart_s > 0 else "behind"
            yield warning(f"this clock is {abs(apart_s):,.0f} s {ahead} that of {name}", "set both by NTP")
        else:
            yield ok(f"this clock and that of {name} agree")
    if not asked:
        yield ok("no server was there whose clock could be compared; keep this one by NTP")


def _servers(subject: Subject) -> Iterator[tuple[str, str, str]]:
    store = subject.settings.store.url
    if store.startswith(PREFIX):
        yield "the store", InfluxUrl.parse(store).base, "/ping"
    if subject.grafana is not None:
        yield "Grafana", subject.grafana, "/api/health"
