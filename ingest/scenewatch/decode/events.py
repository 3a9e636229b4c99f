"""Events and results of the native payload: what a device tells once, and what it answers to a command.

As with readings the good parts of a message are kept although others are bad, and each bad one is named. What
makes an event that one, its kind and its time, must be right; nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import msgspec

from scenewatch.decode.salvage import LARGEST, identity_of, is_whole, json_object
from scenewatch.model.scene import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_TEXT: Final = 1_000
"""Characters; it is a line on a page, not a report."""
LONGEST_MEDIA: Final = 2_000
LONGEST_DATA: Final = 8_192
"""Bytes as JSON."""
LONGEST_ID: Final = 64
LEVELS: Final = tuple(Severity)


@dataclass(frozen=True, kw_only=True, slots=True)
class EventRead:
    """What an event's payload says, without what was wrong in it."""

    kind: str
    t_ms: int
    level: Severity
    text: str
    place: tuple[float, float] | None
    media: str
    data: Mapping[str, object]
    boot: str | None
    n: int | None
    live: bool
    complaints: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultRead:
    """What a device answers."""

    command: str
    ok: bool
    text: str
    complaints: tuple[str, ...]


def read_event(payload: bytes, kinds: Sequence[str]) -> EventRead | str:
    """`kinds` are those that this type of device tells. The reason in one line if nothing can be taken."""
    body = json_object(payload)
    if isinstance(body, str):
        return body
    t: Any = body.get("t")
    kind: Any = body.get("kind")
    history = body.get("h", False)
    if not is_whole(t) or abs(t) > LARGEST:
        return "`t` must be whole milliseconds since 1970 as a number"
    if kind not in kinds:
        return f"unknown event {str(kind)[:64]!r}: this type of device tells {', '.join(kinds)}"
    if not isinstance(history, bool):
        return "`h` must be true or false"
    complaints: list[str] = []
    boot, n = identity_of(body, complaints)
    return EventRead(
        kind=kind,
        t_ms=int(t),
        level=_level(body.get("level"), complaints),
        text=_text(body.get("text"), complaints),
        place=_place(body.get("lat"), body.get("lon"), complaints),
        media=_media(body.get("media"), complaints),
        data=_data(body.get("data"), complaints),
        boot=boot,
        n=n,
        live=not history,
        complaints=tuple(complaints),
    )


def read_result(payload: bytes) -> ResultRead | str:
    """The reason in one line if it is no answer."""
    body = json_object(payload)
    if isinstance(body, str):
        return body
    command, ok = body.get("id"), body.get("ok")
    if not isinstance(command, str) or not 0 < len(command) <= LONGEST_ID or not command.isprintable():
        return f"`id` must be the command's, a text of 1 to {LONGEST_ID} characters"
    if not isinstance(ok, bool):
        return "`ok` must be true or false"
    complaints: list[str] = []
    text = _text(body.get("text"), complaints)
    return ResultRead(command=command, ok=ok, text=text, complaints=tuple(complaints))


def _level(given: Any, complaints: list[str]) -> Severity:
    if given is None:
        return Severity.INFO
    if given in LEVELS:
        return Severity(given)
    complaints.append(f"level is {str(given)[:40]!r}, must be one of {', '.join(LEVELS)}")
    return Severity.INFO


def _text(given: Any, complaints: list[str]) -> str:
    if given is None:
        return ""
    if not isinstance(given, str):
        complaints.append(f"text is {str(given)[:40]!r}, must be a text")
        return ""
    text: str = given.replace("\0", "")
    if text != given:
        complaints.append("text has a zero in it")
    if len(text) > LONGEST_TEXT:
        complaints.append(f"text is longer than {LONGEST_TEXT} characters")
    return text[:LONGEST_TEXT]


def _place(lat: Any, lon: Any, complaints: list[str]) -> tuple[float, float] | None:
    if lat is None and lon is None:
        return None
    if _within(lat, 90) and _within(lon, 180):
        return float(lat), float(lon)
    complaints.append("`lat` and `lon` must both be degrees, within 90 and 180")
    return None


def _within(given: Any, most: float) -> bool:
    return isinstance(given, (int, float)) and not isinstance(given, bool) and abs(given) <= most


def _media(given: Any, complaints: list[str]) -> str:
    """Only what a page may link to: an address by any other scheme could run something there."""
    if given is None or given == "":
        return ""
    if isinstance(given, str) and len(given) <= LONGEST_MEDIA and _is_web_address(given):
        return given
    complaints.append(f"media must be an http or https address of at most {LONGEST_MEDIA} characters")
    return ""


def _is_web_address(given: str) -> bool:
    if not given.isprintable() or " " in given or "\\" in given:
        return False
    try:
        parts = urlsplit(given)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _data(given: Any, complaints: list[str]) -> Mapping[str, object]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        complaints.append("data must be an object")
        return {}
    if len(msgspec.json.encode(given)) > LONGEST_DATA:
        complaints.append(f"data is longer than {LONGEST_DATA} bytes")
        return {}
    return given
