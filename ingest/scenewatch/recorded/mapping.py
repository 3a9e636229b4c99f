"""The map: a TOML file that says what the columns of recorded files are, and, for data of no scene, what is judged.

All its mistakes are told at once, each with its table entry.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path  # noqa: TC003 - pydantic reads the annotations
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError, model_validator

from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.model.quantity import Quantity  # noqa: TC001 - pydantic reads the annotations
from scenewatch.model.rule import Priority
from scenewatch.model.words import Duration, Text

SPAN = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|s|min|h|d)\s*\Z")
UNITS_MS = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
KEY = r"^[a-z][a-z0-9_]*$"


def span_of(text: object) -> object:
    """A span of time in words, such as `90 s`, `30 min`, `12 h` or `7 d`."""
    found = SPAN.match(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f"must be a span of time such as '30 min' or '12 h', not {text!r}")
    return Duration(round(float(found[1]) * UNITS_MS[found[2]]))


def title_of(text: object) -> object:
    """One text for both languages, or one for each."""
    if isinstance(text, str):
        return Text(text, text)
    if isinstance(text, dict) and set(text) == {"en", "zh"}:
        return Text(str(text["en"]), str(text["zh"]))
    raise ValueError("must be a text, or { en = …, zh = … }")


TimeSpan = Annotated[int, BeforeValidator(span_of)]
Title = Annotated[Text, PlainValidator(title_of)]


class Entry(BaseModel):
    """A table of the map: an unknown key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, arbitrary_types_allowed=True)


class FileEntry(Entry):
    """`[file]`: how the files are written."""

    delimiter: str = Field("", max_length=1)
    """Seen from the head where it is left out."""
    skip_lines: int = Field(0, ge=0, le=1000)
    """Lines before the head."""
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    missing: tuple[str, ...] = ()
    """What stands where nothing was measured, beside empty cells and the usual words."""

    @model_validator(mode="after")
    def _signs_differ(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError("decimal and thousands must be different signs")
        return self


class TimeEntry(Entry):
    """`[time]`: one column or several, joined with a blank."""

    column: str = ""
    columns: tuple[str, ...] = ()
    format: str = ""
    """`iso`, `epoch_s`, `epoch_ms`, or as `%d.%m.%Y %H:%M`; seen from the data where that leaves no doubt."""
    zone: str = ""
    """Of times without an offset of their own: a name such as Asia/Shanghai, or an offset such as +08:00."""

    @property
    def names(self) -> tuple[str, ...]:
        return self.columns or (self.column,)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.column) == bool(self.columns):
            raise ValueError("needs either column = …, or columns = [ … ]")
        return self


