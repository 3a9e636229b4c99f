"""What the decoding kernel knows of topics and device types, as columns that grow one known topic at a time."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from scenewatch.decode.columns import Message, Origin, Plans
from scenewatch.decode.kernel import same
from scenewatch.model.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scenewatch.model.messages import Messages

SMALLEST = 256
EMPTY: Final = -1


class Topics(NamedTuple):
    """A hash table of topics: open addressing, at most half full. One row a topic in all but `slot`."""

    slot: NDArray[np.int32]
    """Row of the topic that hashes here; EMPTY where there is none. A power of two long."""
    text: NDArray[np.uint8]
    text_at: NDArray[np.int32]
    text_len: NDArray[np.int32]
    device: NDArray[np.int32]
    first_series: NDArray[np.int32]
    plan: NDArray[np.int32]


@compiled
def hashed(data: NDArray[np.uint8], at: int, length: int) -> Any:
    """FNV-1a of 32 bits, as a signed number."""
    code = np.uint32(2166136261)
    for i in range(at, at + length):
        code = np.uint32((code ^ np.uint32(data[i])) * np.uint32(16777619))
    return np.int64(code)


@compiled
def place_topic(topics: Topics, row: int) -> None:
    """Make a row, whose text is written, findable."""
    mask = len(topics.slot) - 1
    where = hashed(topics.text, topics.text_at[row], topics.text_len[row]) & mask
    while topics.slot[where] != EMPTY:
        where = (where + 1) & mask
    topics.slot[where] = row


@compiled
def find_topics(
    data: NDArray[np.uint8],
    topic_at: NDArray[np.int32],
    topic_len: NDArray[np.int32],
    topics: Topics,
    origin: Origin,
) -> None:
    """Fill in where each message with a known topic comes from."""
    mask = len(topics.slot) - 1
    for i in range(len(topic_at)):
        at, length = topic_at[i], topic_len[i]
        where = hashed(data, at, length) & mask
        row = topics.slot[where]
        while row != EMPTY and not (
            topics.text_len[row] == length and same(data, at, topics.text, topics.text_at[row], length)
        ):
            where = (where + 1) & mask
            row = topics.slot[where]
        if row != EMPTY:
            origin.plan[i] = topics.plan[row]
            origin.device[i] = topics.device[row]
            origin.first_series[i] = topics.first_series[row]


class TopicTable:
    """Topics that were met and lead to a device. Rows are only added; `clear` begins anew."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._text_used = self._rows = 0
        column = np.empty(SMALLEST, np.int32)
        self.columns = Topics(
            slot=np.full(2 * SMALLEST, EMPTY, np.int32),
            text=np.empty(64 * SMALLEST, np.uint8),
            **{name: column.copy() for name in Topics._fields[2:]},
        )

    def add(self, topic: bytes, *, device: int, first_series: int, plan: int) -> None:
        self._make_room(len(topic))
        columns, row = self.columns, self._rows
        columns.text[self._text_used : self._text_used + len(topic)] = np.frombuffer(topic, np.uint8)
        columns.text_at[row], columns.text_len[row] = self._text_used, len(topic)
        columns.device[row], columns.first_series[row], columns.plan[row] = device, first_series, plan
        self._text_used += len(topic)
        self._rows += 1
        place_topic(columns, row)

    def find(self, data: NDArray[np.uint8], messages: Messages) -> Origin:
        """Where each message of a known topic comes from."""
        origin = Origin.of(len(messages))
        find_topics(data, messages.topic_at, messages.topic_len, self.columns, origin)
        return origin

    def _make_room(self, text: int) -> None:
        columns = self.columns
        if self._text_used + text > len(columns.text):
            columns = columns._replace(text=_longer(columns.text, text))
        if self._rows == len(columns.device):
            rows = {name: _longer(getattr(columns, name), 1) for name in Topics._fields[2:]}
            columns = columns._replace(slot=np.full(2 * len(columns.slot), EMPTY, np.int32), **rows)
            for row in range(self._rows):
                place_topic(columns, row)
        self.columns = columns


def lay_out(keys: Sequence[Sequence[str]]) -> Plans:
    """Each device type's channel keys as the kernel reads them."""
    texts = [key.encode() for of_type in keys for key in of_type]
    lengths = [len(text) for text in texts]
    return Plans(
        first=np.array(list(accumulate(map(len, keys), initial=0)), np.int32),
        text=np.frombuffer(b"".join(texts) or b"\0", np.uint8).copy(),
        text_at=np.array([0, *accumulate(lengths)][: len(texts)], np.int32),
        text_len=np.array(lengths, np.int32),
    )


def scratch(plans: Plans) -> Message:
    """Room for one message of the widest type."""
    return Message.of(max(1, int(np.diff(plans.first).max(initial=0))))


def _longer(column: NDArray[Any], by: int) -> NDArray[Any]:
    """At least twice as long, and at least `by` more."""
    return np.concatenate([column, np.empty(max(len(column), by), column.dtype)])
