"""`alarms`: what a running worker has raised, and telling it that somebody has seen one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scenewatch.cli import load
from scenewatch.cli.asking import add_token, add_worker, asked, told, worker_url
from scenewatch.cli.explain import add_show
from scenewatch.cli.words import FOUND, WELL, add, add_json, count, group

if TYPE_CHECKING:
    import argparse

    from scenewatch.api.shapes import Alarm
    from scenewatch.cli.words import Subparsers

STATES = ("standing", "all", "unacknowledged", "acknowledged", "returned_unacknowledged", "normal")
UNSEEN = ("unacknowledged", "returned_unacknowledged")
MOST = 100_000
"""As many as the worker tells at once."""


def add_commands(commands: Subparsers) -> None:
    parts = group(commands, "alarms", "what a running worker has raised", "scenewatch alarms list")
    text = "alarms, newest first; status 1 while any stands that nobody has acknowledged"
    p = add(parts, "list", _list, text, "scenewatch alarms list --state standing")
    p.add_argument("--state", choices=STATES, default="standing", help="which (standing)")
    p.add_argument("--limit", type=count, default=100, metavar="N", help="at most (100)")
    add_worker(p)
    add_json(p)
    add_show(parts)
    load.add_command(parts)
    text = "tell that an alarm was seen: one, or all of a rule or a device that nobody has seen yet"
    example = "scenewatch alarms acknowledge --device kitchen.s001.s001-fridge-1 --token-file data/operators"
    p = add(parts, "acknowledge", _acknowledge, text, example)
    p.add_argument("--device", required=True, metavar="ID", help="scene.site.device")
    p.add_argument("--rule", default=None, metavar="KEY", help="scene.rule; without it, of all rules")
    p.add_argument("--raised-at", type=int, default=None, metavar="MS", help="when it was raised, epoch ms")
    add_token(p)
    add_worker(p)
    add_json(p)


def _list(options: argparse.Namespace) -> int:
    from scenewatch.api.shapes import Alarms
    from scenewatch.cli.show import put_json

    url = f"{worker_url(options)}/api/v1/alarms"
    found = asked(url, Alarms, state=options.state, limit=options.limit)
    if options.json is not None:
        put_json(found.model_dump(), options.json)
    else:
        _show(found.alarms)
    return FOUND if any(alarm.state == "unacknowledged" for alarm in found.alarms) else WELL


def _acknowledge(options: argparse.Namespace) -> int:
    from scenewatch.api.shapes import Alarm
    from scenewatch.cli.show import put_json

    url = f"{worker_url(options)}/api/v1/alarms"
    done = [
        told(
            f"{url}/acknowledge",
            {"rule": alarm.rule, "device": alarm.device, "raised_at": alarm.raised_at},
            options.token_file,
            Alarm,
        )
        for alarm in _meant(url, options)
    ]
    if options.json is not None:
        put_json({"alarms": [alarm.model_dump() for alarm in done]}, options.json)
    else:
        _show(done)
    return WELL if done else FOUND


def _meant(url: str, options: argparse.Namespace) -> list[Alarm]:
    """Those that nobody has acknowledged, and that fit all that was given."""
    from scenewatch.api.shapes import Alarms

    unseen = [alarm for state in UNSEEN for alarm in asked(url, Alarms, state=state, limit=MOST).alarms]
    return [
        alarm
        for alarm in unseen
        if alarm.device == options.device
        and options.rule in (None, alarm.rule)
        and options.raised_at in (None, alarm.raised_at)
    ]


def _show(alarms: list[Alarm]) -> None:
    from scenewatch.cli.show import iso, printable, table

    if not alarms:
        print("no alarms")
        return
    rows = [
        (iso(a.raised_at), a.priority, a.state, printable(a.device), printable(a.rule), a.acknowledged_by or "")
        for a in alarms
    ]
    table(("raised", "priority", "state", "device", "rule", "seen by"), rows)
