"""Channels of a map's entries, for data of no scene: what is measured, and what is derived of it."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, Final

from scenewatch.model.insight import Departure, Lasting, LastRun, MeanWhile, Share, Slope, TimeTo, Usual
from scenewatch.model.quantity import UNITS, Quantity
from scenewatch.model.rule import Above, Below, Term
from scenewatch.model.scene import Channel, Span
from scenewatch.model.words import Duration, Text
from scenewatch.recorded.mapping import span_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scenewatch.model.insight import Derived
    from scenewatch.recorded.mapping import ChannelEntry

    Channels = Mapping[str, Channel]
    """By their keys."""

POSSIBLE: Final = Span(-1e9, 1e9)
"""Of a channel whose span nobody said."""
MINUTES: Final = Span(0, 60_000_000)
SPREADS: Final = Span(-6, 6)
DERIVED: Final[Mapping[str, type[Derived]]] = {
    "share": Share,
    "mean_while": MeanWhile,
    "lasting": Lasting,
    "departure": Departure,
    "usual": Usual,
    "last_run": LastRun,
    "slope": Slope,
    "time_to": TimeTo,
}


def measured(entry: ChannelEntry) -> Channel:
    """Raises ValueError for a unit that does not fit."""
    quantity, unit = entry.quantity or Quantity.OTHER, entry.unit or ""
    if unit not in UNITS[quantity]:
        raise ValueError(f"unit {unit!r} is none of {quantity}; permitted: {', '.join(sorted(UNITS[quantity]))}")
    return Channel(
        key=entry.key,
        title=entry.title or Text(entry.key, entry.key),
        quantity=quantity,
        unit=unit,
        possible=POSSIBLE if entry.possible is None else Span(*entry.possible),
        expected=None if entry.expected is None else Span(*entry.expected),
        fastest_per_minute=entry.fastest_per_minute,
        stuck_after=None if entry.stuck_after is None else Duration(entry.stuck_after),
    )


def derived(entry: ChannelEntry, channels: Channels) -> Channel:
    """Raises ValueError with all that is wrong with what is said of it."""
    said = dict(entry.derived or {})
    kind = DERIVED.get(str(said.pop("kind", "")))
    if kind is None:
        raise ValueError(f"derived.kind must be one of {', '.join(DERIVED)}")
    known = {f.name: f for f in fields(kind)}
    faults = [f"{name} is nothing of this kind; it has {', '.join(known)}" for name in said if name not in known]
    faults += [f"{name} must be given" for name, f in known.items() if f.default is MISSING and name not in said]
    values: dict[str, Any] = {}
    for name in (name for name in said if name in known):
        try:
            values[name] = _value(str(known[name].type), said[name])
        except ValueError as error:
            faults.append(f"{name} {error}")
    if faults:
        raise ValueError("; ".join(faults))
    return of_derived(entry.key, kind(**values), channels, entry.title)


def of_derived(key: str, of: Derived, channels: Channels, title: Text | None = None) -> Channel:
    """Raises ValueError where it is made of a channel that there is not."""
    if unknown := sorted(needs(of) - set(channels)):
        raise ValueError(f"is derived of {', '.join(unknown)}, which is no channel")
    quantity, unit, possible = _measure(of, channels)
    return Channel(
        key=key,
        title=title or Text(key, key),
        quantity=quantity,
        unit=unit,
        possible=possible,
        derived=of,
    )


def needs(of: Derived) -> set[str]:
    """Keys of the channels that it is made of."""
    return set(_needs(of))


def _needs(of: Derived) -> Iterator[str]:
    if isinstance(of, Share | MeanWhile | Lasting | LastRun):
        yield of.term.channel
    if isinstance(of, MeanWhile | Departure | Usual | Slope | TimeTo):
        yield of.of
    if isinstance(of, Usual):
        yield of.departure


def _measure(of: Derived, channels: Channels) -> tuple[Quantity, str, Span]:
    match of:
        case Share():
            return Quantity.RATIO, "%", Span(0, 100)
        case MeanWhile(of=key) | Usual(of=key):
            return channels[key].quantity, channels[key].unit, channels[key].possible
        case Departure():
            return Quantity.DEPARTURE, "σ", SPREADS
        case Slope(of=key):
            return Quantity.RATE, f"{channels[key].unit}/h", POSSIBLE
        case Lasting() | LastRun() | TimeTo():
            return Quantity.TIME, "min", MINUTES


def _value(annotation: str, said: object) -> object:
    """A field's value, as its annotation asks for it. Raises ValueError."""
    match annotation:
        case "Duration":
            return span_of(said)
        case "Term":
            return _term(said)
        case "float" if isinstance(said, int | float) and not isinstance(said, bool):
            return float(said)
        case "str" if isinstance(said, str):
            return said
        case "bool" if isinstance(said, bool):
            return said
        case _:
            raise ValueError(f"must be a {annotation}, not {said!r}")


def _term(said: object) -> Term:
    if isinstance(said, dict) and set(said) in ({"channel", "above"}, {"channel", "below"}):
        limit = said.get("above", said.get("below"))
        if isinstance(limit, int | float) and isinstance(said["channel"], str):
            return Term(said["channel"], (Above if "above" in said else Below)(float(limit)))
    raise ValueError("must be { channel = …, above = … } or { channel = …, below = … }")
