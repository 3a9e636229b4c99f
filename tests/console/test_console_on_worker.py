"""The console's pages of record on a real worker: what one tells the other understands."""

from __future__ import annotations

import httpx
import pytest
from comes_true import knows_its_worker
from fake_worker import Served

from ends import HandClock
from ports import free_port
from records import START_MS, telemetry, topic
from scenewatch.console.app import create_app
from worker_rig import WorkerRig


@pytest.fixture(scope="module")
def console(vat_scene, tmp_path_factory):
    with pytest.MonkeyPatch.context() as monkeypatch:
        rig = WorkerRig(tmp_path_factory.mktemp("worker"), vat_scene, HandClock(START_MS), monkeypatch)
        vat = topic("vat-1")
        rig.send(START_MS, (vat, telemetry(START_MS, b="x", n=0, temp=20)), (topic("vat-9"), b"<b>\x1b[2J"))
        rig.send(START_MS + 1000, (vat, telemetry(START_MS + 1000, b="x", n=5, temp=20)))
        port = free_port()
        served = Served(create_app(rig.url), port)
        address = knows_its_worker(f"http://127.0.0.1:{port}")
        with httpx.Client(base_url=address, timeout=10, trust_env=False) as client:
            yield client
        served.stop()
        rig.close()


def record(client, address):
    return client.get(address).text.partition('id="record"')[2].partition("</main>")[0]


def test_the_ledger_tells_sites_devices_and_their_gaps(console):
    html = record(console, "/ledger?site=brine.w1&lang=en")
    for text in ("Works w1", "vat-1", 'data-label="Missing numbers" class="some">4<'):
        assert text in html


def test_dead_letters_tell_their_reasons(console):
    html = record(console, "/dead-letters?lang=en")
    assert "unknown device brine.w1.vat-9: import it into the inventory" in html
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
