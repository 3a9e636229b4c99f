"""Keeps the received bytes until packets are whole: publishes leave as columns, everything else as bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scenewatch.model.errors import ProtocolError
from scenewatch.model.messages import Messages, shortened
from scenewatch.model.refusals import BEGIN_WITH_TLS
from scenewatch.source.kernel import (
    GARBAGE,
    INCOMPLETE,
    OTHER,
    PAYLOAD_AT,
    PAYLOAD_LEN,
    TOO_LONG,
    TOPIC_AT,
    TOPIC_LEN,
    cut_one,
    cut_publishes,
    packet_bounds,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

READ_BYTES = 1 << 20
"""Room for one read of the socket."""
RUN = 16_384
"""Most messages in one `Run`."""
HEAD_BYTES = 1 << 17
"""As much of a message that is too long is waited for: the longest topic and packet id are well within."""
KEPT_BYTES = 4096
"""Of the payload of a message that is too long."""
_HEADER = 5
_CONNACK = 0x20
_SHORT_CONNACK = b"\x20\x02"
_TLS_ALERT = b"\x15\x03"


@dataclass(frozen=True, slots=True)
class Run:
    """Publishes that followed each other, and the bytes that acknowledge them: PUBACK, or PUBREC for QoS 2."""

    messages: Messages
    answers: bytes
    """One packet after another, in the order of the messages."""
    too_long: bool = False
    """It is one message, of which only the beginning was taken."""


@dataclass(slots=True)
class _Passing:
    """A message that is too long, while its bytes go by. It is handed on when they have all come."""

    left: int
    """Bytes of the packet that are not passed yet."""
    topic: bytes
    payload: bytes
    answer: bytes


class Cutter:
    """One connection's input. `space`, `filled`, then `cut`, over and over; never used after ProtocolError.

    A PUBLISH longer than `max_packet` takes no more memory than others: its beginning is kept, and handed on as
    a payload that says so (`model.messages.shortened`).
    """

    def __init__(self, *, properties: bool, max_packet: int) -> None:
        self._properties = properties
        self._max_packet = max_packet
        self._buffer = np.empty(_HEADER + max_packet + READ_BYTES, np.uint8)
        self._view = self._buffer.data
        self._start = 0
        self._end = 0
        self._greeted = False
        self._passing: _Passing | None = None
        self._columns = np.empty((4, RUN), np.int32)
        self._answers = np.empty(4 * RUN, np.uint8)

    def space(self) -> memoryview:
        """Where to receive into; never empty after `cut`."""
        if self._start:
            left = self._end - self._start
            self._view[:left] = self._view[self._start : self._end]
            self._start, self._end = 0, left
        return self._view[self._end :]

    def filled(self, size: int) -> None:
        self._end += size

    def cut(self, received_ms: int) -> Iterator[Run | bytes]:
        """All whole packets, in order. The bytes are one whole packet that is not ours."""
        self._check_greeting()
        while True:
            if self._passing is not None:
                passed = self._pass_by(self._passing, received_ms)
                if passed is None:
                    return
                yield passed
            count, answered, at, after, why = cut_publishes(
                self._buffer,
                self._start,
                self._end,
                self._properties,
                self._max_packet,
                self._columns,
                self._answers,
            )
            if count:
                run = self._run(count, answered, at, received_ms)
                self._start = at
                yield run
            if why == OTHER:
                self._start = after
                yield self._completed(bytes(self._view[at:after]))
            elif why == TOO_LONG:
                self._passing = self._begin_passing(at, after)
                if self._passing is None:
                    return
            elif why == GARBAGE:
                raise ProtocolError(f"not MQTT: {self._glimpse(at)}")
            elif why == INCOMPLETE:
                return

    def _check_greeting(self) -> None:
        """The first packet of a broker is CONNACK; this finds out other servers at their first byte."""
        if not self._greeted and self._end:
            if self._buffer[0] != _CONNACK:
                raise ProtocolError(f"does not greet like an MQTT broker: {self._glimpse(0)}{self._mend()}")
            self._greeted = True

    def _mend(self) -> str:
        tls = bytes(self._view[: min(2, self._end)]) == _TLS_ALERT
        return f"; {BEGIN_WITH_TLS}" if tls else "; check broker.url"

    def _completed(self, packet: bytes) -> bytes:
        """NATS leaves the properties out of a CONNACK that says no, and then paho does not understand it."""
        short = self._properties and packet[:2] == _SHORT_CONNACK
        return b"\x20\x03" + packet[2:] + b"\0" if short else packet

    def _glimpse(self, at: int) -> str:
        return bytes(self._view[at : min(at + 16, self._end)]).hex(" ")

    def _run(self, count: int, answered: int, end: int, received_ms: int) -> Run:
        columns = self._columns[:, :count].copy()
        messages = Messages(
            received_ms,
            bytes(self._view[self._start : end]),
            columns[TOPIC_AT],
            columns[TOPIC_LEN],
            columns[PAYLOAD_AT],
            columns[PAYLOAD_LEN],
        )
        return Run(messages, self._answers[:answered].tobytes())

    # --- messages that are too long ------------------------------------------------------------------------

    def _begin_passing(self, at: int, after: int) -> _Passing | None:
        """None until its head is there. Raises ProtocolError where that is not sound."""
        head_end = min(after, at + HEAD_BYTES)
        if self._end < head_end:
            return None
        body, _, _ = packet_bounds(self._buffer, at, self._end, self._max_packet)
        column = np.empty(4, np.int32)
        qos = (int(self._buffer[at]) >> 1) & 3
        if not cut_one(self._buffer, body, head_end, qos, self._properties, column):
            raise ProtocolError(f"not MQTT, in a packet of {after - at} bytes: {self._glimpse(at)}")
        topic_at, topic_len, payload_at, _ = column.tolist()
        topic_end = topic_at + topic_len
        answer = bytes(((0x40, 0x50)[qos - 1], 2, *self._view[topic_end : topic_end + 2])) if qos else b""
        kept = bytes(self._view[payload_at : min(payload_at + KEPT_BYTES, head_end)])
        self._start = at
        return _Passing(
            after - at, bytes(self._view[topic_at:topic_end]), shortened(kept, after - payload_at), answer
        )

    def _pass_by(self, message: _Passing, received_ms: int) -> Run | None:
        """The message, once its last byte has gone by."""
        here = min(message.left, self._end - self._start)
        self._start += here
        message.left -= here
        if message.left:
            return None
        self._passing = None
        return Run(Messages.of([(message.topic, message.payload)], received_ms), message.answer, too_long=True)


def compile_kernel() -> None:
    """Takes a second where numba's cache is empty; otherwise the first message would wait for it."""
    for _ in Cutter(properties=False, max_packet=1).cut(0):
        raise AssertionError("cut something out of nothing")
