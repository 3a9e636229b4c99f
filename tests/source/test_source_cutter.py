"""The kernel and the buffer around it, against a plain parser."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mqtt_wire import (
    CONNACK_3,
    CONNACK_5,
    PINGRESP,
    Published,
    packet,
    parse,
    puback,
    publish,
    pubrec,
    variable_integer,
)

from scenewatch.model.errors import ProtocolError
from scenewatch.model.messages import shortened
from scenewatch.source import cutter as cutter_module
from scenewatch.source.cutter import KEPT_BYTES, Cutter

MAX_PACKET = 300

versions = st.booleans()
topics = st.binary(min_size=1, max_size=20)


@st.composite
def publishes(draw, properties):
    qos = draw(st.sampled_from([0, 1, 1, 1, 2]))
    return publish(
        draw(topics),
        draw(st.binary(max_size=draw(st.sampled_from([200, 200, 200, 900])))),
        packet_id=draw(st.integers(1, 65_535)),
        qos=qos,
        properties=draw(st.binary(max_size=140 if qos < 2 else 20)) if properties else None,
        flags=draw(st.sampled_from([0, 1, 8, 9])),
    )


others = st.builds(packet, st.sampled_from([0x20, 0x40, 0x62, 0x90, 0xD0, 0xE0, 0xF0]), st.binary(max_size=8))


@st.composite
def streams(draw):
    """Mostly right packets; sometimes with a byte changed, some bytes lost or some added."""
    properties = draw(versions)
    packets = st.one_of(publishes(properties), publishes(properties), others)
    stream = bytearray(b"".join(draw(st.lists(packets, max_size=12))))
    damage = draw(st.sampled_from(["none", "none", "change", "lose", "add"]))
    if stream and damage != "none":
        at = draw(st.integers(0, len(stream) - 1))
        if damage == "change":
            stream[at] = draw(st.integers(0, 255))
        elif damage == "lose":
            del stream[at : at + draw(st.integers(1, 9))]
        else:
            stream[at:at] = draw(st.binary(max_size=9))
    return properties, bytes(stream)


def cut(stream, sizes, *, properties, max_packet=MAX_PACKET):
    """Feed a cutter in pieces: what comes out in order, its answers, and whether it refused."""
    cutter = Cutter(properties=properties, max_packet=max_packet)
    found, answers = [], []
    sizes = iter(sizes)
    try:
        while stream:
            space = cutter.space()
            size = min(next(sizes, len(stream)), len(stream), len(space))
            space[:size] = stream[:size]
            cutter.filled(size)
            stream = stream[size:]
            for piece in cutter.cut(received_ms=7):
                if isinstance(piece, bytes):
                    found.append(piece)
                else:
                    m = piece.messages
                    assert m.received_ms == 7
                    found.extend((m.topic(i), m.payload(i)) for i in range(len(m)))
                    answers.append(piece.answers)
    except ProtocolError:
        return found, b"".join(answers), True
    return found, b"".join(answers), False


def completed(other, properties):
    """A CONNACK without properties is given some, else paho would not understand what NATS refuses."""
    return b"\x20\x03" + other[2:] + b"\0" if properties and other[:2] == b"\x20\x02" else other


def expected(stream, *, properties, max_packet=MAX_PACKET):
    found, garbage = parse(stream, properties=properties, max_packet=max_packet)
    pairs = [(f.topic, f.payload) if isinstance(f, Published) else completed(f, properties) for f in found]
    return pairs, b"".join(f.answer for f in found if isinstance(f, Published)), garbage


@settings(deadline=None, max_examples=200)
@given(streams(), st.lists(st.integers(1, 60), max_size=40))
def test_any_stream_in_any_pieces_is_cut_as_a_plain_parser_cuts_it(versioned, sizes):
    properties, stream = versioned
    stream = CONNACK_3 + stream
    assert cut(stream, sizes, properties=properties) == expected(stream, properties=properties)


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=80), versions)
def test_random_bytes_neither_crash_nor_pass(noise, properties):
    stream = CONNACK_3 + noise
    assert cut(stream, [], properties=properties) == expected(stream, properties=properties)


def test_more_messages_than_a_run_holds_come_in_several_runs(monkeypatch):
    monkeypatch.setattr(cutter_module, "RUN", 4)
    stream = CONNACK_3 + b"".join(publish(b"t", b"%d" % n, packet_id=n) for n in range(1, 12))
    assert cut(stream, [], properties=False) == expected(stream, properties=False)


def test_a_run_keeps_its_bytes_when_the_buffer_is_used_again():
    cutter = Cutter(properties=False, max_packet=MAX_PACKET)
    runs = []
    for data in (CONNACK_3, publish(b"a", b"first", packet_id=1), publish(b"b", b"other", packet_id=2)):
        cutter.space()[: len(data)] = data
        cutter.filled(len(data))
        runs += [piece for piece in cutter.cut(0) if not isinstance(piece, bytes)]
    assert [(r.messages.topic(0), r.messages.payload(0)) for r in runs] == [(b"a", b"first"), (b"b", b"other")]
    assert runs[0].messages.data == publish(b"a", b"first", packet_id=1)


def test_of_a_packet_that_is_too_long_the_beginning_is_kept_and_the_rest_goes_by():
    fits = publish(b"t", b"x" * (MAX_PACKET - 5), packet_id=1)
    long = publish(b"t", b"y" * 300_000, packet_id=2)
    stream = CONNACK_3 + fits + long + publish(b"t", b"z" * 1000, packet_id=3, qos=2) + fits
    kept = [(b"t", b"x" * (MAX_PACKET - 5)), (b"t", shortened(b"y" * KEPT_BYTES, 300_000))]
    got = cut(stream, [100] * 4000, properties=False)
    assert got == (
        [CONNACK_3, *kept, (b"t", shortened(b"z" * 1000, 1000)), kept[0]],
        puback(1) + puback(2) + pubrec(3) + puback(1),
        False,
    )
    assert cut(stream, [], properties=False) == got


def test_what_is_too_long_is_handed_on_when_its_last_byte_has_come():
    long = publish(b"t", b"y" * 3000, packet_id=2)
    assert cut(CONNACK_3 + long[:-1], [], properties=False) == ([CONNACK_3], b"", False)


def test_the_longest_topic_in_a_packet_that_is_too_long_is_whole():
    topic = b"a" * 65_535
    stream = CONNACK_3 + publish(topic, b"y" * 200_000, packet_id=9)
    found, answers, _ = cut(stream, [1000] * 300, properties=False)
    assert (found[1][0], answers) == (topic, puback(9))


def test_properties_longer_than_the_head_of_a_packet_that_is_too_long_are_refused():
    properties = b"\x26\x00\x01k\xff\xff" + b"v" * 65_535
    stream = CONNACK_3 + publish(b"t", b"y", packet_id=9, properties=properties * 3)
    assert cut(stream, [], properties=True)[2]


@pytest.mark.parametrize(
    ("what", "stream"),
    [
        ("QoS 3", publish(b"t", b"x", qos=3)),
        ("packet type 0", b"\x00\x00"),
        ("a client's packet", packet(0x82, b"\x00\x01\x00\x01t\x01")),
        ("a PUBREL with wrong flags", packet(0x60, b"\x00\x01")),
        ("a length of five bytes", b"\x30\xff\xff\xff\xff\x01"),
        ("an empty topic", publish(b"", b"x")),
        ("a topic longer than its packet", packet(0x30, b"\x00\x09t")),
        ("no room for a packet id", packet(0x32, b"\x00\x01t\x00")),
        ("another packet that is too long", packet(0x40, b"\x00" * (MAX_PACKET + 1))),
        ("packet id 0", publish(b"t", b"x", packet_id=0, qos=1)),
        ("a PUBLISH without a body", packet(0x30, b"")),
    ],
)
def test_garbage_is_refused(what, stream):
    assert cut(CONNACK_3 + stream, [], properties=False)[2], what


@pytest.mark.parametrize(
    ("what", "tail"),
    [
        ("none at all", b""),
        ("longer than the packet", b"\x05abc"),
        ("a length of five bytes", b"\x80\x80\x80\x80\x01"),
        ("a length that does not end", b"\x80"),
    ],
)
def test_wrong_properties_are_refused(what, tail):
    assert cut(CONNACK_3 + packet(0x32, b"\x00\x01t\x00\x01" + tail), [], properties=True)[2], what


def test_properties_of_mqtt_5_are_no_part_of_the_payload():
    user_property = b"\x26\x00\x03key\x00\x05value" * 20
    stream = CONNACK_5 + publish(b"t", b"payload", packet_id=300, properties=user_property)
    assert len(variable_integer(len(user_property))) == 2
    assert cut(stream, [], properties=True) == ([CONNACK_5, (b"t", b"payload")], puback(300), False)


@pytest.mark.parametrize(
    "greeting", [b"HTTP/1.1 400 Bad Request\r\n", b"INFO {}\r\n", publish(b"t", b"x"), PINGRESP]
)
def test_a_server_that_does_not_greet_is_found_out_at_its_first_byte(greeting):
    assert cut(greeting, [1], properties=False) == ([], b"", True)
