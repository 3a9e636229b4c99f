"""Long records piece by piece, each row once: by time forwards, or from the newest backwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from scenewatch.model.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from scenewatch.model.ports import Readings

    Fetch = Callable[[int, int, int], Readings]
    """From when, to when, and how many at most."""

PAGE: Final = 50_000
Entry = TypeVar("Entry")


def forwards(fetch: Fetch, from_ms: int, to_ms: int, page: int = PAGE) -> Iterator[Readings]:
    """A series has one reading a time."""
    while True:
        found = fetch(from_ms, to_ms, page)
        if len(found.t_ms):
            yield found
        if not found.truncated:
            return
        from_ms = int(found.t_ms[-1]) + 1


def backwards(
    fetch: Callable[[int, int], Sequence[Entry]],
    at: Callable[[Entry], int],
    known_by: Callable[[Entry], Hashable],
    to_ms: int,
    page: int,
) -> Iterator[Entry]:
    """`fetch` gives the newest before a time. Several may be of one time: the next page has that once more."""
    told: set[Hashable] = set()
    while True:
        found = fetch(to_ms, page)
        yield from (entry for entry in found if known_by(entry) not in told)
        if len(found) < page:
            return
        oldest_ms = at(found[-1])
        told = {known_by(entry) for entry in found if at(entry) == oldest_ms}
        if len(told) == page:
            raise RefusedError(f"more than {page} are of the same time, {oldest_ms}: ask for other times")
        to_ms = oldest_ms + 1
