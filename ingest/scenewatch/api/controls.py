"""What operators may do with a worker. The worker implements it; every method may be called from any thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from scenewatch.model.errors import ScenewatchError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scenewatch.api.guard import Guard
    from scenewatch.api.views import AlarmView
    from scenewatch.model.action import Action, Hold
    from scenewatch.model.scene import Command


class NotSentError(ScenewatchError):
    """The broker does not have the command, as far as is known; the text says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandView:
    """One command as the API tells it."""

    id: str
    device: str
    name: str
    args: Mapping[str, Any]
    state: str
    asked_by: str
    asked_at: int
    expires_at: int
    answered_at: int | None
    text: str
    answers: int
    late: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandQuery:
    """Which commands are wanted; all that is given must fit."""

    limit: int
    site: str | None = None
    device: str | None = None
    state: str | None = None


class ActionView(Protocol):
    """Something that an operator did."""

    @property
    def at_ms(self) -> int: ...

    @property
    def by(self) -> str: ...

    @property
    def what(self) -> str: ...

    @property
    def target(self) -> str: ...

    @property
    def detail(self) -> str: ...


class Audit(Protocol):
    """The record of what operators did."""

    def note(self, by: str, what: str, target: str, detail: str = "") -> None:
        """Put an action on record that was done. Raises TemporaryError."""
        ...

    def actions(self, limit: int) -> Sequence[ActionView]:
        """Newest first."""
        ...


class Commanding(Protocol):
    """Commands to devices, and what became of them."""

    def send(self, device: int, command: Command, args: Mapping[str, Any], by: str) -> CommandView:
        """Returns when the broker has it. Raises NotSentError, or TemporaryError for the record."""
        ...

    def commands(self, query: CommandQuery) -> Sequence[CommandView]:
        """Newest first."""
        ...

    def changes(self, after: int) -> tuple[int, Sequence[CommandView]]:
        """Changes since the given number, and the number now."""
        ...


class Deeds(Protocol):
    """What operators do to alarms."""

    @property
    def holds(self) -> Sequence[Hold]:
        """What keeps alarms from being shown, and then what is planned to."""
        ...

    def act(self, action: Action) -> None:
        """Done and told when it returns. Raises NotDoneError with the reason, or TemporaryError."""
        ...

    def acknowledge(self, rule: str, device: str, raised_at_ms: int, by: str) -> AlarmView | None:
        """The alarm after it; None if there is no such alarm. Again changes nothing. Raises TemporaryError."""
        ...

    def alarm(self, rule: str, device: str, raised_at_ms: int) -> AlarmView | None: ...


class Controls(Protocol):
    """All that changes something, and the record of it."""

    @property
    def guard(self) -> Guard: ...

    @property
    def audit(self) -> Audit: ...

    @property
    def commands(self) -> Commanding: ...

    @property
    def deeds(self) -> Deeds: ...
