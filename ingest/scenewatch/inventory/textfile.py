"""An inventory file's bytes as text, if it is no larger than an inventory can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scenewatch.model.encoding import Read, decode
from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES: Final = 64 * 1024 * 1024
"""Half a million devices; what is larger is no inventory."""


def read_text(path: Path) -> Read:
    """Raises ConfigurationError where it is too large or in no encoding known here."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _mistake(str(path), f"cannot be read: {error.strerror}") from error
    if len(data) > MOST_BYTES:
        raise _mistake(str(path), f"is larger than {MOST_BYTES // 1024**2} MiB: import it in parts")
    return decode(data, str(path))


def _mistake(place: str, what: str) -> ConfigurationError:
    return ConfigurationError([Mistake(place, what)])
