"""Everything is destroyed, and a backup is put back: the ledger balances, and every reading is there once.

What was acknowledged after the backup is gone with the disks; what the broker holds, and what devices send again,
comes in as if nothing had been.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from contextlib import closing

import httpx
import paho.mqtt.client as paho
import pytest
from chaos import KITCHEN, Scene, wait_for
from paho.mqtt.enums import CallbackAPIVersion

import influx_server
from ports import free_port
from scenewatch import cli
from scenewatch.store.duck import DuckStore

pytestmark = pytest.mark.integration

SENT = 400
FAR_MS = 2**53
PIECES = ("journal", "journal.state", "journal.outbox", "scenewatch.sqlite", "readings.duckdb")


class Installation(Scene):
    """Broker and worker, and devices that know what they have sent."""

    def __init__(self, folder):
        super().__init__(folder)
        self.sensors = [d for d in self.devices if KITCHEN.device_type(d.type).channels]
        self.begin_ms = time.time_ns() // 1_000_000 - 60_000

    def publish(self, numbers):
        """Message n is always the same; returns when the broker has them all."""
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"devices-{numbers[0]}")
        client.max_inflight_messages_set(1000)
        client.connect("127.0.0.1", self.mqtt_port)
        client.loop_start()
        told = [client.publish(self.topic(n), self.payload(n), qos=1) for n in numbers]
        for one in told:
            one.wait_for_publish(30)
        client.disconnect()
        client.loop_stop()

    def topic(self, n):
        device = self.sensors[n % len(self.sensors)]
        return f"sw/{device.scene}/{device.site}/{device.device}/telemetry"

    def payload(self, n):
        return json.dumps({"t": self.begin_ms + n, "b": "x", "n": n, "v": {"battery": 3 + n / 10_000}})

    def expected(self, numbers):
        """By series: time and value."""
        found = {}
        for n in numbers:
            name = f"{self.sensors[n % len(self.sensors)].id}.battery"
            found.setdefault(name, []).append((self.begin_ms + n, 3 + n / 10_000))
        return found

    def stored(self):
        return self.ask("/api/v1/ledger").get("stored")

    def wait_stored(self, count):
        wait_for(lambda: self.stored() == count and not self.ask("/api/v1/ledger")["pending"], f"{count} stored")

    def balances(self):
        ledger = self.ask("/api/v1/ledger")
        return ledger["received"] == sum(ledger[name] for name in ("stored", "duplicate", "dead", "pending"))

    def command(self, *words):
        return cli.main([*map(str, words), "--config", str(self.folder / "work.toml")])

    def destroy(self):
        for name in PIECES:
            for path in self.folder.glob(f"{name}*"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.fixture
def installation(tmp_path):
    made = Installation(tmp_path)
    made.start("broker")
    yield made
    for process in made.processes.values():
        process.kill()
        process.wait()


def test_with_duckdb_the_worker_rests_and_the_broker_holds_what_comes(installation, tmp_path, capsys):
    first, later = range(SENT), range(SENT, 2 * SENT)
    installation.start("worker")
    wait_for(installation.ready, "the worker")
    installation.publish(first)
    installation.wait_stored(SENT)

    backup = tmp_path / "backup"
    assert installation.command("backup", "--out", backup) == 1
    assert "is in use by another process: stop it" in capsys.readouterr().err
    assert not backup.exists()

    installation.kill("worker")
    assert installation.command("backup", "--out", backup) == 0
    installation.publish(later)
    assert installation.command("restore", backup) == 2, "nothing is overwritten"
    told = capsys.readouterr().err
    assert told.count("is there; move it away first, nothing is overwritten") >= 4

    installation.destroy()
    assert installation.command("restore", backup) == 0
    installation.start("worker")
    wait_for(installation.ready, "the restored worker")
    installation.wait_stored(2 * SENT)
    assert installation.balances()
    installation.stop("worker")
    with closing(DuckStore(tmp_path / "readings.duckdb")) as store:
        assert store.count() == 2 * SENT
        for series, expected in installation.expected(range(2 * SENT)).items():
            found = store.readings(series, 0, FAR_MS, 10 * SENT)
            assert list(zip(found.t_ms.tolist(), found.value.tolist(), strict=True)) == expected


@pytest.fixture
def influx(tmp_path):
    """A server that can be backed up: its address, and where it takes that."""
    if influx_server.program() is None:
        pytest.skip("needs InfluxDB 1.8")
    backups = f"127.0.0.1:{free_port()}"
    with influx_server.running(tmp_path / "influxd", BIND_ADDRESS=backups) as address:
        for suffix in ("", "_1m", "_1h", "_1d"):
            influx_server.create(address, f"city{suffix}")
        yield address, backups


def influxd(*words):
    done = subprocess.run(
        [influx_server.program(), *map(str, words)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_with_influxdb_the_worker_runs_on_and_what_devices_send_again_comes_once(installation, influx, tmp_path):
    address, backups = influx
    store = f"influx+{address}/?bucket=city"
    installation.configure(data=tmp_path, mqtt_port=installation.mqtt_port, store=store)
    installation.start("worker")
    wait_for(installation.ready, "the worker")
    installation.publish(range(SENT))
    installation.wait_stored(SENT)

    meanwhile = threading.Thread(target=installation.publish, args=[range(SENT, 2 * SENT)])
    meanwhile.start()
    backup = tmp_path / "backup"
    assert installation.command("backup", "--out", backup) == 0
    influxd("backup", "-portable", "-db", "city", "-host", backups, tmp_path / "influx-backup")
    meanwhile.join()
    installation.kill("worker")

    installation.destroy()
    httpx.post(f"{address}/query", data={"q": 'DROP DATABASE "city"'}).raise_for_status()
    influxd("restore", "-portable", "-db", "city", "-host", backups, tmp_path / "influx-backup")
    assert installation.command("restore", backup) == 0
    installation.start("worker")
    wait_for(installation.ready, "the restored worker")
    installation.publish(range(2 * SENT))
    installation.wait_stored(2 * SENT)
    wait_for(
        lambda: installation.balances() and installation.ask("/api/v1/ledger")["duplicate"] >= SENT, "the rest"
    )
    assert installation.ask("/api/v1/ledger")["dead"] == 0
    query = {"db": "city", "q": "SELECT count(battery) FROM /.+/", "epoch": "ms"}
    series = httpx.get(f"{address}/query", params=query).json()["results"][0]["series"]
    assert sum(one["values"][0][1] for one in series) == 2 * SENT
