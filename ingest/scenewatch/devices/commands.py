"""What simulated devices do with commands: check them, obey from the next step on, and answer when that is over."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import msgspec

from scenewatch.model.rule import Above, Below, Outside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.devices.fleet import Fleet
    from scenewatch.model.rule import Comparison
    from scenewatch.model.scene import Channel, Command

MOST_BYTES: Final = 16_384
"""Longer ones are not read."""
REMEMBERED: Final = 64
"""Ids of commands a device knows again."""
LAST_MS: Final = 2**63 - 1
MOST_LETTERS: Final = 40
"""Of what others wrote, in an answer."""


class Order(msgspec.Struct):
    """As it came. Only the id must be right: without one nobody could be answered."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    name: Any = None
    args: Any = msgspec.field(default_factory=dict)
    expires_at: Any = None


class Doing(NamedTuple):
    """A command that a device obeys, and the step it was given in."""

    device: int
    id: str
    command: Command
    since_ms: int


class Answer(NamedTuple):
    """For the device's result topic."""

    device: int
    payload: bytes


class Commands:
    """All devices of a fleet. A command that comes twice is done once and answered alike."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._known = {t.key: {c.key: c for c in t.commands} for t in fleet.types}
        self._told: defaultdict[int, OrderedDict[str, bytes | None]] = defaultdict(OrderedDict)
        """Each device's answers by the command's id; None while it is being done."""
        self._doing: deque[Doing] = deque()
        self._ready: deque[Answer] = deque()

    def take(self, device: int, payload: bytes, now_ms: int) -> None:
        """Nothing is answered to what cannot be read, nor by a device that cannot be reached."""
        order = _read(payload)
        if order is None or self._fleet.is_silent(device):
            return
        told = self._told[device]
        if order.id in told:
            if (answer := told[order.id]) is not None:
                self._ready.append(Answer(device, answer))
            return
        told[order.id] = None
        if len(told) > REMEMBERED:
            told.popitem(last=False)
        found = self._command(device, order, now_ms)
        if isinstance(found, str):
            self._answer(device, order.id, found, ok=False)
            return
        self._do(device, found)
        self._doing.append(Doing(device, order.id, found, self._fleet.at_ms))

    def answers(self) -> Iterator[Answer]:
        """Those that are due since the last call."""
        while self._doing and self._doing[0].since_ms < self._fleet.at_ms:
            self._finish(self._doing.popleft())
        while self._ready:
            yield self._ready.popleft()

    def _command(self, device: int, order: Order, now_ms: int) -> Command | str:
        """What is to be done, or why it is refused."""
        device_type = self._fleet.types[device]
        if not isinstance(order.name, str):
            return "name must be text"
        command = self._known[device_type.key].get(order.name)
        if command is None:
            return f"a {device_type.key} knows no command {order.name[:MOST_LETTERS]!r}"
        if order.args != {}:
            return f"{command.key} takes no args"
        if type(order.expires_at) is not int or not 0 <= order.expires_at <= LAST_MS:
            return "expires_at must be a time in epoch milliseconds"
        late_ms = now_ms + self._fleet.clock_ahead_ms(device) - order.expires_at
        if late_ms >= 0:
            return f"expired {late_ms / 1000:.0f} s ago"
        term = command.refused_when
        if term is not None and _holds(term.is_, self._fleet.present(device, term.channel)):
            return f"refused while {self._says(device, term.channel)}"
        return command

    def _do(self, device: int, command: Command) -> None:
        if command.holds:
            self._fleet.hold(device, command.input, command.to)
        else:
            self._fleet.let_go(device, command.input)

    def _finish(self, doing: Doing) -> None:
        """It is done if the channel shows it; one that lets go is done whatever the device does then."""
        device, command = doing.device, doing.command
        if self._fleet.is_silent(device):
            return
        done = not command.holds or self._fleet.present(device, command.channel) == command.to
        self._answer(device, doing.id, self._says(device, command.channel), ok=done)

    def _answer(self, device: int, command_id: str, text: str, *, ok: bool) -> None:
        payload = msgspec.json.encode({"id": command_id, "ok": ok, "text": text})
        self._told[device][command_id] = payload
        self._ready.append(Answer(device, payload))

    def _says(self, device: int, key: str) -> str:
        """Such as `Gas valve is shut`."""
        channel = next(c for c in self._fleet.types[device].channels if c.key == key)
        return f"{channel.title.en} is {_in_words(channel, self._fleet.present(device, key))}"


def _read(payload: bytes) -> Order | None:
    if len(payload) > MOST_BYTES:
        return None
    try:
        return msgspec.json.decode(payload, type=Order)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _holds(comparison: Comparison, value: float) -> bool:
    """Of a single value, so without deadband; what no reading shows does not hold."""
    if isinstance(comparison, Above):
        return value > comparison.limit
    if isinstance(comparison, Below):
        return value < comparison.limit
    if isinstance(comparison, Outside):
        return value < comparison.low or value > comparison.high
    raise TypeError(f"a device cannot judge {comparison} by itself")


def _in_words(channel: Channel, value: float) -> str:
    words = {number: text.en for number, text in channel.states}
    return words.get(value, f"{value:g} {channel.unit}".rstrip())
