"""How the stages' loops are compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")


def compiled(loop: F) -> F:
    """For a loop that allocates nothing: without counting references to its arrays it takes half the time."""
    return cast("F", njit(cache=True, _nrt=False)(loop))  # type: ignore[call-overload]  # the stubs lack it


def within(part: F) -> F:
    """For a part that only such loops call: without what Python would call it by, it compiles in less time."""
    options = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("F", njit(_nrt=False, **options)(part))  # type: ignore[call-overload]  # as above


def inlined(part: F) -> F:
    """For a part of such a loop that is there once: it is written into its caller, and not compiled by itself."""
    return cast("F", njit(cache=True, inline="always", _nrt=False)(part))  # type: ignore[call-overload]  # as above
