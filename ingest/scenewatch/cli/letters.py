"""`dead-letters`: messages that could not be taken, from the database itself; a worker need not run, and may."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scenewatch.cli.words import FOUND, WELL, add, add_config, add_json, count, group, position
from scenewatch.model.errors import ConfigurationError, Mistake, RefusedError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from scenewatch.cli.words import Subparsers
    from scenewatch.store.deadletters import DeadLetters, KeptLetter
    from scenewatch.store.letterfilter import LetterState, Which

STATES = ("dead", "taken", "all")


def add_commands(commands: Subparsers) -> None:
    text = "messages that could not be taken"
    parts = group(commands, "dead-letters", text, "scenewatch dead-letters list --config scenewatch.toml")
    text = "the newest messages that could not be taken, and why"
    example = "scenewatch dead-letters list --config scenewatch.toml --reason unknown --limit 20"
    p = add(parts, "list", _list, text, example)
    _add_which(p)
    p.add_argument(
        "--state",
        choices=STATES,
        default=STATES[0],
        help="those dead until now, those taken at last when tried again, or all (dead)",
    )
    p.add_argument("--limit", type=count, default=100, metavar="N", help="how many at most (100)")
    p.add_argument(
        "--before", type=position, default=None, metavar="POSITION", help="only older ones: the next page"
    )
    add_config(p)
    add_json(p)
    text = "one such message: its payload on standard output, escaped on a terminal; details on standard error"
    p = add(parts, "show", _show, text, "scenewatch dead-letters show 1042 --config scenewatch.toml")
    p.add_argument("position", type=position, metavar="POSITION", help="its position in the journal")
    add_config(p)
    add_json(p)
    _add_retry(parts)


def _add_retry(parts: Subparsers) -> None:
    text = (
        "have a worker try them again, after a decoder or the inventory was mended: what can be taken now is "
        "stored at its own time, as history, and raises no alarm; status 1 if none fits"
    )
    example = "scenewatch dead-letters retry --reason unknown --config scenewatch.toml"
    p = add(parts, "retry", _retry, text, example)
    p.add_argument(
        "--position",
        type=position,
        action="append",
        default=[],
        metavar="N",
        help="this one; may be given several times",
    )
    _add_which(p)
    p.add_argument("--all", action="store_true", help="every one there is")
    add_config(p)
    add_json(p)


def _add_which(p: argparse.ArgumentParser) -> None:
    p.add_argument("--reason", default=None, metavar="TEXT", help="those whose reason has this text in it")
    p.add_argument(
        "--topic", default=None, metavar="FILTER", help="those of topics that fit, with + and # as in MQTT"
    )
    p.add_argument("--site", default=None, help="those of one site: scene.site, or the site alone")


def _list(options: argparse.Namespace) -> int:
    from scenewatch.cli.show import iso, printable, put_json, table
    from scenewatch.store.letterfilter import LetterState

    with _letters(options) as letters:
        found = letters.dead_letters(options.limit, _which(options, LetterState(options.state)))
    if options.json is not None:
        put_json({"dead_letters": [_as_api(kept) for kept in found]}, options.json)
    elif found:
        told = [(kept.letter, _state(kept)) for kept in found]
        rows = [(str(d.position), iso(d.received_ms), s, printable(d.topic), printable(d.reason)) for d, s in told]
        table(("position", "received", "state", "topic", "reason"), rows)
    else:
        print("no dead letters")
    return WELL


def _state(kept: KeptLetter) -> str:
    if kept.taken_ms is not None:
        return "taken"
    if kept.asked_ms is not None:
        return "asked for"
    return f"tried {kept.tries}x" if kept.tries else "dead"


def _as_api(kept: KeptLetter) -> object:
    from scenewatch.api.present import dead_letter
    from scenewatch.api.views import LetterView

    return dead_letter(LetterView(kept.letter, kept.tries, kept.asked_ms, kept.taken_ms))


def _show(options: argparse.Namespace) -> int:
    from scenewatch.cli.show import iso, message, printable, put_bytes, put_details, put_json

    with _letters(options) as letters:
        kept = letters.at(options.position)
    if kept is None:
        raise RefusedError(f"no dead letter at position {options.position}")
    letter = kept.letter
    if options.json is not None:
        whole = message(letter.position, letter.received_ms, letter.topic, letter.payload)
        done = {"reason": letter.reason, "tries": kept.tries, "asked_at": kept.asked_ms, "taken_at": kept.taken_ms}
        put_json(whole | done, options.json)
        return WELL
    put_details(
        position=letter.position,
        received=iso(letter.received_ms),
        topic=printable(letter.topic),
        reason=printable(letter.reason),
        state=_state(kept),
        bytes=len(letter.payload),
    )
    if sys.stdout.isatty():
        print(printable(letter.payload))
    else:
        put_bytes(letter.payload)
    return WELL


def _retry(options: argparse.Namespace) -> int:
    from scenewatch.cli.show import put_json
    from scenewatch.model.clock import SystemClock
    from scenewatch.settings import load
    from scenewatch.store.deadletters import DeadLetters
    from scenewatch.store.relational import Database, ExistingDatabase
    from scenewatch.store.retries import Retries

    chosen = bool(options.position) or any(x is not None for x in (options.reason, options.topic, options.site))
    if chosen == options.all:
        what = "say which: --position, --reason, --topic, --site; or --all, and none of these"
        raise ConfigurationError([Mistake("dead-letters retry", what)])
    url = load(options.config).database.url
    ExistingDatabase(url).close()
    database = Database(url)
    try:
        letters = DeadLetters(database)
        asked = Retries(database, letters).ask(_which(options), SystemClock().now_ms())
    finally:
        database.close()
    if options.json is not None:
        put_json({"asked": asked}, options.json)
    elif asked:
        print(f"{asked} asked for; a worker tries them within two seconds, see dead-letters list --state all")
    else:
        print("no dead letter fits")
    return WELL if asked else FOUND


def _which(options: argparse.Namespace, state: LetterState | None = None) -> Which:
    from scenewatch.store.letterfilter import LetterState, Which

    return Which(
        positions=tuple(getattr(options, "position", ())),
        before=getattr(options, "before", None),
        reason=options.reason,
        topic=options.topic,
        site=options.site,
        state=state or LetterState.DEAD,
    )


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
