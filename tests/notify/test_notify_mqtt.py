"""Alarms on a real broker: retained while they stand, told again whatever happened in between."""

from __future__ import annotations

import gc
import json
import math
import subprocess
import threading
from dataclasses import replace

import pytest
from notify_brokers import mosquitto_at

from scenewatch.model import backoff
from scenewatch.model.alarm import Step, Transition
from scenewatch.model.broker import Broker
from scenewatch.model.errors import ConfigurationError, TemporaryError
from scenewatch.model.flags import Flag
from scenewatch.model.place import Device
from scenewatch.model.quantity import Quantity
from scenewatch.model.registry import Registry
from scenewatch.model.rule import Above, Mark, NoData, Priority, Rule, Source
from scenewatch.model.scene import Channel, DeviceType, Scene, Span
from scenewatch.model.words import Text, minutes, seconds
from scenewatch.notify import mqtt
from scenewatch.notify.mqtt import MqttNotifier
from scenewatch.notify.retained import RetainedConnection

pytestmark = pytest.mark.integration

T = Text("a box is warm", "箱体过热")
BOX = DeviceType(
    key="box",
    title=T,
    every=seconds(10),
    channels=(Channel(key="temp", title=T, quantity=Quantity.TEMPERATURE, unit="°C", possible=Span(-40, 60)),),
)
WORDS = {"title": T, "priority": Priority.HIGH, "source": Source(document=T, mark=Mark.PROPOSAL), "advice": T}
WARM = Rule(key="warm", on=("box.temp",), when=Above(5.0, 0.5), proof="hot", **WORDS)
SILENT = Rule(key="silent", on=("box.temp",), when=NoData(minutes(5)), proof="dead", **WORDS)
LAB = Scene(
    key="lab",
    title=T,
    site_title=T,
    device_types=(BOX,),
    rules=(WARM, SILENT),
    faults=(),
    simulator="",
    mishap="hot",
)
TOPIC = "sw/lab/one/alarm/warm/b0"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(mqtt, "QUIET_S", 0.3)
    monkeypatch.setattr(backoff, "FIRST_S", 0.05)
    monkeypatch.setattr(backoff, "LONGEST_S", 0.2)


RULES = {f"{LAB.key}.{rule.key}": rule for rule in LAB.rules}


@pytest.fixture
def registry():
    made = Registry([LAB])
    made.apply([Device(scene="lab", site="one", device=f"b{i}", type="box") for i in range(3)], at_ms=0)
    return made


@pytest.fixture
def notify(registry):
    notifiers = []

    def make(broker: Broker | str, standing=(), rules=RULES) -> MqttNotifier:
        known = Broker(url=broker) if isinstance(broker, str) else broker
        notifier = MqttNotifier(known, "sw", registry, lambda: rules)
        notifier.start(standing)
        notifiers.append(notifier)
        return notifier

    yield make
    for notifier in notifiers:
        notifier.close()


def step(
    kind: Step, device: int = 0, rule: str = "lab.warm", value: float = 7.5, raised_at_ms: int = 1000
) -> Transition:
    return Transition(rule, device, kind, raised_at_ms, raised_at_ms, value, Flag.GOOD)


def test_a_raised_alarm_is_seen_by_late_subscribers_until_it_clears(broker, notify, watch):
    notifier = notify(broker.url)
    early = watch(broker.port)
    notifier.publish([step(Step.RAISED)])
    early.wait(lambda now: TOPIC in now)
    late = watch(broker.port)
    late.wait(lambda now: TOPIC in now)
    assert json.loads(late.now[TOPIC]) == {
        "rule": "lab.warm",
        "device": "lab.one.b0",
        "site": "one",
        "scene": "lab",
        "priority": "high",
        "version": "",
        "cause": None,
        "title": {"en": "a box is warm", "zh": "箱体过热"},
        "advice": {"en": "a box is warm", "zh": "箱体过热"},
        "raised_at": 1000,
        "value": 7.5,
        "unit": "°C",
        "condition": {"en": "a box is warm above 5 °C", "zh": "箱体过热高于 5 °C"},
        "limit": 5.0,
        "flag": "good",
        "state": "unacknowledged",
        "path": "/alarm?rule=lab.warm&device=lab.one.b0&raised_at=1000",
    }
    notifier.publish([step(Step.CLEARED)])
    late.wait(lambda now: not now)
    assert late.log[-1] == (TOPIC, b"")


