"""A worker that is away finds everything when it is back: an hour at 1,000 messages a second, scaled down.

The broker has production's configuration to the letter, and is stopped and started in between. What an hour needs
follows from what a message takes; docs/stack.md has the same figures, printed by tests/bench/bench_outage.py.
"""

from __future__ import annotations

import re
import threading
import time

import httpx
import pytest
from compose_file import ROOT
from local_stack import LocalStack
from mqtt_load import publish

HOUR = 3600 * 1000
"""Messages."""
DEVICES = 6
COUNT = 4_800
"""More than Mosquitto's own default keeps, which is 1,000."""
PATIENCE_S = 30.0
STACK = ROOT / "ingest" / "stack"


def ledger(stack):
    url = f"http://{stack.address('worker')}/api/v1/ledger"
    return httpx.get(url, timeout=PATIENCE_S, trust_env=False).json()


def wait_for_stored(stack, count):
    pause = threading.Event()
    deadline = time.monotonic() + PATIENCE_S
    while ledger(stack)["stored"] < count:
        assert time.monotonic() < deadline, f"{ledger(stack)}\n{stack.log('worker')}"
        pause.wait(0.1)


def messages(count, begins_ms):
    devices = [f"s001-{name}" for name in ("fridge-1", "fridge-2", "freezer-1", "freezer-2")]
    for number in range(count):
        n, which = divmod(number, len(devices))
        payload = b'{"t":%d,"b":"boot","n":%d,"v":{"air_temp":4.2}}' % (begins_ms + n * 10, n)
        yield f"sw/kitchen/s001/{devices[which]}/telemetry".encode(), payload


@pytest.mark.integration
@pytest.mark.usefixtures("influxd")
@pytest.mark.parametrize("broker", ["mosquitto", "nats"])
def test_nothing_is_lost_while_the_worker_is_away(broker, keys, tmp_path):
    with LocalStack(tmp_path, keys, SW_BROKER=broker, SW_SITES="1") as stack:
        stack.up("broker", "influxdb", "influxdb-setup", "worker")
        stack.start("demo-inventory")
        stack.stop("worker")
        password = (keys / "gateways/kitchen.s001.password").read_text().strip()
        begins_ms = int(time.time() * 1000) - 3_600_000
        sent = publish(stack.port("broker"), keys / "ca.pem", "kitchen.s001", password, messages(COUNT, begins_ms))
        assert sent == COUNT
        stack.stop("broker")
        stack.up("broker", "worker")
        wait_for_stored(stack, COUNT)
        account = ledger(stack)
        whole = {name: account[name] for name in ("received", "stored", "duplicate", "dead", "pending")}
        assert whole == {"received": COUNT, "stored": COUNT, "duplicate": 0, "dead": 0, "pending": 0}


def number(file, name):
    found = re.search(rf"^ *{name}:? +(\d+)$", (STACK / file).read_text("utf-8"), re.MULTILINE)
    assert found, name
    return int(found[1])


def figure(name):
    """Bytes a message, as docs/stack.md has it of the benchmark."""
    text = (ROOT / "docs" / "stack.md").read_text("utf-8")
    found = re.search(rf"^\| {name} \| ([\d,]+) \|", text, re.MULTILINE)
    assert found, name
    return int(found[1].replace(",", ""))


def test_mosquitto_has_room_for_an_hour():
    assert number("mosquitto.conf", "max_queued_messages") >= HOUR
    assert number("mosquitto.conf", "max_queued_bytes") == 0
    assert HOUR * figure("Mosquitto, memory") < 4 * 2**30 * 0.9


def test_nats_has_room_for_an_hour():
    assert HOUR * figure("NATS, disk") < number("nats.conf", "max_file_store") * 0.9
