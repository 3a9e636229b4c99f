"""Finds every mistake in one comparison on one channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scenewatch.model import reach
from scenewatch.model.flags import Test
from scenewatch.model.rule import Flagged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scenewatch.model.rule import Comparison, Term
    from scenewatch.model.scene import Channel, DeviceType

Found = tuple[str, str]
"""Where within the scene, and what is wrong."""
NEEDS: Final[Mapping[Test, str | None]] = {
    Test.CLOCK: None,
    Test.EXPECTED: "expected",
    Test.FASTEST: "fastest_per_minute",
    Test.STUCK: "stuck_after",
}
"""Tests that leave a doubtful reading for rules to see, with what a channel must have for them to be made."""


def term_of(place: str, device_type: DeviceType, term: Term) -> Iterator[Found]:
    channel = next((c for c in device_type.channels if c.key == term.channel), None)
    if channel is None:
        yield f"{place}.channel", f"{device_type.key} has no channel {term.channel}"
    else:
        yield from comparison(place, device_type, channel, term.is_)


def comparison(place: str, device_type: DeviceType, channel: Channel, is_: Comparison) -> Iterator[Found]:
    if isinstance(is_, Flagged):
        yield from _flagged(f"{place}.test", channel, is_)
    for number, what in reach.flaws(is_, f"{device_type.key}.{channel.key}", channel):
        yield f"{place}.{number}", what


def _flagged(place: str, channel: Channel, is_: Flagged) -> Iterator[Found]:
    if is_.test not in NEEDS:
        yield place, f"no rule sees {is_.test.name}; it sees {', '.join(test.name for test in NEEDS)}"
    elif (needed := NEEDS[is_.test]) and getattr(channel, needed) is None:
        yield place, f"{channel.key} has no {needed}: it is never doubted so"
