"""The slow path of the native payload: buffered samples, and finding out what is wrong with the rest.

Good values of a message are kept although others are bad; each bad one is named. Nothing is guessed: text is
not turned into numbers, and a time that is not a number makes the whole message a dead letter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import msgspec

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What parsing hostile bytes may raise; the last for brackets nested a thousand deep."""
MOST_SAMPLES = 100_000
"""In one buffered message; more is refused rather than held in memory."""
LARGEST = 2**53
"""Whole numbers beyond it do not survive JSON."""
COMPLAINTS_TOLD = 5
"""In one reason."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What could be read: `rows[i]` are all channels' values at `t_ms[i]`, None where absent or bad."""

    t_ms: list[int]
    rows: list[tuple[float | None, ...]]
    boot: str | None
    n: int | None
    live: bool
    complaints: list[str]


@dataclass(frozen=True, slots=True)
class Foreign:
    """It speaks of other things than its device type has: none of its channels is one of that type."""

    channels: tuple[str, ...]

    def complaint(self, device_type: str) -> str:
        named = ", ".join(repr(key[:64]) for key in self.channels[:COMPLAINTS_TOLD])
        more = len(self.channels) - COMPLAINTS_TOLD
        return f"no good value: unknown channel {named}{f' and {more} more' if more > 0 else ''} of a {device_type}"


def salvage(payload: bytes, keys: tuple[str, ...]) -> Salvaged | Foreign | str:
    """Read a payload value by value; the reason in one line if nothing of it can be taken."""
    body = json_object(payload)
    if isinstance(body, str):
        return body
    times = _times(body.get("t"))
    if isinstance(times, str):
        return times
    values = body.get("v")
    if not isinstance(values, dict):
        return "`v` must be an object of channel: number"
    if values and values.keys().isdisjoint(keys):
        return Foreign(tuple(values))
    return _taken(body, times, values, keys)


def _taken(body: dict[str, Any], times: list[int], values: dict[str, Any], keys: tuple[str, ...]) -> Salvaged | str:
    complaints: list[str] = []
    identity = identity_of(body, complaints)
    columns = _columns(values, keys, len(times) if isinstance(body["t"], list) else None, complaints)
    if not any(value is not None for column in columns for value in column):
        if not complaints:
            return "no values: `v` has no number for a channel of this device type"
        return "no good value: " + "; ".join(complaints[:COMPLAINTS_TOLD])
    history = body.get("h", False)
    if not isinstance(history, bool):
        return "`h` must be true or false"
    return Salvaged(times, list(zip(*columns, strict=True)), *identity, live=not history, complaints=complaints)


def json_object(payload: bytes) -> dict[str, Any] | str:
    """The reason in one line if it is none."""
    try:
        body = msgspec.json.decode(payload)
    except UNREADABLE as error:
        return f"not JSON: {str(error)[:120]}"
    return body if isinstance(body, dict) else "not a JSON object"


def _times(t: Any) -> list[int] | str:
    times = t if isinstance(t, list) else [t]
    if not times:
        return "`t` is an empty array"
    if len(times) > MOST_SAMPLES:
        return f"more than {MOST_SAMPLES} samples in one message"
    if not all(is_whole(x) and abs(x) <= LARGEST for x in times):
        return "`t` must be whole milliseconds since 1970 as a number, or an array of them"
    return [int(x) for x in times]


def identity_of(body: dict[str, Any], complaints: list[str]) -> tuple[str | None, int | None]:
    """Boot and number; a bad pair does not cost the readings, the message then counts as not numbered."""
    boot, n = body.get("b"), body.get("n")
    if boot is None and n is None:
        return None, None
    good_boot = boot if isinstance(boot, str) and 0 < len(boot) <= 64 else None
    good_n = int(n) if isinstance(n, (int, float)) and is_whole(n) and 0 <= n <= LARGEST else None
    if good_boot is not None and good_n is not None:
        return good_boot, good_n
    if (boot is not None and good_boot is None) or (n is not None and good_n is None):
        complaints.append("`b` must be a short string and `n` a whole number from 0")
    return None, None


def _columns(
    values: dict[str, Any], keys: tuple[str, ...], samples: int | None, complaints: list[str]
) -> list[list[float | None]]:
    """One list a channel; `samples` is None where `t` is one number and so each value must be one."""
    complaints.extend(f"unknown channel {key[:64]!r}" for key in values if key not in keys)
    columns: list[list[float | None]] = []
    for key in keys:
        given = values.get(key)
        if samples is None:
            columns.append([_number(key, given, complaints)])
        elif isinstance(given, list) and len(given) == samples:
            columns.append([_number(key, x, complaints) for x in given])
        else:
            if given is not None:
                complaints.append(f"{key} does not have one value a time in `t`")
            columns.append([None] * samples)
    return columns


def _number(key: str, value: Any, complaints: list[str]) -> float | None:
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    complaints.append(f"{key} is {str(value)[:40]!r}, must be a finite number")
    return None


def is_whole(x: Any) -> bool:
    return (isinstance(x, int) and not isinstance(x, bool)) or (isinstance(x, float) and x.is_integer())
