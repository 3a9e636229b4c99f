"""InfluxDB: what our token may do in each bucket, whose data is there, and how long it is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from scenewatch.doctor.buckets import Buckets, Refusal
from scenewatch.doctor.dashboards import longest_spans
from scenewatch.doctor.findings import failed, ok, warning
from scenewatch.doctor.web import Web
from scenewatch.model.level import Level
from scenewatch.store.influxurl import PREFIX, InfluxUrl
from scenewatch.store.token import Token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.doctor.findings import Finding, Subject
    from scenewatch.model.scene import Scene

POINTS = {Level.MINUTE: {"pipeline", "site"}, Level.DAY: {"alarm", "event"}}
"""Measurements that are kept beside the readings' summaries."""
ENDS = {Level.READING: ("", "_flag", "_test")}
SUMMARY_ENDS = ("_min", "_max", "_mean", "_count", "_good", "_flag")
KEEP = {
    Level.READING: "readings_days",
    Level.MINUTE: "minutes_days",
    Level.HOUR: "hours_days",
    Level.DAY: "days_days",
}
"""The settings that say how long each is meant to be kept."""
BUFFERED = timedelta(days=7)
"""For so long devices may keep readings to themselves; what is older than the bucket's retention is refused."""
FOREVER = timedelta(0)
MOST_NAMED = 5
MANY_DEVICES = 80_000


def influxdb(subject: Subject) -> Iterator[Finding]:
    store = subject.settings.store
    if not store.url.startswith(PREFIX):
        return
    url = InfluxUrl.parse(store.url)
    headers = Token(store.token_file).headers()
    with Web(url.base, ca_file=store.ca_file, headers=headers) as web:
        buckets = Buckets(web, url.org)
        if not buckets.version:
            yield failed(f"what answers at {url.base} is no InfluxDB", "check store.url")
            return
        yield ok(f"InfluxDB {buckets.version} answers at {url.base}")
        if not buckets.is_2:
            yield from _room_for_devices(buckets, url.bucket)
        for level in Level:
            yield from _bucket(subject, buckets, bucket_of(url, level), level)


def _room_for_devices(buckets: Buckets, bucket: str) -> Iterator[Finding]:
    """What 1.8 refuses beyond its limit would be dead letters. Who may not ask is told by the rights."""
    devices = buckets.devices(bucket)
    if isinstance(devices, int) and devices > MANY_DEVICES:
        what = f"bucket {bucket} has {devices:,} devices, and InfluxDB 1.8 takes no more than 100,000 of one tag"
        yield warning(what, 'set max-values-per-tag = 0 and index-version = "tsi1" in its [data]')


def bucket_of(url: InfluxUrl, level: Level) -> str:
    """The readings' policy, where one is named, is theirs alone."""
    return url.bucket if level is Level.READING else f"{url.database}{level.suffix}"


def _bucket(subject: Subject, buckets: Buckets, bucket: str, level: Level) -> Iterator[Finding]:
    found = [*_rights(buckets, bucket)]
    yield from found
    if found:
        return
    yield ok(f"bucket {bucket}: the token may read and write")
    yield from _strangers(subject.scenes, buckets, bucket, level)
    yield from _retention(subject, buckets, bucket, level)


def _rights(buckets: Buckets, bucket: str) -> Iterator[Finding]:
    """What is missing of them."""
    write, read = buckets.rejected_write(bucket), buckets.measurements(bucket)
    refusals = [one for one in (write, read) if isinstance(one, Refusal)]
    if not refusals:
        return
    reason = refusals[0].reason
    if any(one.is_login for one in refusals):
        mend = "put a token of this server, for 1.8 USER:PASSWORD, into the file of store.token_file"
        yield failed(f"bucket {bucket}: the server does not know our token ({reason})", mend)
    elif any(one.is_missing for one in refusals):
        yield failed(f"bucket {bucket} is not there ({reason})", "make it, and let the token read and write it")
    else:
        rights = " or ".join(name for name, one in (("write", write), ("read", read)) if isinstance(one, Refusal))
        mend = "give it the right to read and to write this bucket; on 1.8 GRANT ALL on the database"
        yield failed(f"bucket {bucket}: the token may not {rights} ({reason})", mend)


def _strangers(scenes: tuple[Scene, ...], buckets: Buckets, bucket: str, level: Level) -> Iterator[Finding]:
    found = buckets.fields(bucket)
    if isinstance(found, Refusal):
        yield failed(f"bucket {bucket}: cannot be asked for its fields ({found.reason})", "see the server's log")
        return
    ours = _fields(scenes, level)
    others = sorted(set(found) - set(ours) - POINTS.get(level, set()))
    strange = sorted(f"{name}.{key}" for name, keys in found.items() if name in ours for key in keys - ours[name])
    for kind, names in (("measurements", others), ("fields", strange)):
        if names:
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            what = f"bucket {bucket} holds {kind} that no scene has: {', '.join(names[:MOST_NAMED])}{more}"
            yield warning(what, "give Scenewatch a bucket of its own; what is there is left as it is")


def _fields(scenes: tuple[Scene, ...], level: Level) -> dict[str, set[str]]:
    ends = ENDS.get(level, SUMMARY_ENDS)
    ours: dict[str, set[str]] = {}
    for device_type in (one for scene in scenes for one in scene.device_types):
        keys = {f"{channel.key}{end}" for channel in device_type.channels for end in ends}
        ours.setdefault(device_type.key, set()).update(keys)
    return ours


def _retention(subject: Subject, buckets: Buckets, bucket: str, level: Level) -> Iterator[Finding]:
    kept = buckets.retention(bucket)
    if isinstance(kept, Refusal):
        mend = "look at it yourself, or let the token see the bucket"
        yield warning(f"bucket {bucket}: its retention cannot be seen ({kept.reason})", mend)
        return
    found = [] if kept == FOREVER else [*_too_short(subject, bucket, level, kept)]
    told = timedelta(days=getattr(subject.settings.keep, KEEP[level]))
    if told not in (FOREVER, kept):
        what = f"bucket {bucket} keeps {_days(kept)}, but keep.{KEEP[level]} says {_days(told)}"
        found.append(warning(what, "make the two alike: InfluxDB goes by its own"))
    yield from found or [ok(f"bucket {bucket} keeps {_days(kept)}")]


def _too_short(subject: Subject, bucket: str, level: Level, kept: timedelta) -> Iterator[Finding]:
    if level is Level.READING and kept < BUFFERED:
        what = f"bucket {bucket} keeps {_days(kept)}: what devices buffered for longer is refused"
        yield warning(what, f"keep at least {_days(BUFFERED)}, or what your devices buffer")
    span, title = longest_spans(subject).get(level, (FOREVER, ""))
    if kept < span:
        what = f"bucket {bucket} keeps {_days(kept)}, but the dashboard {title!r} shows {_days(span)}"
        yield warning(what, "lengthen its retention, or show less")


def _days(span: timedelta) -> str:
    if span == FOREVER:
        return "for ever"
    return f"{span.days} days" if span.days > 1 else f"{span.total_seconds() / 3600:g} hours"
