"""The hot path of decoding: reads the common form of the native payload.

Plain loops over bytes. Whatever is not exactly the common form (an escape, an unknown key, an array, anything
wrong) is left to the slow path, which knows what to say about it; nothing is ever judged bad in here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from scenewatch.decode.columns import (
    ABSENT,
    EMPTY,
    EXACT,
    HARD,
    HAS_V,
    LIVE,
    NOT_PLACED,
    NOT_SAID,
    PLAN,
    UNPLANNED,
    B,
    N,
    T,
)
from scenewatch.model.compiled import compiled
from scenewatch.model.decoded import BOOT_BYTES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scenewatch.decode.columns import Heads, Message, Origin, Plans, Rows

BAD: Final = -1
"""Instead of a place: not the common form."""

LARGEST: Final = 2**53
"""Whole numbers beyond it do not survive JSON; a mantissa within it is exact."""
TOO_LONG: Final = -1
MOST_DIGITS: Final = 40
EXACT_POWER: Final = 22
"""Powers of ten up to this one are exact as floats, so that one division or product rounds correctly."""
MOST_POWER: Final = 60
POWERS: Final = np.array([10.0**k for k in range(EXACT_POWER + 1)])

SPACE, QUOTE, BACKSLASH, COMMA, COLON, OPEN, CLOSE = (ord(c) for c in ' "\\,:{}')
MINUS, PLUS, DOT, ZERO, NINE, E_SMALL, E_LARGE = (ord(c) for c in "-+.09eE")
KEY_T, KEY_B, KEY_N, KEY_V, KEY_H = (ord(c) for c in "tbnvh")
NULL, TRUE, FALSE = (np.frombuffer(word, np.uint8) for word in (b"null", b"true", b"false"))


@compiled
def same(one: NDArray[np.uint8], one_at: int, other: NDArray[np.uint8], other_at: int, length: int) -> bool:
    for i in range(length):  # noqa: SIM110  # compiled, a plain loop is the quick one
        if one[one_at + i] != other[other_at + i]:
            return False
    return True


@compiled
def _space(data: NDArray[np.uint8], at: int, end: int) -> int:
    """Behind the white space; `end` at the latest."""
    while (
        at < end and data[at] <= SPACE and (data[at] == SPACE or data[at] == 10 or data[at] == 13 or data[at] == 9)
    ):
        at += 1
    return at


@compiled
def _string_end(data: NDArray[np.uint8], at: int, end: int) -> int:
    """The place of the closing quote of plain ASCII without escapes that begins at `at`."""
    while at < end:
        byte = data[at]
        if byte == QUOTE:
            return at
        if byte < 32 or byte >= 127 or byte == BACKSLASH:
            return BAD
        at += 1
    return BAD


@compiled
def _word(data: NDArray[np.uint8], at: int, end: int, word: NDArray[np.uint8]) -> int:
    """Behind this word, if it is here."""
    if at + len(word) > end or not same(data, at, word, 0, len(word)):
        return BAD
    return at + len(word)


@compiled
def _digit(data: NDArray[np.uint8], at: int) -> Any:
    """As a signed number: with an unsigned one the compiler would go on in floats."""
    return np.int64(data[at]) - ZERO


@compiled
def _whole(data: NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """Behind a whole number and the number, where neither a fraction nor an exponent follows."""
    negative = at < end and data[at] == MINUS
    begin = at + 1 if negative else at
    at = begin
    value = 0
    while at < end and ZERO <= data[at] <= NINE:
        value = value * 10 + _digit(data, at)
        if value > LARGEST:
            return BAD, 0
        at += 1
    if at == begin or (data[begin] == ZERO and at > begin + 1):
        return BAD, 0
    if at < end and (data[at] == DOT or data[at] == E_SMALL or data[at] == E_LARGE):
        return BAD, 0
    return at, -value if negative else value


@compiled
def _exponent(data: NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """Behind the digits of an exponent, and its value."""
    negative = at < end and data[at] == MINUS
    if at < end and (data[at] == MINUS or data[at] == PLUS):
        at += 1
    begin, value = at, 0
    while at < end and ZERO <= data[at] <= NINE:
        value = value * 10 + _digit(data, at)
        if value > MOST_POWER:
            return BAD, 0
        at += 1
    if at == begin:
        return BAD, 0
    return at, -value if negative else value


@compiled
def _digits(data: NDArray[np.uint8], at: int, end: int, mantissa: int) -> tuple[int, int]:
    """Behind the digits, and the mantissa with them appended; TOO_LONG where it would not be exact."""
    while at < end and ZERO <= data[at] <= NINE:
        if mantissa > (LARGEST - 9) // 10:
            mantissa = TOO_LONG
        if mantissa != TOO_LONG:
            mantissa = mantissa * 10 + _digit(data, at)
        at += 1
    return at, mantissa


@compiled
def _number(data: NDArray[np.uint8], at: int, end: int) -> tuple[int, float, int]:
    """Behind a number, its value, and EXACT; or HARD, where somebody else must read it (it is finite)."""
    no = BAD, 0.0, ABSENT
    negative = at < end and data[at] == MINUS
    begin = at + 1 if negative else at
    at, mantissa = _digits(data, begin, end, 0)
    if at == begin or (data[begin] == ZERO and at > begin + 1):
        return no
    power = 0
    if at < end and data[at] == DOT:
        fraction = at + 1
        at, mantissa = _digits(data, fraction, end, mantissa)
        if at == fraction:
            return no
        power = fraction - at
    if at - begin > MOST_DIGITS:
        return no
    if at < end and (data[at] == E_SMALL or data[at] == E_LARGE):
        at, exponent = _exponent(data, at + 1, end)
        if at == BAD:
            return no
        power += exponent
    if mantissa == TOO_LONG or abs(power) > EXACT_POWER:
        return at, 0.0, HARD
    value = np.float64(mantissa)
    value = value * POWERS[power] if power >= 0 else value / POWERS[-power]
    return at, -value if negative else value, EXACT


@compiled
def _channel(data: NDArray[np.uint8], at: int, length: int, plans: Plans, plan: int, likely: int) -> int:
    """The channel with this key, the likely one looked at first: devices keep to one order."""
    first, count = plans.first[plan], plans.first[plan + 1] - plans.first[plan]
    channel = likely
    for _ in range(count):
        if channel >= count:
            channel = 0
        row = first + channel
        if plans.text_len[row] == length and same(data, at, plans.text, plans.text_at[row], length):
            return channel
        channel += 1
    return BAD


@compiled
def _values(  # noqa: C901 - the grammar of an object, step by step
    data: NDArray[np.uint8], at: int, end: int, plans: Plans, plan: int, message: Message
) -> int:
    """Behind an object of channel: number, one number at least; the numbers into `message`."""
    for channel in range(plans.first[plan + 1] - plans.first[plan]):
        message.state[channel] = ABSENT
    if at >= end or data[at] != OPEN:
        return BAD
    channel = -1
    some = False
    while True:
        at = _space(data, at + 1, end)
        if at >= end or data[at] != QUOTE:
            return BAD
        key_end = _string_end(data, at + 1, end)
        if key_end == BAD:
            return BAD
        channel = _channel(data, at + 1, key_end - at - 1, plans, plan, channel + 1)
        at = _space(data, key_end + 1, end)
        if channel == BAD or message.state[channel] != ABSENT or at >= end or data[at] != COLON:
            return BAD
        begin = _space(data, at + 1, end)
        at, message.value[channel], message.state[channel] = _number(data, begin, end)
        if at != BAD:
            message.at[channel], message.length[channel] = begin, at - begin
            some = True
        else:
            at = _word(data, begin, end, NULL)
            message.state[channel] = EMPTY
            if at == BAD:
                return BAD
        at = _space(data, at, end)
        if at < end and data[at] == CLOSE:
            return at + 1 if some else BAD
        if at >= end or data[at] != COMMA:
            return BAD


@compiled
def _boot(data: NDArray[np.uint8], at: int, end: int, boot: NDArray[np.uint8]) -> int:
    """Behind a short string, which goes into `boot`: its length, then the text."""
    if at >= end or data[at] != QUOTE:
        return BAD
    closing = _string_end(data, at + 1, end)
    length = closing - at - 1
    if closing == BAD or length == 0 or length >= BOOT_BYTES:
        return BAD
    boot[0] = length
    for i in range(length):
        boot[1 + i] = data[at + 1 + i]
    return closing + 1


@compiled
def _live(data: NDArray[np.uint8], at: int, end: int) -> tuple[int, int]:
    """Behind the mark of history, and whether it is not set."""
    behind = _word(data, at, end, TRUE)
    if behind != BAD:
        return behind, 0
    return _word(data, at, end, FALSE), 1


@compiled
def _member(
    data: NDArray[np.uint8],
    key: int,
    at: int,
    end: int,
    plans: Plans,
    message: Message,
) -> int:
    """Behind the value of one key of the payload; what it says goes into `message`."""
    head = message.head
    if key == KEY_V:
        if head[HAS_V]:
            return BAD
        head[HAS_V] = 1
        return _values(data, at, end, plans, head[PLAN], message)
    if key == KEY_T:
        which = T
        at, value = _whole(data, at, end)
    elif key == KEY_N:
        which = N
        at, value = _whole(data, at, end)
        if value < 0:
            return BAD
    elif key == KEY_B:
        which = B
        at, value = _boot(data, at, end, message.boot), 1
    elif key == KEY_H:
        which = LIVE
        at, value = _live(data, at, end)
    else:
        return BAD
    if head[which] != NOT_SAID:
        return BAD
    head[which] = value
    return at


@compiled
def _read(data: NDArray[np.uint8], at: int, end: int, plans: Plans, message: Message) -> bool:
    """Whether the payload in [at, end) has the common form; what it says goes into `message`."""
    head = message.head
    head[T] = head[N] = head[B] = head[LIVE] = NOT_SAID
    head[HAS_V] = 0
    at = _space(data, at, end)
    if at >= end or data[at] != OPEN:
        return False
    while True:
        at = _space(data, at + 1, end)
        if at + 2 >= end or data[at] != QUOTE or data[at + 2] != QUOTE:
            return False
        key = data[at + 1]
        at = _space(data, at + 3, end)
        if at >= end or data[at] != COLON:
            return False
        at = _member(data, key, _space(data, at + 1, end), end, plans, message)
        if at == BAD:
            return False
        at = _space(data, at, end)
        if at < end and data[at] == CLOSE:
            return _space(data, at + 1, end) == end and head[T] != NOT_SAID and head[HAS_V] == 1
        if at >= end or data[at] != COMMA:
            return False


@compiled
def read_payloads(  # noqa: PLR0913, PLR0917 - one call a batch, columns only
    data: NDArray[np.uint8],
    payload_at: NDArray[np.int32],
    payload_len: NDArray[np.int32],
    origin: Origin,
    plans: Plans,
    message: Message,
    heads: Heads,
    rows: Rows,
) -> int:
    """Fill `heads` and `rows` from all messages of the common form; returns how many rows there are.

    `rows` must be long enough for every channel of every message.
    """
    at_row = 0
    head = message.head
    for i in range(len(payload_at)):
        head[PLAN] = plan = origin.plan[i]
        if plan == UNPLANNED:
            continue
        if not _read(data, payload_at[i], payload_at[i] + payload_len[i], plans, message):
            continue
        heads.done[i] = True
        heads.device[i] = origin.device[i]
        if head[N] != NOT_SAID and head[B] != NOT_SAID:
            heads.n[i] = head[N]
            for k in range(1 + message.boot[0]):  # a slice would be copied first, for fear of overlap
                heads.boot[i, k] = message.boot[k]
        for channel in range(plans.first[plan + 1] - plans.first[plan]):
            state = message.state[channel]
            if state >= EXACT:
                rows.series[at_row] = origin.first_series[i] + channel
                rows.t_ms[at_row] = head[T]
                rows.value[at_row] = message.value[channel]
                rows.live[at_row] = head[LIVE] != 0
                rows.message[at_row] = i
                rows.hard_at[at_row] = message.at[channel] if state == HARD else NOT_PLACED
                rows.hard_len[at_row] = message.length[channel]
                at_row += 1
    return at_row
