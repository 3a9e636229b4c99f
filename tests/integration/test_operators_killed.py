"""A worker killed in the middle of a shelving and a latch: what operators did is as it was, to the last of it."""

from __future__ import annotations

import json
import time

import paho.mqtt.client as paho
import pytest
from chaos import HTTP, KITCHEN, Scene, wait_for
from paho.mqtt.enums import CallbackAPIVersion

from operators_rig import TOKENS, operators_file
from scenewatch.scenes import demonstration

pytestmark = pytest.mark.integration

RULE = next(rule for rule in KITCHEN.rules if rule.latching)
TYPE, _, CHANNEL = RULE.on[0].partition(".")
EVERY_MS = KITCHEN.device_type(TYPE).every
HIGH, CALM = RULE.when.limit * 2, 0.0
HOUR_MS = 3_600_000


class Kitchens(Scene):
    """Two, with operators."""

    def __init__(self, folder):
        super().__init__(folder)
        operators_file(folder)
        self.devices = [d for d in demonstration(KITCHEN).devices(2) if d.type in {"gateway", TYPE}]
        data = {"data": folder, "mqtt_port": self.mqtt_port, "store": f"duckdb:{folder / 'readings.duckdb'}"}
        self.configure(**data)
        config = folder / "work.toml"
        config.write_text(config.read_text().replace("[http]", '[http]\noperators_file = "operators"'))

    def measured(self, device, *values):
        """One message with what a device kept, the newest of just now."""
        client = paho.Client(CallbackAPIVersion.VERSION2)
        client.connect("127.0.0.1", self.mqtt_port)
        client.loop_start()
        now_ms = time.time_ns() // 1_000_000
        times = [now_ms - EVERY_MS * n for n in reversed(range(len(values)))]
        body = json.dumps({"t": times, "v": {CHANNEL: values}})
        client.publish(f"sw/{device.scene}/{device.site}/{device.device}/telemetry", body, 1).wait_for_publish(30)
        client.disconnect()
        client.loop_stop()

    def post(self, path, body, status=200):
        url = f"http://127.0.0.1:{self.http_port}/api/v1/alarms/{path}"
        answer = HTTP.post(url, json=body, headers={"Authorization": f"Bearer {TOKENS['li']}"})
        assert answer.status_code == status, answer.text
        return answer.json()

    def alarm(self, device):
        found = self.ask(f"/api/v1/alarms?state=all&rule={KITCHEN.key}.{RULE.key}&device={device.id}")
        return next(iter(found.get("alarms", ())), None)

    def begin(self):
        self.start("worker")
        wait_for(self.ready, "the worker")


@pytest.fixture
def kitchens(tmp_path):
    made = Kitchens(tmp_path)
    yield made
    made.end()


def test_killed_in_the_middle_of_a_shelving_and_a_latch_nothing_changes(kitchens):
    kitchens.start("broker")
    kitchens.begin()
    first, *_, last = (d for d in kitchens.devices if d.type == TYPE)
    kitchens.measured(first, HIGH, CALM, CALM, CALM, CALM)
    kitchens.measured(last, CALM, HIGH)
    latched = wait_for(lambda: (a := kitchens.alarm(first)) and a["latched"] and a, "the latch")
    stands = wait_for(lambda: kitchens.alarm(last), "the alarm")
    about = {"rule": stands["rule"], "device": last.id}
    kitchens.post("acknowledge", about | {"raised_at": stands["raised_at"]})
    until = time.time_ns() // 1_000_000 + HOUR_MS
    holds = kitchens.post("shelve", about | {"until": until, "reason": "the probe is changed"})
    shelved = kitchens.alarm(last)
    assert (shelved["state"], shelved["acknowledged_by"]) == ("shelved", "li")

    kitchens.kill("worker")
    kitchens.begin()
    assert kitchens.ask("/api/v1/holds") == holds
    assert (kitchens.alarm(first), kitchens.alarm(last)) == (latched, shelved)
    kitchens.post("unshelve", about)
    assert kitchens.alarm(last)["state"] == "acknowledged"
    done = kitchens.post("reset", {"rule": latched["rule"], "device": first.id, "raised_at": latched["raised_at"]})
    assert (done["latched"], done["cleared_at"] is None) == (False, False)
