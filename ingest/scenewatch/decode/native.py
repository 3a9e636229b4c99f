"""The native payload: JSON `{"t", "b", "n", "v": {channel: number}}`, one sample or a buffered array of them.

Beside these readings: a device's status, what it tells as an event, and what it answers to a command.

Each payload is read on its own. Joining payloads into one JSON array would let one device forge another's
readings. The common form is read by a compiled loop; only what that leaves is looked at value by value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import msgspec
import numpy as np

from scenewatch.decode.columns import NOT_PLACED, UNPLANNED, Heads, Rows
from scenewatch.decode.events import read_event, read_result
from scenewatch.decode.kernel import read_payloads
from scenewatch.decode.routes import TopicTable, lay_out, scratch
from scenewatch.decode.salvage import UNREADABLE, Foreign, Salvaged, salvage
from scenewatch.model.batch import Batch
from scenewatch.model.clock import believed_ms
from scenewatch.model.decoded import DEAD, Decoded, StatusReport, boot_name
from scenewatch.model.event import Event, Result
from scenewatch.model.fitting import best_fit
from scenewatch.model.ledger import TAKEN_WITHOUT, UNKNOWN_DEVICE
from scenewatch.model.place import ID, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scenewatch.decode.columns import Origin
    from scenewatch.model.messages import Messages
    from scenewatch.model.registry import Registry

Time = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]


class Status(msgspec.Struct):
    """The status payload of a device, a gateway, or its last will."""

    state: str
    t: Time = 0


@dataclass(frozen=True, slots=True)
class Route:
    """What a topic means. `device` is DEAD where nothing may come from, for the reason given."""

    device: int
    kind: Kind | None
    keys: tuple[str, ...] = ()
    first_series: int = 0
    reason: str = ""
    events: tuple[str, ...] = ()
    """Kinds of events that this type of device tells."""


class NativeDecoder:
    """`ports.Decoder` for topics `<root>/<scene>/<site>/<device>/<kind>`."""

    def __init__(self, root: str) -> None:
        self._root = root.encode()
        self._registry: Registry | None = None
        self._routes: dict[bytes, Route] = {}
        self._topics = TopicTable()
        self._plan_of: dict[tuple[str, str], int] = {}
        self._keys: list[tuple[str, ...]] = []
        self._plans = lay_out(())
        self._message = scratch(self._plans)

    def grow(self, registry: Registry) -> None:
        self._registry = registry
        self._routes.clear()
        self._topics.clear()
        self._plan_of = {key: n for n, key in enumerate(registry.types)}
        self._keys = [tuple(c.key for c in t.measured) for t in registry.types.values()]
        self._plans = lay_out(self._keys)
        self._message = scratch(self._plans)

    def decode(self, messages: Messages, first: int) -> Decoded:
        out = Decoded.of(messages, first, _NO_READINGS)
        data = np.frombuffer(messages.data, np.uint8)
        origin = self._topics.find(data, messages)
        done, out.batch = self._common(data, origin, out)
        if done.all():
            return out
        rows = _Rows()
        for i in np.flatnonzero(~done).tolist():
            self._odd(out, i, self._route_of(i, origin, messages), rows)
        if rows.heads:
            both = Batch.concat([out.batch, rows.batch(messages.received_ms)])
            out.batch = both.select(np.argsort(both.message, kind="stable"))
        return out

    def _common(self, data: NDArray[np.uint8], origin: Origin, out: Decoded) -> tuple[NDArray[np.bool_], Batch]:
        """Which messages had a known topic and the common form, and their readings."""
        messages = out.messages
        heads = Heads(np.zeros(len(messages), np.bool_), out.device, out.n, out.boot)
        width = np.diff(self._plans.first)
        rows = Rows.of(int(width[origin.plan[origin.plan != UNPLANNED]].sum()))
        count = read_payloads(
            data,
            messages.payload_at,
            messages.payload_len,
            origin,
            self._plans,
            self._message,
            heads,
            rows,
        )
        for row in np.flatnonzero(rows.hard_at[:count] != NOT_PLACED).tolist():
            at = rows.hard_at[row]
            rows.value[row] = float(messages.data[at : at + rows.hard_len[row]])
        received = np.full(count, messages.received_ms, np.int64)
        batch = Batch.of(rows.series[:count], rows.t_ms[:count], rows.value[:count], received_ms=received)
        batch.live, batch.message = rows.live[:count], rows.message[:count]
        return heads.done, batch

    def _odd(self, out: Decoded, i: int, route: Route, rows: _Rows) -> None:
        """What is not the common form, and everything that is wrong."""
        payload = out.messages.payload(i)
        match route.kind:
            case Kind.TELEMETRY:
                said = _telemetry(out, i, route, payload, rows)
                wrong = self._foreign(route, said) if isinstance(said, Foreign) else said
            case Kind.EVENT:
                wrong = _event(out, i, route, payload)
            case Kind.RESULT:
                wrong = _result(out, i, route, payload)
            case Kind.STATUS:
                wrong = _status(out, i, route, payload)
            case _:
                wrong = route.reason
        if wrong:
            out.dead.append(out.letter(i, wrong))

    def _foreign(self, route: Route, said: Foreign) -> str:
        """A device that was exchanged for one of another kind speaks of nothing that its type has."""
        if self._registry is None:
            raise AssertionError("decode before grow")
        device = self._registry.devices[route.device]
        reason = said.complaint(device.type)
        fit = best_fit(self._registry.scenes[device.scene].device_types, said.channels)
        if fit is None:
            return reason
        return f"{reason}; if it is a {fit.key} now, change its type in the inventory, then try it again"

    def _route_of(self, i: int, origin: Origin, messages: Messages) -> Route:
        plan = int(origin.plan[i])
        if plan == UNPLANNED:
            topic = messages.topic(i)
            return self._routes.get(topic) or self._route(topic)
        return Route(int(origin.device[i]), Kind.TELEMETRY, self._keys[plan], int(origin.first_series[i]))

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
            return _dead(f"{UNKNOWN_DEVICE}{scene}.{site}.{device}: import it into the inventory")
        route = self._route_to(registry, number, kind)
        if kind is Kind.TELEMETRY and not route.reason:
            plan = self._plan_of[scene, registry.devices[number].type]
            self._topics.add(topic, device=number, first_series=route.first_series, plan=plan)
        elif not route.reason:
            self._routes[topic] = route
        return route

    def _route_to(self, registry: Registry, number: int, kind: Kind) -> Route:
        """What a known device says in messages of this kind."""
        device_type = registry.type_of(number)
        match kind:
            case Kind.TELEMETRY if not device_type.channels:
                return _dead(f"device type {device_type.key} has no channels")
            case Kind.TELEMETRY:
                return Route(
                    number, kind, tuple(c.key for c in device_type.measured), registry.first_series[number]
                )
            case Kind.EVENT if not device_type.events:
                return _dead(f"device type {device_type.key} tells no events")
            case Kind.EVENT:
                return Route(number, kind, events=tuple(e.key for e in device_type.events))
            case Kind.STATUS | Kind.RESULT:
                return Route(number, kind)
            case _:
                return _dead(f"messages of kind {kind} are not taken by this version")


_LEVELS = 5
_NO_READINGS = Batch.of(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0))
"""Stands in while the readings are gathered."""


def _telemetry(out: Decoded, i: int, route: Route, payload: bytes, rows: _Rows) -> Foreign | str:
    """Buffered samples, and what is odd. Why it is dead, empty if it is not; likewise the next ones."""
    result = salvage(payload, route.keys)
    if not isinstance(result, Salvaged):
        return result
    _taken(out, i, route, result.boot, result.n, result.complaints)
    for t_ms, values in zip(result.t_ms, result.rows, strict=True):
        rows.heads.append((i, route.first_series, len(values), t_ms, result.live))
        rows.values += values
    return ""


def _event(out: Decoded, i: int, route: Route, payload: bytes) -> str:
    event = read_event(payload, route.events)
    if isinstance(event, str):
        return event
    _taken(out, i, route, event.boot, event.n, event.complaints)
    received_ms = out.messages.received_ms
    lat, lon = event.place or (None, None)
    out.events.append(
        Event(
            position=out.first + i,
            device=route.device,
            kind=event.kind,
            at_ms=believed_ms(event.t_ms, received_ms),
            received_ms=received_ms,
            level=event.level,
            text=event.text,
            lat=lat,
            lon=lon,
            media=event.media,
            data=event.data,
            live=event.live,
        )
    )
    return ""


def _result(out: Decoded, i: int, route: Route, payload: bytes) -> str:
    answer = read_result(payload)
    if isinstance(answer, str):
        return answer
    _taken(out, i, route, None, None, answer.complaints)
    out.results.append(
        Result(
            position=out.first + i,
            device=route.device,
            command=answer.command,
            ok=answer.ok,
            text=answer.text,
            received_ms=out.messages.received_ms,
        )
    )
    return ""


def _status(out: Decoded, i: int, route: Route, payload: bytes) -> str:
    try:
        status = msgspec.json.decode(payload, type=Status)
    except UNREADABLE as error:
        return f"not a status: {error}"
    if status.state not in ("online", "offline"):
        return f"status is {status.state[:40]!r}, must be 'online' or 'offline'"
    _taken(out, i, route, None, None, ())
    out.status.append(StatusReport(i, route.device, status.state == "online", status.t))
    return ""


def _taken(out: Decoded, i: int, route: Route, boot: str | None, n: int | None, complaints: Sequence[str]) -> None:
    """The message is not dead, whatever was wrong in it."""
    if complaints:
        out.partial.append(out.letter(i, TAKEN_WITHOUT + "; ".join(complaints)))
    out.device[i] = route.device
    if boot is not None and n is not None:
        out.boot[i] = np.frombuffer(boot_name(boot), np.uint8)
        out.n[i] = n


def _dead(reason: str) -> Route:
    return Route(DEAD, None, reason=reason)


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
