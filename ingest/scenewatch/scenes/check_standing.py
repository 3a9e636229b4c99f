"""Finds every mistake in what becomes of an alarm that stands: steps of priority, latches, second calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.model import steps
from scenewatch.model.conditions import watched_types
from scenewatch.model.rule import Happened, NoData

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.model.rule import Rule
    from scenewatch.model.scene import Scene
    from scenewatch.scenes.check_terms import Found


def standing(scene: Scene, of: Rule) -> Iterator[Found]:
    place = f"rule {of.key}"
    yield from _steps(f"{place}: priority_steps", of)
    for device_type in watched_types(scene, of):
        for step, number, what in steps.flaws(of, device_type):
            beyond = f".beyond.{number}" if number else ""
            yield f"{place}: priority_steps[{step}]{beyond}", what
    if of.latching and isinstance(of.when, Happened):
        yield f"{place}: latching", "an event is over at once, and its alarm ends by quiet: make that longer"
    if of.again_after is not None and of.again_after <= 0:
        yield f"{place}: again_after", "must be longer than nothing"


def _steps(place: str, of: Rule) -> Iterator[Found]:
    """What is wrong whatever the channel."""
    for number, step in enumerate(of.priority_steps):
        if step.lasting < 0:
            yield f"{place}[{number}].lasting", "must not be negative"
        if step.beyond is None and step.lasting <= 0:
            yield f"{place}[{number}]", "needs a limit or a time: else it is the rule's own priority"
        if step.beyond is not None and isinstance(of.when, NoData | Happened):
            yield f"{place}[{number}].beyond", "must be left out: there is no reading to compare"
    if of.priority_steps and of.priority_steps[0].to is of.priority:
        yield f"{place}[0].to", f"is {of.priority} already, which the rule's own priority is"
