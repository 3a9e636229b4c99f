"""The people who may change something: a text file with a line `NAME TOKEN` for each. Tokens are told to nobody."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
from typing import TYPE_CHECKING

from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SESSION_COOKIE = "scenewatch-session"
FIRST = "operator"
"""The name that is made where nobody has chosen one."""
NAME = re.compile(r"[\w.@-]{1,64}\Z")
TOKEN_BYTES = 32
SHORTEST_TOKEN = 20
"""Characters; whoever writes one by hand must not write one that can be guessed."""
LONGEST_TOKEN = 512
OTHERS = stat.S_IRWXO | stat.S_IWGRP
"""A group may read it: containers are put into the file's group."""


def digest(token: str) -> bytes:
    """What is kept of a token in memory. It is too random for its hash to need stretching."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def new_line(name: str) -> str:
    """An operator with a new token, as the file has him."""
    return f"{name} {secrets.token_urlsafe(TOKEN_BYTES)}\n"


def make(path: Path, name: str = FIRST) -> bool:
    """With one operator, readable by its owner alone; False where the file is there already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(new_line(name))
    return True


def read(path: Path) -> dict[str, bytes]:
    """Digests of the tokens by operator. Raises ConfigurationError with all mistakes, and nothing of a token."""
    place = f"http.operators_file {path}"
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise ConfigurationError([Mistake(place, f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise ConfigurationError([Mistake(place, "is not UTF-8 text")]) from None
    found: list[Mistake] = []
    if mode & OTHERS:
        found.append(Mistake(place, f"is open to others on this machine: chmod 600 {path}"))
    operators = dict(_operators(text, place, found))
    if not operators and not found:
        found.append(Mistake(place, "names nobody: it wants a line NAME TOKEN for each operator"))
    if found:
        raise ConfigurationError(found)
    return operators


def only_token(text: str) -> str | None:
    """Of a file with a token alone, or with one operator; None where there is not exactly one."""
    lines = list(_lines(text))
    words = lines[0][1] if len(lines) == 1 else []
    return words[-1] if len(words) in (1, 2) else None


def _operators(text: str, place: str, found: list[Mistake]) -> Iterator[tuple[str, bytes]]:
    names: dict[str, int] = {}
    tokens: dict[bytes, int] = {}
    for number, words in _lines(text):
        what = _mistake(words) or _again(words, names, tokens)
        if what:
            found.append(Mistake(f"{place}, line {number}", what))
            continue
        name, token = words
        names[name] = tokens[digest(token)] = number
        yield name, digest(token)


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if words and not words[0].startswith("#"):
            yield number, words


def _mistake(words: list[str]) -> str:
    if len(words) != 2:
        return f"has {len(words)} words, not NAME TOKEN"
    name, token = words
    if not NAME.match(name):
        return "the name must be of letters, digits and . @ _ -, 64 at most"
    if not token.isascii() or not SHORTEST_TOKEN <= len(token) <= LONGEST_TOKEN:
        return f"the token must be of {SHORTEST_TOKEN} to {LONGEST_TOKEN} ASCII characters"
    return ""


def _again(words: list[str], names: Mapping[str, int], tokens: Mapping[bytes, int]) -> str:
    name, token = words
    if name in names:
        return f"the name is that of line {names[name]}"
    if digest(token) in tokens:
        return f"the token is that of line {tokens[digest(token)]}"
    return ""
