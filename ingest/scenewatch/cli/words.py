"""The words all commands share: the parser, options and their types, statuses, and how a mistake is told."""

from __future__ import annotations

import argparse
import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    from collections.abc import Callable

    from scenewatch.model.scene import Scene

    Subparsers = argparse._SubParsersAction["Parser"]  # noqa: SLF001  # argparse gives it no other name

WELL, FOUND, MISUSED = 0, 1, 2
STANDARD_OUTPUT = "-"


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where to read on."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISUSED, f"{self.prog}: {message}; see {self.prog} --help\n")


def add(
    commands: Subparsers, name: str, run: Callable[[argparse.Namespace], int], text: str, example: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=text, description=text, epilog=f"example: {example}", allow_abbrev=False
    )
    parser.set_defaults(run=run)
    return parser


def group(commands: Subparsers, name: str, text: str, example: str) -> Subparsers:
    """A command that only gathers others."""
    parser = commands.add_parser(
        name, help=text, description=text, epilog=f"example: {example}", allow_abbrev=False
    )
    return parser.add_subparsers(title="commands", required=True, metavar="COMMAND")


def complain(line: str) -> None:
    print(f"scenewatch: {line}", file=sys.stderr)


def scene_of(key: str | None) -> Scene:
    from scenewatch.scenes import all_scenes

    scenes = {s.key: s for s in all_scenes()}
    if key is None:
        return next(iter(scenes.values()))
    if key not in scenes:
        raise ConfigurationError([Mistake("scene", f"no scene {key!r}; there are: {', '.join(scenes)}")])
    return scenes[key]


def add_scene(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scene", default=None, help="key of the scene (the first there is)")
    parser.add_argument("--sites", type=count, default=10, metavar="N", help="how many sites (10)")


def add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, default=None, metavar="FILE", help="TOML file with the settings")


def web_address(text: str) -> str:
    """Of a site, without a slash at its end."""
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"must begin with http:// or https://, not {text!r}")
    return text.rstrip("/")


def add_json(parser: argparse.ArgumentParser) -> None:
    text = "as JSON; standard output without FILE"
    parser.add_argument(
        "--json", nargs="?", const=STANDARD_OUTPUT, default=None, type=json_file, metavar="FILE", help=text
    )


def json_file(text: str) -> str:
    return text if text == STANDARD_OUTPUT else str(writable(text))


def writable(text: str) -> Path:
    """A file to write into: what takes long shall not find at its end that there is no place for it."""
    path = Path(text)
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is a folder; name a file")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path.parent}; make it first")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text} may not be written by this user")
    return path


def add_html(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--html", type=writable, metavar="FILE", help=f"write the {what} as one page with charts")


def add_bounds(parser: argparse.ArgumentParser) -> None:
    """`--from` and `--to` as `since` and `until`: a position, a time, or None."""
    where = "a position, or a time such as 2026-11-22T08:00Z (UTC unless it says otherwise)"
    parser.add_argument(
        "--from", dest="since", type=bound, metavar="WHERE", help=f"{where}; the oldest kept without"
    )
    parser.add_argument("--to", dest="until", type=bound, metavar="WHERE", help="likewise, and itself left out")


def bound(text: str) -> int | datetime:
    """Digits alone are a position."""
    if re.fullmatch(r"[0-9]+", text):
        return position(text)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        what = "is neither a position nor a time such as 2026-11-22T08:00Z"
        raise argparse.ArgumentTypeError(f"{text!r} {what}") from None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def moment(text: str) -> int:
    """A time, as epoch milliseconds."""
    found = bound(text)
    if not isinstance(found, datetime):
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2026-11-22T08:00Z")
    return round(found.timestamp() * 1000)


def port(text: str) -> int:
    return within(text, 1, 65_535)


def count(text: str) -> int:
    return within(text, 1, 100_000)


def within(text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
    return int(text)


def position(text: str) -> int:
    return within(text, 0, 2**63 - 1)


def not_negative(text: str) -> float:
    return _number(text, 0.0, 24.0 * 366)


def interval_hours(text: str) -> float:
    return _number(text, 0.1, 24.0 * 366)


def speed(text: str) -> float:
    return _number(text, 1.0, 1_000_000.0)


def some_days(text: str) -> float:
    return _number(text, 1 / 24, 366.0)


def faults_a_month(text: str) -> float:
    return _number(text, 0.0, 100.0)


def alarms_a_month(text: str) -> float:
    return _number(text, 0.0, 1_000.0)


def _number(text: str, low: float, high: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low:g} to {high:g}")
    return number
