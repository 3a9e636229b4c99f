"""Keeps the received bytes until packets are whole: publishes leave as columns, everything else as bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scenewatch.model.errors import ProtocolError
from scenewatch.model.messages import Messages
from scenewatch.source.kernel import (
    GARBAGE,
    INCOMPLETE,
    OTHER,
    PAYLOAD_AT,
    PAYLOAD_LEN,
    TOPIC_AT,
    TOPIC_LEN,
    cut_publishes,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

READ_BYTES = 1 << 20
"""Room for one read of the socket."""
RUN = 16_384
"""Most messages in one `Run`."""
_HEADER = 5
_CONNACK = 0x20


@dataclass(frozen=True, slots=True)
class Run:
    """Publishes that followed each other, and the bytes that acknowledge those of QoS 1."""

    messages: Messages
    pubacks: bytes
    """One PUBACK after another, in the order of the messages."""


class Cutter:
    """One connection's input. `space`, `filled`, then `cut`, over and over; never used after ProtocolError."""

    def __init__(self, *, properties: bool, max_packet: int) -> None:
        self._properties = properties
        self._max_packet = max_packet
        self._buffer = np.empty(_HEADER + max_packet + READ_BYTES, np.uint8)
        self._view = self._buffer.data
        self._start = 0
        self._end = 0
        self._greeted = False
        self._columns = np.empty((4, RUN), np.int32)
        self._pubacks = np.empty(4 * RUN, np.uint8)

    def space(self) -> memoryview:
        """Where to receive into: at least READ_BYTES after `cut`, less what came since."""
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
            count, answered, at, after, why = cut_publishes(
                self._buffer,
                self._start,
                self._end,
                self._properties,
                self._max_packet,
                self._columns,
                self._pubacks,
            )
            if count:
                run = self._run(count, answered, at, received_ms)
                self._start = at
                yield run
            if why == OTHER:
                self._start = after
                yield bytes(self._view[at:after])
            elif why == GARBAGE:
                raise ProtocolError(f"not MQTT, or longer than {self._max_packet} bytes: {self._glimpse(at)}")
            elif why == INCOMPLETE:
                return

    def _check_greeting(self) -> None:
        """The first packet of a broker is CONNACK; this finds out other servers at their first byte."""
        if not self._greeted and self._end:
            if self._buffer[0] != _CONNACK:
                raise ProtocolError(f"does not greet like an MQTT broker: {self._glimpse(0)}")
            self._greeted = True

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
        return Run(messages, self._pubacks[:answered].tobytes())


def compile_kernel() -> None:
    """Takes a second where numba's cache is empty; otherwise the first message would wait for it."""
    for _ in Cutter(properties=False, max_packet=1).cut(0):
        raise AssertionError("cut something out of nothing")
