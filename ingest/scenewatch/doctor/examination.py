"""Runs all checks side by side, each within its time, and gathers what they find."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scenewatch.doctor.broker import broker_login
from scenewatch.doctor.certificates import certificates
from scenewatch.doctor.clock import clocks
from scenewatch.doctor.dashboards import dashboards
from scenewatch.doctor.database import relational_database
from scenewatch.doctor.duck import embedded_store
from scenewatch.doctor.findings import Finding, Verdict, failed
from scenewatch.doctor.grafana import grafana
from scenewatch.doctor.influx import influxdb
from scenewatch.doctor.machine import disk, versions
from scenewatch.doctor.secrets import secrets
from scenewatch.doctor.tables import tables
from scenewatch.doctor.worker import worker
from scenewatch.model.errors import ScenewatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scenewatch.doctor.findings import Check, Subject

log = logging.getLogger(__name__)

LOOK_S = 0.2
LIMIT_S = 10.0
"""For a whole check; each answer it waits for is given up earlier, and told with its reason."""
CHECKS: Mapping[str, Check] = {
    "settings": tables,
    "versions": versions,
    "secrets": secrets,
    "certificates": certificates,
    "broker": broker_login,
    "influxdb": influxdb,
    "duckdb": embedded_store,
    "database": relational_database,
    "disk": disk,
    "clock": clocks,
    "worker": worker,
    "grafana": grafana,
    "dashboards": dashboards,
}
"""By the part that is examined, in the order in which they are told."""


@dataclass(frozen=True, slots=True)
class Told:
    """One finding, and of which part."""

    part: str
    finding: Finding


def examine(
    subject: Subject,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
    checks: Mapping[str, Check] = CHECKS,
    limit_s: float = LIMIT_S,
) -> list[Told]:
    """All that is found; never stops at the first. `progress` is told, now and then, how many are done of all."""
    running = [_Running(part, check, subject) for part, check in checks.items()]
    end_s = time.monotonic() + limit_s
    for done, one in enumerate(running):
        progress(done, len(running))
        while one.is_at_work and time.monotonic() < end_s:
            one.wait(min(LOOK_S, end_s - time.monotonic()))
            progress(done, len(running))
    progress(len(running), len(running))
    return [Told(one.part, finding) for one in running for finding in one.findings(limit_s)]


def worst(told: list[Told]) -> Verdict:
    order = list(Verdict)
    return max((one.finding.verdict for one in told), key=order.index, default=Verdict.OK)


@dataclass(slots=True)
class _Running:
    """A check in a thread of its own, which does not keep the process when it hangs."""

    part: str
    check: Check
    subject: Subject
    _found: list[Finding] = field(default_factory=list)
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"doctor-{self.part}", daemon=True)
        self._thread.start()

    @property
    def is_at_work(self) -> bool:
        return self._thread.is_alive()

    def wait(self, most_s: float) -> None:
        self._thread.join(max(0.0, most_s))

    def findings(self, limit_s: float) -> list[Finding]:
        found = list(self._found)
        if self.is_at_work:
            found.append(failed(f"no answer within {limit_s:g} s", "see whether it hangs or is overloaded"))
        return found

    def _run(self) -> None:
        try:
            for finding in self.check(self.subject):
                self._found.append(finding)
        except ScenewatchError as error:
            self._found.append(failed(str(error), "mend that, then examine again"))
        except Exception as error:
            log.debug("the check of %s failed", self.part, exc_info=True)
            self._found.append(
                failed(f"cannot be examined ({type(error).__name__}: {error})", "please report this")
            )
