"""The folder that Grafana mounts: whole, of one piece, and asking sources that there are."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from scenewatch.doctor.findings import failed, ok
from scenewatch.model.errors import RefusedError
from scenewatch.model.level import Level

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scenewatch.doctor.findings import Finding, Subject

SOURCES = {
    "sw-raw": Level.READING,
    "sw-minute": Level.MINUTE,
    "sw-hour": Level.HOUR,
    "sw-day": Level.DAY,
}
"""The data sources' uids, and what each holds."""
BUILT_IN = ("-- Grafana --", "grafana", "-- Dashboard --", "-- Mixed --")
GENERATED = "grafana"
SPAN = re.compile(r"now-(\d+)([mhdwMy])(?:/\w)?")
UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(days=7),
    "M": timedelta(days=31),
    "y": timedelta(days=366),
}
BUILD = "make them anew: python dashboards/build.py"


def dashboards(subject: Subject) -> Iterator[Finding]:
    if subject.dashboards is None:
        return
    files = files_of(subject.dashboards)
    if not files:
        yield failed(f"{subject.dashboards} holds no dashboards", BUILD)
        return
    whole: dict[Path, dict[str, Any]] = {}
    for path in files:
        try:
            whole[path] = _read(path)
        except RefusedError as error:
            yield failed(str(error), BUILD)
    found = [*_uids(whole), *_sources(whole)]
    yield from found
    if not found and len(whole) == len(files):
        yield ok(f"{len(files)} dashboards are whole, and ask sources that there are")


def files_of(folder: Path) -> list[Path]:
    """Of the folder itself, or of the one in it that holds what is generated."""
    inner = folder / GENERATED
    return sorted((inner if inner.is_dir() else folder).glob("*.json"))


def longest_spans(subject: Subject) -> dict[Level, tuple[timedelta, str]]:
    """What the dashboards show when they are opened, by the level they ask: the longest, and whose it is."""
    longest: dict[Level, tuple[timedelta, str]] = {}
    for path in files_of(subject.dashboards) if subject.dashboards is not None else ():
        try:
            board = _read(path)
        except RefusedError:
            continue  # told by the check of the dashboards
        span = _span(board)
        for level in {SOURCES[uid] for uid in _uids_asked(board) if uid in SOURCES}:
            if span > longest.get(level, (timedelta(0), ""))[0]:
                longest[level] = span, str(board.get("title", path.name))
    return longest


def _read(path: Path) -> dict[str, Any]:
    try:
        board = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RefusedError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise RefusedError(f"{path} is not JSON ({error})") from None
    if not isinstance(board, dict):
        raise RefusedError(f"{path} is no dashboard")
    return board


def _span(board: dict[str, Any]) -> timedelta:
    found = SPAN.fullmatch(str(board.get("time", {}).get("from", "")))
    return int(found[1]) * UNITS[found[2]] if found else timedelta(0)


def _uids(whole: dict[Path, dict[str, Any]]) -> Iterator[Finding]:
    uids = Counter(str(board.get("uid", "")) for board in whole.values())
    for path, board in whole.items():
        uid = str(board.get("uid", ""))
        if not uid:
            yield failed(f"{path} has no uid: links to it lead nowhere", BUILD)
        elif uids[uid] > 1:
            yield failed(f"{path} has the uid {uid} that another has too: Grafana takes one of them", BUILD)


def _sources(whole: dict[Path, dict[str, Any]]) -> Iterator[Finding]:
    for path, board in whole.items():
        strange = {uid for uid in _uids_asked(board) if uid not in SOURCES and not uid.startswith("$")}
        if strange := strange - set(BUILT_IN):
            what = f"{path} asks the data source {', '.join(sorted(strange))}, which is not provisioned"
            yield failed(what, BUILD)


def _uids_asked(part: Any) -> set[str]:
    """All data sources in any depth; a variable's own value is the one that it begins with."""
    if isinstance(part, list):
        return {uid for one in part for uid in _uids_asked(one)}
    if not isinstance(part, dict):
        return set()
    found = {uid for one in part.values() for uid in _uids_asked(one)}
    source = part.get("datasource")
    if isinstance(source, dict) and isinstance(source.get("uid"), str):
        found.add(source["uid"])
    if part.get("type") == "datasource" and isinstance(part.get("current"), dict):
        found.add(str(part["current"].get("value", "")))
    return found - {""}
