"""What the source must be told of its broker, checked before anything connects."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}

LONGEST_PACKET = 268_435_455
"""What the four bytes of a length can say."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MqttSettings:
    """One broker, one session on it, and what is subscribed. Secrets stay in their files."""

    url: str
    """`mqtt://host:port` or `mqtts://host:port`."""
    client_id: str
    """Names the session that the broker keeps: of two with the same name, each throws the other out."""
    filters: tuple[str, ...]
    username: str | None = None
    password_file: Path | None = None
    """Read anew for each connection; white space at its end does not count."""
    ca_file: Path | None = None
    """Without it the system's authorities are trusted."""
    cert_file: Path | None = None
    key_file: Path | None = None
    receive_maximum: int = 20_000
    """MQTT 5: most unacknowledged messages the broker may send."""
    session_expiry_s: int = 7 * 86_400
    """MQTT 5: how long the broker keeps messages for us while we are away."""
    keepalive_s: int = 30
    max_packet: int = 1 << 24
    """Longest packet taken, without its header; a longer one ends the connection."""

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
        return self.password_file.read_text("utf-8").rstrip() if self.password_file else None

    def tls_context(self) -> ssl.SSLContext | None:
        """None for a plain connection. Raises OSError when a file is missing or wrong."""
        if not self.secure:
            return None
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.cert_file:
            context.load_cert_chain(self.cert_file, self.key_file)
        return context

    def check(self) -> None:
        """Raise ConfigurationError with all mistakes. Reads files, touches no network."""
        mistakes = [*self._url_mistakes(), *self._session_mistakes(), *self._file_mistakes()]
        if mistakes:
            raise ConfigurationError(mistakes)

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

    def _session_mistakes(self) -> Iterator[Mistake]:
        if not self.client_id:
            yield Mistake("broker.client_id", "must not be empty: the broker keeps messages under this name")
        if not self.filters:
            yield Mistake("broker.filters", "must name at least one topic filter")
        for topic_filter in self.filters:
            if not _is_filter(topic_filter):
                yield Mistake("broker.filters", f"{topic_filter!r} is not a topic filter")
        if not 1 <= self.receive_maximum <= 65_535:
            yield Mistake("broker.receive_maximum", "must be between 1 and 65535")
        if not 1 <= self.max_packet <= LONGEST_PACKET:
            yield Mistake("broker.max_packet", f"must be between 1 and {LONGEST_PACKET}")
        if self.password_file and not self.username:
            yield Mistake("broker.password_file", "needs a username")

    def _file_mistakes(self) -> Iterator[Mistake]:
        found = True
        files = {"ca_file": self.ca_file, "cert_file": self.cert_file, "key_file": self.key_file}
        for name, path in {**files, "password_file": self.password_file}.items():
            if path and not path.is_file():
                found = False
                yield Mistake(f"broker.{name}", f"there is no file {path}")
        if any(files.values()) and not self.url.startswith("mqtts:"):
            yield Mistake("broker.url", "must begin with mqtts:// when certificates are given")
        if self.key_file and not self.cert_file:
            yield Mistake("broker.key_file", "needs a cert_file")
        if found:
            try:
                self.tls_context()
            except OSError as error:
                yield Mistake("broker", f"the certificates cannot be used: {error}")


def _is_filter(text: str) -> bool:
    """MQTT 3.1.1, 4.7.1: `#` only as the last level, `+` only as a whole one."""
    *before, last = text.split("/")
    levels = [*before, "" if last == "#" else last]
    return bool(text) and len(text.encode()) < 65_536 and all(x == "+" or not {"+", "#"} & set(x) for x in levels)
