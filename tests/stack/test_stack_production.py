"""docs/production.md, typed from its first command to its last."""

from __future__ import annotations

import shutil
from pathlib import Path

import httpx
import pytest
from typed_steps import BLOCK, Desk, steps

import influx_server

PAGE = Path(__file__).parents[2] / "docs" / "production.md"
MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not (MOSQUITTO and shutil.which("mosquitto_pub")), reason="needs Mosquitto and its clients"),
]


@pytest.fixture
def desk(tmp_path):
    if influx_server.program() is None:
        pytest.skip("needs InfluxDB 1.8")
    made = Desk(tmp_path)
    yield made
    made.close()


def ledger(desk):
    return httpx.get(f"http://{desk.stack.address('worker')}/api/v1/ledger", timeout=10).json()


def readings(desk):
    """Of the device that has published, as the worker's API gives them."""
    query = {"device": "kitchen.s001.s001-fridge-1", "channel": "air_temp"}
    answer = httpx.get(f"http://{desk.stack.address('worker')}/api/v1/readings", params=query, timeout=10)
    return answer.json()


def test_every_command_of_the_page_does_what_the_page_says(desk):
    said = {}
    kept = None
    for block in steps(PAGE):
        done = desk.type(block)
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}\n{logs(desk)}"
        said[block] = done.stdout
        if "mosquitto_pub" in block:
            kept = readings(desk)
    told = next(out for block, out in said.items() if "worker doctor" in block)
    assert "failed " not in told
    assert "warning " not in told
    whole = ledger(desk)
    assert (whole["received"], whole["stored"], whole["dead"]) == (1, 1, 0)
    assert [one["value"] for one in kept["readings"]] == [4.5]
    assert readings(desk) == kept
    assert signed_in(desk) == ["operator", "li"]


def signed_in(desk):
    """At the console, with each token of the file."""
    url = f"http://{desk.stack.address('console')}/api/v1/sessions"
    lines = (desk.folder / "secrets/operators").read_text().splitlines()
    return [httpx.post(url, json={"token": line.split()[1]}, timeout=10).json().get("name") for line in lines]


def logs(desk):
    return desk.stack.log("worker") if desk.stack is not None else ""


def test_the_page_has_no_command_that_is_not_typed():
    text = PAGE.read_text("utf-8")
    assert text.count("\n```") == 2 * len(BLOCK.findall(text))
