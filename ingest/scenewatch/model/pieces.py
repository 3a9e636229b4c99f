"""Large state as MessagePack in pieces, so that saving it needs no second copy of it in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    Piece = bytes | memoryview
    """A memoryview shows what it was made of: to be used before that changes."""

BIN_32 = b"\xc6"
MOST = 15
"""Beyond, an array's head would be longer than a byte."""


def array_of(*values: object) -> Iterator[Piece]:
    """One MessagePack array: numpy columns as the bytes they hold, everything else as msgspec encodes it."""
    if len(values) > MOST:
        raise ValueError(f"{len(values)} values are more than {MOST}")
    yield bytes([0x90 + len(values)])
    for value in values:
        if isinstance(value, np.ndarray):
            data = np.ascontiguousarray(value).reshape(-1).view(np.uint8).data
            yield BIN_32 + len(data).to_bytes(4, "big")
            yield data
        else:
            yield msgspec.msgpack.encode(value)
