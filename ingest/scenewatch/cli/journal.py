"""`journal`: what was received, from the journal's own files; a worker need not run, and may."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from scenewatch.cli.replay import add_replay
from scenewatch.cli.words import FOUND, WELL, add, add_bounds, add_config, add_json, complain, group, position
from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from scenewatch.cli.words import Subparsers
    from scenewatch.journal.look import Contents, Look, Range
    from scenewatch.model.ports import Record


def add_commands(commands: Subparsers) -> None:
    text = "what was received, as it lies on disk"
    parts = group(commands, "journal", text, "scenewatch journal list --config scenewatch.toml")
    text = "read all segments through: positions, records, bytes, time span, damage; status 1 if there is damage"
    p = add(parts, "list", _list, text, "scenewatch journal list --config scenewatch.toml")
    add_config(p)
    add_json(p)
    text = "one message: the payload on standard output as it is, details on standard error"
    p = add(parts, "show", _show, text, "scenewatch journal show 1042 --config scenewatch.toml")
    p.add_argument("position", type=position, metavar="POSITION", help="its position in the journal")
    add_config(p)
    add_json(p)
    text = "write messages as JSON lines; status 1 if damage is among them"
    example = "scenewatch journal export --from 2026-11-22T08:00Z --out morning.jsonl --config scenewatch.toml"
    p = add(parts, "export", _export, text, example)
    add_bounds(p)
    p.add_argument("--out", type=Path, metavar="FILE", help="the file to write; standard output without")
    add_config(p)
    add_replay(parts)


def _look(options: argparse.Namespace) -> Look:
    from scenewatch.journal.look import Look
    from scenewatch.settings import load

    return Look(load(options.config).journal.path)


# --- list --------------------------------------------------------------------------------------------------


def _list(options: argparse.Namespace) -> int:
    from scenewatch.cli.show import put_json, table

    found = list(_look(options).contents())
    if options.json is not None:
        put_json({"segments": [_segment(c) for c in found]}, options.json)
    else:
        table(("first", "end", "records", "bytes", "from", "to", "damage"), map(_row, found))
    return FOUND if any(c.damaged for c in found) else WELL


def _segment(contents: Contents) -> dict[str, object]:
    return {
        "file": str(contents.path),
        "first": contents.first,
        "end": contents.end,
        "records": contents.records,
        "bytes": contents.bytes,
        "oldest_at": contents.oldest_ms,
        "newest_at": contents.newest_ms,
        "damage": [{"offset": d.offset, "first": d.first, "end": d.end} for d in contents.damaged],
    }


def _row(contents: Contents) -> tuple[str, ...]:
    from scenewatch.cli.show import iso

    numbers = (contents.first, contents.end, contents.records, contents.bytes)
    times_ms = (contents.oldest_ms, contents.newest_ms)
    damage = ", ".join(f"{d.first} to {d.end - 1} lost at byte {d.offset}" for d in contents.damaged)
    return (*map(str, numbers), *("" if ms is None else iso(ms) for ms in times_ms), damage)


# --- show --------------------------------------------------------------------------------------------------


def _show(options: argparse.Namespace) -> int:
    from scenewatch.cli.show import iso, message, printable, put_bytes, put_details, put_json

    record = _look(options).record(options.position)
    topic, payload = _message_at(record, options.position)
    if options.json is not None:
        whole = message(options.position, record.received_ms, topic, payload)
        put_json(whole | {"kind": record.kind.name.lower()}, options.json)
        return WELL
    put_details(
        position=options.position,
        received=iso(record.received_ms),
        kind=record.kind.name.lower(),
        topic=printable(topic),
        bytes=len(payload),
    )
    put_bytes(payload)
    return WELL


def _message_at(record: Record, at: int) -> tuple[bytes, bytes]:
    """Topic and payload; a control record has no topic, and its body is told."""
    if record.messages is None:
        return b"", record.body
    i = at - record.first
    return record.messages.topic(i), record.messages.payload(i)


# --- export ------------------------------------------------------------------------------------------------


def _export(options: argparse.Namespace) -> int:
    wanted = _range(options.since, options.until)
    look = _look(options)
    damaged: list[str] = []
    n = 0
    with _sink(options.out) as sink:
        for line in _lines(look, wanted, damaged):
            sink.write(line)
            n += 1
    for damage in damaged:
        complain(damage)
    if options.out is not None:
        print(f"{n} messages written to {options.out}")
    return FOUND if damaged else WELL


@contextmanager
def _sink(path: Path | None) -> Iterator[BinaryIO]:
    """Under its name once it is whole: a part of an export is never taken for all of it."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if path.exists() and not path.is_file():
        raise ConfigurationError([Mistake("--out", f"{path} is there and no file")])
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            yield file
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _range(since: int | datetime | None, until: int | datetime | None) -> Range:
    from scenewatch.journal.look import FOREVER, Range

    first, from_ms = _split(since, 0)
    end, to_ms = _split(until, FOREVER)
    if first >= end or from_ms >= to_ms:
        raise ConfigurationError([Mistake("--to", "is not behind --from")])
    return Range(first, end, from_ms, to_ms)


def _split(bound: int | datetime | None, free: int) -> tuple[int, int]:
    """As a position and as a time, of which one is `free`."""
    if isinstance(bound, datetime):
        return free, round(bound.timestamp() * 1000)
    return free if bound is None else bound, free


def _lines(look: Look, wanted: Range, damaged: list[str]) -> Iterator[bytes]:
    import msgspec

    from scenewatch.cli.show import message
    from scenewatch.journal.look import Message

    encoder = msgspec.json.Encoder()
    for item in look.messages(wanted):
        if isinstance(item, Message):
            whole = message(item.position, item.received_ms, item.topic, item.payload)
            yield encoder.encode(whole) + b"\n"
        else:
            damaged.append(str(item))
