"""The whole chain of docker-compose.yml by local_stack.py, TLS, logins and rights in force: devices publish,
readings arrive, alarms go out, the console answers, and what came while the worker was away is not lost.
"""

from __future__ import annotations

import re
import signal
import threading
import time

import httpx
import msgspec
import pytest
from compose_file import ROOT
from local_stack import MOSQUITTO, LocalStack
from mqtt_load import publish
from mqtt_user import MqttUser

from scenewatch.scenes import KITCHEN, demonstration

HOUR = 3600 * 1000
"""Messages while a worker is away for an hour, at 1,000 a second."""
COUNT = 2_400
"""What it comes to here: more than Mosquitto's own default keeps, which is 1,000."""
PATIENCE_S = 40.0
STACK = ROOT / "ingest" / "stack"
DOCS = ROOT / "docs" / "stack.md"
STATUSES = len(demonstration(KITCHEN).devices(2))
"""Of the devices of two sites and their gateways."""
SPAN_MS = 90 * 60_000
EVERY_MS = 30_000

pytestmark = [pytest.mark.integration]


@pytest.fixture(scope="module", params=["mosquitto", "nats"])
def city(request, keys, tmp_path_factory, influxd):  # noqa: ARG001  # influxd: built where it can be, else skipped
    """All services that can be run here, and the inventory of two sites."""
    if request.param == "mosquitto" and MOSQUITTO is None:
        pytest.skip("needs Mosquitto")
    folder = tmp_path_factory.mktemp(f"city-{request.param}")
    with LocalStack(folder, keys, SW_BROKER=request.param, SW_SITES="2") as stack:
        stack.up("broker", "influxdb", "influxdb-setup", "worker", "console", "demo-inventory")
        yield stack


def get(stack, path, service="console", **more):
    return httpx.get(f"http://{stack.address(service)}{path}", timeout=PATIENCE_S, trust_env=False, **more)


def account(stack):
    found = get(stack, "/api/v1/ledger", "worker").json()
    messages = {name: found[name] for name in ("stored", "duplicate", "dead", "pending")}
    return messages | {"readings": found["readings"]["stored"]}


def wait_for(stack, there):
    pause = threading.Event()
    deadline = time.monotonic() + PATIENCE_S
    while not there():
        assert time.monotonic() < deadline, f"{account(stack)}\n{stack.log('worker')}"
        pause.wait(0.1)


def password(stack, name):
    return (stack.secrets / name).read_text().strip()


def publish_as(stack, site, messages):
    word = password(stack, f"gateways/{site}.password")
    return publish(stack.port("broker"), stack.secrets / "ca.pem", site, word, messages)


def test_simulated_devices_publish_and_their_readings_arrive(city):
    city.start("demo-devices")
    wait_for(city, lambda: account(city)["stored"] > 50)
    city.stop("demo-devices")
    wait_for(city, lambda: account(city)["pending"] == 0)
    found = account(city)
    assert found["dead"] == found["duplicate"] == 0
    sites = get(city, "/api/v1/sites").json()["sites"]
    assert [site["site"] for site in sites] == ["s001", "s002"]
    assert "s001" in get(city, "/").text
    assert (city.path("demo-devices", "/var/lib/scenewatch/piece.json")).exists()


def test_an_alarm_goes_out_and_to_the_console(city):
    now_ms = int(time.time() * 1000)
    topic = b"sw/kitchen/s002/s002-fridge-1/telemetry"
    times = range(now_ms - SPAN_MS, now_ms, EVERY_MS)
    warm = [(topic, b'{"t":%d,"v":{"air_temp":%.1f,"door":0}}' % (t, 14 + n % 5 / 10)) for n, t in enumerate(times)]
    ca, word = city.secrets / "ca.pem", password(city, "broker-worker.password")
    with MqttUser(city.port("broker"), ca, "scenewatch-worker", word) as ear:
        ear.subscribe("sw/+/+/alarm/#")
        assert publish_as(city, "kitchen.s002", warm) == len(warm)
        ear.wait_for_topics({"sw/kitchen/s002/alarm/fridge_warm/s002-fridge-1"})
    alarms = get(city, "/api/v1/alarms?state=standing").json()["alarms"]
    told = {(alarm["rule"], alarm["device"]) for alarm in alarms}
    assert ("kitchen.fridge_warm", "kitchen.s002.s002-fridge-1") in told


