"""Received MQTT messages as columns over one buffer: nothing is copied between the socket and the journal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SHORTENED = re.compile(rb"\0only the beginning of (\d{1,9}) bytes\0")


@dataclass(frozen=True, slots=True)
class Messages:
    """`n` messages received together. Message i has topic `data[topic_at[i]:][:topic_len[i]]`, payload likewise."""

    received_ms: int
    data: bytes
    topic_at: NDArray[np.int32]
    topic_len: NDArray[np.int32]
    payload_at: NDArray[np.int32]
    payload_len: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.topic_at)

    def topic(self, i: int) -> bytes:
        at = int(self.topic_at[i])
        return self.data[at : at + int(self.topic_len[i])]

    def payload(self, i: int) -> bytes:
        at = int(self.payload_at[i])
        return self.data[at : at + int(self.payload_len[i])]

    @classmethod
    def of(cls, pairs: Sequence[tuple[bytes, bytes]], received_ms: int) -> Messages:
        """From (topic, payload) pairs, for the rare and the few."""
        lengths = np.array([[len(t), len(p)] for t, p in pairs], dtype=np.int32).reshape(-1, 2)
        at = np.concatenate(([0], np.cumsum(lengths.ravel())[:-1])).astype(np.int32)[: lengths.size].reshape(-1, 2)
        return cls(
            received_ms,
            b"".join(part for pair in pairs for part in pair),
            np.ascontiguousarray(at[:, 0]),
            np.ascontiguousarray(lengths[:, 0]),
            np.ascontiguousarray(at[:, 1]),
            np.ascontiguousarray(lengths[:, 1]),
        )


def shortened(beginning: bytes, length: int) -> bytes:
    """A payload of `length` bytes of which only the beginning was taken: it says so, and no decoder can read it."""
    return b"\0only the beginning of %d bytes\0" % length + beginning


def length_before(payload: bytes) -> int | None:
    """How long a `shortened` payload was; None for all others. A device that forges one has its letter dead too."""
    found = _SHORTENED.match(payload)
    return None if found is None else int(found[1])
