"""An InfluxDB's buckets (on 1.8: databases) by the questions that 1.8 and 2.x both answer. Nothing is written."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from scenewatch.model.errors import TemporaryError

if TYPE_CHECKING:
    import httpx

    from scenewatch.doctor.web import Web

LOGIN = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
WRITABLE = (HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.BAD_REQUEST)
"""What follows when nothing is written: rights are looked at first, then that there is nothing."""
DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
MOST_NAMES = 10_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """The server does not let us: its status, and what it says."""

    status: int
    reason: str

    @property
    def is_login(self) -> bool:
        return self.status == HTTPStatus.UNAUTHORIZED

    @property
    def is_missing(self) -> bool:
        return self.status == HTTPStatus.NOT_FOUND or "not found" in self.reason


class Buckets:
    """`org` means something to 2.x alone, `policy` to 1.8: empty for its default."""

    def __init__(self, web: Web, org: str) -> None:
        self._web = web
        self._org = org
        ping = web.get("/ping")
        self.version = ping.headers.get("X-Influxdb-Version", "")
        """Empty where it is no InfluxDB."""

    @property
    def is_2(self) -> bool:
        """Also of 3, which answers alike."""
        return re.match(r"v?[23]\.", self.version) is not None

    def rejected_write(self, bucket: str) -> Refusal | None:
        """Why nothing could be written there; None where something could."""
        query = {"bucket": bucket, "org": self._org, "precision": "ms"}
        answer = self._web.ask("POST", "/api/v2/write", query, content=b"")
        return None if answer.status_code in WRITABLE else _refusal(answer)

    def measurements(self, bucket: str) -> list[str] | Refusal:
        rows = self._rows(bucket, f"SHOW MEASUREMENTS LIMIT {MOST_NAMES}")
        return rows if isinstance(rows, Refusal) else [str(row["name"]) for row in rows]

    def fields(self, bucket: str) -> dict[str, set[str]] | Refusal:
        """By measurement."""
        rows = self._rows(bucket, "SHOW FIELD KEYS")
        if isinstance(rows, Refusal):
            return rows
        found: dict[str, set[str]] = {}
        for row in rows:
            found.setdefault(row["measurement"], set()).add(row["fieldKey"])
        return found

    def devices(self, bucket: str) -> int | Refusal:
        """How many values the tag has that has the most."""
        rows = self._rows(bucket, 'SHOW TAG VALUES CARDINALITY WITH KEY = "device"')
        return rows if isinstance(rows, Refusal) else sum(int(row["count"]) for row in rows)

    def retention(self, bucket: str) -> timedelta | Refusal:
        """How long points are kept; no time at all stands for ever."""
        return self._retention_of_2(bucket) if self.is_2 else self._retention_of_1(bucket)

    def _retention_of_1(self, bucket: str) -> timedelta | Refusal:
        database, _, policy = bucket.partition("/")
        rows = self._rows(bucket, f'SHOW RETENTION POLICIES ON "{database}"')
        if isinstance(rows, Refusal):
            return rows
        for row in rows:
            if (row["name"] == policy) if policy else row["default"]:
                return _duration(row["duration"])
        return Refusal(HTTPStatus.NOT_FOUND, f"retention policy not found: {policy or 'default'}")

    def _retention_of_2(self, bucket: str) -> timedelta | Refusal:
        answer = self._web.get("/api/v2/buckets", org=self._org, name=bucket)
        if answer.status_code != HTTPStatus.OK:
            return _refusal(answer)
        for one in _json(answer).get("buckets") or ():
            if one["name"] == bucket:
                rules = one.get("retentionRules") or [{}]
                return timedelta(seconds=rules[0].get("everySeconds", 0))
        return Refusal(HTTPStatus.NOT_FOUND, "bucket not found, or the token may not see it")

    def _rows(self, bucket: str, statement: str) -> list[dict[str, Any]] | Refusal:
        """Each with its column names, and `measurement` for the series it is of."""
        database, _, policy = bucket.partition("/")
        query = {"db": database} | ({"rp": policy} if policy else {})
        answer = self._web.ask("POST", "/query", query, data={"q": statement})
        if answer.status_code != HTTPStatus.OK:
            return _refusal(answer)
        [result] = _json(answer).get("results") or [{}]
        if "error" in result:
            return Refusal(answer.status_code, str(result["error"]))
        return [
            {"measurement": series.get("name", ""), **dict(zip(series["columns"], row, strict=True))}
            for series in result.get("series") or ()
            for row in series.get("values") or ()
        ]


def _refusal(answer: httpx.Response) -> Refusal:
    body = _json(answer)
    said = body.get("error") or body.get("message") or answer.reason_phrase
    return Refusal(answer.status_code, " ".join(str(said).split())[:300])


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except json.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise TemporaryError(f"what answers at {answer.url.host} is no InfluxDB: check store.url")
    return body


def _duration(text: str) -> timedelta:
    """Of the form `72h0m0s`."""
    found = DURATION.fullmatch(text)
    if found is None:
        raise TemporaryError(f"a retention of {text!r} is not understood: check what answers at store.url")
    h, m, s = (int(part or 0) for part in found.groups())
    return timedelta(hours=h, minutes=m, seconds=s)
