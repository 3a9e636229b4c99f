"""Settings: one TOML file, each value also as SCENEWATCH_<SECTION>_<KEY>, flags of the command on top.

All mistakes are reported at once, each with its place. Paths are relative to the file that names them.
"""

from __future__ import annotations

import os
import tomllib
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from scenewatch.model.broker import Broker
from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.store.influxurl import FORM as INFLUX_FORM
from scenewatch.store.influxurl import PREFIX as INFLUX
from scenewatch.store.influxurl import InfluxUrl

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

ENVIRONMENT = "SCENEWATCH"
LISTED = {("scenes", "use"), ("http", "names")}
MOST_DAYS = 36_500
SEE = "scenewatch settings sample prints all of them"
LIMITS_TABLE = '[limits."<scene>.<rule>"]'


class Section(BaseModel):
    """A table of the file: unknown keys are mistakes, values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _setting(default: Any, about: str, *, example: str | None = None, **bounds: Any) -> Any:
    """`about` is shown in the sample file and the reference; the `example` where there is no default."""
    return Field(default=default, description=about, examples=[example], **bounds)


class BrokerSettings(Section):
    """`[broker]`"""

    url: str = _setting("mqtt://127.0.0.1:1883", "`mqtt://host:1883`, or `mqtts://host:8883` for TLS.")
    client_id: str = _setting("scenewatch-worker", "The broker keeps the session under this name: one a worker.")
    username: str | None = _setting(None, "Login at the broker.", example="scenewatch")
    password_file: Path | None = _setting(
        None, "File whose text is the password.", example="secrets/broker.password"
    )
    ca_file: Path | None = _setting(
        None, "Certificates to trust with `mqtts`; else the system's.", example="secrets/ca.pem"
    )
    cert_file: Path | None = _setting(None, "The worker's own certificate.", example="secrets/worker.pem")
    key_file: Path | None = _setting(None, "The key of that certificate.", example="secrets/worker.key")

    @field_validator("url")
    @classmethod
    def _is_a_broker(cls, url: str) -> str:
        try:
            Broker(url=url).check()
        except ConfigurationError as error:
            raise ValueError(error.mistakes[0].what) from None
        return url


class StoreSettings(Section):
    """`[store]`"""

    url: str = _setting(
        "duckdb:data/readings.duckdb",
        "Where readings are kept: `duckdb:PATH`, or `influx+http://host:8086/?org=O&bucket=B`.",
    )
    token_file: Path | None = _setting(
        None,
        "File whose one line is InfluxDB's token; for 1.8 `user:password`. Read again if refused.",
        example="secrets/influx.token",
    )
    ca_file: Path | None = _setting(
        None, "Certificates to trust with `influx+https`; else the system's.", example="secrets/ca.pem"
    )
    memory_readings: int = _setting(
        2_000_000,
        "Readings held in memory while the store is behind, about 50 bytes each; the rest waits in files.",
        ge=0,
    )
    batch_readings: int = _setting(
        100_000, "Readings written at once, at most, by a store that is behind.", ge=1000, le=2_000_000
    )

    @field_validator("url")
    @classmethod
    def _is_a_store(cls, url: str) -> str:
        if url.startswith(INFLUX):
            InfluxUrl.parse(url)
        elif not url.removeprefix("duckdb:") or not url.startswith("duckdb:"):
            raise ValueError(f"must be duckdb:PATH or {INFLUX_FORM}")
        return url


class DatabaseSettings(Section):
    """`[database]`"""

    url: str = _setting(
        "sqlite:///data/scenewatch.sqlite",
        "Where inventory, alarms and dead letters are kept: `sqlite:///PATH` or `postgresql+psycopg://…`, which "
        "needs the Python package psycopg.",
        repr=False,
    )
    """May hold a password, so it is never shown."""

    @field_validator("url")
    @classmethod
    def _is_a_database(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql")):
            raise ValueError("must be sqlite:///PATH or postgresql+psycopg://…")
        return url


class JournalSettings(Section):
    """`[journal]`"""

    path: Path = _setting(Path("data/journal"), "Folder of the journal; its state and outbox lie beside it.")
    max_bytes: int = _setting(
        8192 * 2**20,
        "Bytes on disk; beyond them messages wait in memory, not acknowledged.",
        ge=128 * 2**20,  # two segments
    )
    hard_max_bytes: int = _setting(
        8448 * 2**20, "Bytes with what waits; beyond them the worker leaves and the broker keeps the rest."
    )
    keep_hours: float = _setting(
        24.0, "How many hours received messages are kept, once everything is past them, to be replayed.", ge=0
    )
    sync_ms: int = _setting(
        20,
        "Milliseconds that messages gather for one write to disk: more spares the disk, and delays every alarm.",
        ge=1,
        le=1000,
    )

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        if self.hard_max_bytes <= self.max_bytes:
            raise ValueError("hard_max_bytes must be above max_bytes")
        return self


class KeepSettings(Section):
    """`[keep]`"""

    readings_days: int = _setting(
        0, "Days that single readings are kept; 0, here and below, is for ever.", ge=0, le=MOST_DAYS
    )
    minutes_days: int = _setting(0, "Days that the summaries of minutes are kept.", ge=0, le=MOST_DAYS)
    hours_days: int = _setting(
        0, "Days that the summaries of hours are kept, at least 2: a day is made of them.", ge=0, le=MOST_DAYS
    )
    days_days: int = _setting(0, "Days that the summaries of days, alarms and events are kept.", ge=0, le=MOST_DAYS)
    utc_offset_minutes: int = _setting(
        480, "Minutes that local time is ahead of UTC: days begin at its midnight.", ge=-12 * 60, le=14 * 60
    )

    @model_validator(mode="after")
    def _coarser_is_kept_longer(self) -> Self:
        names = ("readings_days", "minutes_days", "hours_days", "days_days")
        for finer, coarser in pairwise(names):
            fine, coarse = getattr(self, finer), getattr(self, coarser)
            if coarse and (not fine or fine > coarse):
                told = f"{finer} = {fine}" if fine else f"{finer} = 0, which is for ever"
                raise ValueError(f"{coarser} = {coarse} is less than {told}: what is coarser must be kept longer")
        if self.hours_days == 1:
            raise ValueError(
                "hours_days = 1 is too few: a day is made of its hours when it is over, keep them 2 days"
            )
        return self


class HttpSettings(Section):
    """`[http]`"""

    host: str = _setting("127.0.0.1", "Address the API listens on.")
    port: int = _setting(8080, "Port the API listens on.", ge=0, le=65535)
    names: tuple[str, ...] = _setting(
        (), "Host names that requests may call it by; empty: on loopback the machine's own, elsewhere any."
    )
    operators_file: Path | None = _setting(
        None,
        "Who may acknowledge, command and adopt: a line `NAME TOKEN` each, mode 600. Read again at SIGHUP.",
        example="secrets/operators",
    )


class ScenesSettings(Section):
    """`[scenes]`"""

    use: tuple[str, ...] = _setting(
        (), "Which scenes are taken, in the environment separated by commas; empty: all there are."
    )


class Settings(Section):
    """Everything the worker can be told."""

    root: str = _setting("sw", "First level of all MQTT topics.", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    broker: BrokerSettings = _setting(BrokerSettings(), "The MQTT broker that devices publish to.")
    store: StoreSettings = _setting(StoreSettings(), "The store of readings.")
    database: DatabaseSettings = _setting(DatabaseSettings(), "The database of all that is not a reading.")
    journal: JournalSettings = _setting(JournalSettings(), "What was received, on disk before it is acknowledged.")
    keep: KeepSettings = _setting(
        KeepSettings(),
        "For how long the record is kept, level by level. DuckDB's worker deletes what is older once an hour, "
        "InfluxDB does so itself by the retention of its buckets.",
    )
    http: HttpSettings = _setting(HttpSettings(), "The worker's API.")
    scenes: ScenesSettings = _setting(ScenesSettings(), "The scenes that are watched.")
    limits: dict[str, dict[str, float]] = {}
    """Operators' numbers: `[limits."<scene>.<rule>"]`."""


