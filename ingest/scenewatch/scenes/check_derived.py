"""Finds every mistake in what a device type derives of its readings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scenewatch.model import reach
from scenewatch.model.insight import Departure, Lasting, LastRun, MeanWhile, Share, Slope, TimeTo, Usual
from scenewatch.model.quantity import Quantity
from scenewatch.model.rule import Above, Flagged
from scenewatch.model.words import hours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.model.insight import Derived
    from scenewatch.model.rule import Term
    from scenewatch.model.scene import Channel, DeviceType
    from scenewatch.scenes.check_terms import Found

HOUR: Final = hours(1)
PACES: Final = ("smoothing", "pattern", "spread")


def derived(device_type: DeviceType) -> Iterator[Found]:
    first = next((c for c in device_type.channels if c.derived is not None), None)
    seen = False
    for channel in device_type.channels:
        place = f"device type {device_type.key}: channel {channel.key}"
        seen = seen or channel is first
        if channel.derived is None:
            if seen and first is not None:
                yield f"{place}: derived", f"is measured: put it before {first.key}, as derived ones come last"
            continue
        yield from _one(f"{place}: derived", device_type, channel.derived)
        yield from _unit(place, device_type, channel, channel.derived)


def _one(place: str, device_type: DeviceType, how: Derived) -> Iterator[Found]:
    if how.every < device_type.every:
        yield f"{place}.every", f"must not be shorter than {device_type.key} reports"
    if not isinstance(how, Share | Lasting | LastRun):
        yield from _of(f"{place}.of", device_type, how.of)
    if isinstance(how, Share | MeanWhile | Lasting | LastRun):
        yield from _term(f"{place}.term", device_type, how.term)
    if isinstance(how, Share | MeanWhile | Slope | TimeTo) and how.over < how.every:
        yield f"{place}.over", "must not be shorter than every: readings between would count for nothing"
    match how:
        case Departure():
            yield from _departure(place, how)
        case Usual():
            yield from _usual(f"{place}.departure", device_type, how)
        case TimeTo():
            yield from _time_to(place, device_type, how)
        case _:
            pass


def _measured(device_type: DeviceType, key: str) -> Channel | str:
    """What is wrong with it, if it cannot be derived from."""
    channel = next((c for c in device_type.channels if c.key == key), None)
    if channel is None:
        return f"{device_type.key} has no channel {key}"
    return channel if channel.derived is None else f"{key} is derived itself; name one that is measured"


def _of(place: str, device_type: DeviceType, key: str) -> Iterator[Found]:
    of = _measured(device_type, key)
    if isinstance(of, str):
        yield place, of
    elif of.quantity is Quantity.STATE:
        yield place, f"{key} is a state: there is nothing between its numbers"


def _term(place: str, device_type: DeviceType, term: Term) -> Iterator[Found]:
    of = _measured(device_type, term.channel)
    if isinstance(of, str):
        yield f"{place}.channel", of
        return
    for number, what in reach.flaws(term.is_, term.channel, of):
        if number == "deadband":
            continue  # what is derived knows none
        yield f"{place}.{number}", what
    if not isinstance(term.is_, Flagged) and term.is_.deadband:
        yield f"{place}.deadband", "has no effect here: leave it out"


def _departure(place: str, how: Departure) -> Iterator[Found]:
    if how.every != HOUR:
        yield f"{place}.every", "must be an hour: it is hourly means that depart"
    for name in PACES:
        if getattr(how, name) < HOUR:
            yield f"{place}.{name}", "must be an hour at least"
    if how.learning < HOUR or how.learning % HOUR:
        yield f"{place}.learning", "must be a whole number of hours, one at least"
    if how.wary_beyond <= 0:
        yield f"{place}.wary_beyond", "must be more than nothing"


def _usual(place: str, device_type: DeviceType, how: Usual) -> Iterator[Found]:
    other = next((c for c in device_type.channels if c.key == how.departure), None)
    if other is None:
        yield place, f"{device_type.key} has no channel {how.departure}"
    elif not isinstance(other.derived, Departure):
        yield place, f"{how.departure} is no departure: it learns nothing"
    elif other.derived.of != how.of:
        yield place, f"{how.departure} learns what is usual of {other.derived.of}, not of {how.of}"


def _time_to(place: str, device_type: DeviceType, how: TimeTo) -> Iterator[Found]:
    of = _measured(device_type, how.of)
    if not isinstance(of, str):
        for _, what in reach.flaws(Above(how.limit), how.of, of):
            yield f"{place}.limit", what
    if how.horizon <= 0:
        yield f"{place}.horizon", "must be longer than nothing"
    if how.sure < 0:
        yield f"{place}.sure", "must not be negative"


def _unit(place: str, device_type: DeviceType, channel: Channel, how: Derived) -> Iterator[Found]:
    """It follows from how it is derived."""
    needed: tuple[Quantity, str]
    match how:
        case Share():
            needed = Quantity.RATIO, "%"
        case Lasting() | LastRun() | TimeTo():
            needed = Quantity.TIME, "min"
        case Departure():
            needed = Quantity.DEPARTURE, "σ"
        case Slope(of=of) | MeanWhile(of=of) | Usual(of=of):
            source = _measured(device_type, of)
            if isinstance(source, str):
                return
            slope = isinstance(how, Slope)
            needed = (Quantity.RATE, f"{source.unit}/h") if slope else (source.quantity, source.unit)
    for name, value in zip(("quantity", "unit"), needed, strict=True):
        if (given := getattr(channel, name)) != value:
            yield (
                f"{place}: {name}",
                f"must be {value}, which {type(how).__name__} gives, not {given}",
            )
