"""What the source counts. Plain integers: the I/O thread writes, anybody reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class SourceStats:
    """Counted since the start, over all connections."""

    messages: int = 0
    bytes: int = 0
    """Received, whatever they were."""
    reads: int = 0
    """Reads that brought something."""
    reconnects: int = 0
    """Connections lost after they had been subscribed."""
    refusals: int = 0
    """Attempts that did not come to a subscription: refused, not reached, or not answered."""
    sessions_lost: int = 0
    """Connections at which the broker had forgotten our session, and so what it should have kept for us."""
    protocol_errors: int = 0
    other_packets: int = 0
    """Packets left to paho: greetings, pings."""
    too_long: int = 0
    """Messages of which only the beginning was taken: they become dead letters."""

    def events(self) -> dict[str, int]:
        """What befell the connection, by name."""
        names = ("reconnects", "refusals", "sessions_lost", "protocol_errors", "too_long")
        return {name: getattr(self, name) for name in names}