def load(path: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the file, then the environment on top. Raises ConfigurationError with all mistakes."""
    environment = os.environ if environment is None else environment
    values = _read(path) if path is not None else {}
    given = _overlay(values, environment)
    place = str(path) if path is not None else "settings"
    found = _strangers(environment)
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        found = [_mistake(given.get(e["loc"], place), e) for e in error.errors()] + found
    if found:
        raise ConfigurationError(found)
    return _resolved(settings, path.resolve().parent if path is not None else Path.cwd())


def load_limits(path: Path) -> dict[str, dict[str, object]]:
    """The limits of a file that may hold nothing else, or be a whole settings file. Raises ConfigurationError.

    What the numbers are is not looked at.
    """
    limits = _read(path).get("limits")
    if limits is None:
        raise ConfigurationError([Mistake(str(path), f"holds no limits: {LIMITS_TABLE}")])
    if not isinstance(limits, dict):
        raise ConfigurationError([Mistake(f"{path}: limits", f"must be tables: {LIMITS_TABLE}")])
    if found := [rule for rule, numbers in limits.items() if not isinstance(numbers, dict)]:
        raise ConfigurationError(
            [Mistake(f'{path}: limits."{r}"', f"must be a table: {LIMITS_TABLE}") for r in found]
        )
    return limits


def other_store(settings: Settings, url: str, token_file: Path | None) -> StoreSettings:
    """A store beside that of the settings, with paths relative to here. Raises ConfigurationError for the same."""
    try:
        store = StoreSettings(url=url, token_file=token_file or settings.store.token_file)
    except ValidationError as error:
        raise ConfigurationError([Mistake("--into", _mistake("", e).what) for e in error.errors()]) from None
    if _store_identity(store.url) == _store_identity(settings.store.url):
        raise ConfigurationError([Mistake("--into", f"{url} is the worker's own store; give another")])
    return store


def _store_identity(url: str) -> object:
    """Equal for one store, as far as its URL tells."""
    if url.startswith(INFLUX):
        influx = InfluxUrl.parse(url)
        return urlsplit(influx.base).port, influx.is_local or influx.base, influx.bucket
    return Path(url.removeprefix("duckdb:")).resolve()


def differences(before: Settings, after: Settings) -> list[str]:
    """Names of the settings that differ, limits apart."""
    return [name for name, value in _flat(before) if value != dict(_flat(after))[name]]


def _flat(settings: Settings) -> Iterator[tuple[str, object]]:
    for name, value in settings:
        if isinstance(value, Section):
            yield from ((f"{name}.{key}", inner) for key, inner in value)
        elif name != "limits":
            yield name, value


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError([Mistake(str(path), f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise ConfigurationError([Mistake(str(path), "is not UTF-8; save it as UTF-8")]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([Mistake(str(path), f"is not TOML: {error}")]) from None


def variables() -> dict[str, tuple[str, ...]]:
    """Where each variable of the environment has its value's place: SCENEWATCH_ROOT, SCENEWATCH_<SECTION>_<KEY>."""
    places: list[tuple[str, ...]] = [("root",)]
    for section, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            places += [(section, key) for key in field.annotation.model_fields]
    return {"_".join((ENVIRONMENT, *place)).upper(): place for place in places}


def _overlay(values: dict[str, Any], environment: Mapping[str, str]) -> dict[tuple[int | str, ...], str]:
    """Put the environment over the file's values; the model turns the text. Returns which variable gave which."""
    given: dict[tuple[int | str, ...], str] = {}
    for name, place in variables().items():
        *section, key = place
        table = values.setdefault(section[0], {}) if section else values
        if name in environment and isinstance(table, dict):
            text = environment[name]
            table[key] = tuple(filter(None, text.split(","))) if place in LISTED else text
            given[place] = name
    return given


def _strangers(environment: Mapping[str, str]) -> list[Mistake]:
    """Variables that look like ours and are none: a mistyped one would be a setting that is silently not taken."""
    prefix = f"{ENVIRONMENT}_"
    known = [name.removeprefix(prefix) for name in variables()]
    found = []
    for name in sorted(environment.keys() - variables().keys()):
        if name.startswith(prefix):
            near = get_close_matches(name.removeprefix(prefix), known, n=1, cutoff=0.7)
            found.append(Mistake(name, f"is no setting; {f'is {prefix}{near[0]} meant?' if near else SEE}"))
    return found


def _mistake(place: str, error: Any) -> Mistake:
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return Mistake(f"{place}: {where}", f"is no setting; {SEE}")
    what = error["msg"].removeprefix("Value error, ")
    return Mistake(f"{place}: {where}", f"{what[0].lower()}{what[1:]}")


def _resolved(settings: Settings, base: Path) -> Settings:
    broker = {
        name: base / value
        for name in ("password_file", "ca_file", "cert_file", "key_file")
        if (value := getattr(settings.broker, name)) is not None
    }
    updates: dict[str, Any] = {
        "broker": settings.broker.model_copy(update=broker),
        "journal": settings.journal.model_copy(update={"path": base / settings.journal.path}),
    }
    for name, prefix in (("store", "duckdb:"), ("database", "sqlite:///")):
        section = getattr(settings, name)
        if section.url.startswith(prefix):
            url = prefix + str(base / section.url.removeprefix(prefix))
            updates[name] = section.model_copy(update={"url": url})
    store = {
        name: base / value
        for name in ("token_file", "ca_file")
        if (value := getattr(settings.store, name)) is not None
    }
    updates["store"] = updates.get("store", settings.store).model_copy(update=store)
    if (operators := settings.http.operators_file) is not None:
        updates["http"] = settings.http.model_copy(update={"operators_file": base / operators})
    return settings.model_copy(update=updates)
