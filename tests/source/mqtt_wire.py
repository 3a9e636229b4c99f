"""MQTT packets for the tests: plain builders, and a plain parser that the kernel is checked against."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scenewatch.model.messages import shortened
from scenewatch.source.cutter import KEPT_BYTES

CONNACK_3 = b"\x20\x02\x00\x00"
CONNACK_5 = b"\x20\x03\x00\x00\x00"
PINGRESP = b"\xd0\x00"


def variable_integer(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | 0x80 if value else low)
        if not value:
            return bytes(out)


def packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + variable_integer(len(body)) + body


def publish(
    topic: bytes,
    payload: bytes,
    *,
    packet_id: int = 0,
    qos: int | None = None,
    properties: bytes | None = None,
    flags: int = 0,
) -> bytes:
    """QoS 1 when there is a packet id, unless told. `properties` (of MQTT 5) come without their length."""
    level = qos if qos is not None else int(packet_id > 0)
    body = len(topic).to_bytes(2, "big") + topic
    body += packet_id.to_bytes(2, "big") if level else b""
    body += b"" if properties is None else variable_integer(len(properties)) + properties
    return packet(0x30 | level << 1 | flags, body + payload)


def puback(packet_id: int) -> bytes:
    return b"\x40\x02" + packet_id.to_bytes(2, "big")


def pubrec(packet_id: int) -> bytes:
    return b"\x50\x02" + packet_id.to_bytes(2, "big")


@dataclass(frozen=True)
class Published:
    topic: bytes
    payload: bytes
    qos: int = 0
    packet_id: int = 0

    @property
    def answer(self) -> bytes:
        return (b"", puback(self.packet_id), pubrec(self.packet_id))[self.qos]


class GarbageError(Exception):
    pass


def _variable_integer(data: bytes) -> tuple[int, int] | None:
    for width in range(1, 5):
        if len(data) < width:
            return None
        if data[width - 1] < 0x80:
            return sum((byte & 0x7F) << 7 * i for i, byte in enumerate(data[:width])), width
    raise GarbageError


def _published(qos: int, body: bytes, *, properties: bool) -> Published:
    if len(body) < 2:
        raise GarbageError
    length = int.from_bytes(body[:2], "big")
    topic, rest = body[2 : 2 + length], body[2 + length :]
    if len(topic) < length or not length or (qos and len(rest) < 2):
        raise GarbageError
    packet_id = int.from_bytes(rest[:2], "big") if qos else 0
    if qos and not packet_id:
        raise GarbageError
    rest = rest[2:] if qos else rest
    if properties:
        found = _variable_integer(rest)
        if found is None or sum(found) > len(rest):
            raise GarbageError
        rest = rest[sum(found) :]
    return Published(topic, rest, qos, packet_id)


def _bounds(stream: bytes, max_packet: int) -> tuple[int, int] | None:
    """Where the first packet's body begins and ends; None while it is not all there."""
    kind, flags = stream[0] >> 4, stream[0] & 0x0F
    required = {2: 0, 3: flags, 4: 0, 5: 0, 6: 2, 7: 0, 9: 0, 11: 0, 13: 0, 14: 0, 15: 0}.get(kind)
    length = _variable_integer(stream[1:])
    if flags != required or (kind == 3 and flags & 6 == 6):
        raise GarbageError
    if kind != 3 and length and length[0] > max_packet:
        raise GarbageError
    if length is None or len(stream) < 1 + sum(length):
        return None
    return 1 + length[1], 1 + sum(length)


def parse(stream: bytes, *, properties: bool, max_packet: int) -> tuple[list[Published | bytes], bool]:
    """All whole packets in front, publishes that are too long shortened; and whether the next is garbage."""
    found: list[Published | bytes] = []
    try:
        while stream and (bounds := _bounds(stream, max_packet)):
            body_at, after = bounds
            if stream[0] >> 4 == 3:
                one = _published(stream[0] >> 1 & 3, stream[body_at:after], properties=properties)
                if after - body_at > max_packet:
                    one = replace(one, payload=shortened(one.payload[:KEPT_BYTES], len(one.payload)))
                found.append(one)
            else:
                found.append(stream[:after])
            stream = stream[after:]
    except GarbageError:
        return found, True
    return found, False
