"""Which MQTT broker, and as whom: one description for all who connect to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_PORT = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker listens, over TLS or in the clear."""

    host: str
    port: int
    tls: bool

    @classmethod
    def parse(cls, url: str) -> Address:
        """From `mqtt://host[:port]` or `mqtts://host[:port]`; ConfigurationError on anything else."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise _mistake(f"{url!r} is no URL: {error}") from error
        if parts.scheme not in DEFAULT_PORT or not parts.hostname or port == 0:
            raise _mistake(f"{url!r} must be mqtt://host:port, or mqtts://host:port for TLS")
        if parts.username is not None or parts.password is not None:
            raise _mistake("a login does not belong into the URL: give username and password_file")
        if parts.path not in {"", "/"} or parts.query or parts.fragment:
            raise _mistake(f"{url!r} must end behind the port")
        return cls(parts.hostname, port or DEFAULT_PORT[parts.scheme], parts.scheme == "mqtts")


@dataclass(frozen=True, kw_only=True, slots=True)
class Broker:
    """How to reach and enter the broker. Secrets are named by their file and read when they are needed."""

    url: str
    client_id: str = "scenewatch"
    username: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    """Whom to trust with TLS; None for the system's own."""
    cert_file: Path | None = None
    key_file: Path | None = None

    def address(self) -> Address:
        return Address.parse(self.url)

    def password(self) -> str | None:
        """None where there is no file. Raises ConfigurationError if it cannot be read."""
        if self.password_file is None:
            return None
        try:
            return self.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            place = "broker.password_file"
            raise ConfigurationError([Mistake(place, f"cannot read {self.password_file}: {error}")]) from error


def _mistake(what: str) -> ConfigurationError:
    return ConfigurationError([Mistake("broker.url", what)])
