"""Any topic and payload through decoder, identity, quality and alarms: nothing is raised, each is counted once.

The quick way of the decoder must read what the slow way reads, to the bit.
"""

from __future__ import annotations

import json
from itertools import chain
from typing import TYPE_CHECKING

import atheris
from fuzzing import plain_kernels, run

with plain_kernels(), atheris.instrument_imports(include=["scenewatch"]):
    import scenewatch.decode.identity
    import scenewatch.decode.native  # noqa: F401  # the kernels of quality and alarms are for the compiler alone
    from scenewatch.decode.salvage import Salvaged, salvage

import numpy as np

from scenewatch.model.clock import ALLOWED_SKEW_MS, YEAR_2000_MS
from scenewatch.model.messages import Messages
from scenewatch.model.ports import Record, RecordKind
from scenewatch.pipeline import Pipeline, encode_inventory
from scenewatch.scenes import all_scenes, demonstration

if TYPE_CHECKING:
    from scenewatch.model.event import Event

NOW_MS = 1_800_000_000_000
SCENE = next(iter(all_scenes()))
OF_A_SITE = demonstration(SCENE).devices(1)
TELLING = next(d for d in OF_A_SITE if SCENE.device_type(d.type).events and SCENE.device_type(d.type).channels)
DEVICES = [*[d for d in OF_A_SITE if SCENE.device_type(d.type).channels][:3], TELLING]
KIND = SCENE.device_type(TELLING.type).events[0].key
KEYS = tuple(c.key for c in SCENE.device_type(DEVICES[0].type).channels)
TOPICS = [f"sw/{d.scene}/{d.site}/{d.device}/telemetry".encode() for d in DEVICES]
TOPICS += [TOPICS[0].replace(b"telemetry", kind) for kind in (b"status", b"event", b"nothing")]
TOPICS += [TOPICS[3].replace(b"telemetry", kind) for kind in (b"event", b"result")]
LATEST = 253
"""From this first byte on a message's topic is a part of the bytes too."""


def fresh() -> Pipeline:
    pipeline = Pipeline((SCENE,), "sw")
    body = encode_inventory(DEVICES)
    pipeline.run(Record(0, 1, RecordKind.INVENTORY, NOW_MS, None, body))
    return pipeline


pipeline = fresh()


def one(data: bytes) -> None:
    """Messages, one after another behind a zero byte and one that chooses the topic, in one record."""
    pairs = [message(part) for part in data.split(b"\0\0") if part]
    if not pairs:
        return
    for topic, payload in pairs:
        if topic == TOPICS[0]:
            agree(topic, payload)
    first = pipeline.position
    before = pipeline.counts
    record = Record(
        first, first + len(pairs), RecordKind.MESSAGES, NOW_MS + first, Messages.of(pairs, NOW_MS + first), b""
    )
    outcome = pipeline.run(record)
    batch = outcome.batch
    sound(outcome.events)
    counts = batch.counts
    if counts.positions != len(pairs) or pipeline.counts.positions != before.positions + len(pairs):
        raise AssertionError(f"{len(pairs)} messages are counted as {counts}")
    if counts.dead != len({letter.position for letter in batch.dead if not letter.reason.startswith("taken")}):
        raise AssertionError(f"{counts.dead} dead letters are counted, {len(batch.dead)} are there")
    if not np.isfinite(batch.value).all() or (batch.t_ms < 0).any() or not batch.flag.all():
        raise AssertionError("a reading without value, time or flag")
    if first > 200_000:
        globals()["pipeline"] = fresh()


def sound(events: list[Event]) -> None:
    for event in events:
        if event.at_ms > event.received_ms + ALLOWED_SKEW_MS or event.at_ms < YEAR_2000_MS:
            raise AssertionError(f"an event of {event.at_ms}, received at {event.received_ms}")
        if event.media and not event.media.lower().startswith(("http://", "https://")):
            raise AssertionError(f"an address that a page must not link to: {event.media!r}")
        if "\0" in event.text or not json.dumps(dict(event.data), allow_nan=False):
            raise AssertionError(f"a text or data that no database takes: {event}")
        if event.lat is not None and (event.lon is None or not abs(event.lat) <= 90 or not abs(event.lon) <= 180):
            raise AssertionError(f"no place on earth: {event.lat}, {event.lon}")


def message(part: bytes) -> tuple[bytes, bytes]:
    topic, payload = TOPICS[part[0] % len(TOPICS)], part[1:]
    if part[0] >= LATEST:
        topic, _, payload = payload.partition(b" ")
    return topic, payload


def agree(topic: bytes, payload: bytes) -> None:
    decoded = pipeline.decoder.decode(Messages.of([(topic, payload)], NOW_MS), 0)
    slow = salvage(payload, KEYS)
    if not isinstance(slow, Salvaged):
        if len(decoded.dead) != 1 or len(decoded.batch.value):
            raise AssertionError(f"the slow way reads nothing: {slow}")
        return
    wanted = np.array([np.nan if x is None else x for x in chain(*slow.rows)])
    times = np.repeat(np.array(slow.t_ms), len(KEYS))[~np.isnan(wanted)]
    wanted = wanted[~np.isnan(wanted)]
    got = decoded.batch
    if got.value.tobytes() != wanted.tobytes() or got.t_ms.tolist() != times.tolist() or decoded.dead:
        raise AssertionError(f"the quick way reads {got.value} at {got.t_ms}, the slow {wanted} at {times}")
    if decoded.n[0] != (-1 if slow.n is None else slow.n) or len(decoded.partial) != bool(slow.complaints):
        raise AssertionError(f"the quick way numbers {decoded.n}, the slow {slow.n}: {slow.complaints}")


EVENT = {
    "t": NOW_MS,
    "b": "x",
    "n": 2,
    "kind": KIND,
    "level": "alarm",
    "text": "x",
    "lat": 31.2,
    "lon": -121.5,
    "media": "https://a/b.jpg",
    "data": {"k": [1, 2.5, None]},
    "h": True,
}


def seeds() -> list[bytes]:
    values = dict.fromkeys(KEYS, 4.5)
    plain = {"t": NOW_MS, "b": "x", "n": 1, "v": values}
    buffered = {"t": [NOW_MS, NOW_MS + 1], "v": {KEYS[0]: [1, 2.5e0]}, "h": True}
    odd = {"t": 1e300, "b": "", "n": -1, "v": {KEYS[0]: "warm", "other": None}}
    status = {"state": "online", "t": NOW_MS}
    payloads = [json.dumps(p).encode() for p in (plain, buffered, odd)]
    return [
        *(b"\x00" + p for p in payloads),
        b"\x04" + json.dumps(status).encode(),
        b"\x00" + payloads[0] + b"\0\0\x01" + payloads[0],
        b"\xfdsw/a/b/c/telemetry {}",
        b"\x07" + json.dumps(EVENT).encode(),
        b"\x07" + json.dumps({"t": 5, "kind": KIND, "n": 2, "b": "x"}).encode(),
        b"\x08" + json.dumps({"id": "c1", "ok": False, "text": "no"}).encode(),
        b"\x00\0only the beginning of 99 bytes\0{",
    ]


if __name__ == "__main__":
    run(one, seeds(), __doc__ or "")
