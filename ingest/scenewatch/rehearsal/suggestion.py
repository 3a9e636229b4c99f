"""Limits that recorded data suggest for a rule: each tried, with how many alarms it would have given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from scenewatch.rehearsal.report import Named  # noqa: TC001 - msgspec reads it to decode a suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MONTH_MS: Final = 30 * 86_400_000


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of a rule, and the alarms that it would have raised with them."""

    numbers: dict[str, float]
    """By their names in `[limits."<scene>.<rule>"]`."""
    raised: int
    raised_by_device: dict[str, int]
    """Those that have any."""


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """Of one rule."""

    rule: str
    """`<scene>.<rule>`"""
    version: str
    """Of the rule in force."""
    text: Named
    source: Named
    devices: list[str]
    """Those that it watches."""
    tried: list[Tried]
    """From the outermost inwards; next the place of the numbers in force among them."""
    in_force: int
    suggested: int
    """The place of the innermost up to which none gave more alarms than wished."""
    of_devices: dict[str, int]
    """Likewise of each device whose own would be another."""


class Suggestions(msgspec.Struct, frozen=True, kw_only=True):
    """Of all rules of a scene over some recorded data. Nothing of it is in force by itself."""

    scene: str
    title: Named
    from_ms: int
    to_ms: int
    readings: int
    a_month: float
    """How many alarms of a rule were wished at most, a device and month of 30 days."""
    rules: list[Suggestion]
    left_out: dict[str, Named]
    """Rules for which there is no limit to suggest, and why."""
    notes: list[Named]


def innermost(raised: Sequence[int], at_most: float) -> int:
    """The last place up to which none raised more; the first where even that did."""
    good = -1
    for place, count in enumerate(raised):
        if count > at_most:
            break
        good = place
    return max(good, 0)


def choose(tried: Sequence[Tried], devices: Sequence[str], at_most: float) -> tuple[int, dict[str, int]]:
    """The place that suits all devices together, and the places of those it does not suit.

    `at_most` is of one device.
    """
    together = innermost([one.raised for one in tried], at_most * len(devices))
    own = {d: innermost([one.raised_by_device.get(d, 0) for one in tried], at_most) for d in devices}
    return together, {device: place for device, place in own.items() if place != together}


def limits_text(found: Suggestions) -> str:
    """As TOML for `--limits`, everything that was tried told in its comments."""
    lines = [
        f"# Limits that recorded data suggest. Alarms of a rule, a device and month: at most {found.a_month:g}.",
        "# Nothing of it is in force until you put it into the settings, or try it with --limits.",
    ]
    for one in found.rules:
        lines += ["", *_rule_lines(one, found)]
    if found.left_out:
        lines += ["", *(_comment(f"{rule}: {why.en}") for rule, why in found.left_out.items())]
    return "\n".join(lines) + "\n"


def _rule_lines(one: Suggestion, found: Suggestions) -> Iterable[str]:
    months = (found.to_ms - found.from_ms) / MONTH_MS
    yield _comment(f"{one.rule}: {one.text.en}")
    yield _comment(f"The table's limit is from: {one.source.en}")
    for place, tried in enumerate(one.tried):
        a_month = tried.raised / (months * len(one.devices))
        words = "  in force" * (place == one.in_force) + "  suggested" * (place == one.suggested)
        yield f"#   {_numbers(tried.numbers)}: {tried.raised} raised, {a_month:.2g} a device and month{words}"
    for device, place in one.of_devices.items():
        yield f"#   {device} alone: {_numbers(one.tried[place].numbers)}"
    if one.suggested != one.in_force:
        yield f'[limits."{one.rule}"]'
        yield from (f"{name} = {number!r}" for name, number in one.tried[one.suggested].numbers.items())


def _comment(text: str) -> str:
    """On one line, whatever somebody's map calls things."""
    return f"# {' '.join(text.split())}"


def _numbers(numbers: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {number:g}" for name, number in numbers.items())
