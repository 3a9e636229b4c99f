"""What the worker writes as history and the simulated devices go on with: both must play the same piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self


T = TypeVar("T")


class PlannedFault(msgspec.Struct, frozen=True, kw_only=True):
    """One labelled fault of one device."""

    fault: str
    device: str
    from_ms: int
    to_ms: int
    size: float | None = None
    """In the fault table's measure; None for an ordinary one."""


class Demonstration(msgspec.Struct, frozen=True, kw_only=True):
    """Which simulated sites, and when they go live. Steps up to `live_from_ms` are history."""

    scene: str
    sites: int
    seed: int
    history_ms: int
    live_from_ms: int
    show_at_ms: int
    """The mishap's alarm is due soon after it."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the piece: history runs from `from_ms`, which the worker found out, to `live_from_ms`."""

    piece: Demonstration
    live_from_ms: int
    from_ms: int
    faults: list[PlannedFault]

    @classmethod
    def read(cls, path: Path) -> Self:
        return _read(path, cls)

    def write(self, path: Path) -> None:
        """Whole or not at all: another process waits for it."""
        partial = path.with_suffix(".partial")
        partial.write_bytes(msgspec.json.encode(self))
        partial.replace(path)


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """Where the physics of a simulation began, for the next start to go on with the same piece."""

    start_ms: int

    def write(self, path: Path) -> None:
        path.write_bytes(msgspec.json.encode(self))


def read_begun(path: Path) -> Begun:
    return _read(path, Begun)


def read_demonstration(path: Path) -> Demonstration:
    return _read(path, Demonstration)


def read_faults(path: Path) -> list[PlannedFault]:
    return _read(path, list[PlannedFault])


def _read(path: Path, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=shape)
    except OSError as error:
        raise ConfigurationError([Mistake(str(path), f"cannot be read: {error.strerror}")]) from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ConfigurationError([Mistake(str(path), str(error))]) from None
