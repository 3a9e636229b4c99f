"""`commands`: telling devices what to do through a running worker, and what became of it."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from scenewatch.cli.asking import add_token, add_worker, asked, told, worker_url
from scenewatch.cli.words import FOUND, WELL, add, add_json, count, group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.api.operate_shapes import Command
    from scenewatch.cli.words import Subparsers

STATES = ("waiting", "done", "refused", "expired", "unsent")
LOOK_S = 0.5


def add_commands(commands: Subparsers) -> None:
    parts = group(commands, "commands", "what operators tell devices to do", "scenewatch commands list")
    text = "commands and what became of them, newest first"
    p = add(parts, "list", _list, text, "scenewatch commands list --state waiting")
    p.add_argument("--site", default=None, metavar="SITE", help="scene.site, or the site alone")
    p.add_argument("--device", default=None, metavar="ID", help="scene.site.device, or the device alone")
    p.add_argument("--state", choices=STATES, default=None, help="which (all)")
    p.add_argument("--limit", type=count, default=100, metavar="N", help="at most (100)")
    add_worker(p)
    add_json(p)
    text = "tell a device to do something, and wait for its answer; status 0 when it says that it did"
    example = "scenewatch commands send s001-gas-1 shut_valve --token-file data/operators"
    p = add(parts, "send", _send, text, example)
    p.add_argument("device", metavar="DEVICE", help="scene.site.device, or the device alone where it is unique")
    p.add_argument("name", metavar="COMMAND", help="one of those that its type knows")
    p.add_argument("--args", type=_object, default={}, metavar="JSON", help="more for the device, a JSON object")
    add_token(p)
    add_worker(p)
    add_json(p)


def _object(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise argparse.ArgumentTypeError(f"{text!r} is not a JSON object")
    return given


def _list(options: argparse.Namespace) -> int:
    from scenewatch.api.operate_shapes import Commands
    from scenewatch.cli.show import put_json

    url = f"{worker_url(options)}/api/v1/commands"
    query = {name: getattr(options, name) for name in ("site", "device", "state", "limit")}
    found = asked(url, Commands, **query)
    if options.json is not None:
        put_json(found.model_dump(), options.json)
    else:
        _show(found.commands)
    return WELL


def _send(options: argparse.Namespace) -> int:
    from scenewatch.api.operate_shapes import Command
    from scenewatch.cli.show import put_json

    url = f"{worker_url(options)}/api/v1/commands"
    body = {"device": options.device, "name": options.name, "args": options.args}
    command = _followed(url, told(url, body, options.token_file, Command))
    if options.json is not None:
        put_json(command.model_dump(), options.json)
    else:
        _show([command])
    return WELL if command.state == "done" else FOUND


def _followed(url: str, command: Command) -> Command:
    """Until it waits no longer: the worker ends it when its time is over."""
    import threading

    from scenewatch.api.operate_shapes import Commands

    pause = threading.Event()
    while command.state == "waiting":
        pause.wait(LOOK_S)
        newest = asked(url, Commands, device=command.device, limit=1000).commands
        command = next((one for one in newest if one.id == command.id), command)
    return command


def _show(commands: Sequence[Command]) -> None:
    from scenewatch.cli.show import table

    if not commands:
        print("no commands")
        return
    rows = [_row(command) for command in commands]
    table(("asked", "by", "state", "device", "command", "answer"), rows)


def _row(c: Command) -> tuple[str, ...]:
    from scenewatch.cli.show import iso, printable

    state = f"{c.state}, answered late" if c.late else c.state
    return iso(c.asked_at), c.asked_by, state, printable(c.device), c.name, printable(c.text)
