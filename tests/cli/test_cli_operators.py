"""`alarms` and `commands`: asked of a running worker, changed with an operator's token."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ends import HandClock, wait_for
from operators_rig import TOKENS, OperatorsRig
from records import START_MS, telemetry, topic
from scenewatch import app
from scenewatch.cli import commands as module
from scenewatch.model.scene import Command
from scenewatch.model.words import Text

COOL = Command(key="cool", title=Text("Cool", "冷却"), channel="temp", to=5.0, input="cooler")
VAT = "brine.w1.vat-1"


class Way:
    """In place of the way to the broker: the device answers as it is told to, or stays silent."""

    def __init__(self, rig):
        self.rig = rig
        self.answer = None

    def check(self):
        pass

    def send(self, _topic, payload, _lasts_s):
        if self.answer is not None:
            body = json.dumps({"id": json.loads(payload)["id"]} | self.answer).encode()
            self.rig.send(self.rig.worker.clock.ms, (topic("vat-1", "result"), body))


@pytest.fixture(scope="module")
def rig(vat_scene, tmp_path_factory):
    vat, gateway = vat_scene.device_types
    cooled = replace(vat_scene, device_types=(replace(vat, commands=(COOL,)), gateway))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(app, "LOOK_S", 0.05)
        monkeypatch.setattr(module, "LOOK_S", 0.05)
        made = OperatorsRig(tmp_path_factory.mktemp("worker"), cooled, HandClock(START_MS), monkeypatch)
        made.way = made.worker.controls.commands._sender = Way(made)
        for n, device in enumerate(("vat-1", "vat-2")):
            for at_ms in (START_MS + n, START_MS + n + 20_000):
                made.send(at_ms, (topic(device), telemetry(at_ms, temp=85)))
        yield made
        made.close()


@pytest.fixture
def token(tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{TOKENS['li']}\n")
    return path


def test_alarms_are_listed_and_acknowledged(typed, rig, token):
    status, out, err = typed("alarms", "list", "--worker", rig.url)
    assert (status, err) == (1, [])
    lines = [line.split() for line in out.decode().splitlines()]
    assert [line[1:] for line in lines[1:]] == [
        ["high", "unacknowledged", "brine.w1.vat-2", "brine.vat_hot"],
        ["high", "unacknowledged", "brine.w1.vat-1", "brine.vat_hot"],
    ]
    whose = ("--device", VAT, "--token-file", token, "--worker", rig.url)
    for narrower in (("--raised-at", "7"), ("--rule", "brine.vat_silent")):
        assert typed("alarms", "acknowledge", *whose, *narrower) == (1, b"no alarms\n", [])
    status, out, _ = typed("alarms", "acknowledge", *whose, "--rule", "brine.vat_hot", "--json")
    (alarm,) = json.loads(out)["alarms"]
    assert (status, alarm["device"], alarm["state"], alarm["acknowledged_by"]) == (0, VAT, "acknowledged", "li")
    assert typed("alarms", "acknowledge", *whose)[0] == 1, "it is seen already"
    status, out, _ = typed("alarms", "list", "--worker", rig.url, "--state", "acknowledged")
    assert (status, out.decode().splitlines()[1].split()[-1]) == (0, "li")


def test_an_alarm_is_explained_in_both_languages_and_as_json(typed, rig):
    whose = ("alarms", "show", "brine.vat_hot", VAT, "--worker", rig.url)
    status, out, err = typed(*whose)
    assert (status, err) == (0, [])
    lines = out.decode().splitlines()
    for told in (
        "Why it was raised",
        "  Temperature above 80 °C for 20 s",
        "  Switch the heater off",
        "  a proposal (our proposal)",
        "  Temperature: 85 °C (good)",
        "  100 % good, 0 % suspect, 0 % failed; 2 of about 360 readings came.",
        "  2027-01-15T08:00:20.000Z  raised",
    ):
        assert told in lines
    assert "为什么报警" in typed(*whose, "--language", "zh")[1].decode()
    explained = json.loads(typed(*whose, "--json")[1])
    assert (explained["alarm"]["device"], explained["limit"]) == (VAT, 80.0)
    assert explained["quality"]["to"] == explained["alarm"]["raised_at"]


@pytest.mark.parametrize(("at", "status"), [("2027-01-15T08:00:20Z", 0), ("2027-01-15T08:00:19.999Z", 1)])
def test_the_newest_alarm_by_a_time_is_explained(typed, rig, at, status):
    found = typed("alarms", "show", "brine.vat_hot", VAT, "--at", at, "--worker", rig.url)
    assert found[0] == status
    assert (found[1] == b"no alarms\n") is bool(status)


def test_load_says_which_figures_are_beyond_what_is_acceptable(typed, rig):
    span = ("--from", "2020-01-01", "--to", "2020-01-02", "--worker", rig.url)
    assert typed("alarms", "load", *span)[0] == 0
    worker = ("--to", str(datetime.fromtimestamp(START_MS / 1000 + 200, UTC)), "--worker", rig.url)
    status, out, _ = typed("alarms", "load", *worker, "--json")
    load = json.loads(out)
    assert (status, load["alarms"], load["peak_10_min"], load["operators"]) == (0, 2, 2, 1)
    status, out, _ = typed("alarms", "load", *worker, "--operators", "2")
    lines = out.decode().splitlines()
    assert "2 alarms, 2 standing at the end" in lines[0]
    assert [line.split() for line in lines if line.startswith(("in the worst", "of high"))] == [
        ["in", "the", "worst", "10", "minutes", "1", "10", "met"],
        ["of", "high", "priority", "100.0%", "5.0%", "too", "few", "to", "judge"],
    ]
    assert lines[-1].split() == ["1", "50.0%", "brine.vat_hot", "brine.w1.vat-2"]


def test_a_command_is_sent_and_its_answer_waited_for(typed, rig, token):
    send = ("commands", "send", VAT, "cool", "--token-file", token, "--worker", rig.url)
    rig.way.answer = {"ok": True, "text": "cold"}
    status, out, err = typed(*send, "--args", '{"valve": 2}')
    assert (status, err) == (0, [])
    assert out.decode().splitlines()[1].split()[1:] == ["li", "done", VAT, "cool", "cold"]
    rig.worker.clock.ms += 1
    rig.way.answer = {"ok": False, "text": "locked"}
    status, out, _ = typed(*send, "--json")
    assert (status, json.loads(out)["state"], json.loads(out)["text"]) == (1, "refused", "locked")
    status, out, _ = typed("commands", "list", "--worker", rig.url, "--device", "vat-1", "--json")
    assert [(one["state"], one["args"]) for one in json.loads(out)["commands"]][-1:] == [("done", {"valve": 2})]


def test_a_device_that_stays_silent_lets_it_expire(typed, rig, token):
    rig.way.answer = None

    def pass_time():
        wait_for(lambda: rig.get("/api/v1/commands?state=waiting")["commands"])
        rig.worker.clock.ms += 30_000

    passing = threading.Thread(target=pass_time)
    passing.start()
    status, out, _ = typed("commands", "send", VAT, "cool", "--token-file", token, "--worker", rig.url)
    passing.join()
    assert (status, out.decode().splitlines()[1].split()[2]) == (1, "expired")
    assert typed("commands", "list", "--worker", rig.url, "--site", "w2") == (0, b"no commands\n", [])


@pytest.mark.parametrize(
    ("held", "status", "told"),
    [
        ("guessed\n", 1, "this is no operator's token"),
        ("", 2, "holds not one token"),
        ("li a\nwang b\n", 2, "holds not one token"),
        (b"\xff", 2, "is not text"),
        (None, 2, "cannot be read"),
    ],
)
def test_a_wrong_token_changes_nothing_and_is_not_told(typed, rig, tmp_path, held, status, told):
    path = tmp_path / "held"
    if held is not None:
        path.write_bytes(held if isinstance(held, bytes) else held.encode())
    before = rig.get("/api/v1/commands")
    found, out, err = typed("commands", "send", VAT, "cool", "--token-file", path, "--worker", rig.url)
    assert (found, out) == (status, b"")
    assert told in err[0]
    assert "guessed" not in err[0]
    assert rig.get("/api/v1/commands") == before


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("vat-9", "cool"), 1, "no device 'vat-9'"),
        ((VAT, "boil"), 1, "no command 'boil'; it has: cool"),
        ((VAT, "cool", "--args", "[1]"), 2, "is not a JSON object"),
        ((VAT, "cool", "--args", "{"), 2, "is not JSON"),
    ],
)
def test_what_cannot_be_sent_is_told_by_the_command(typed, rig, token, words, status, told):
    found, _, err = typed("commands", "send", *words, "--token-file", token, "--worker", rig.url)
    assert found == status
    assert told in err[-1]
