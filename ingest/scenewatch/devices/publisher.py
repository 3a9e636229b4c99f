"""All gateways' connections in one thread: one selector, no thread a client."""

from __future__ import annotations

import logging
import selectors
from collections import deque
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Final

from scenewatch.devices import payload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from scenewatch.devices.connection import Connection
    from scenewatch.devices.gateway import Gateway
    from scenewatch.devices.schedule import Said
    from scenewatch.model.broker import Broker
    from scenewatch.model.ports import Clock

log = logging.getLogger(__name__)

TEND_S: Final = 0.25
"""How often connections are looked after when nothing happens on their sockets."""
HURRY_S: Final = 0.02
"""The same while some are about to enter."""
MOST_AT_ONCE: Final = 25
"""Connections that are about to enter."""
MOST_A_TURN: Final = 250
"""Messages that are handed to connections, about: some hundredths of a second's work."""
MOST_COMMANDS: Final = 10_000
"""That wait for the fleet; of more the oldest go."""


def login(broker: Broker, site_id: str, logins: Path | None) -> Broker:
    """The broker as the gateways of this site enter it."""
    if logins is None:
        return broker
    return replace(broker, username=site_id, password_file=logins / f"{site_id}.password")


class Publisher:
    """Publishes what it is offered, and keeps it while the broker is away. For one thread."""

    def __init__(
        self, gateways: Sequence[Gateway], broker: Broker, clock: Clock, logins: Path | None = None
    ) -> None:
        """`logins` is the folder with a password for each site, where each site has a login of its own."""
        self._gateways = gateways
        self._broker = broker
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._commands: deque[tuple[int, bytes]] = deque(maxlen=MOST_COMMANDS)
        self._gateway_of = {
            g.open(login(broker, g.site_id, logins), self._selector, clock, self._commanded): g for g in gateways
        }
        self._connections = tuple(self._gateway_of)
        self._wanderers = [g for g in gateways if g.wanders]
        self._of_device = {n: g for g in gateways for n in g.devices}
        self._touched: dict[Gateway, None] = {}
        """Those that have more to say or more room to say it, the longest first; nobody else needs asking."""
        self._tended_s = float("-inf")
        self._up = True
        """As last told in the log; a broker that is there from the start needs no line."""
        self._told_deaf = False
        self._settling = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for connection in self._connections:
            connection.abandon()
        self._selector.close()

    @property
    def messages(self) -> int:
        """Telemetry messages handed to connections so far."""
        return sum(g.messages for g in self._gateways)

    @property
    def dropped(self) -> int:
        """Samples lost because the broker was away for longer than the buffers reach."""
        return sum(g.dropped for g in self._gateways)

    @property
    def connected(self) -> bool:
        """Every gateway is, of those that are not away."""
        return all(c.connected for c in self._within_reach())

    def entered(self) -> tuple[int, int]:
        """How many gateways are connected, of how many that are not away."""
        reachable = self._within_reach()
        return sum(c.connected for c in reachable), len(reachable)

    @property
    def hurries(self) -> bool:
        """Something waits for room on a connection."""
        return any(g.waits for g in self._touched)

    def lag_ms(self, now_ms: int) -> int | None:
        """How long the oldest sample has waited for its turn; None without a broker."""
        if not self.connected:
            return None
        waiting = (self._gateway_of[c].oldest_ms() for c in self._within_reach())
        return now_ms - min((t_ms for t_ms in waiting if t_ms is not None), default=now_ms)

    def _within_reach(self) -> Sequence[Connection]:
        now_ms = self._clock.now_ms()
        away = {g for g in self._wanderers if g.away(now_ms)}
        return [c for c, g in self._gateway_of.items() if g not in away] if away else self._connections

    def offer(self, samples: Iterable[Said]) -> None:
        for sample in samples:
            gateway = self._of_device[sample.device]
            gateway.add(sample)
            self._touched[gateway] = None

    def commands(self) -> Iterator[tuple[int, bytes]]:
        """What was asked of devices since the last call: the device's number and the payload."""
        while self._commands:
            yield self._commands.popleft()

    def answer(self, device: int, result: bytes) -> None:
        gateway = self._of_device[device]
        gateway.answer(device, result)
        self._touched[gateway] = None

    def _commanded(self, device: int, body: bytes) -> None:
        self._commands.append((device, body))

    def turn(self, wait_s: float) -> None:
        """Publish what can be, then serve the sockets, waiting up to `wait_s` for the first."""
        now_s = monotonic()
        if now_s - self._tended_s >= (HURRY_S if self._settling else TEND_S):
            self._tended_s = now_s
            self._tend(now_s)
            self._tell_changes()
            self._tell_deaf()
        self._serve(min(wait_s, TEND_S) if self._pump() else 0.0)

    def _pump(self) -> bool:
        """Whether all was said that can be: thousands may have so much to say that sockets must not wait for it."""
        now_ms, left, asked = self._clock.now_ms(), MOST_A_TURN, self._touched
        self._touched = {}
        for gateway in asked:
            if left <= 0 or gateway.away(now_ms):
                self._touched[gateway] = None
            else:
                left -= gateway.pump()
        return left > 0

    def _tend(self, now_s: float) -> None:
        """A few at a time enter: a broker that keeps sessions takes a while for each, and gives up on a crowd."""
        reachable = self._within_reach()
        self._settling = sum(c.settling for c in reachable)
        for connection in reachable:
            if not connection.closed:
                connection.tend(now_s)
            elif self._settling < MOST_AT_ONCE:
                connection.tend(now_s)
                self._settling += connection.settling

    def stop(self, within_s: float) -> None:
        """Say what is left to say and that all are offline, then disconnect. Without a broker: at once."""
        status = payload.offline(self._clock.now_ms())
        for gateway in self._gateways:
            gateway.tell(status)
        self._touched.update(dict.fromkeys(self._gateways))
        deadline_s = monotonic() + within_s
        speaking = [self._gateway_of[c] for c in self._within_reach()]
        while monotonic() < deadline_s and not all(g.idle for g in speaking):
            self.turn(TEND_S)
        for connection in self._connections:
            connection.disconnect()
        while monotonic() < deadline_s and not all(c.closed for c in self._connections):
            self._serve(TEND_S)

    def _serve(self, wait_s: float) -> None:
        for key, events in self._selector.select(wait_s):
            key.data.ready(events)
            self._touched[self._gateway_of[key.data]] = None

    def _tell_deaf(self) -> None:
        """Devices that hear no commands do all else."""
        deaf = [c.deaf for c in self._connections if c.deaf]
        if self._settling or bool(deaf) == self._told_deaf:
            return
        self._told_deaf = bool(deaf)
        if deaf:
            log.warning("broker %s: %d gateways hear no commands: %s", self._broker.url, len(deaf), deaf[0])
        else:
            log.warning("broker %s: all gateways hear their commands", self._broker.url)

    def _tell_changes(self) -> None:
        """One line when the broker is lost, one when every gateway is connected again."""
        waiting = [c for c in self._within_reach() if not c.connected]
        trouble = next((c.trouble for c in waiting if c.trouble), "")
        if trouble and self._up:
            self._up = False
            log.warning("broker %s: %d gateways wait for it: %s", self._broker.url, len(waiting), trouble)
        elif not waiting and not self._up:
            self._up = True
            log.warning(
                "broker %s: all gateways are connected again; %d samples were lost", self._broker.url, self.dropped
            )
