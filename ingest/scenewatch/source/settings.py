"""What the source must be told of its session, checked before anything connects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scenewatch.model.broker import Broker
from scenewatch.model.errors import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_PACKET = 268_435_455
"""What the four bytes of a length can say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MqttSettings(Broker):
    """One session on a broker. The broker keeps it by `client_id`: of two alike, each throws the other out."""

    filters: tuple[str, ...]
    receive_maximum: int = 20_000
    """MQTT 5: most unacknowledged messages the broker may send."""
    session_expiry_s: int = 7 * 86_400
    """MQTT 5: how long the broker keeps messages for us while we are away."""
    keepalive_s: int = 30
    max_packet: int = 1 << 24
    """Longest packet taken whole, without its header; of a longer message only the beginning is kept."""

    def mistakes(self) -> Iterator[Mistake]:
        yield from Broker.mistakes(self)
        yield from self._session_mistakes()

    def _session_mistakes(self) -> Iterator[Mistake]:
        if not self.client_id:
            yield Mistake("broker.client_id", "must not be empty: the broker keeps messages under this name")
        if not self.filters:
            yield Mistake("broker.filters", "must name at least one topic filter")
        for topic_filter in self.filters:
            if not _is_filter(topic_filter):
                yield Mistake("broker.filters", f"{topic_filter!r} is not a topic filter")
        if not 1 <= self.receive_maximum <= 65_535:
            yield Mistake("broker.receive_maximum", "must be between 1 and 65535")
        if not 1 <= self.max_packet <= LONGEST_PACKET:
            yield Mistake("broker.max_packet", f"must be between 1 and {LONGEST_PACKET}")


def _is_filter(text: str) -> bool:
    """MQTT 3.1.1, 4.7.1: `#` only as the last level, `+` only as a whole one."""
    *before, last = text.split("/")
    levels = [*before, "" if last == "#" else last]
    return bool(text) and len(text.encode()) < 65_536 and all(x == "+" or not {"+", "#"} & set(x) for x in levels)
