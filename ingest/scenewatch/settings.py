"""Settings: one TOML file, each value also as SCENEWATCH_<SECTION>_<KEY>, flags of the command on top.

All mistakes are reported at once, each with its place. Paths are relative to the file that names them.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from scenewatch.model.broker import Broker
from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.store.influxurl import FORM as INFLUX_FORM
from scenewatch.store.influxurl import PREFIX as INFLUX
from scenewatch.store.influxurl import InfluxUrl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

ENVIRONMENT = "SCENEWATCH"


class Section(BaseModel):
    """A table of the file: unknown keys are mistakes, values do not change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BrokerSettings(Section):
    """`[broker]`"""

    url: str = "mqtt://127.0.0.1:1883"
    client_id: str = "scenewatch-worker"
    username: str | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

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

    url: str = "duckdb:data/readings.duckdb"
    token_file: Path | None = None
    ca_file: Path | None = None

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

    url: str = Field(default="sqlite:///data/scenewatch.sqlite", repr=False)
    """May hold a password, so it is never shown."""

    @field_validator("url")
    @classmethod
    def _is_a_database(cls, url: str) -> str:
        if not url.startswith(("sqlite:///", "postgresql")):
            raise ValueError("must be sqlite:///PATH or postgresql+psycopg://…")
        return url


class JournalSettings(Section):
    """`[journal]`"""

    path: Path = Path("data/journal")
    max_bytes: int = Field(default=8192 * 2**20, ge=128 * 2**20)
    """On disk, at least two segments: beyond it messages wait in memory, not acknowledged."""
    hard_max_bytes: int = 8448 * 2**20
    """`max_bytes` and what may wait in memory: beyond it the source leaves, and the broker keeps the rest."""
    keep_hours: float = Field(default=24.0, ge=0)

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        if self.hard_max_bytes <= self.max_bytes:
            raise ValueError("hard_max_bytes must be above max_bytes")
        return self


class HttpSettings(Section):
    """`[http]`"""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)


class ScenesSettings(Section):
    """`[scenes]`: which scenes are taken; empty means all that are installed."""

    use: tuple[str, ...] = ()


class Settings(Section):
    """Everything the worker can be told."""

    root: str = Field(default="sw", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    broker: BrokerSettings = BrokerSettings()
    store: StoreSettings = StoreSettings()
    database: DatabaseSettings = DatabaseSettings()
    journal: JournalSettings = JournalSettings()
    http: HttpSettings = HttpSettings()
    scenes: ScenesSettings = ScenesSettings()
    limits: dict[str, dict[str, float]] = {}
    """Operators' numbers: `[limits."<scene>.<rule>"]`."""


def load(path: Path | None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the file, then the environment on top. Raises ConfigurationError with all mistakes."""
    environment = os.environ if environment is None else environment
    values = _read(path) if path is not None else {}
    _overlay(values, environment)
    place = str(path) if path is not None else "settings"
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigurationError([_mistake(place, e) for e in error.errors()]) from None
    return _resolved(settings, path.resolve().parent if path is not None else Path.cwd())


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError([Mistake(str(path), f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise ConfigurationError([Mistake(str(path), "is not UTF-8; save it as UTF-8")]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([Mistake(str(path), f"is not TOML: {error}")]) from None


def _overlay(values: dict[str, Any], environment: Mapping[str, str]) -> None:
    """Put SCENEWATCH_ROOT and SCENEWATCH_<SECTION>_<KEY> over the file's values; the model turns the text."""
    if f"{ENVIRONMENT}_ROOT" in environment:
        values["root"] = environment[f"{ENVIRONMENT}_ROOT"]
    for section, field in Settings.model_fields.items():
        if not (isinstance(field.annotation, type) and issubclass(field.annotation, Section)):
            continue
        for key, inner in field.annotation.model_fields.items():
            name = f"{ENVIRONMENT}_{section}_{key}".upper()
            if name in environment and isinstance(values.setdefault(section, {}), dict):
                text = environment[name]
                is_list = "tuple" in str(inner.annotation)
                values[section][key] = tuple(filter(None, text.split(","))) if is_list else text


def _mistake(place: str, error: Any) -> Mistake:
    where = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return Mistake(f"{place}: {where}", "is no setting; see the README for all of them")
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
    return settings.model_copy(update=updates)
