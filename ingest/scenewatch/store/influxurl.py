"""Where an InfluxDB is, as the settings say it: `influx+http://host:8086/?org=O&bucket=B`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import parse_qsl, urlsplit

PREFIX = "influx+"
FORM = "influx+http://host:8086/?org=O&bucket=B"
LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class InfluxUrl:
    """`bucket` is the database on InfluxDB 1.8, as `database` or `database/policy`; `org` means nothing there."""

    base: str
    org: str
    bucket: str

    @classmethod
    def parse(cls, url: str) -> Self:
        """Raises ValueError with the mend. The URL itself is not told: it may carry a password."""
        try:
            parts = urlsplit(url.removeprefix(PREFIX))
            netloc, port = parts.netloc, parts.port
        except ValueError:
            raise ValueError(f"has a port or host that cannot be read: use {FORM}") from None
        options = dict(parse_qsl(parts.query))
        if not url.startswith(PREFIX) or parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            raise ValueError(f"must be {FORM}")
        if "@" in netloc:
            raise ValueError("must carry no login: put USER:PASSWORD or a token into the file of store.token_file")
        if unknown := sorted(options.keys() - {"org", "bucket"}):
            raise ValueError(f"knows org and bucket, not {unknown[0]}")
        if not options.get("bucket"):
            raise ValueError(f"names no bucket: use {FORM}")
        return cls(f"{parts.scheme}://{netloc}{parts.path.rstrip('/')}", options.get("org", "-"), options["bucket"])

    @property
    def is_local(self) -> bool:
        return urlsplit(self.base).hostname in LOCAL

    @property
    def database(self) -> str:
        return self.bucket.partition("/")[0]

    @property
    def policy(self) -> str:
        """Empty: the database's default."""
        return self.bucket.partition("/")[2]

    def beside(self, suffix: str) -> InfluxUrl:
        """The bucket whose name goes on like this. On 1.8 it is a database, with its default policy."""
        return replace(self, bucket=f"{self.database}{suffix}") if suffix else self

    def __str__(self) -> str:
        return f"{self.base}/ bucket {self.bucket}"
