"""`dead-letters`: messages that could not be taken, from the database itself; a worker need not run, and may."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from scenewatch.cli.words import WELL, add, add_config, add_json, count, group, position
from scenewatch.model.errors import RefusedError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from scenewatch.cli.words import Subparsers
    from scenewatch.store.deadletters import DeadLetters


def add_commands(commands: Subparsers) -> None:
    text = "messages that could not be taken"
    parts = group(commands, "dead-letters", text, "scenewatch dead-letters list --config scenewatch.toml")
    text = "the newest messages that could not be taken, and why"
    p = add(parts, "list", _list, text, "scenewatch dead-letters list --config scenewatch.toml --limit 20")
    add_config(p)
    p.add_argument("--limit", type=count, default=100, metavar="N", help="how many at most (100)")
    p.add_argument(
        "--before", type=position, default=None, metavar="POSITION", help="only older ones: the next page"
    )
    add_json(p)
    text = "one such message: the payload on standard output as it is, details on standard error"
    p = add(parts, "show", _show, text, "scenewatch dead-letters show 1042 --config scenewatch.toml")
    p.add_argument("position", type=position, metavar="POSITION", help="its position in the journal")
    add_config(p)
    add_json(p)


def _list(options: argparse.Namespace) -> int:
    from scenewatch.api.present import dead_letter
    from scenewatch.cli.show import iso, printable, put_json, table

    with _letters(options) as letters:
        found = letters.dead_letters(options.limit, options.before)
    if options.json is not None:
        put_json({"dead_letters": [dead_letter(letter) for letter in found]}, options.json)
    elif found:
        rows = [(str(d.position), iso(d.received_ms), printable(d.topic), printable(d.reason)) for d in found]
        table(("position", "received", "topic", "reason"), rows)
    else:
        print("no dead letters")
    return WELL


def _show(options: argparse.Namespace) -> int:
    from scenewatch.cli.show import iso, message, printable, put_bytes, put_details, put_json

    with _letters(options) as letters:
        letter = letters.at(options.position)
    if letter is None:
        raise RefusedError(f"no dead letter at position {options.position}")
    if options.json is not None:
        whole = message(letter.position, letter.received_ms, letter.topic, letter.payload)
        put_json(whole | {"reason": letter.reason}, options.json)
        return WELL
    put_details(
        position=letter.position,
        received=iso(letter.received_ms),
        topic=printable(letter.topic),
        reason=printable(letter.reason),
        bytes=len(letter.payload),
    )
    put_bytes(letter.payload)
    return WELL


@contextmanager
def _letters(options: argparse.Namespace) -> Iterator[DeadLetters]:
    from scenewatch.settings import load
    from scenewatch.store.deadletters import DeadLetters
    from scenewatch.store.relational import ExistingDatabase

    database = ExistingDatabase(load(options.config).database.url)
    try:
        yield DeadLetters(database)
    finally:
        database.close()
