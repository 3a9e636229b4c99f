"""The native payload: JSON `{"t", "b", "n", "v": {channel: number}}`, one sample or a buffered array of them.

Each payload is decoded on its own. Joining payloads into one JSON array would be a little faster and would let
one device forge another's readings. The common form takes a struct generated from the type's channels, which
checks every type while parsing; only what that refuses is looked at value by value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import numpy as np
from msgspec.structs import astuple

from scenewatch.decode.salvage import UNREADABLE, Salvaged, salvage
from scenewatch.model.batch import Batch
from scenewatch.model.decoded import DEAD, NOT_NUMBERED, Decoded, StatusReport
from scenewatch.model.ledger import TAKEN_WITHOUT
from scenewatch.model.place import ID, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scenewatch.model.messages import Messages
    from scenewatch.model.registry import Registry
    from scenewatch.model.scene import DeviceType

Time = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Boot = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Status(msgspec.Struct):
    """The status payload of a device, a gateway, or its last will."""

    state: str
    t: Time = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """How one device type's telemetry is read."""

    keys: tuple[str, ...]
    nothing: tuple[None, ...]
    """The values of a sample that has none."""
    decode: Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """What a topic means. `device` is DEAD where nothing may come from, for the reason given."""

    device: int
    kind: Kind | None
    plan: Plan | None
    first_series: int
    reason: str = ""


class NativeDecoder:
    """`ports.Decoder` for topics `<root>/<scene>/<site>/<device>/<kind>`."""

    def __init__(self, root: str) -> None:
        self._root = root.encode()
        self._registry: Registry | None = None
        self._routes: dict[bytes, Route] = {}
        self._plans: dict[tuple[str, str], Plan] = {}

    def grow(self, registry: Registry) -> None:
        self._registry = registry
        self._routes.clear()
        for key, device_type in registry.types.items():
            if key not in self._plans:
                self._plans[key] = _plan(device_type)

    def decode(self, messages: Messages, first: int) -> Decoded:
        count = len(messages)
        out = Decoded(messages, first, _NO_READINGS, [DEAD] * count, [""] * count, [NOT_NUMBERED] * count)
        rows = _Rows()
        for i, (topic, payload) in enumerate(_pairs(messages)):
            route = self._routes.get(topic) or self._route(topic)
            plan = route.plan
            if plan is None:
                self._other(out, i, route, payload)
                continue
            try:
                sample = plan.decode(payload)
            except UNREADABLE:
                self._odd(out, i, route, plan, payload, rows)
                continue
            values = astuple(sample.v)
            if values == plan.nothing:
                out.dead.append(out.letter(i, "no values: `v` has no number for a channel of this device type"))
                continue
            out.device[i] = route.device
            if sample.b is not None and sample.n is not None:
                out.boot[i] = sample.b
                out.n[i] = sample.n
            rows.heads.append((i, route.first_series, len(values), sample.t, not sample.h))
            rows.values += values
        out.batch = rows.batch(messages.received_ms)
        return out

    @staticmethod
    def _odd(out: Decoded, i: int, route: Route, plan: Plan, payload: bytes, rows: _Rows) -> None:
        """Buffered samples, and everything the strict struct refused."""
        result = salvage(payload, plan.keys)
        if not isinstance(result, Salvaged):
            out.dead.append(out.letter(i, result))
            return
        if result.complaints:
            out.partial.append(out.letter(i, TAKEN_WITHOUT + "; ".join(result.complaints)))
        out.device[i] = route.device
        if result.boot is not None and result.n is not None:
            out.boot[i] = result.boot
            out.n[i] = result.n
        for t_ms, values in zip(result.t_ms, result.rows, strict=True):
            rows.heads.append((i, route.first_series, len(values), t_ms, result.live))
            rows.values += values

    def _other(self, out: Decoded, i: int, route: Route, payload: bytes) -> None:
        if route.kind is not Kind.STATUS or route.device == DEAD:
            out.dead.append(out.letter(i, route.reason))
            return
        try:
            status = msgspec.json.decode(payload, type=Status)
        except UNREADABLE as error:
            out.dead.append(out.letter(i, f"not a status: {error}"))
            return
        if status.state not in ("online", "offline"):
            out.dead.append(out.letter(i, f"status is {status.state[:40]!r}, must be 'online' or 'offline'"))
            return
        out.device[i] = route.device
        out.status.append(StatusReport(i, route.device, status.state == "online", status.t))

    def _route(self, topic: bytes) -> Route:
        """Look a topic up, once for every known device; unknown ones are not remembered, they are unbounded."""
        registry = self._registry
        if registry is None:
            raise AssertionError("decode before grow")
        levels = topic.split(b"/")
        if len(levels) != _LEVELS or levels[0] != self._root:
            return _dead("topic is not <root>/<scene>/<site>/<device>/<kind>")
        try:
            _, scene, site, device, kind_text = (level.decode("ascii") for level in levels)
            kind = Kind(kind_text)
        except ValueError:
            return _dead("topic has a level that is not plain ASCII, or an unknown kind")
        if not all(ID.match(part) for part in (scene, site, device)):
            return _dead("an id in the topic is not of 1 to 64 letters, digits, _ and -")
        number = registry.number(f"{scene}.{site}.{device}")
        if number is None:
            return _dead(f"unknown device {scene}.{site}.{device}: import it into the inventory")
        if kind not in (Kind.TELEMETRY, Kind.STATUS):
            return _dead(f"messages of kind {kind} are not taken by this version")
        plan = self._plans[scene, registry.devices[number].type]
        if kind is Kind.TELEMETRY and not plan.keys:
            return _dead(f"device type {registry.devices[number].type} has no channels")
        route = Route(number, kind, plan if kind is Kind.TELEMETRY else None, registry.first_series[number])
        self._routes[topic] = route
        return route


