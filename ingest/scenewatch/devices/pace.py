"""Whether simulated devices keep pace, told in one line each ten seconds for as long as they do not."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

log = logging.getLogger(__name__)

LOOK_MS: Final = 10_000
"""How often the lag is looked at; it must have grown since the last look, so catching up is no news."""
BEHIND_INTERVALS: Final = 2
BEHIND_MS: Final = 10_000
"""By the wall's time; so much or so many intervals, whichever is more, is no lag yet."""


class Figures(NamedTuple):
    """Of some gateways, since they began."""

    messages: int
    dropped: int
    """Samples that no buffer had room for."""
    lag_ms: int | None
    """How long the oldest sample has waited for its turn, in the devices' time; None while the broker is away."""
    connected: int = 0
    gateways: int = 0


def joined(parts: Iterable[Figures]) -> Figures:
    """Of several processes: the lag is that of the slowest, and unknown as long as one has no broker."""
    parts = tuple(parts)
    lags = [p.lag_ms for p in parts if p.lag_ms is not None]
    slowest = max(lags, default=0) if len(lags) == len(parts) else None
    return Figures(
        messages=sum(p.messages for p in parts),
        dropped=sum(p.dropped for p in parts),
        lag_ms=slowest,
        connected=sum(p.connected for p in parts),
        gateways=sum(p.gateways for p in parts),
    )


class Told(Protocol):
    """Whom a running fleet tells its figures, when it is time."""

    def due(self, now_ms: int) -> bool: ...

    def tell(self, figures: Figures, now_ms: int) -> None: ...


class Pace:
    """Implements `Told` for a person who reads the log. `asked_a_second` are the messages that there should be."""

    def __init__(self, *, every_ms: int, speed: float, asked_a_second: float) -> None:
        self.behind = False
        self._limit_ms = max(BEHIND_INTERVALS * every_ms, BEHIND_MS * speed)
        self._speed = speed
        self._asked = asked_a_second
        self._looked_ms = 0
        self._last: Figures | None = None
        self._entered = False
        """Whether all have been connected at some time."""

    def due(self, now_ms: int) -> bool:
        return now_ms - self._looked_ms >= LOOK_MS

    def tell(self, figures: Figures, now_ms: int) -> None:
        """Without a broker nothing is said here but how far thousands are on their way in."""
        last, gone_s = self._last, (now_ms - self._looked_ms) / 1000
        self._last, self._looked_ms = figures, now_ms
        lag_ms = figures.lag_ms
        self._entered = self._entered or lag_ms is not None
        if last is None:
            return
        if lag_ms is None:
            if not self._entered and figures.connected > last.connected:
                log.info("%d of %d gateways are connected", figures.connected, figures.gateways)
            return
        growing = last.lag_ms is not None and lag_ms > last.lag_ms
        if self.behind and lag_ms <= self._limit_ms / 2:
            self.behind = False
            log.warning("devices are on time again; %d samples were lost", figures.dropped)
        elif self.behind or (growing and lag_ms > self._limit_ms):
            self.behind = True
            log.warning(
                "devices are %.0f s behind: %.0f of %.0f messages/s go out, %d samples lost so far",
                lag_ms / 1000 / self._speed,
                (figures.messages - last.messages) / gone_s,
                self._asked,
                figures.dropped,
            )
