"""Journal records made by hand, numbered as the journal would number them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scenewatch.model.messages import Messages
from scenewatch.model.ports import Record, RecordKind

if TYPE_CHECKING:
    from collections.abc import Sequence

START_MS = 1_800_000_000_000
Pair = tuple[bytes, bytes]


def telemetry(t: Any, /, b: str | None = None, n: int | None = None, **values: Any) -> bytes:
    """A native payload; what is None is left out."""
    named = {"b": b, "n": n}
    return json.dumps({"t": t, **{k: x for k, x in named.items() if x is not None}, "v": values}).encode()


def told(t: Any, kind: str, /, **more: Any) -> bytes:
    """The native payload of an event."""
    return json.dumps({"t": t, "kind": kind} | more).encode()


def topic(device: str, kind: str = "telemetry", site: str = "w1") -> bytes:
    return f"sw/brine/{site}/{device}/{kind}".encode()


def messages(first: int, received_ms: int, pairs: Sequence[Pair]) -> Record:
    whole = Messages.of(pairs, received_ms)
    return Record(first, first + len(pairs), RecordKind.MESSAGES, received_ms, whole, b"")


def control(first: int, received_ms: int, kind: RecordKind, body: bytes = b"") -> Record:
    return Record(first, first + 1, kind, received_ms, None, body)
