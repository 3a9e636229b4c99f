"""Errors by what to do next. Libraries' errors are translated into these once, at the edge."""

from __future__ import annotations

from dataclasses import dataclass


class ScenewatchError(Exception):
    """The root of all errors raised on purpose; its text is one clear line for a person."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong with what was given: where, what, and the mend."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


class ConfigurationError(ScenewatchError):
    """Stop and mend: settings, tables or inventory are wrong. Carries all mistakes, not the first."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("\n".join(str(m) for m in mistakes))
        self.mistakes = tuple(mistakes)


class InUseError(ScenewatchError):
    """Somebody else holds the folder, file or port."""


class TemporaryError(ScenewatchError):
    """Try again after a while: a full disk, a store or broker that is away. `retry_after_s` is its own wish."""

    def __init__(self, what: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(what)
        self.retry_after_s = retry_after_s


class RefusedError(ScenewatchError):
    """Refused for good: count it and keep it aside, trying again changes nothing. `count`: of several how many."""

    def __init__(self, what: str, *, count: int = 1) -> None:
        super().__init__(what)
        self.count = count


class ProtocolError(ScenewatchError):
    """The peer sent bytes that are not MQTT: drop the connection and make a new one."""


class CorruptError(ScenewatchError):
    """A file of ours is damaged: names file and place."""
