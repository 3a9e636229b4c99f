"""One worker for all questions that change nothing, fed once."""

from __future__ import annotations

import pytest

from ends import HandClock
from records import START_MS, telemetry, topic
from worker_rig import WorkerRig


@pytest.fixture(scope="module")
def rig(vat_scene, tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = WorkerRig(tmp_path_factory.mktemp("worker"), vat_scene, HandClock(START_MS), monkeypatch)
        feed(made)
        yield made
        made.close()


def feed(rig):
    """vat-1 of w1 is raised hot and stays so; everything else happens once."""
    vat, gateway = topic("vat-1"), topic("gw", "status")
    for n, temp in enumerate((70, 85, 86, 87, 95)):
        at_ms = START_MS + n * 10_000
        rig.send(at_ms, (vat, telemetry(at_ms, b="x", n=n, temp=temp, level=50)))
    end_ms = START_MS + 41_000
    rig.send(end_ms, (gateway, b'{"state": "online"}'), (topic("vat-9"), b"{}"))
    rig.send(end_ms, (vat, telemetry(START_MS + 40_000, b="x", n=4, temp=95, level=50)))
    rig.send(end_ms, (vat, telemetry(START_MS + 5_000, b="x", n=7, temp=71, level="full")))
    rig.send(end_ms, (topic("vat-2", "status", site="w2"), b'{"state": "offline"}'))
