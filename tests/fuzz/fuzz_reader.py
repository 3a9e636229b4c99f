"""Any bytes from a broker: the connection ends cleanly, and no message arrives that was not sent."""

from __future__ import annotations

import sys

import atheris
from fuzzing import TESTS, plain_kernels, run

sys.path.insert(0, str(TESTS / "source"))

with plain_kernels(), atheris.instrument_imports(include=["scenewatch", "paho"]):
    from conversation import Conversation
    from mqtt_wire import CONNACK_3, CONNACK_5, PINGRESP, packet, publish

    from scenewatch.model.versions import Protocol

CONVERSATION = Conversation()


def one(data: bytes) -> None:
    """The first byte chooses the version, all others are the broker's."""
    if data:
        CONVERSATION.check(Protocol.MQTT_5 if data[0] & 1 else Protocol.MQTT_3, data[1:])


def seeds() -> list[bytes]:
    suback_3, suback_5 = packet(0x90, b"\x00\x01\x01\x01"), packet(0x90, b"\x00\x01\x00\x01\x01")
    old = publish(b"topic", b"payload", packet_id=7) + publish(b"t", b"x", packet_id=8, qos=2) + PINGRESP
    new = publish(b"topic", b"payload", packet_id=7, properties=b"\x02\x00\x00\x00\x09")
    too_long = publish(b"t", b"y" * 400, packet_id=9)
    return [
        b"\x00" + CONNACK_3 + suback_3 + old + too_long + packet(0x62, b"\x00\x08"),
        b"\x01" + CONNACK_5 + suback_5 + new + packet(0xE0, b"\x8e\x00"),
        b"\x01" + packet(0x20, b"\x00\x9d\x07\x1c\x00\x04host"),
    ]


if __name__ == "__main__":
    run(one, seeds(), __doc__ or "")
