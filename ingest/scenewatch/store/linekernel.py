"""The compiled heart of line protocol: puts ready texts and columns together, byte by byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from scenewatch.model.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

FLAG, TEST = "_flag", "_test"
"""Behind a channel's key: the fields beside its value."""

BESIDE_NAMES: Final = 96
"""Bytes enough for all of a reading that is not a name: value, flag, test and time."""

_FLAG_IS, _TEST_IS = (np.frombuffer(f"{field}=".encode(), np.uint8) for field in (FLAG, TEST))
_TEN = np.uint64(10)
_COMMA, _EQUALS, _SPACE, _NEWLINE, _INTEGER, _MINUS, _ZERO, _CLOSE = (ord(c) for c in ",= \ni-0]")


class Texts(NamedTuple):
    """Text n is `data[at[n] : at[n + 1]]`."""

    data: NDArray[np.uint8]
    at: NDArray[np.int64]

    @classmethod
    def of(cls, texts: list[str]) -> Texts:
        encoded = [text.encode() for text in texts]
        at = np.cumsum([0, *map(len, encoded)])
        return cls(np.frombuffer(b"".join(encoded), np.uint8), at.astype(np.int64))

    def with_more(self, texts: list[str]) -> Texts:
        more = Texts.of(texts)
        at = np.concatenate([self.at, self.at[-1] + more.at[1:]])
        return Texts(np.concatenate([self.data, more.data]), at)

    def longest(self) -> int:
        return int(np.diff(self.at).max(initial=0))


class Readings(NamedTuple):
    """A reading each, neighbours of one device and time side by side."""

    device: NDArray[np.int32]
    """Number of the text that begins its lines."""
    channel: NDArray[np.int64]
    """Number of its channel's key."""
    t_ms: NDArray[np.int64]
    values: NDArray[np.uint8]
    """All values as one JSON array."""
    flag: NDArray[np.uint8]
    test: NDArray[np.uint8]


@compiled
def _put(text: NDArray[np.uint8], begin: int, end: int, out: NDArray[np.uint8], at: int) -> int:
    # Unsigned, the compiler need not ask each time whether a place counts from the end.
    source, target = np.uintp(begin), np.uintp(at)
    for i in range(np.uintp(end - begin)):
        out[target + i] = text[source + i]
    return at + end - begin


@compiled
def _put_integer(number: int, out: NDArray[np.uint8], at: int) -> int:
    # The smallest number has no positive counterpart but as an unsigned one.
    rest = np.uint64(number)
    if number < 0:
        out[at] = _MINUS
        at += 1
        rest = np.uint64(0) - rest
    end = at + 1
    above = rest // _TEN
    while above:
        end += 1
        above //= _TEN
    for place in range(end - 1, at - 1, -1):
        out[place] = _ZERO + rest % _TEN
        rest //= _TEN
    return end


@compiled
def _put_judgement(
    channels: Texts, channel: int, field: NDArray[np.uint8], number: int, out: NDArray[np.uint8], at: int
) -> int:
    out[at] = _COMMA
    at = _put(channels.data, channels.at[channel], channels.at[channel + 1], out, at + 1)
    at = _put(field, 0, len(field), out, at)
    at = _put_integer(number, out, at)
    out[at] = _INTEGER
    return at + 1


@compiled
def _put_end(t_ms: int, out: NDArray[np.uint8], at: int) -> int:
    out[at] = _SPACE
    at = _put_integer(t_ms, out, at + 1)
    out[at] = _NEWLINE
    return at + 1


@compiled
def write_lines(readings: Readings, heads: Texts, channels: Texts, out: NDArray[np.uint8]) -> int:
    """Fill `out` and return how many bytes of it. One reading at least; `out` must be long enough for all."""
    at = 0
    value_at = 1  # behind the array's bracket
    device, t_ms = readings.device, readings.t_ms
    for i in range(len(device)):
        if i and device[i] == device[i - 1] and t_ms[i] == t_ms[i - 1]:
            out[at] = _COMMA
            at += 1
        else:
            if i:
                at = _put_end(t_ms[i - 1], out, at)
            at = _put(heads.data, heads.at[device[i]], heads.at[device[i] + 1], out, at)
        channel = readings.channel[i]
        at = _put(channels.data, channels.at[channel], channels.at[channel + 1], out, at)
        out[at] = _EQUALS
        at += 1
        while readings.values[value_at] != _COMMA and readings.values[value_at] != _CLOSE:
            out[at] = readings.values[value_at]
            at += 1
            value_at += 1
        value_at += 1
        at = _put_judgement(channels, channel, _FLAG_IS, readings.flag[i], out, at)
        at = _put_judgement(channels, channel, _TEST_IS, readings.test[i], out, at)
    return _put_end(t_ms[-1], out, at)
