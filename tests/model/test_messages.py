"""Messages over one buffer, and the topics devices speak on."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenewatch.model.messages import Messages, length_before, shortened
from scenewatch.model.place import ID, Device, Kind, alarm_filter, alarm_topic, device_topic, subscriptions

DEVICE = Device(scene="brine", site="w1", device="vat-1", type="vat")


@given(st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=30)), max_size=20), st.integers(0, 2**50))
def test_every_pair_comes_out_as_it_went_in(pairs, received_ms):
    messages = Messages.of(pairs, received_ms)
    assert [(messages.topic(i), messages.payload(i)) for i in range(len(messages))] == pairs
    assert messages.received_ms == received_ms


@given(st.binary(max_size=60), st.integers(0, 268_435_455))
def test_a_shortened_payload_tells_its_length_and_no_other_does(beginning, length):
    assert length_before(shortened(beginning, length)) == length
    assert length_before(beginning) is None
    with pytest.raises(json.JSONDecodeError):
        json.loads(shortened(beginning, length).decode("latin-1"))


@pytest.mark.parametrize("good", ["a", "A-1_b", "x" * 64])
def test_an_id_is_of_plain_signs(good):
    assert ID.match(good)


@pytest.mark.parametrize("bad", ["", "a/b", "a b", "a+", "#", "ü", "a\n", "x" * 65, "a.b", "$SYS"])
def test_what_mqtt_or_a_file_system_reads_as_a_sign_is_no_id(bad):
    assert not ID.match(bad)


def test_topics_of_a_device():
    assert device_topic("sw", DEVICE, Kind.TELEMETRY) == "sw/brine/w1/vat-1/telemetry"
    assert alarm_topic("sw", DEVICE, "hot") == "sw/brine/w1/alarm/hot/vat-1"
    assert (DEVICE.id, DEVICE.site_id) == ("brine.w1.vat-1", "brine.w1")


def matches(topic_filter, topic):
    return re.fullmatch(topic_filter.replace("+", "[^/]+"), topic) is not None


def test_the_worker_reads_its_devices_and_never_its_own_alarms_or_commands():
    filters = subscriptions("sw")
    heard = {kind for kind in Kind if any(matches(f, device_topic("sw", DEVICE, kind)) for f in filters)}
    assert heard == {Kind.TELEMETRY, Kind.EVENT, Kind.STATUS, Kind.RESULT}
    assert not any(matches(f, alarm_topic("sw", DEVICE, "hot")) for f in filters)
    assert matches(alarm_filter("sw"), alarm_topic("sw", DEVICE, "hot"))
