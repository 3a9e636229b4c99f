"""A real InfluxDB 1.8, built once with Go and kept in the user's cache."""

import os
import subprocess
import threading
from contextlib import contextmanager, suppress

import httpx

from go_programs import INFLUXD
from ports import free_port

ADDRESS = "INFLUX_OF_THE_TESTS"
"""The environment variable with the server's address, for the programs that tests start too."""

START_S = 30


def program():
    """Its path; None where it is not there and cannot be built."""
    return INFLUXD.path()


@contextmanager
def running(folder, port=None, **settings):
    """A server with its data in `folder`; gives its address. `settings` are its own, such as HTTP_AUTH_ENABLED."""
    address = f"127.0.0.1:{port or free_port()}"
    environment = {
        "HTTP_BIND_ADDRESS": address,
        "BIND_ADDRESS": f"127.0.0.1:{free_port()}",
        "META_DIR": str(folder / "meta"),
        "DATA_DIR": str(folder / "data"),
        "DATA_WAL_DIR": str(folder / "wal"),
        "REPORTING_DISABLED": "true",
        "MONITOR_STORE_ENABLED": "false",
        **settings,
    }
    given = {f"INFLUXDB_{name}": value for name, value in environment.items()}
    with started([program(), "run"], given, folder, f"http://{address}/ping"):
        yield f"http://{address}"


@contextmanager
def started(command, environment, folder, answers_at):
    """A server that answers there, with its log in `folder`."""
    folder.mkdir(exist_ok=True)
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=log, stderr=log)
    try:
        wait_for(answers_at, process)
        yield
    finally:
        process.kill()
        process.wait()


def create(address, database):
    """Make the database, if it is not there."""
    httpx.post(f"{address}/query", data={"q": f'CREATE DATABASE "{database}"'}).raise_for_status()


def wait_for(url, process):
    pause = threading.Event()
    for _ in range(START_S * 20):
        assert process.poll() is None, "influxd ended at its start"
        with suppress(httpx.TransportError):
            if httpx.get(url).is_success:
                return
        pause.wait(0.05)
    raise AssertionError("influxd did not answer in time")