class DeviceEntry(Entry):
    """`[device]`: whose readings they are; without it each file is a device, called as the file."""

    column: str = ""
    id: str = ""
    site: str = ""
    site_column: str = ""
    type: str = ""
    """A device type of the scene; seen from the channels where only one has them."""
    every: TimeSpan | None = None
    """The reporting interval, of data of no scene; measured where it is left out."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.column and self.id:
            raise ValueError("needs either column = …, or id = …: not both")
        return self


class NamedDeviceEntry(Entry):
    """`[devices."what the file calls it"]`: what one device is."""

    id: str = ""
    site: str = ""
    type: str = ""
    title: Title | None = None


class LongEntry(Entry):
    """`[long]`: files with one reading a row."""

    channel: str
    value: str
    unit: str = ""


class ChannelEntry(Entry):
    """`[[channel]]`. What follows `unit` is for data of no scene alone: a scene knows it of its channels."""

    key: str = Field(pattern=KEY)
    column: str = ""
    """The head of its column, or in long files its name there; its key without."""
    unit: str | None = None
    title: Title | None = None
    quantity: Quantity | None = None
    possible: tuple[float, float] | None = None
    expected: tuple[float, float] | None = None
    fastest_per_minute: float | None = None
    stuck_after: TimeSpan | None = None
    derived: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        return self.column or self.key


class SuppressionEntry(Entry):
    """One of a rule's `suppressed_by`: a comparison on a channel, or another rule's alarm."""

    channel: str = ""
    above: float | None = None
    below: float | None = None
    rule: str = ""
    after: TimeSpan = 0

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if bool(self.channel) == bool(self.rule):
            raise ValueError("needs either channel = … with above or below, or rule = …")
        if self.channel and (self.above is None) == (self.below is None):
            raise ValueError("needs either above = …, or below = …")
        return self


Kind = Literal["above", "below", "outside", "deviation", "rate", "time_to_breach", "no_data", "stuck", "all", "any"]
NEEDS: dict[str, tuple[str, ...]] = {
    "above": ("on", "limit"),
    "below": ("on", "limit"),
    "outside": ("on", "low", "high"),
    "deviation": ("on",),
    "rate": ("on", "limit", "over"),
    "time_to_breach": ("on", "limit", "over", "within"),
    "no_data": ("on", "after"),
    "stuck": ("on", "after"),
    "all": ("terms",),
    "any": ("terms",),
}
TAKES: dict[str, tuple[str, ...]] = {
    "above": ("deadband",),
    "below": ("deadband",),
    "outside": ("deadband",),
    "deviation": ("limit", "low", "high", "deadband"),
    "rate": ("every", "falling", "deadband"),
    "time_to_breach": ("every", "falling", "deadband"),
}
OWN = ("limit", "low", "high", "deadband", "over", "every", "within", "after", "falling", "terms")
"""Numbers that belong to some kinds alone."""


class TermEntry(Entry):
    """A comparison within a combination."""

    channel: str
    above: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("needs either above = …, or below = …")
        return self


class RuleEntry(Entry):
    """`[[rule]]`"""

    key: str = Field(pattern=KEY)
    kind: Kind
    on: str = ""
    """A channel's key."""
    limit: float | None = None
    low: float | None = None
    high: float | None = None
    deadband: float | None = None
    over: TimeSpan | None = None
    every: TimeSpan | None = None
    within: TimeSpan | None = None
    after: TimeSpan | None = None
    falling: bool | None = None
    terms: tuple[TermEntry, ...] | None = None
    on_delay: TimeSpan = 0
    off_delay: TimeSpan = 0
    priority: Priority = Priority.MEDIUM
    suppressed_by: tuple[SuppressionEntry, ...] = ()
    title: Title | None = None
    advice: Title | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        given = {name for name in OWN if getattr(self, name) is not None} | ({"on"} if self.on else set())
        needs = NEEDS[self.kind]
        if missing := [name for name in needs if name not in given]:
            raise ValueError(f"a rule of kind {self.kind} needs {', '.join(missing)}")
        if too_many := sorted(given - set(needs) - set(TAKES.get(self.kind, ())) - {"on"}):
            raise ValueError(f"a rule of kind {self.kind} has no {', '.join(too_many)}")
        return self


class Mapping(Entry):
    """A whole map."""

    file: FileEntry = Field(default_factory=lambda: FileEntry.model_validate({}))
    time: TimeEntry | None = None
    device: DeviceEntry = Field(default_factory=lambda: DeviceEntry.model_validate({}))
    devices: dict[str, NamedDeviceEntry] = Field(default_factory=dict)
    long: LongEntry | None = None
    channel: tuple[ChannelEntry, ...] = ()
    rule: tuple[RuleEntry, ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        for what, keys in (("channel", self.channel), ("rule", self.rule)):
            twice = sorted({e.key for e in keys if sum(o.key == e.key for o in keys) > 1})
            if twice:
                raise ValueError(f"{what} {', '.join(twice)} occurs more than once")
        return self

    @property
    def measured(self) -> tuple[ChannelEntry, ...]:
        return tuple(entry for entry in self.channel if entry.derived is None)


def load_map(path: Path) -> Mapping:
    """Raises ConfigurationError with every mistake."""
    try:
        body = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise ConfigurationError([Mistake(str(path), f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([Mistake(str(path), "is not UTF-8, as TOML must be")]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([Mistake(str(path), f"is not TOML: {error}")]) from error
    try:
        return Mapping.model_validate(body)
    except ValidationError as error:
        raise ConfigurationError([_mistake(path, body, e) for e in error.errors()]) from None


def _mistake(path: Path, body: dict[str, Any], error: Any) -> Mistake:
    """An entry of a list is called by its key, as people call it."""
    words: list[str] = []
    inner: Any = body
    for part in error["loc"]:
        inner = inner[part] if _has(inner, part) else None
        called = inner.get("key") if isinstance(part, int) and isinstance(inner, dict) else None
        words.append(str(called or part))
    what = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        what = "is no entry of a map; docs/backtest.md has all of them"
    place = f"{path}: {'.'.join(words)}" if words else str(path)
    return Mistake(place, f"{what[0].lower()}{what[1:]}")


def _has(inner: Any, part: object) -> bool:
    if isinstance(inner, dict):
        return part in inner
    return isinstance(inner, list) and isinstance(part, int) and part < len(inner)
