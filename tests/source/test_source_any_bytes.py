"""Any bytes from a broker, cut anywhere: the connection ends with a reason, and nothing comes that was not sent."""

from __future__ import annotations

import pytest
from conversation import Conversation
from hypothesis import given, settings
from hypothesis import strategies as st
from mqtt_wire import CONNACK_3, CONNACK_5, packet, publish
from test_source_cutter import streams

from scenewatch.model.versions import Outcome, Protocol

GREETINGS = {
    Protocol.MQTT_3: CONNACK_3 + packet(0x90, b"\x00\x01\x01\x01"),
    Protocol.MQTT_5: CONNACK_5 + packet(0x90, b"\x00\x01\x00\x01\x01"),
}


@pytest.fixture(scope="module")
def conversation():
    conversation = Conversation()
    yield conversation
    conversation.close()


@settings(deadline=None, max_examples=80)
@given(versioned=streams(), data=st.data())
def test_any_stream_behind_a_greeting_broken_off_anywhere(conversation, versioned, data):
    properties, stream = versioned
    protocol = Protocol.MQTT_5 if properties else Protocol.MQTT_3
    stream = GREETINGS[protocol] + stream
    conversation.check(protocol, stream[: data.draw(st.integers(0, len(stream)))])


@settings(deadline=None, max_examples=80)
@given(protocol=st.sampled_from(Protocol), noise=st.binary(max_size=60), first=st.sampled_from([b"", b"\x20"]))
def test_any_bytes_for_a_greeting(conversation, protocol, noise, first):
    conversation.check(protocol, first + noise)


def test_the_check_itself_sees_messages(conversation):
    stream = GREETINGS[Protocol.MQTT_3] + publish(b"t", b"x", packet_id=1)
    ending, got = conversation.hold(Protocol.MQTT_3, stream)
    assert (ending.outcome, ending.reason, got) == (Outcome.LOST, "closed by the broker", [(b"t", b"x")])
