"""A whole worker on an InfluxDB that misbehaves: alarms go on, nothing is lost or doubled, the ledger balances."""

from __future__ import annotations

import logging
from contextlib import closing

import httpx
import pytest

from ends import HandClock, wait_for
from influx_server import create
from raw_server import HANG, RESET, RawServer, http, well
from records import START_MS, telemetry, topic
from scenewatch import app
from scenewatch.model.messages import Messages
from scenewatch.store import influxserver
from scenewatch.worker import writer
from worker_rig import WorkerRig

BUCKET = "misbehaves"
SECRET = "s3cret-t0ken"  # noqa: S105  # made up
HOT = 95


@pytest.fixture
def front(influxd):
    """In front of a real server, whose every answer passes through unless another one is told."""
    httpx.post(f"{influxd}/query", data={"q": f'DROP DATABASE "{BUCKET}"'}).raise_for_status()
    create(influxd, BUCKET)
    with closing(RawServer()) as front, httpx.Client(base_url=influxd) as client:

        def passed_on(path, headers, body):
            kind = {"Content-Type": headers["content-type"]}
            answer = client.post(path, content=body, headers=kind)
            return http(answer.status_code, answer.content)

        front.passed_on = front.answer = passed_on
        yield front


@pytest.fixture
def begin(vat_scene, tmp_path, monkeypatch):
    monkeypatch.setattr(influxserver, "TIMEOUT_S", 0.3)
    monkeypatch.setattr(writer, "RETRY_S", (0.02,))
    monkeypatch.setattr(writer, "LONGEST_RETRY_S", 0.02)
    monkeypatch.setattr(app, "END_S", 2.5)
    monkeypatch.setattr(app, "CLOSING_S", 1.0)
    monkeypatch.setattr(app, "FAREWELL_S", 0.5)
    rigs = []

    def begin(address):
        token = tmp_path / "token"
        token.write_text(SECRET)
        rigs.append(
            WorkerRig(
                tmp_path,
                vat_scene,
                HandClock(START_MS),
                monkeypatch,
                store=f"influx+{address}/?org=o&bucket={BUCKET}",
                environment={"SCENEWATCH_STORE_TOKEN_FILE": str(token)},
            )
        )
        return rigs[-1]

    yield begin
    for rig in rigs:
        rig.close()


def arrive(rig, *seconds, device="vat-1", **values):
    """One message a second named; does not wait for the store."""
    journal = rig.worker.journal
    head = journal.head + len(seconds)
    for s in seconds:
        at_ms = START_MS + 1000 * s
        named = values or {"temp": HOT, "level": 50}
        journal.append(Messages.of([(topic(device), telemetry(at_ms, b="x", n=s, **named))], at_ms))
    wait_for(lambda: rig.worker.pipeline.position >= head)


def ledger(rig):
    told = rig.get("/api/v1/ledger")
    return [told[key] for key in ("received", "stored", "duplicate", "dead", "pending")]


def stored(rig, channel="temp"):
    readings = rig.worker.store.readings(f"brine.w1.vat-1.{channel}", START_MS - 1, START_MS + 10_000_000, 10_000)
    return [(t - START_MS) // 1000 for t in readings.t_ms.tolist()]


def drained(rig):
    worker = rig.worker
    return worker.store.position() == worker.journal.head == worker.pipeline.position


MISBEHAVIOUR = {
    "busy": http(503, b"", Retry_After="1"),
    "without its bucket": http(404, {"error": "database not found"}),
    "replaced by a page": http(200, b"<html>"),
    "breaking off": RESET,
    "silent": HANG,
}


@pytest.mark.parametrize("answer", MISBEHAVIOUR.values(), ids=MISBEHAVIOUR)
def test_a_store_that_misbehaves_only_makes_the_line_longer(begin, front, answer, caplog):
    rig = begin(front.address)
    arrive(rig, 0, 1)
    wait_for(lambda: drained(rig))
    front.answer = lambda *_: answer
    arrive(rig, *range(2, 40))
    wait_for(lambda: rig.worker.writer.state != "ok")
    front.requests.clear()
    wait_for(lambda: len(front.requests) > 2)
    assert ledger(rig) == [40, 2, 0, 0, 38]
    assert [alarm["rule"] for alarm in rig.get("/api/v1/alarms")["alarms"]] == ["brine.vat_hot"]
    assert any(front.address in reason for reason in rig.worker.readiness().reasons)
    front.requests.clear()
    front.answer = front.passed_on
    arrive(rig, *range(40, 60))
    wait_for(lambda: drained(rig))
    assert stored(rig) == stored(rig, "level") == list(range(60))
    assert ledger(rig) == [60, 60, 0, 0, 0]
    times = [
        int(line.split()[-1]) for path, _, body in front.requests if "write" in path for line in body.splitlines()
    ]
    assert times == sorted(times), "in order"
    assert rig.worker.writer.failure is None
    assert len([r for r in caplog.records if "batches" in r.message]) <= 4


def test_what_the_server_refuses_is_a_dead_letter_and_the_ledger_balances(begin, front, influxd):
    other = "vat,scene=brine,site=w9,device=x level=1i 1800000000000"
    httpx.post(f"{influxd}/write", params={"db": BUCKET, "precision": "ms"}, content=other).raise_for_status()
    rig = begin(front.address)
    arrive(rig, *range(10))
    arrive(rig, *range(10, 20), level=50)
    arrive(rig, *range(20, 30), temp=HOT)
    wait_for(lambda: drained(rig))
    assert stored(rig) == [*range(10), *range(20, 30)]
    assert ledger(rig) == [30, 20, 0, 10, 0]
    letters = rig.get("/api/v1/dead-letters?limit=100")["dead_letters"]
    assert [letter["reason"].partition(": ")[0] for letter in reversed(letters)] == [
        *["taken without"] * 10,
        *["the store refused level"] * 10,
    ]
    assert all("field type conflict" in letter["reason"] for letter in letters)
    assert letters[0]["topic"] == topic("vat-1").decode()


def test_the_token_is_in_no_log_and_no_answer(begin, caplog):
    caplog.set_level(logging.DEBUG)
    with closing(RawServer()) as server:
        rig = begin(server.address)
        answers = [http(401, {"error": "no"}), http(500, b""), http(307, b"", Location="/"), b"nonsense", RESET]
        for n, answer in enumerate(answers):
            server.answer = lambda *_, answer=answer: answer
            server.requests.clear()
            arrive(rig, n)
            wait_for(lambda: len(server.requests) > 2)
            assert server.requests[-1][1]["authorization"] == f"Token {SECRET}"
            told = rig.get("/api/v1/ledger")["store"]["state"] + str(rig.worker.readiness())
            assert "waiting" in told
            assert SECRET not in told
        server.answer = well
        wait_for(lambda: drained(rig))
    assert "batches" in caplog.text
    assert SECRET not in caplog.text
