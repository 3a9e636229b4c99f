"""Which MQTT broker, and as whom: one description for all who connect to it."""

from __future__ import annotations

import ssl
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scenewatch.model.errors import ConfigurationError, Mistake, TemporaryError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, kw_only=True, slots=True)
class Broker:
    """How to reach and enter a broker. Secrets stay in their files and are read for each connection.

    It can be handed to other processes; `check` it once before it is used.
    """

    url: str
    """`mqtt://host:port`, or `mqtts://host:port` for TLS."""
    client_id: str = "scenewatch"
    username: str | None = None
    password_file: Path | None = None
    """White space at its end does not count."""
    ca_file: Path | None = None
    """Whom to trust with TLS; without it the system's authorities."""
    cert_file: Path | None = None
    key_file: Path | None = None

    @property
    def secure(self) -> bool:
        return urlsplit(self.url).scheme == "mqtts"

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        parts = urlsplit(self.url)
        return parts.port or DEFAULT_PORTS[parts.scheme]

    def password(self) -> str | None:
        """As it is in the file now. Raises OSError or TemporaryError, neither with anything of what is in it."""
        if self.password_file is None:
            return None
        try:
            return self.password_file.read_text("utf-8").rstrip()
        except UnicodeDecodeError:
            raise TemporaryError(f"broker.password_file {self.password_file} is not UTF-8 text") from None

    def tls_context(self) -> ssl.SSLContext | None:
        """None for a plain connection. Raises OSError when a file is missing or wrong."""
        if not self.secure:
            return None
        for path in filter(None, (self.ca_file, self.cert_file, self.key_file)):
            path.open("rb").close()  # OpenSSL does not say which file it misses
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.cert_file:
            context.load_cert_chain(self.cert_file, self.key_file)
        return context

    def check(self) -> None:
        """Raise ConfigurationError with all mistakes. Reads files, touches no network."""
        if found := list(self.mistakes()):
            raise ConfigurationError(found)

    def mistakes(self) -> Iterator[Mistake]:
        of_url, of_files = list(self._url_mistakes()), list(self._file_mistakes())
        yield from of_url
        yield from of_files
        if not of_url and not of_files:
            try:
                self.tls_context()
            except OSError as error:
                yield Mistake("broker", f"the certificates cannot be used: {error}")

    def warnings(self) -> Iterator[str]:
        """What works but should not stay so."""
        for name, path in (("password_file", self.password_file), ("key_file", self.key_file)):
            if path is not None and path.stat().st_mode & stat.S_IROTH:
                yield f"broker.{name} {path} can be read by everybody on this machine: chmod 600 {path}"

    def _url_mistakes(self) -> Iterator[Mistake]:
        try:
            parts = urlsplit(self.url)
            usable = bool(parts.hostname) and parts.port != 0
        except ValueError as error:
            yield Mistake("broker.url", str(error))
            return
        if parts.scheme in {"ws", "wss"}:
            yield Mistake("broker.url", "MQTT over websockets is not supported; use mqtt:// or mqtts://")
        elif parts.scheme not in DEFAULT_PORTS or not usable:
            yield Mistake("broker.url", "must be mqtt://HOST:PORT or mqtts://HOST:PORT")
        elif parts.username is not None or parts.path.strip("/") or parts.query:
            yield Mistake("broker.url", "must hold host and port only; username and password_file are settings")

    def _file_mistakes(self) -> Iterator[Mistake]:
        files = {"ca_file": self.ca_file, "cert_file": self.cert_file, "key_file": self.key_file}
        for name, path in {**files, "password_file": self.password_file}.items():
            if path and not path.is_file():
                yield Mistake(f"broker.{name}", f"there is no file {path}")
        if any(files.values()) and not self.url.startswith("mqtts:"):
            yield Mistake("broker.url", "must begin with mqtts:// when certificates are given")
        if self.password_file and not self.username:
            yield Mistake("broker.password_file", "needs a username")
        if self.key_file and not self.cert_file:
            yield Mistake("broker.key_file", "needs a cert_file")
