"""`scenewatch up` as a newcomer starts it: live with history, seen from outside, ended by Ctrl-C, started again."""

import json
import queue
import signal
import subprocess
import sys
import time
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import httpx
import paho.mqtt.client as paho
import pytest
from chaos import wait_for
from paho.mqtt.enums import CallbackAPIVersion

from ports import free_port
from scenewatch.model.level import Level
from scenewatch.store.alarms import Alarms
from scenewatch.store.duck import DuckStore
from scenewatch.store.relational import Database

pytestmark = pytest.mark.integration


class Up:
    """One run of the command in a process group of its own."""

    def __init__(self, data):
        self.port, self.mqtt_port = free_port(), free_port()
        command = [sys.executable, "-m", "scenewatch", "up", "--data", str(data), "--sites", "2", "--history", "1"]
        command += ["--port", str(self.port), "--mqtt-port", str(self.mqtt_port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def first_line(self):
        return self.process.stdout.readline()

    def get(self, path, **query):
        answer = httpx.get(f"http://127.0.0.1:{self.port}{path}", params=query, trust_env=False, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json() if "json" in answer.headers["content-type"] else answer.text

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=40)


@pytest.fixture
def started(tmp_path):
    runs = []

    def start():
        runs.append(Up(tmp_path / "data"))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.process.terminate()
            run.process.communicate(timeout=40)


def assert_records_are_kept(data):
    """The store has every alarm of the record as it stands, and what figures there are balance.

    It has some when the run had a full ten seconds in it.
    """
    with closing(DuckStore(data / "readings.duckdb")) as store:
        alarms = store.recorded("alarm", Level.DAY, 0, 2**62, 1000)
        figures = store.recorded("pipeline", Level.MINUTE, 0, 2**62, 1000)
    with closing(Database(f"sqlite:///{data / 'scenewatch.sqlite'}")) as database:
        rows = Alarms(database).alarms(limit=1000)
    assert {(a.t_ms, a.fields["cleared_ms"] or None) for a in alarms} == {
        (row.raised_at_ms, row.cleared_at_ms) for row in rows
    }
    assert len(alarms) == len(rows)
    for figure in figures:
        f = figure.fields
        assert figure.t_ms % 10_000 == 0
        assert f["received"] == f["stored"] + f["duplicate"] + f["dead"] + f["pending"]


def children_of(pid):
    found = subprocess.run(["ps", "--ppid", str(pid), "-o", "pid="], capture_output=True, text=True, check=False)
    return [int(line) for line in found.stdout.split()]


def listener(port, topic):
    """A queue of (topic, payload) that an outside client sees."""
    seen = queue.Queue()
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _c, _d, message: seen.put((message.topic, message.payload))
    client.connect("127.0.0.1", port)
    client.subscribe(topic, qos=1)
    client.loop_start()
    return client, seen


def assert_an_operator_can_sign_in(up, file):
    """With the token that was made, which is said nowhere but in its file."""
    said = up.process.stdout.readline()
    assert f"http://127.0.0.1:{up.port}/sign-in" in said
    assert str(file) in said
    token = file.read_text().split()[1]
    assert token not in said
    sessions = f"http://127.0.0.1:{up.port}/api/v1/sessions"
    assert httpx.post(sessions, json={"token": token}, trust_env=False, timeout=20).json()["name"] == "operator"
    logs = [path.read_text() for path in (file.parent / "logs").iterdir()]
    assert not [text for text in logs if token in text]


@pytest.mark.timeout(180)
def test_a_newcomer_sees_it_live_publishes_by_hand_ends_it_and_starts_it_again(started, tmp_path):
    up = started()
    assert f"http://127.0.0.1:{up.port}/" in up.first_line()
    assert_an_operator_can_sign_in(up, tmp_path / "data" / "operators")
    assert up.get("/readyz")["ready"] is True
    assert "Scenewatch" in up.get("/")

    sites = up.get("/api/v1/sites")["sites"]
    assert len(sites) == 2
    devices = up.get("/api/v1/devices", site=sites[0]["id"])["devices"]
    fridge = next(d for d in devices if d["channels"])
    history = up.get("/api/v1/readings", device=fridge["id"], channel="air_temp")["readings"]
    assert len(history) >= 119
    assert all(b["t"] - a["t"] == 30_000 for a, b in pairwise(history))

    client, seen = listener(up.mqtt_port, "sw/+/+/+/telemetry")
    topic = f"sw/{fridge['scene']}/{fridge['site']}/{fridge['device']}/telemetry"
    by_hand = time.time_ns() // 1_000_000
    client.publish(topic, json.dumps({"t": by_hand, "v": {"air_temp": 4.321}}), qos=1).wait_for_publish(10)
    wait_for(
        lambda: (
            (by_hand, 4.321)
            in [
                (r["t"], r["value"])
                for r in up.get("/api/v1/readings", device=fridge["id"], channel="air_temp", **{"from": by_hand})[
                    "readings"
                ]
            ]
        ),
        "the reading published by hand",
    )
    assert json.loads(seen.get(timeout=40)[1])["v"]
    client.disconnect()
    client.loop_stop()

    ledger = up.get("/api/v1/ledger")
    assert ledger["received"] == ledger["stored"] + ledger["duplicate"] + ledger["dead"] + ledger["pending"]
    by_site = up.get("/api/v1/ledger/sites")
    parts = [*by_site["sites"], by_site["unassigned"]]
    assert {key: sum(part[key] for part in parts) for key in by_site["total"]} == by_site["total"]
    assert all(site["stored"] > 0 for site in by_site["sites"])

    processes = children_of(up.process.pid)
    assert len(processes) == 4
    _, errors = up.interrupt()
    assert up.process.returncode == 0, errors
    assert errors.replace("\n", "") == ""
    assert [pid for pid in processes if Path(f"/proc/{pid}").exists()] == []

    assert_records_are_kept(tmp_path / "data")

    again = started()
    assert "live" in again.first_line()
    kept = again.get("/api/v1/readings", device=fridge["id"], channel="air_temp")["readings"]
    assert [r["t"] for r in kept][: len(history)] == [r["t"] for r in history]
    assert again.get("/api/v1/ledger")["received"] >= ledger["received"]


@pytest.mark.timeout(120)
def test_a_taken_port_and_a_folder_in_use_are_one_clear_line_each(started, tmp_path):
    up = started()
    up.first_line()
    other = [sys.executable, "-m", "scenewatch", "up", "--port", str(up.port), "--mqtt-port", str(up.mqtt_port)]
    taken = subprocess.run([*other, "--data", str(tmp_path / "other")], capture_output=True, text=True, check=False)
    assert taken.returncode == 2
    assert taken.stderr.splitlines() == [
        f"scenewatch: --port: port {up.port} is taken on 127.0.0.1; choose another one",
        f"scenewatch: --mqtt-port: port {up.mqtt_port} is taken on 127.0.0.1; choose another one",
    ]
    in_use = subprocess.run([*other, "--data", str(tmp_path / "data")], capture_output=True, text=True, check=False)
    assert in_use.returncode == 1
    assert "is in use by another scenewatch up" in in_use.stderr
    assert len(in_use.stderr.splitlines()) == 1
