"""What operators ask for, and whether it can be done as things stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.model.action import (
    FAREST_PLAN,
    LONGEST_REASON,
    LONGEST_SHELVING,
    Action,
    Deed,
    Hold,
    NotDoneError,
    Refusal,
)
from scenewatch.model.alarm import Hidden

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.alarms.engine import Engine
    from scenewatch.alarms.holds import Holds
    from scenewatch.model.registry import Registry

KINDS = {
    Deed.SHELVE: Hidden.SHELVED,
    Deed.UNSHELVE: Hidden.SHELVED,
    Deed.TAKE_OUT: Hidden.OUT_OF_SERVICE,
    Deed.PUT_BACK: Hidden.OUT_OF_SERVICE,
    Deed.MAINTAIN: Hidden.MAINTENANCE,
    Deed.END_MAINTENANCE: Hidden.MAINTENANCE,
}
ENDED_BY = {
    Deed.UNSHELVE: "is not shelved",
    Deed.PUT_BACK: "is not out of service",
    Deed.END_MAINTENANCE: "is not in maintenance, and none is planned",
}
DAY_MS = 86_400_000


def hold_of(action: Action) -> Hold:
    """The hold that a deed begins or ends; of no kind for the others."""
    kind = KINDS.get(action.deed, Hidden.NOT)
    return Hold(
        kind=kind,
        rule="" if kind is Hidden.MAINTENANCE else action.rule,
        target=action.target,
        by=action.by,
        at_ms=action.at_ms,
        from_ms=max(action.from_ms, action.at_ms) if kind is Hidden.MAINTENANCE else action.at_ms,
        until_ms=0 if kind is Hidden.OUT_OF_SERVICE else action.until_ms,
        reason=action.reason,
    )


class Wishes:
    """Holds a deed against the inventory, the alarms that stand and the holds there are."""

    def __init__(self, engine: Engine, registry: Registry, holds: Holds) -> None:
        self._engine = engine
        self._registry = registry
        self._holds = holds

    def refusal(self, action: Action) -> NotDoneError | None:
        """The first thing that stands against it."""
        return next(self._against(action), None)

    def _against(self, action: Action) -> Iterator[NotDoneError]:
        hold = hold_of(action)
        if action.deed in ENDED_BY:
            if self._holds.find(hold.kind, hold.rule, hold.target) is None:
                yield _unknown(f"{_what(action)} {ENDED_BY[action.deed]}")
        elif action.deed in (Deed.ACKNOWLEDGE, Deed.RESET):
            yield from self._against_alarm(action)
        else:
            yield from self._against_target(action)
            yield from _against_hold(action, hold)
            if hold.kind is Hidden.MAINTENANCE and self._holds.find(hold.kind, "", hold.target) is not None:
                what = f"{_what(action)} is in maintenance already, or will be: end that first"
                yield NotDoneError(Refusal.CONFLICT, what)

    def _against_alarm(self, action: Action) -> Iterator[NotDoneError]:
        device = self._registry.number(action.target)
        alarm = None if device is None else self._engine.alarm(action.rule, device)
        if device is None or alarm is None or alarm.raised_at_ms != action.raised_at_ms:
            yield _unknown(f"no alarm of {_what(action)} that was raised at {action.raised_at_ms} stands")
        elif action.deed is Deed.RESET and not self._engine.has_returned(action.rule, device):
            yield NotDoneError(
                Refusal.CONFLICT, f"the condition of {_what(action)} still holds, or it does not latch"
            )

    def _against_target(self, action: Action) -> Iterator[NotDoneError]:
        device = self._registry.number(action.target)
        if action.deed is Deed.MAINTAIN:
            is_site = any(
                _site(i) == action.target and self._registry.number(i) is not None for i in self._registry.ids
            )
            if device is None and not is_site:
                yield _unknown(f"there is no device or site {action.target!r}")
            return
        if device is None:
            yield _unknown(f"there is no device {action.target!r}")
            return
        rule, type_key = self._engine.rules.get(action.rule), self._registry.type_of(device).key
        if rule is None or all(on.partition(".")[0] != type_key for on in rule.on):
            yield _unknown(f"{action.target} has no rule {action.rule!r}")


def _against_hold(action: Action, hold: Hold) -> Iterator[NotDoneError]:
    if not action.reason.strip():
        yield _wrong("a reason must be given")
    if len(action.reason) > LONGEST_REASON:
        yield _wrong(f"a reason has at most {LONGEST_REASON} letters")
    if hold.kind is Hidden.OUT_OF_SERVICE:
        return
    longest_ms = LONGEST_SHELVING if hold.kind is Hidden.SHELVED else FAREST_PLAN
    if action.until_ms <= hold.from_ms:
        yield _wrong("its end must be later than its begin and than now")
    elif action.until_ms > action.at_ms + longest_ms:
        yield _wrong(f"its end must be at most {longest_ms // DAY_MS} days off")


def _unknown(what: str) -> NotDoneError:
    return NotDoneError(Refusal.UNKNOWN, what)


def _wrong(what: str) -> NotDoneError:
    return NotDoneError(Refusal.WRONG, what)


def _what(action: Action) -> str:
    return f"{action.rule} of {action.target}" if action.rule else action.target


def _site(device_id: str) -> str:
    return device_id.rpartition(".")[0]
