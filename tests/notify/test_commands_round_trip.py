"""From an operator's request over a real broker to a device, and back to the record."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from notify_brokers import DEADLINE_S, Watcher, mosquitto_at, nats_at

from ends import HandClock, wait_for
from operators_rig import OperatorsRig
from records import START_MS
from scenewatch import app
from scenewatch.api import operate_shapes
from scenewatch.model import backoff
from scenewatch.model.scene import Command
from scenewatch.model.words import Text

pytestmark = pytest.mark.integration

COMMANDS = "/api/v1/commands"
TOPIC, RESULT = "sw/brine/w1/vat-1/command", "sw/brine/w1/vat-1/result"
COOL = Command(key="cool", title=Text("Cool", "冷却"), channel="temp", to=5.0, input="cooler")
VAT = "brine.w1.vat-1"


class Device(Watcher):
    """Vat 1 at the broker: hears its commands, and answers when it is told to."""

    def commands(self):
        return [json.loads(payload) for topic, payload in self.log if topic == TOPIC]

    def heard(self, command):
        self.wait(lambda _: any(one["id"] == command["id"] for one in self.commands()))
        return next(one for one in self.commands() if one["id"] == command["id"])

    def answer(self, command, *, ok=True, text="", topic=RESULT):
        payload = json.dumps({"id": command["id"], "ok": ok, "text": text})
        self.client.publish(topic, payload, 1).wait_for_publish(DEADLINE_S)


class CommandRig(OperatorsRig):
    def tell(self, **body):
        answer = self.bearer("POST", COMMANDS, body={"device": VAT, "name": "cool", "args": {}} | body)
        assert answer.status_code == 202, answer.text
        return answer.json()

    def ids(self):
        return [one["id"] for one in self.get(COMMANDS)["commands"]]

    def command(self, command):
        found = self.get(COMMANDS)["commands"]
        return next(one for one in found if one["id"] == command["id"])

    def becomes(self, command, **wanted):
        wait_for(lambda: wanted.items() <= self.command(command).items())
        return self.command(command)


@pytest.fixture(scope="module")
def quick():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "LOOK_S", 0.05)
        patch.setattr(backoff, "FIRST_S", 0.05)
        patch.setattr(backoff, "LONGEST_S", 0.2)
        yield patch


@pytest.fixture(scope="module")
def cooled(vat_scene):
    """The vats can be told to cool."""
    vat, gateway = vat_scene.device_types
    return replace(vat_scene, device_types=(replace(vat, commands=(COOL,)), gateway))


@pytest.fixture(scope="module")
def rig(quick, cooled, tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    broker = mosquitto_at(folder)
    broker.start()
    try:
        made = CommandRig(folder, cooled, HandClock(START_MS), quick, broker=broker.url)
        made.at_broker = broker
        yield made
        made.close()
    finally:
        broker.stop()


@pytest.fixture
def device(rig):
    wait_for(lambda: _is_open(rig))
    made = Device(rig.at_broker.port)
    yield made
    made.close()
    rig.worker.clock.ms += 60_000


def _is_open(rig):
    try:
        rig.worker.controls._sender.check()
    except Exception:  # noqa: BLE001  # not yet
        return False
    return rig.worker.source_state == "connected"


def test_a_command_is_done(rig, device):
    asked_at = rig.worker.clock.ms
    command = rig.tell(args={"valve": 2, "note": "中"})
    assert operate_shapes.Command.model_validate(command, extra="forbid", strict=True)
    assert command == {
        "id": command["id"],
        "device": VAT,
        "name": "cool",
        "args": {"valve": 2, "note": "中"},
        "state": "waiting",
        "asked_by": "li",
        "asked_at": asked_at,
        "expires_at": asked_at + 30_000,
        "answered_at": None,
        "text": "",
        "answers": 0,
        "late": False,
    }
    assert device.heard(command) == {
        "id": command["id"],
        "name": "cool",
        "args": {"valve": 2, "note": "中"},
        "expires_at": asked_at + 30_000,
    }
    rig.worker.clock.ms += 1000
    device.answer(command, text="cools 已执行")
    done = rig.becomes(command, state="done", text="cools 已执行")
    assert (done["answered_at"], done["answers"], done["late"]) == (asked_at + 1000, 1, False)
    (action,) = [a for a in rig.get("/api/v1/audit")["actions"] if command["id"] in a["detail"]]
    assert (action["at"], action["by"], action["what"], action["target"]) == (asked_at, "li", "command", VAT)


def test_a_command_is_not_kept_for_whoever_comes_later(rig, device):
    command = rig.tell()
    device.heard(command)
    late = Device(rig.at_broker.port)
    later = rig.tell()
    late.heard(later)
    assert command["id"] not in [one["id"] for one in late.commands()]
    late.close()


def test_a_device_may_refuse(rig, device):
    command = rig.tell()
    device.heard(command)
    device.answer(command, ok=False, text="the pump is locked")
    rig.becomes(command, state="refused", text="the pump is locked", answers=1)


def test_the_first_of_two_answers_counts(rig, device):
    command = rig.tell()
    device.heard(command)
    device.answer(command, ok=True, text="first")
    device.answer(command, ok=False, text="second")
    rig.becomes(command, state="done", text="first", answers=2)


def test_what_is_answered_too_late_has_expired(rig, device):
    command = rig.tell()
    device.heard(command)
    rig.worker.clock.ms = command["expires_at"]
    rig.becomes(command, state="expired", late=False, answered_at=None)
    device.answer(command, ok=True, text="at last")
    rig.becomes(command, state="expired", late=True, text="at last", answers=1)


def test_a_device_that_is_away_is_told_nevertheless_and_the_answer_says_so(rig, device):
    device.client.publish("sw/brine/w1/vat-1/status", b'{"state": "offline"}', 1)
    wait_for(lambda: rig.view.online(rig.view.registry.number(VAT)) is False)
    command = rig.tell()
    assert (command["state"], command["text"]) == ("waiting", "online: false")
    device.heard(command)
    rig.worker.clock.ms = command["expires_at"]
    rig.becomes(command, state="expired", text="online: false")
    device.client.publish("sw/brine/w1/vat-1/status", b'{"state": "online"}', 1)
    wait_for(lambda: rig.view.online(rig.view.registry.number(VAT)) is True)


def test_only_the_device_itself_can_answer(rig, device):
    command = rig.tell()
    device.heard(command)
    device.answer(command, topic="sw/brine/w1/vat-2/result")
    device.answer({"id": "no-command-of-ours"})
    device.answer(command, ok=False, text="mine")
    rig.becomes(command, state="refused", text="mine", answers=1)


def test_commands_can_be_looked_for(rig, device):
    command = rig.tell()
    device.answer(command)
    rig.becomes(command, state="done")
    rig.worker.clock.ms += 1
    waiting = rig.tell()
    for query, wanted in (
        ({"limit": 1}, waiting),
        ({"state": "done", "limit": 1}, command),
        ({"state": "waiting", "device": VAT, "limit": 1}, waiting),
        ({"site": "w1", "device": "vat-1", "limit": 1}, waiting),
        ({"site": "brine.w1", "limit": 1}, waiting),
    ):
        assert [one["id"] for one in rig.get(COMMANDS, **query)["commands"]] == [wanted["id"]], query
    for query in ({"site": "w2"}, {"site": "brine"}, {"site": "w_"}, {"device": "vat-2"}, {"state": "unsent"}):
        assert rig.get(COMMANDS, **query)["commands"] == [], query


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ({"device": "brine.w1.vat-9"}, 404, "no device 'brine.w1.vat-9'"),
        ({"device": "vat-2"}, 404, "not unique"),
        ({"name": "boil"}, 404, "no command 'boil'; it has: cool"),
        ({"device": "brine.w1.gw"}, 404, "it has: none"),
        ({"args": [1]}, 422, "body.args"),
        ({"args": {"x": "y" * 5000}}, 422, "body.args"),
        ({"expires_at": 1}, 422, "body.expires_at"),
        ({"device": 7}, 422, "body.device"),
    ],
)
def test_what_cannot_be_sent_is_told(rig, body, status, detail):
    before = rig.ids()
    answer = rig.bearer("POST", COMMANDS, body={"device": VAT, "name": "cool"} | body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert detail in answer.json()["detail"]
    assert rig.ids() == before


def test_a_stranger_commands_nothing(rig):
    before = rig.ids()
    assert rig.ask("POST", COMMANDS, body={"device": VAT, "name": "cool"}).status_code == 401
    assert rig.ids() == before


def test_the_stream_tells_what_becomes_of_commands(rig, device):
    def next_commands(lines):
        while next(lines) != "event: commands":
            pass
        return json.loads(next(lines).removeprefix("data: "))["commands"]

    wait_for(lambda: not rig.get(COMMANDS, state="waiting")["commands"])
    with rig.client.stream("GET", "/api/v1/stream") as answer:
        lines = answer.iter_lines()
        assert next_commands(lines) == rig.get(COMMANDS)["commands"]
        command = rig.tell()
        assert next_commands(lines) == [command]
        device.answer(command, text="so it is")
        assert [(one["state"], one["text"]) for one in next_commands(lines)] == [("done", "so it is")]


def test_a_worker_that_starts_again_still_waits(quick, cooled, tmp_path, mosquitto):
    broker = mosquitto
    clock = HandClock(START_MS)
    first = CommandRig(tmp_path, cooled, clock, quick, broker=broker.url)
    wait_for(lambda: _is_open(first))
    device = Device(broker.port)
    answered, forgotten = first.tell(), first.tell()
    device.heard(forgotten)
    first.close()
    device.answer(answered, text="while you were away")
    second = CommandRig(tmp_path, cooled, clock, quick, broker=broker.url)
    second.becomes(answered, state="done", text="while you were away")
    second.becomes(forgotten, state="waiting")
    clock.ms += 30_000
    second.becomes(forgotten, state="expired")
    broker.stop()
    wait_for(lambda: not _is_open(second))
    before = second.get(COMMANDS)
    refused = second.bearer("POST", COMMANDS, body={"device": VAT, "name": "cool"})
    assert refused.status_code == 409
    assert f"the broker {broker.url} is away" in refused.json()["detail"]
    assert second.get(COMMANDS) == before
    broker.start()
    wait_for(lambda: _is_open(second))
    assert second.tell()["state"] == "waiting"
    device.close()
    second.close()


def test_a_broker_that_knows_only_the_older_mqtt_does_as_well(quick, cooled, tmp_path):
    broker = nats_at(tmp_path)
    broker.start()
    rig = CommandRig(tmp_path, cooled, HandClock(START_MS), quick, broker=broker.url)
    wait_for(lambda: _is_open(rig))
    device = Device(broker.port)
    command = rig.tell()
    device.heard(command)
    device.answer(command, text="done")
    rig.becomes(command, state="done", text="done")
    device.close()
    rig.close()
    broker.stop()