def test_what_the_step_says_of_the_alarm_is_told(broker, notify, watch):
    more = {"priority": Priority.LOW, "version": "0badcafe", "cause": "lab.silent lab.one.b1"}
    notifier = notify(broker.url)
    notifier.publish([replace(step(Step.RAISED), **more)])
    watcher = watch(broker.port)
    watcher.wait(lambda now: TOPIC in now)
    payload = json.loads(watcher.now[TOPIC])
    assert {name: payload[name] for name in more} == more


def test_an_acknowledged_alarm_stands_on_and_says_so(broker, notify, watch):
    notifier = notify(broker.url, [step(Step.RAISED), step(Step.RAISED, 1)])
    watcher = watch(broker.port)
    watcher.wait(lambda now: len(now) == 2)
    notifier.acknowledge("lab.warm", 0, 999)  # another alarm of this rule and device, long over
    notifier.acknowledge("lab.warm", 2, 1000)
    notifier.acknowledge("lab.warm", 0, 1000)
    watcher.wait(lambda now: json.loads(now[TOPIC])["state"] == "acknowledged")
    states = {topic: json.loads(payload)["state"] for topic, payload in watcher.now.items()}
    assert states == {TOPIC: "acknowledged", "sw/lab/one/alarm/warm/b1": "unacknowledged"}
    notifier.publish([step(Step.CLEARED)])
    watcher.wait(lambda now: TOPIC not in now)
    notifier.acknowledge("lab.warm", 0, 1000)
    notifier.publish([step(Step.RAISED, raised_at_ms=2000)])
    watcher.wait(lambda now: TOPIC in now and json.loads(now[TOPIC])["state"] == "unacknowledged")


def test_the_limit_that_is_told_is_the_one_in_force(mosquitto, notify, watch):
    warm = RULES["lab.warm"]
    lower = RULES | {"lab.warm": replace(warm, when=replace(warm.when, limit=3.5))}
    watcher = watch(mosquitto.port)
    notify(mosquitto.url, rules=lower).publish([step(Step.RAISED)])
    watcher.wait(lambda now: TOPIC in now)
    assert json.loads(watcher.now[TOPIC])["limit"] == 3.5


def test_no_data_has_neither_value_nor_limit(mosquitto, notify, watch):
    silent = Transition("lab.silent", 1, Step.RAISED, 5, 5, math.nan, Flag.MISSING)
    watcher = watch(mosquitto.port)
    notify(mosquitto.url).publish([silent])
    watcher.wait(lambda now: "sw/lab/one/alarm/silent/b1" in now)
    told = json.loads(watcher.now["sw/lab/one/alarm/silent/b1"])
    assert (told["value"], told["limit"], told["flag"]) == (None, None, "missing")


def test_the_start_clears_ghosts_mends_what_differs_and_tells_what_is_missing(broker, notify, watch):
    watcher = watch(broker.port)
    elsewhere = {"sw/lab/one/b0/telemetry": b"{}", "sw/lab/one/b0/alarm": b"x"}
    ghosts = {"sw/lab/one/alarm/warm/gone": b"{}", "sw/lab/two/alarm/nothing/b0": b"not ours"}
    for topic, payload in {TOPIC: b"old", **elsewhere, **ghosts}.items():
        watcher.retain(topic, payload)
    watcher.wait(lambda now: len(now) == 5)
    notify(broker.url, [step(Step.RAISED, 0), step(Step.RAISED, 1)])
    wanted = {TOPIC, "sw/lab/one/alarm/warm/b1", *elsewhere}
    watcher.wait(lambda now: now.keys() == wanted and now[TOPIC] != b"old")
    fresh = watch(broker.port)
    fresh.wait(lambda now: now.keys() == wanted)
    assert {topic: fresh.now[topic] for topic in elsewhere} == elsewhere


def test_what_the_broker_knows_already_is_not_told_again(mosquitto, notify, watch):
    first = notify(mosquitto.url, [step(Step.RAISED, 0)])
    watcher = watch(mosquitto.port)
    watcher.wait(lambda now: TOPIC in now)
    first.close()
    notify(mosquitto.url, [step(Step.RAISED, 0), step(Step.RAISED, 1)])
    watcher.wait(lambda now: "sw/lab/one/alarm/warm/b1" in now)
    assert [topic for topic, _ in watcher.log].count(TOPIC) == 1


