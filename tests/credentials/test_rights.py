"""Rights as laws: whatever the sites are called, none reaches into another."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from scenewatch.credentials import rights
from scenewatch.model.place import ID, Device, Kind, alarm_topic, device_topic, subscriptions

ids = st.text("abcdefgABCDEFG0123456789_-", min_size=1, max_size=12).filter(ID.match)
sites = st.builds(lambda scene, site: f"{scene}.{site}", ids, ids)


def matches(topic_filter: str, topic: str) -> bool:
    """MQTT 3.1.1, 4.7."""
    pattern = re.escape(topic_filter).replace(r"\+", "[^/]*").replace("/\\#", "(/.*)?")
    return re.fullmatch(pattern, topic) is not None


def device_of(site_id: str, device: str) -> Device:
    scene, site = site_id.split(".")
    return Device(scene=scene, site=site, device=device, type="t")


@settings(deadline=None, max_examples=100)
@given(sites, sites, ids)
def test_a_gateway_reaches_all_of_its_site_and_nothing_of_another(own, other, device):
    assume(own != other)
    mine = rights.gateway("sw", own)
    for kind in Kind:
        allowed = mine.reads if kind is Kind.COMMAND else mine.writes
        forbidden = mine.writes if kind is Kind.COMMAND else mine.reads
        topic = device_topic("sw", device_of(own, device), kind)
        assert any(matches(one, topic) for one in allowed)
        assert not any(matches(one, topic) for one in forbidden)
        foreign = device_topic("sw", device_of(other, device), kind)
        assert not any(matches(one, foreign) for one in (*mine.writes, *mine.reads))
    alarm = alarm_topic("sw", device_of(own, device), "rule")
    assert not any(matches(one, alarm) for one in (*mine.writes, *mine.reads))


@settings(deadline=None, max_examples=50)
@given(sites, ids, ids)
def test_the_worker_reads_what_it_subscribes_and_writes_alarms_and_commands(site, device, rule):
    worker = rights.worker("sw")
    assert set(subscriptions("sw")) <= set(worker.reads)
    place = device_of(site, device)
    for topic in (alarm_topic("sw", place, rule), device_topic("sw", place, Kind.COMMAND)):
        assert any(matches(one, topic) for one in worker.writes)
    for kind in set(Kind) - {Kind.COMMAND}:
        assert not any(matches(one, device_topic("sw", place, kind)) for one in worker.writes)


@settings(deadline=None, max_examples=30)
@given(st.text(min_size=1, max_size=60))
def test_a_hash_fits_its_password_alone(word):
    hashed = rights.mosquitto_hash(word)
    assert hashed != rights.mosquitto_hash(word)
    assert rights.fits(hashed, word)
    assert not rights.fits(hashed, word + "x")


@pytest.mark.parametrize("damaged", ["", "$7$", "$6$a$b", "$7$x$AAAA$AAAA", "$7$101$A$A", "plain"])
def test_a_damaged_hash_fits_nothing(damaged):
    assert not rights.fits(damaged, "word")


def test_nats_takes_any_password_as_text():
    text = rights.nats_users([rights.health()], {rights.HEALTH: 'a"b\\c$d'})
    assert json.dumps('a"b\\c$d') in text
