"""The secret that a store's server wants: read from its file, and told to nobody but the server."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)


class Token:
    """Any thread. Empty where there is no file."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._text = "" if file is None else _read(file)

    def __repr__(self) -> str:
        return f"Token({self._file})"

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Token {self._text}"} if self._text else {}

    def renew(self) -> bool:
        """Read the file again; whether it says another one now. A file that cannot be read changes nothing."""
        if self._file is None:
            return False
        try:
            text = _read(self._file)
        except ConfigurationError as error:
            log.warning("the token in use is kept: %s", error)
            return False
        changed, self._text = text != self._text, text
        return changed


def _read(file: Path) -> str:
    """What it holds is not told, also where it is wrong."""
    try:
        text = file.read_text("utf-8").strip()
    except OSError as error:
        raise _mistake(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        raise _mistake(f"{file} is not text") from None
    if not text or not text.isascii() or not text.isprintable():
        raise _mistake(f"{file} must hold one line of plain ASCII: a token, or USER:PASSWORD")
    return text


def _mistake(what: str) -> ConfigurationError:
    return ConfigurationError([Mistake("store.token_file", what)])