@pytest.mark.parametrize(("kind", "command"), [(t, t.commands[0]) for t in KITCHEN.device_types if t.commands][:1])
def test_an_operator_commands_a_device_through_the_console(city, kind, command):
    """With the token and the gateway's login that were made, and no right more."""
    device = next(d for d in demonstration(KITCHEN).devices(2) if d.type == kind.key)
    topic = f"sw/{device.scene}/{device.site}/{device.device}"
    url = f"http://{city.address('console')}/api/v1/commands"
    headers = {"Authorization": f"Bearer {(city.secrets / 'operators').read_text().split()[1]}"}
    ca, word = city.secrets / "ca.pem", password(city, f"gateways/{device.site_id}.password")
    with MqttUser(city.port("broker"), ca, device.site_id, word) as gateway:
        gateway.subscribe(f"sw/{device.scene}/{device.site}/+/command")
        body = {"device": device.id, "name": command.key}
        answer = httpx.post(url, json=body, headers=headers, timeout=PATIENCE_S, trust_env=False)
        assert answer.status_code == 202, answer.text
        gateway.wait_for_topics({f"{topic}/command"})
        result = {"id": answer.json()["id"], "ok": True, "text": "it is"}
        gateway.say(f"{topic}/result", msgspec.json.encode(result))
        wait_for(city, lambda: get(city, "/api/v1/commands?state=done").json()["commands"])
    (done,) = get(city, "/api/v1/commands").json()["commands"]
    assert (done["id"], done["text"], done["asked_by"]) == (result["id"], "it is", "operator")


def test_grafanas_token_reads_and_does_no_more(city):
    wait_for(city, lambda: account(city)["pending"] == 0)
    token = city.path("grafana", "/run/tokens/grafana.token").read_text().strip()
    header = {"Authorization": f"Token {token}"}
    query = {"db": "scenewatch", "q": "SELECT max(air_temp) FROM fridge"}
    answer = get(city, "/query", "influxdb", headers=header, params=query)
    assert answer.json()["results"][0]["series"][0]["values"][0][1] >= 14
    url = f"http://{city.address('influxdb')}/api/v2/write?bucket=scenewatch&org=scenewatch"
    written = httpx.post(url, headers=header, content=b"fridge,site=s001 air_temp=1", trust_env=False)
    assert written.status_code in (401, 403)
    assert get(city, "/query", "influxdb", params=query).status_code == 401


@pytest.mark.parametrize("service", ["console", "worker"])
def test_a_page_from_anywhere_cannot_read_here(city, service):
    assert get(city, "/healthz", service).status_code == 200
    rebound = get(city, "/healthz", service, headers={"Host": "elsewhere.example"})
    assert rebound.status_code == 400


def test_nothing_is_lost_while_the_worker_is_away(city):
    """Production's configuration to the letter; the broker is restarted in between."""
    wait_for(city, lambda: account(city)["pending"] == 0)
    before = account(city)
    city.stop("worker")
    begins_ms = int(time.time() * 1000) - SPAN_MS
    topics = [b"sw/kitchen/s001/s001-%s/telemetry" % name for name in (b"fridge-1", b"fridge-2", b"freezer-1")]
    made = (
        (topic, b'{"t":%d,"b":"away","n":%d,"v":{"air_temp":4.2}}' % (begins_ms + n * 1000, n))
        for n in range(COUNT // len(topics))
        for topic in topics
    )
    assert publish_as(city, "kitchen.s001", made) == COUNT
    city.stop("broker")
    city.up("broker", "worker")
    wait_for(city, lambda: account(city)["readings"] >= before["readings"] + COUNT)
    wait_for(city, lambda: account(city)["pending"] == 0)
    gained = {name: number - before[name] for name, number in account(city).items()}
    statuses, derived = gained.pop("stored") - COUNT, gained.pop("readings") - COUNT
    assert gained == {"duplicate": 0, "dead": 0, "pending": 0}
    assert 0 <= statuses <= STATUSES  # retained: told again whenever the worker is back
    assert 0 <= derived <= COUNT / 10  # told by the hour at most, and at its boundaries


def test_a_site_that_is_added_is_let_in_by_a_signal(city):
    """Last, as it changes what all share: the secrets."""
    from scenewatch import cli  # noqa: PLC0415  # as a person would, afterwards

    assert cli.main(["secrets", "add", "kitchen.s044", "--dir", str(city.secrets)]) == 0
    city.signal("broker", signal.SIGHUP)
    word = password(city, "gateways/kitchen.s044.password")

    def is_let_in():
        with MqttUser(city.port("broker"), city.secrets / "ca.pem", "kitchen.s044", word) as one:
            return one.is_in

    wait_for(city, is_let_in)


def number(file, name):
    found = re.search(rf"^ *{name}:? +(\d+)$", (STACK / file).read_text("utf-8"), re.MULTILINE)
    assert found, name
    return int(found[1])


def figure(name):
    """Bytes a message, as docs/stack.md has it of tests/bench/bench_outage.py."""
    found = re.search(rf"^\| {name} \| ([\d,]+) \|", DOCS.read_text("utf-8"), re.MULTILINE)
    assert found, name
    return int(found[1].replace(",", ""))


def test_mosquitto_has_room_for_an_hour():
    assert number("mosquitto.conf", "max_queued_messages") >= HOUR
    assert number("mosquitto.conf", "max_queued_bytes") == 0
    assert HOUR * figure("Mosquitto, memory") < 4 * 2**30 * 0.75


def test_nats_has_room_for_an_hour():
    assert HOUR * figure("NATS, disk") < number("nats.conf", "max_file_store") * 0.75