def test_a_broker_that_forgot_everything_is_told_again(mosquitto, notify, watch):
    notifier = notify(mosquitto.url)
    notifier.publish([step(Step.RAISED, 0), step(Step.RAISED, 1)])
    watch(mosquitto.port).wait(lambda now: len(now) == 2)
    mosquitto.stop()
    notifier.publish([step(Step.CLEARED, 1), step(Step.RAISED, 2), step(Step.RAISED, 2, value=9.0)])
    mosquitto.start()
    again = watch(mosquitto.port)
    again.wait(lambda now: now.keys() == {TOPIC, "sw/lab/one/alarm/warm/b2"})
    assert [json.loads(p)["value"] for t, p in again.log if t.endswith("b2")] == [9.0], "only the latest is kept"


def test_a_broker_that_kept_everything_learns_what_cleared_meanwhile(tmp_path, notify, watch):
    broker = mosquitto_at(
        tmp_path, "allow_anonymous true", "persistence true", f"persistence_location {tmp_path}/", "user root"
    )
    broker.start()
    try:
        notifier = notify(broker.url)
        notifier.publish([step(Step.RAISED, 0), step(Step.RAISED, 1)])
        watch(broker.port).wait(lambda now: len(now) == 2)
        broker.stop()
        notifier.publish([step(Step.CLEARED, 0)])
        broker.start()
        watch(broker.port).wait(lambda now: now.keys() == {"sw/lab/one/alarm/warm/b1"})
    finally:
        broker.stop()


def test_nothing_blocks_without_a_broker(notify, caplog):
    notifier = notify("mqtt://127.0.0.1:1")
    for i in range(1000):
        notifier.publish([step(Step.RAISED if i % 2 == 0 else Step.CLEARED, i % 3)])
    assert len(notifier._untold) <= 3
    notifier.close()
    lines = [r for r in caplog.records if "not published" in r.message]
    assert len(lines) <= 1, "one line for each change, not for each attempt"


def test_close_tells_what_was_not_told_yet(mosquitto, notify, watch):
    watcher = watch(mosquitto.port)
    notifier = notify(mosquitto.url)
    notifier.publish([step(Step.RAISED, 0)])
    watcher.wait(lambda now: TOPIC in now)
    notifier.publish([step(Step.RAISED, i) for i in (1, 2)])
    notifier.close()
    watcher.wait(lambda now: len(now) == 3)


@pytest.fixture
def guarded(tmp_path):
    """A broker behind TLS that lets in one name only, and how to enter it."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"),
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    subprocess.run(["mosquitto_passwd", "-b", "-c", "passwords", "ann", "hush"], cwd=tmp_path, check=True)
    (tmp_path / "secret").write_text("hush\n")
    login = ["allow_anonymous false", f"password_file {tmp_path}/passwords", "user root"]
    process = mosquitto_at(tmp_path, *login, f"certfile {tmp_path}/cert.pem", f"keyfile {tmp_path}/key.pem")
    process.start()
    yield Broker(
        url=f"mqtts://127.0.0.1:{process.port}",
        username="ann",
        password_file=tmp_path / "secret",
        ca_file=tmp_path / "cert.pem",
    )
    process.stop()


def enter(broker: Broker) -> None:
    attempt = RetainedConnection(broker, threading.Condition(), lambda *_: None)
    try:
        attempt.open()
    finally:
        attempt.close()


def test_it_enters_over_tls_with_its_login(guarded):
    enter(guarded)


def test_without_its_login_it_is_told_so(guarded):
    with pytest.raises(TemporaryError, match="refuses the login: Not authorized"):
        enter(replace(guarded, username=""))


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # paho leaves its socket to the collector
def test_a_broker_that_cannot_be_trusted_is_left(guarded):
    with pytest.raises(TemporaryError, match=r"check broker\.ca_file"):
        enter(replace(guarded, ca_file=None))
    gc.collect()


def test_a_password_that_cannot_be_read_is_named(guarded, tmp_path):
    with pytest.raises(TemporaryError, match=r"broker\.password_file .*nowhere cannot be read: No such file"):
        enter(replace(guarded, password_file=tmp_path / "nowhere"))


def test_a_wrong_url_stops_the_start(registry):
    with pytest.raises(ConfigurationError):
        MqttNotifier(Broker(url="ws://127.0.0.1"), "sw", registry, dict)
