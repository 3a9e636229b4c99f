"""Who may say and hear what: every kind of topic, of one's own site and of others, at both brokers.

The broker runs with production's configuration and the files of `scenewatch secrets`; one more user, who may
everything, sees what arrives and says what others might hear.
"""

from __future__ import annotations

import itertools

import pytest
from mqtt_user import WATCHER, WATCHERS_PASSWORD, MqttUser

KINDS = ("telemetry", "event", "status", "result", "command")
SITES = ("kitchen/s001", "kitchen/s002", "drain/s001")
OF_DEVICES = [f"sw/{site}/d1/{kind}" for site in SITES for kind in KINDS]
OF_ALARMS = [f"sw/{site}/alarm/fridge_warm/d1" for site in SITES]
ODD = (
    "x",
    "sw",
    "sw/kitchen/s001/telemetry",
    "sw/kitchen/s001/d1/telemetry/more",
    "sw/kitchen/s001/d1/other",
    "sw/kitchen/s0011/d1/telemetry",
    "SW/kitchen/s001/d1/telemetry",
    "other/kitchen/s001/d1/telemetry",
    "/sw/kitchen/s001/d1/telemetry",
)
TOPICS = (*OF_DEVICES, *OF_ALARMS, *ODD)
UP = ("telemetry", "event", "status", "result")
WRITES = {
    "kitchen.s001": {f"sw/kitchen/s001/d1/{kind}" for kind in UP},
    "scenewatch-worker": {f"sw/{site}/d1/command" for site in SITES} | set(OF_ALARMS),
    "scenewatch-health": set(),
}
READS = {
    "kitchen.s001": {"sw/kitchen/s001/d1/command"},
    "scenewatch-worker": {f"sw/{site}/d1/{kind}" for site in SITES for kind in UP}
    | {"sw/kitchen/s0011/d1/telemetry", *OF_ALARMS},
    "scenewatch-health": set(),
}
FILTERS = (
    "#",
    "+/+/+/+/+",
    "sw/#",
    "sw/+/+/+/telemetry",
    "sw/kitchen/s002/#",
    "sw/kitchen/s001/#",
    "$SYS/#",
    "$MQTT/#",
    "$MQTT/sub/#",
)
FILES = {"scenewatch-worker": "broker-worker.password", "scenewatch-health": "broker-health.password"}
UPTIME = "$SYS/broker/uptime"
END = b"that was all"
_numbers = itertools.count()


@pytest.fixture
def enter(guarded):
    """Makes users; all leave with their test."""
    inside = []

    def make(user, password=None, **more):
        file = FILES.get(user, f"gateways/{user}.password")
        word = password or (WATCHERS_PASSWORD if user == WATCHER.user else None)
        if user is not None and word is None:
            word = (guarded.secrets / file).read_text().strip()
        one = MqttUser(guarded.port("broker"), guarded.secrets / "ca.pem", user, word, **more)
        inside.append(one)
        return one

    yield make
    for one in inside:
        one.__exit__()


@pytest.fixture
def watcher(enter):
    one = enter(WATCHER.user)
    assert one.is_in
    one.subscribe("#")
    return one


def all_heard(watcher):
    """What arrived before now, apart from what this says itself."""
    end = END + str(next(_numbers)).encode()
    watcher.say("end", end)
    watcher.wait_for(end)
    return {topic for topic, payload in watcher.heard if not payload.startswith(END)}


def exists(guarded, user):
    """The health check logs in at Mosquitto alone: NATS is asked by HTTP."""
    return user != "scenewatch-health" or "mosquitto" in guarded.services["broker"].command


@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.parametrize("user", WRITES)
def test_only_what_one_may_write_arrives(guarded, enter, watcher, user, qos):
    if not exists(guarded, user):
        assert not enter(user).is_in
        return
    before = all_heard(watcher)
    assert before == set()
    one = enter(user)
    for topic in TOPICS:
        if one.lost:
            one = enter(user)
        assert one.is_in
        one.say(topic, b"from " + user.encode(), qos)
    one.settle()
    assert all_heard(watcher) == WRITES[user]


@pytest.mark.parametrize("user", READS)
def test_only_what_one_may_read_is_heard(guarded, enter, watcher, user):
    if not exists(guarded, user):
        return
    ears = []
    for topic_filter in FILTERS:
        one = enter(user)
        one.subscribe(topic_filter)
        ears.append(one)
    ears.append(enter(user))
    for topic in TOPICS:  # at NATS the most unacknowledged messages leave room for four of QoS 1
        ears[-1].subscribe(topic, 0)
    assert not ears[-1].lost
    for topic in TOPICS:
        watcher.say(topic, b"to all", 1)
    all_heard(watcher)
    ears[-1].wait_for_topics(READS[user])
    for ear in ears:
        ear.settle()
    heard = {topic for ear in ears for topic in ear.topics()}
    assert heard - {UPTIME} == READS[user]
    assert UPTIME not in heard or user == "scenewatch-health"


@pytest.mark.parametrize("user", [None, "nobody", "admin", "kitchen.s001", "kitchen.s009", "scenewatch-worker"])
def test_nobody_is_let_in_without_a_password_of_his_own(guarded, enter, user):
    another = (guarded.secrets / "gateways/kitchen.s002.password").read_text().strip()
    for password in (" ", "wrong", another):
        assert not enter(user, password).is_in


def test_what_is_kept_for_others_is_not_shown(enter, watcher):
    kept = ("sw/kitchen/s002/gw/status", "sw/kitchen/s002/d1/command", "sw/kitchen/s001/alarm/fridge_warm/d1")
    for topic in kept:
        watcher.say(topic, b"kept", retain=True)
    one = enter("kitchen.s001")
    for topic in ("#", "sw/#", *kept):
        one.subscribe(topic)
    one.settle()
    assert one.topics() == []
    for topic in kept:
        watcher.say(topic, b"", retain=True)


@pytest.mark.parametrize(("site", "arrives"), [("s001", True), ("s002", False)])
def test_a_last_will_has_the_rights_of_who_left_it(enter, watcher, site, arrives):
    topic = f"sw/kitchen/{site}/gw/status"
    one = enter("kitchen.s001", will=(topic, b"gone"))
    if one.is_in:  # a broker may refuse such a will at once
        one.vanish()
        again = enter("kitchen.s001", will=("sw/kitchen/s001/gw/status", b"gone too"))
        again.vanish()
        watcher.wait_for(b"gone too")
    assert ((topic, b"gone") in watcher.heard) is arrives
    watcher.say("sw/kitchen/s001/gw/status", b"", retain=True)


def test_who_takes_over_a_session_hears_nothing_of_it(enter, watcher):
    """A gateway that calls itself what the worker does throws it out, which nobody can help, but hears nothing."""
    with enter("scenewatch-worker", client_id="scenewatch-worker", clean=False) as worker:
        worker.subscribe("sw/+/+/+/telemetry")
    watcher.say("sw/kitchen/s002/d1/telemetry", b"kept for the worker")
    all_heard(watcher)
    thief = enter("kitchen.s001", client_id="scenewatch-worker", clean=False)
    watcher.say("sw/kitchen/s002/d1/telemetry", b"said to the worker")
    all_heard(watcher)
    if thief.is_in and not thief.lost:
        thief.settle()
    assert thief.heard == []
