"""`inventory unknown` and `inventory adopt`: devices that speak and are in no inventory."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from scenewatch.cli.words import WELL, add, add_config, add_json
from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from scenewatch.api.unknown import StrangerView
    from scenewatch.cli.words import Subparsers
    from scenewatch.worker.adoption import Adoption

PARTS = 3
"""Of a device's id."""


def add_parts(parts: Subparsers) -> None:
    """Beside the other commands of `inventory`."""
    text = "devices that speak and are in no inventory, and what they may be"
    p = add(parts, "unknown", _unknown, text, "scenewatch inventory unknown --config scenewatch.toml")
    add_config(p)
    add_json(p)
    text = "take such a device into the inventory: what was kept of it comes to its own time"
    example = "scenewatch inventory adopt kitchen.s001.fridge-9 --type fridge --config scenewatch.toml"
    p = add(parts, "adopt", _adopt, text, example)
    p.add_argument("device", metavar="SCENE.SITE.DEVICE", help="its id, as `inventory unknown` has it")
    p.add_argument("--type", default=None, help="its device type; without, the one that fits what it sends")
    p.add_argument("--parent", default="", metavar="DEVICE", help="its gateway within the site")
    p.add_argument("--name-en", default="", metavar="NAME", help="its English name")
    p.add_argument("--name-zh", default="", metavar="NAME", help="its Chinese name")
    add_config(p)
    add_json(p)


def _unknown(options: argparse.Namespace) -> int:
    from scenewatch.cli.show import iso, put_json, table

    with _adoption(options) as adoption:
        seen = adoption.unknown()
    if options.json is not None:
        put_json({"unknown_devices": seen.strangers, "beyond": seen.beyond}, options.json)
    elif seen.strangers:
        rows = [(*_row(s), iso(s.first_at), iso(s.last_at), _channels(s)) for s in seen.strangers]
        table(("device", "messages", "may be", "first", "last", "channels"), rows)
        if seen.beyond:
            print(f"and {seen.beyond} topics of others")
    else:
        print("no unknown devices")
    return WELL


def _row(stranger: StrangerView) -> tuple[str, str, str]:
    device_id = f"{stranger.scene}.{stranger.site}.{stranger.device}"
    return device_id, str(stranger.messages), stranger.suggested_type or "?"


def _channels(stranger: StrangerView) -> str:
    from scenewatch.cli.show import printable

    return printable(", ".join(stranger.channels))


def _adopt(options: argparse.Namespace) -> int:
    from scenewatch.cli.show import put_json
    from scenewatch.model.place import Device
    from scenewatch.model.words import Text

    ids = options.device.split(".")
    if len(ids) != PARTS:
        raise ConfigurationError([Mistake("adopt", f"{options.device!r} is not SCENE.SITE.DEVICE")])
    scene, site, device = ids
    with _adoption(options) as adoption:
        kind = options.type or adoption.suggested(options.device)
        if kind is None:
            what = "what it sends fits no one device type, or nothing was heard of it: say which it is"
            raise ConfigurationError([Mistake("--type", what)])
        name = Text(options.name_en, options.name_zh)
        fields = {"scene": scene, "site": site, "device": device, "type": kind, "parent": options.parent}
        adopted = adoption.adopt(Device(name=name, **fields))
    if options.json is not None:
        put_json(adopted, options.json)
    else:
        again = f"{adopted.retried} of its messages are tried again" if adopted.retried else "no message waits"
        print(f"{adopted.device} is a {kind} now; {again}")
    return WELL


@contextmanager
def _adoption(options: argparse.Namespace) -> Iterator[Adoption]:
    """On the database that a worker made: without one there is nothing to adopt."""
    from scenewatch.model.clock import SystemClock
    from scenewatch.parts import scenes_of
    from scenewatch.settings import load
    from scenewatch.store.relational import Database, ExistingDatabase
    from scenewatch.worker.adoption import Adoption

    settings = load(options.config)
    ExistingDatabase(settings.database.url).close()
    database = Database(settings.database.url)
    try:
        yield Adoption(database, scenes_of(settings), settings.root, SystemClock())
    finally:
        database.close()
