"""The hot path: cuts whole PUBLISH packets out of a buffer, one plain loop over bytes (MQTT 3.1.1 and 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scenewatch.model.compiled import allocating

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PUBLISH: Final = 3

WHOLE: Final = -1
INCOMPLETE: Final = 0
"""The packet at the end is not all there yet (or the buffer is used up)."""
OTHER: Final = 1
"""A whole packet for somebody else: not a PUBLISH."""
FULL: Final = 2
"""The columns are full: take them away and go on."""
GARBAGE: Final = 3
"""These bytes are not MQTT, or no PUBLISH and longer than allowed."""
TOO_LONG: Final = 4
"""A PUBLISH longer than allowed begins here; it need not be all there."""

TOPIC_AT: Final = 0
TOPIC_LEN: Final = 1
PAYLOAD_AT: Final = 2
PAYLOAD_LEN: Final = 3

_SERVER_SENDS: Final = 0b1110_1010_1111_0100
"""Bit k is set when a server may send packet type k: CONNACK, PUBLISH to PUBCOMP, and so on up to AUTH."""
_PUBREL: Final = 6


@allocating
def variable_integer(buffer: NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """Value and width in bytes. Width 0: more bytes must come; -1: wider than the four that MQTT allows."""
    value = 0
    for i in range(4):
        if at + i >= end:
            return 0, 0
        byte = int(buffer[at + i])
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value, i + 1
    return 0, -1


@allocating
def plausible(first: int) -> bool:
    """Whether a server may begin a packet with this byte. QoS 3 does not exist; flags are fixed by the type."""
    kind = first >> 4
    flags = first & 0x0F
    if kind == PUBLISH:
        return (flags & 0b0110) != 0b0110
    if kind == _PUBREL:
        return flags == 0b0010
    return flags == 0 and (_SERVER_SENDS >> kind) & 1 == 1


@allocating
def packet_bounds(buffer: NDArray[np.uint8], at: int, end: int, max_packet: int) -> tuple[int, int, int]:
    """Where the packet at `at` has its body, where it ends, and WHOLE, INCOMPLETE, TOO_LONG or GARBAGE."""
    remaining, width = variable_integer(buffer, at + 1, end)
    if width < 0 or not plausible(int(buffer[at])):
        return at, at, GARBAGE
    body = at + 1 + width
    after = body + remaining
    if remaining > max_packet:
        return body, after, TOO_LONG if buffer[at] >> 4 == PUBLISH else GARBAGE
    if width == 0 or after > end:
        return at, at, INCOMPLETE
    return body, after, WHOLE


@allocating
def cut_publishes(
    buffer: NDArray[np.uint8],
    start: int,
    end: int,
    properties: bool,  # noqa: FBT001 - numba takes no keyword-only arguments
    max_packet: int,
    columns: NDArray[np.int32],
    answers: NDArray[np.uint8],
) -> tuple[int, int, int, int, int]:
    """Fill `columns` (places from `start` on) from the whole packets in front, and `answers` for QoS 1 and 2.

    `properties`: the connection speaks MQTT 5. `answers` has four bytes for each column. Returns how many
    packets there were, how many bytes of `answers`, the first byte not consumed, the end of the packet there
    when it is OTHER or TOO_LONG, and the reason for the stop.
    """
    count = 0
    answered = 0
    at = start
    while at < end:
        body, after, why = packet_bounds(buffer, at, end, max_packet)
        if why == WHOLE:
            first = int(buffer[at])
            qos = (first >> 1) & 3
            if first >> 4 != PUBLISH:
                why = OTHER
            elif count == columns.shape[1]:
                why = FULL
            elif not cut_one(buffer, body, after, qos, properties, columns[:, count]):
                why = GARBAGE
            else:
                if qos > 0:
                    packet_id_at = columns[TOPIC_AT, count] + columns[TOPIC_LEN, count]
                    _answer(buffer, packet_id_at, qos, answers[answered:])
                    answered += 4
                columns[TOPIC_AT, count] -= start
                columns[PAYLOAD_AT, count] -= start
                count += 1
                at = after
                continue
        return count, answered, at, after, why
    return count, answered, at, at, INCOMPLETE


@allocating
def cut_one(
    buffer: NDArray[np.uint8],
    body: int,
    after: int,
    qos: int,
    properties: bool,  # noqa: FBT001 - numba takes no keyword-only arguments
    column: NDArray[np.int32],
) -> bool:
    """One PUBLISH whose variable header begins at `body`; False if its lengths do not fit into the packet."""
    if body + 2 > after:
        return False
    topic_len = int(buffer[body]) << 8 | int(buffer[body + 1])
    at = body + 2 + topic_len
    if topic_len == 0 or at > after:
        return False  # an empty topic needs an alias, and we announce none
    if qos > 0:
        if at + 2 > after or (buffer[at] == 0 and buffer[at + 1] == 0):
            return False  # no packet has the id 0
        at += 2
    if properties:
        size, width = variable_integer(buffer, at, after)
        at += width + size
        if width <= 0 or at > after:
            return False
    column[TOPIC_AT] = body + 2
    column[TOPIC_LEN] = topic_len
    column[PAYLOAD_AT] = at
    column[PAYLOAD_LEN] = after - at
    return True


@allocating
def _answer(buffer: NDArray[np.uint8], packet_id_at: int, qos: int, out: NDArray[np.uint8]) -> None:
    """PUBACK or PUBREC in four bytes; both protocol versions take this short form for success."""
    out[0] = 0x40 if qos == 1 else 0x50
    out[1] = 2
    out[2] = buffer[packet_id_at]
    out[3] = buffer[packet_id_at + 1]
