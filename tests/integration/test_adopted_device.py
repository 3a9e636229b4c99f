"""A device published by hand through a real broker: unknown, seen also after kill -9, adopted, and in its chart."""

from __future__ import annotations

import json
import os
import time

import httpx
import paho.mqtt.client as paho
import pytest
from chaos import KITCHEN, Scene, wait_for
from paho.mqtt.enums import CallbackAPIVersion

pytestmark = pytest.mark.integration

LIS_WORD = "a-token-that-only-this-test-has"
VALUES = (7.5, 8.5, 9.5)


@pytest.fixture
def scene(tmp_path):
    made = Scene(tmp_path)
    operators = tmp_path / "operators"
    operators.touch(mode=0o600)
    operators.write_text(f"li {LIS_WORD}\n")
    made.environments["worker"] = os.environ | {"SCENEWATCH_HTTP_OPERATORS_FILE": str(operators)}
    made.start("broker")
    made.start("worker")
    wait_for(made.ready, "the worker")
    yield made
    for process in made.processes.values():
        process.kill()
        process.wait()


def publish(scene, topic, payloads):
    client = paho.Client(CallbackAPIVersion.VERSION2, client_id="by-hand")
    client.connect("127.0.0.1", scene.mqtt_port)
    client.loop_start()
    for payload in payloads:
        client.publish(topic, json.dumps(payload), qos=1).wait_for_publish(30)
    client.disconnect()
    client.loop_stop()


def unknown(scene):
    return scene.ask("/api/v1/unknown-devices").get("unknown_devices", [])


def test_from_the_first_message_to_its_chart(scene):
    now_ms = time.time_ns() // 1_000_000
    site = scene.devices[0].site
    fridge = {"air_temp": 0.0, "door": 0, "compressor_power": 100, "defrost": 0}
    messages = [
        {"t": now_ms - 60_000 + n * 10_000, "v": fridge | {"air_temp": value}} for n, value in enumerate(VALUES)
    ]
    publish(scene, f"sw/{KITCHEN.key}/{site}/by-hand/telemetry", messages)
    wait_for(lambda: [s["messages"] for s in unknown(scene)] == [len(VALUES)], "the unknown device")
    scene.kill("worker")
    scene.start("worker")
    wait_for(scene.ready, "the worker")
    (seen,) = unknown(scene)
    assert (seen["device"], seen["site_known"], sorted(seen["channels"])) == ("by-hand", True, sorted(fridge))
    # a fridge and a freezer say the same: people know which it is
    assert (seen["suggested_type"], seen["types"][:2]) == (None, ["fridge", "freezer"])

    wanted = {name: seen[name] for name in ("scene", "site", "device")} | {"type": "fridge"}
    answer = httpx.post(
        f"http://127.0.0.1:{scene.http_port}/api/v1/unknown-devices/adopt",
        json=wanted,
        headers={"Authorization": f"Bearer {LIS_WORD}"},
        trust_env=False,
    )
    device = f"{KITCHEN.key}.{site}.by-hand"
    assert (answer.status_code, answer.json()) == (200, {"device": device, "retried": len(VALUES)})
    chart = f"/api/v1/chart?series={device}.air_temp&from={now_ms - 90_000}&to={now_ms}"
    wait_for(lambda: len(scene.ask(chart).get("windows", [])) == len(VALUES), "its chart")
    windows = scene.ask(chart)["windows"]
    assert [(w["t"], w["mean"]) for w in windows] == [(m["t"], m["v"]["air_temp"]) for m in messages]
    assert unknown(scene) == []
    (action,) = scene.ask("/api/v1/audit")["actions"]
    assert (action["by"], action["what"], action["target"]) == ("li", "adopt", device)
    ledger = scene.ask("/api/v1/ledger")
    assert (ledger["dead"], ledger["stored"]) == (0, len(VALUES))
