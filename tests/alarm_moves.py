"""Steps of one alarm, as the alarms' table takes them."""

from __future__ import annotations

from dataclasses import replace

from scenewatch.model.alarm import Step
from scenewatch.model.rule import Priority
from scenewatch.store.alarms import Move

RAISED = Move(
    rule="brine.vat_hot",
    device="brine.w1.vat-1",
    raised_at_ms=1_000,
    step=Step.RAISED,
    at_ms=1_000,
    value=90.0,
    flag=1,
    priority=Priority.HIGH,
    device_type="vat",
    version="0badcafe",
)


def raised(at_ms: int, **change: object) -> Move:
    return replace(RAISED, at_ms=at_ms, raised_at_ms=at_ms, **change)


def then(move: Move, step: Step, at_ms: int, **change: object) -> Move:
    """A later step of the same alarm."""
    return replace(move, step=step, at_ms=at_ms, **change)


CLEARED = then(RAISED, Step.CLEARED, 2_000, value=4.0)
