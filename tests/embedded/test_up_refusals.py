"""What `up` cannot do it says in one clear line before it has started anything."""

from __future__ import annotations

import fcntl
import socket
import subprocess
import sys

import pytest

TIMEOUT_S = 40


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def up(data, **options):
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    command = [sys.executable, "-m", "scenewatch", "up", "--data", str(data), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    assert done.stdout == ""
    return done.returncode, done.stderr.splitlines()


def test_taken_ports_are_all_named(tmp_path, taken):
    assert up(tmp_path / "data", port=taken, mqtt_port=taken) == (
        2,
        [
            f"scenewatch: --port: port {taken} is taken on 127.0.0.1; choose another one",
            f"scenewatch: --mqtt-port: port {taken} is taken on 127.0.0.1; choose another one",
        ],
    )
    assert not (tmp_path / "data" / "logs").exists()


def test_the_brokers_port_does_not_matter_with_a_broker_of_ones_own(tmp_path, taken):
    status, lines = up(tmp_path / "data", port=taken, mqtt_port=taken, broker="mqtt://127.0.0.1:9")
    assert (status, [line.split(": ")[1] for line in lines]) == (2, ["--port"])


def test_an_environment_that_would_lead_the_worker_elsewhere_is_told(tmp_path, taken, monkeypatch):
    monkeypatch.setenv("SCENEWATCH_DATABASE_URL", "sqlite:///elsewhere.sqlite")
    monkeypatch.setenv("SCENEWATCH_HTTP_PORT", "9")
    monkeypatch.setenv("SCENEWATCH_HTTP_HOST", "127.0.0.1")
    status, lines = up(tmp_path / "data", port=taken, broker="mqtt://127.0.0.1:9")
    assert (status, [line.split(": ")[1] for line in lines]) == (
        2,
        ["--port", "SCENEWATCH_DATABASE_URL", "SCENEWATCH_HTTP_PORT"],
    )
    assert "unset it" in lines[1]


def test_a_data_folder_in_use_is_left_alone(tmp_path, taken, free):
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status, lines = up(tmp_path, port=free, mqtt_port=taken)
    assert (status, len(lines)) == (1, 1)
    assert lines[0].startswith(f"scenewatch: {tmp_path} is in use by another scenewatch up; ")
