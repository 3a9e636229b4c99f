"""Limits that recorded data suggest for a rule: each tried, with how many alarms it would have given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from scenewatch.rehearsal.report import Named  # noqa: TC001 - msgspec reads it to decode a suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

IN_FORCE: Final = 0
"""The place of the numbers in force among those tried."""


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
    """First the numbers in force, then from those that would have raised the least inwards."""
    suggested: int
    """Its place among those tried: the innermost with no more alarms than wished."""
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

    `at_most` is of one device. The numbers in force are no candidates: they are where they are for another reason.
    """
    candidates = tried[IN_FORCE + 1 :]
    together = innermost([one.raised for one in candidates], at_most * len(devices)) + 1
    own = {d: innermost([one.raised_by_device.get(d, 0) for one in candidates], at_most) + 1 for d in devices}
    return together, {device: place for device, place in own.items() if place != together}


def limits_text(found: Suggestions) -> str:
    """As TOML for `--limits`, everything that was tried told in its comments."""
    lines = [
        f"# Limits that recorded data suggest. Alarms of a rule, a device and month: at most {found.a_month:g}.",
        "# Nothing of it is in force until you put it into the settings, or try it with --limits.",
    ]
    for one in found.rules:
        lines += ["", *_rule_lines(one, found)]
    lines += ["", *(f"# {rule}: {why.en}" for rule, why in found.left_out.items())] if found.left_out else []
    return "\n".join(lines) + "\n"


def _rule_lines(one: Suggestion, found: Suggestions) -> Iterable[str]:
    months = (found.to_ms - found.from_ms) / (30 * 86_400_000)
    yield f"# {one.rule}: {one.text.en}"
    yield f"# The table's limit is from: {one.source.en}"
    for place, tried in enumerate(one.tried):
        a_month = tried.raised / (months * len(one.devices))
        word = {IN_FORCE: "  in force", one.suggested: "  suggested"}.get(place, "")
        yield f"#   {_numbers(tried.numbers)}: {tried.raised} alarms, {a_month:.2g} a device and month{word}"
    for device, place in one.of_devices.items():
        yield f"#   {device} alone: {_numbers(one.tried[place].numbers)}"
    if not found_by_itself(one):
        yield f'[limits."{one.rule}"]'
        yield from (f"{name} = {number!r}" for name, number in one.tried[one.suggested].numbers.items())


def found_by_itself(one: Suggestion) -> bool:
    """Whether what is suggested is in force."""
    return one.tried[one.suggested].numbers == one.tried[IN_FORCE].numbers


def _numbers(numbers: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {number:g}" for name, number in numbers.items())
