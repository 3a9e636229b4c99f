"""How the stages' loops are compiled, and where what was compiled is kept."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from numba import njit
from numba.core import config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

F = TypeVar("F", bound="Callable[..., Any]")

PACKAGE = Path(__file__).parents[1]
IMPORT = re.compile(rf"^(?:from|import) {PACKAGE.name}\.([\w.]+)", re.MULTILINE)
STAMP_LETTERS = 16
SETTINGS: Any = config
"""As numba sets its names by a loop, which no type checker follows."""


def compiled(loop: F) -> F:
    """For a loop that allocates nothing: without counting references to its arrays it takes half the time."""
    return _kept(loop, _nrt=False)


def allocating(loop: F) -> F:
    """For a loop that makes arrays, or is called by one that does."""
    return _kept(loop)


def within(part: F) -> F:
    """For a part that only such loops call: without what Python would call it by, it compiles in less time."""
    options = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("F", njit(_nrt=False, **options)(part))  # type: ignore[call-overload]  # the stubs lack it


def inlined(part: F) -> F:
    """For a part of such a loop that is there once: it is written into its caller, and not compiled by itself."""
    return _kept(part, inline="always", _nrt=False)


def _kept(loop: F, **options: Any) -> F:
    with _cache_folder(Path(loop.__code__.co_filename)):
        return cast("F", njit(cache=True, **options)(loop))


@contextmanager
def _cache_folder(source: Path) -> Iterator[None]:
    """Kernels of one source are kept in a folder of their own, named after all that is compiled into them.

    numba looks at the file of the outermost loop alone: it would go on with the old code of what that loop calls.
    """
    before = SETTINGS.CACHE_DIR
    SETTINGS.CACHE_DIR = _folder(source, before)
    try:
        yield
    finally:
        SETTINGS.CACHE_DIR = before


@cache
def _folder(source: Path, chosen: str) -> str:
    base = _base(source, chosen)
    name = f"{source.parent.name}.{source.stem}"
    folder = base / f"{name}-{stamp(source)}"
    if not folder.exists():
        for old in base.glob(f"{name}-*"):
            shutil.rmtree(old, ignore_errors=True)
    return str(folder)


def _base(source: Path, chosen: str) -> Path:
    """Where NUMBA_CACHE_DIR says, or beside Python's own compiled files, or at home if nobody may write there."""
    if chosen:
        return Path(chosen)
    beside = source.parent / "__pycache__"
    if os.access(beside if beside.exists() else source.parent, os.W_OK):
        return beside
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / PACKAGE.name


def stamp(source: Path) -> str:
    """Of the text of a module and of all of this package that it imports, by however many steps."""
    seen: dict[Path, bytes] = {}
    waiting = [source]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            text, imported = _read(path)
            seen[path] = text
            waiting += imported
    content = hashlib.sha256()
    for path in sorted(seen):
        content.update(seen[path])
    return content.hexdigest()[:STAMP_LETTERS]


@cache
def _read(path: Path) -> tuple[bytes, tuple[Path, ...]]:
    """The digest of a module's text, and the modules it imports; of a package, all its modules."""
    text = path.read_bytes()
    imported: list[Path] = []
    for name in IMPORT.findall(text.decode()):
        place = PACKAGE.joinpath(*name.split("."))
        imported += sorted(place.glob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    return hashlib.sha256(text).digest(), tuple(imported)
