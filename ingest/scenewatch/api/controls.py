"""What operators may do with a worker. The worker implements it; every method may be called from any thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.api.guard import Guard


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


class Controls(Protocol):
    """All that changes something, and the record of it."""

    @property
    def guard(self) -> Guard: ...

    @property
    def audit(self) -> Audit: ...