_LEVELS = 5
_NO_READINGS = Batch.of(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0))
"""Stands in while the rows are gathered."""


def _dead(reason: str) -> Route:
    return Route(DEAD, None, None, 0, reason)


def _plan(device_type: DeviceType) -> Plan:
    keys = tuple(c.key for c in device_type.channels)
    values = msgspec.defstruct(
        "Values",
        [(f"c{i}", float | None, None) for i in range(len(keys))],
        rename={f"c{i}": key for i, key in enumerate(keys)},
        forbid_unknown_fields=True,
        gc=False,
    )
    telemetry = msgspec.defstruct(
        "Telemetry",
        [("t", Time), ("v", values), ("b", Boot | None, None), ("n", Number | None, None), ("h", bool, False)],
        gc=False,
    )
    return Plan(keys, (None,) * len(keys), msgspec.json.Decoder(telemetry).decode)


def _pairs(messages: Messages) -> Iterator[tuple[bytes, bytes]]:
    """Topic and payload of each message; much faster than asking for them one by one."""
    data = messages.data
    bounds = (
        messages.topic_at,
        messages.topic_at + messages.topic_len,
        messages.payload_at,
        messages.payload_at + messages.payload_len,
    )
    for topic_from, topic_to, payload_from, payload_to in zip(*(b.tolist() for b in bounds), strict=True):
        yield data[topic_from:topic_to], data[payload_from:payload_to]


@dataclass(slots=True)
class _Rows:
    """The samples of the batch at hand, in the order of their messages."""

    heads: list[tuple[int, int, int, int, bool]] = field(default_factory=list)
    """Message, first series, number of values, time, live."""
    values: list[float | None] = field(default_factory=list)

    def batch(self, received_ms: int) -> Batch:
        """A value that is absent is NaN here and left out."""
        heads = np.fromiter(chain.from_iterable(self.heads), np.int64).reshape(-1, 5).T
        width = heads[2]
        message, first_series, _, t_ms, live = np.repeat(heads, width, axis=1)
        value = np.fromiter(self.values, np.float64, len(self.values))
        channel = np.arange(len(value)) - np.repeat(np.cumsum(width) - width, width)
        received = np.full(len(value), received_ms, np.int64)
        batch = Batch.of(first_series + channel, t_ms, value, received_ms=received)
        batch.message = message.astype(np.int32)
        batch.live = live.astype(np.bool_)
        present = ~np.isnan(value)
        return batch if bool(present.all()) else batch.select(present)
