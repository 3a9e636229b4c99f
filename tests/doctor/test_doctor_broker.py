"""The broker as the worker needs it, on a real Mosquitto and a real NATS."""

from __future__ import annotations

import socket
import threading

import paho.mqtt.client as paho
import pytest
from authority import PASSWORD
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from web_server import serving

from ports import free_port
from scenewatch.api.shapes import ReadingCounts
from scenewatch.doctor import broker as checked
from scenewatch.doctor.broker import broker_login
from scenewatch.doctor.findings import Verdict

pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in. <ssl.SSLSocket")  # left to the GC by paho


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(checked, "LISTEN_S", 0.3)
    monkeypatch.setattr(checked, "ANSWER_S", 2.0)


@pytest.fixture
def client(broker):
    """Connects somebody else with a login and a client id; tells why it was thrown out, should it be."""
    made = []

    def connect(client_id, user="worker"):
        there, lost = threading.Event(), []
        one = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False)
        one.username_pw_set(user, PASSWORD)
        one.on_connect = lambda *_: there.set()
        one.on_disconnect = lambda *given: lost.append(given)
        one.connect("127.0.0.1", broker["plain"])
        one.loop_start()
        made.append(one)
        assert there.wait(10)
        return one, lost

    yield connect
    for one in made:
        one.disconnect()
        one.loop_stop()


def test_a_broker_that_does_all_is_well(examined, broker, findings):
    found = findings(broker_login, examined(broker["good"]))
    assert found[Verdict.FAILED] == []
    [well, granted, alarms] = found[Verdict.OK]
    assert well.endswith("lets worker in, over MQTT 5")
    assert granted == "all 5 subscriptions of the worker are granted"
    assert alarms == "alarms can be published, and are seen by others"
    [silent] = found[Verdict.WARNING]
    assert silent.startswith("no message of any device came within 0.3 s -> if devices do publish")


@pytest.fixture
def status(client):
    """What a gateway says of itself, for whoever comes later."""
    gateway, _ = client("gateway", "gateway")
    gateway.publish("sw/k/s1/gw/status", b"online", 1, retain=True).wait_for_publish(10)
    yield
    gateway.publish("sw/k/s1/gw/status", b"", 1, retain=True).wait_for_publish(10)


@pytest.mark.usefixtures("status")
def test_a_message_of_a_device_is_the_proof_that_they_come(examined, broker, findings):
    found = findings(broker_login, examined(broker["good"]))
    assert found[Verdict.OK][-1] == "messages of devices come"
    assert found[Verdict.WARNING] == []


def test_the_session_of_a_running_worker_is_not_disturbed_and_hears_nothing(examined, broker, findings, client):
    running, lost = client("scenewatch-worker")
    heard, subscribed = [], threading.Event()
    running.on_message = lambda *given: heard.append(given)
    running.on_subscribe = lambda *_: subscribed.set()
    running.subscribe([(one, 1) for one in checked.mqtt_settings(examined().settings).filters])
    assert subscribed.wait(10)
    assert findings(broker_login, examined(broker["good"]))[Verdict.FAILED] == []
    assert (lost, heard) == ([], [])
    assert running.is_connected()


WRONG_WAYS = {
    "may not publish alarms": (
        {"user": "mute"},
        "-> the broker's access list must allow this user to write sw/+/+/alarm/+/+",
    ),
    "no login": ({"user": ""}, "the broker refuses the login, Not authorized -> the broker must allow this user"),
    "nobody of that name": ({"user": "nobody"}, "the broker refuses the login"),
    "another authority": (
        {"more": 'ca_file = "{keys}/stranger.pem"'},
        "nobody we trust has signed the broker's certificate -> check broker.ca_file",
    ),
    "TLS to a plain port": ({"port": "plain"}, "-> check the port in broker.url, or use mqtt://"),
    "plain to a TLS port": (
        {"scheme": "mqtt"},
        "before the login -> if this port speaks TLS, let broker.url begin with mqtts://",
    ),
}


@pytest.mark.parametrize(("options", "line"), WRONG_WAYS.values(), ids=WRONG_WAYS)
def test_what_the_broker_does_not_allow_is_one_line_with_the_mend(examined, broker, keys, findings, options, line):
    given = {key: value.format(keys=keys) for key, value in options.items()}
    port = broker[given.pop("port", "good")]
    [told] = findings(broker_login, examined(port, **given))[Verdict.FAILED]
    assert line in told
    assert PASSWORD not in told


@pytest.mark.usefixtures("status")
def test_a_broker_that_grants_what_it_then_keeps_back_is_told(examined, broker, findings):
    found = findings(broker_login, examined(broker["good"], user="deaf"))
    assert "all 5 subscriptions of the worker are granted" in found[Verdict.OK]
    assert len(found[Verdict.WARNING]) == 1


def test_a_worker_that_has_received_something_is_proof_enough(examined, broker, findings):
    amount = dict.fromkeys(("received", "stored", "duplicate", "dead", "pending"), 1)
    readings = dict.fromkeys(ReadingCounts.model_fields, 0) | {"by_test": {}}
    states = {
        "journal": {"state": "ok", "head": 1, "bytes": 1, "lost": 0, "oldest": 0},
        "source": {"state": "connected", "since": 0},
        "store": {"state": "ok", "position": 1},
    }
    with serving({"/api/v1/ledger": (200, {}, amount | {"readings": readings} | states)}) as address:
        others = f"[http]\nport = {address.rpartition(':')[2]}"
        found = findings(broker_login, examined(broker["good"], others=others))
    assert found[Verdict.OK][-1] == "messages of devices came to the worker"
    assert found[Verdict.WARNING] == []


def test_nobody_listens(examined, findings):
    port = free_port()
    [told] = findings(broker_login, examined(port))[Verdict.FAILED]
    assert told == f"nothing listens on port {port} of 127.0.0.1 -> check broker.url, and whether the broker runs"


def test_one_that_says_nothing_is_given_up(examined, findings, monkeypatch):
    monkeypatch.setattr(checked, "ANSWER_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        [told] = findings(broker_login, examined(mute.getsockname()[1], scheme="mqtt"))[Verdict.FAILED]
    assert told == "the broker does not answer the login -> see whether it hangs"


def test_a_broker_without_mqtt_5_is_asked_in_3_1_1(examined, findings, nats):
    found = findings(broker_login, examined(nats, scheme="mqtt", user=""))
    assert found[Verdict.FAILED] == []
    assert found[Verdict.OK][0].endswith("lets nobody in particular in, over MQTT 3.1.1")
    assert "alarms can be published, and are seen by others" in found[Verdict.OK]


def test_what_an_mqtt_5_broker_says_that_it_does_not_do_is_told():
    connack = Properties(PacketTypes.CONNACK)
    assert list(checked._promises(connack)) == []
    connack.SessionExpiryInterval, connack.MaximumQoS, connack.RetainAvailable = 60, 0, 0
    connack.WildcardSubscriptionAvailable = 0
    told = [finding.what for finding in checked._promises(connack)]
    assert len(told) == 4
    assert "keeps a session for 60 s only" in told[0]
