"""`ledger`: status 0 only while nothing is missing and nothing is under way."""

from __future__ import annotations

import json
import socket

import httpx
import pytest

from ends import Gate, wait_for
from records import START_MS, telemetry, topic
from scenewatch.model.messages import Messages


@pytest.fixture
def nobody():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


def test_a_balanced_ledger_is_status_0(typed, rig):
    status, out, err = typed("ledger", "--worker", f"{rig.url}/")
    assert (status, err) == (0, [])
    lines = out.decode().splitlines()
    assert [line.split() for line in lines[:5]] == [
        ["received", "6"],
        ["stored", "3"],
        ["duplicate", "0"],
        ["dead", "3"],
        ["pending", "0"],
    ]
    assert lines[5].startswith("journal   writing, head 7, ")
    assert lines[6].startswith("source    ")
    assert lines[6].endswith(", since 2027-01-15T08:00:00.000Z")
    assert lines[7:] == ["store     ok, position 7", "balanced: every message is accounted for"]


def test_the_worker_of_a_settings_file_is_asked(typed, rig, tmp_path):
    config = tmp_path / "scenewatch.toml"
    config.write_text(f"[http]\nport = {httpx.URL(rig.url).port}\n", "utf-8")
    assert typed("ledger", "--config", config)[0] == 0


@pytest.mark.parametrize("to_file", [False, True])
def test_as_json_it_is_what_the_worker_answers(typed, rig, tmp_path, to_file):
    file = tmp_path / "ledger.json"
    status, out, err = typed("ledger", "--worker", rig.url, "--json", *([file] if to_file else []))
    assert (status, err) == (0, [])
    assert (out == b"") is to_file
    assert json.loads(file.read_bytes() if to_file else out) == rig.get("/api/v1/ledger")


@pytest.mark.parametrize(
    ("by", "first", "unassigned"),
    [("site", ["brine.w1", "6", "3", "0", "3", "0", "0", "0"], "0"), ("device", ["brine.w1.gw", *"0000000"], "1")],
)
def test_it_is_told_by_site_and_by_device(typed, rig, by, first, unassigned):
    """The dead with a mended topic are of their site, and of no known device."""
    status, out, err = typed("ledger", "--worker", rig.url, "--by", by)
    head, *rows, last = (line.split() for line in out.decode().splitlines())
    assert (status, err) == (0, [])
    assert head == [by, "received", "stored", "duplicate", "dead", "pending", "missing", "reused"]
    assert rows[0] == first
    assert rows[-2][:2] == ["unassigned", unassigned]
    assert rows[-1] == ["total", "6", "3", "0", "3", "0", "0", "0"]
    assert " ".join(last) == "balanced: every message is accounted for"
    status, out, _ = typed("ledger", "--worker", rig.url, "--by", by, "--json")
    assert (status, json.loads(out)) == (0, rig.get(f"/api/v1/ledger/{by}s"))


def test_while_messages_are_pending_the_status_is_1(typed, rig, monkeypatch):
    gate = Gate(rig.worker.store.write)
    gate.shut = True
    monkeypatch.setattr(rig.worker.store, "write", gate)
    at_ms = START_MS + 9000
    behind = rig.worker.journal.head + 1
    late = (topic("vat-2"), telemetry(at_ms, b="y", n=0, temp=20))
    try:
        rig.worker.journal.append(Messages.of([late], at_ms))
        wait_for(lambda: gate.refused)
        status, out, err = typed("ledger", "--worker", rig.url)
        assert (status, err) == (1, [])
        assert out.decode().splitlines()[-1] == "1 pending: on their way to the store"
        assert typed("ledger", "--worker", rig.url, "--json")[0] == 1
        status, out, err = typed("ledger", "--worker", rig.url, "--by", "device")
        assert (status, err) == (1, [])
        (vat,) = (line.split() for line in out.decode().splitlines() if line.startswith("brine.w1.vat-2"))
        assert vat[1:6] == ["1", "0", "0", "0", "1"]  # whose it is, is known before the store has it
    finally:
        gate.shut = False
        wait_for(lambda: rig.worker.store.position() >= behind)
    assert typed("ledger", "--worker", rig.url)[0] == 0


def test_a_worker_that_is_away_is_one_line_and_status_1(typed, nobody):
    status, out, err = typed("ledger", "--worker", nobody)
    assert (status, out, len(err)) == (1, b"", 1)
    assert err[0].startswith(f"scenewatch: no worker answers at {nobody}/api/v1/ledger (")


def test_something_else_that_answers_is_no_worker(typed, rig):
    status, _, err = typed("ledger", "--worker", f"{rig.url}/elsewhere")
    assert (status, err) == (1, [f"scenewatch: {rig.url}/elsewhere/api/v1/ledger answers with status 404"])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--worker", "127.0.0.1:8080"], "--worker: "),
        (["--worker", "http://[::1"], "--worker: "),
        (["--worker", "http://x", "--config", "y"], "not allowed with argument --worker"),
    ],
)
def test_a_url_that_is_none_is_used_wrongly(typed, arguments, told):
    status, out, err = typed("ledger", *arguments)
    assert (status, out, len(err)) == (2, b"", 1)
    assert told in err[0]


def test_a_port_that_nobody_knows_cannot_be_asked(typed, tmp_path):
    config = tmp_path / "scenewatch.toml"
    config.write_text("[http]\nport = 0\n", "utf-8")
    status, _, err = typed("ledger", "--config", config)
    assert (status, err) == (2, ["scenewatch: http.port: is 0, so nobody knows the port; use --worker URL"])
