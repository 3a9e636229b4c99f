"""`secrets`: certificates, passwords and rights for a production stack, as files."""

from __future__ import annotations

import os
import secrets
from argparse import ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.cli.words import WELL, add, complain, count, group
from scenewatch.model import operators
from scenewatch.model.clock import SystemClock
from scenewatch.model.errors import ConfigurationError, Mistake
from scenewatch.model.place import ID

if TYPE_CHECKING:
    import argparse
    from datetime import datetime

    from scenewatch.cli.words import Subparsers
    from scenewatch.credentials.keyring import Keyring

GROUP, WORKER_ID = "SW_SECRETS_GID", "SW_WORKER_ID"
"""Variables of Docker Compose; not SCENEWATCH_…, which are the worker's settings."""
SERVER_DAYS = 825
"""What Apple's systems accept at most of a server's certificate."""
CLIENTS = "restart who uses it: docker compose up --detach --force-recreate"


def add_commands(commands: Subparsers) -> None:
    text = "certificates, passwords and rights for a production stack, as files"
    parts = group(commands, "secrets", text, "scenewatch secrets init --site kitchen.s001")
    _add_init(parts)
    _add_add(parts)
    text = "which there are, since when and until when; never their values"
    _add_folder(add(parts, "show", _show, text, "scenewatch secrets show"))


def _add_init(parts: Subparsers) -> None:
    text = "make what is missing; what is there stays"
    p = add(parts, "init", _init, text, "scenewatch secrets init --inventory devices.csv --host broker.example.org")
    _add_folder(p)
    _add_sites(p)
    p.add_argument(
        "--host", action="append", default=[], metavar="NAME",
        help="how gateways call the broker: a host name or an address, once for each",
    )  # fmt: skip
    _add_operators(p)
    text = f"for how long the broker's certificate is good ({SERVER_DAYS})"
    p.add_argument("--days", type=count, default=SERVER_DAYS, metavar="N", help=text)
    p.add_argument(
        "--renew", action="append", default=[], metavar="NAME",
        help="make this one anew, named as `show` names it; once for each",
    )  # fmt: skip


def _add_add(parts: Subparsers) -> None:
    text = "add the broker logins of further sites' gateways, and the tokens of further operators"
    p = add(parts, "add", _add, text, "scenewatch secrets add kitchen.s011 --operator li")
    p.add_argument("sites", nargs="*", type=_site, metavar="SCENE.SITE", help="of these")
    _add_folder(p)
    p.add_argument("--inventory", type=Path, metavar="FILE", help="of all sites of this CSV file")
    _add_operators(p)


def _add_sites(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--site", dest="sites", action="append", default=[], type=_site, metavar="SCENE.SITE",
        help="a site whose gateways log in, once for each",
    )  # fmt: skip
    parser.add_argument("--inventory", type=Path, metavar="FILE", help="likewise all sites of this CSV file")


def _add_operators(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--operator", dest="operators", action="append", default=[], type=_operator, metavar="NAME",
        help="somebody who may acknowledge, command and adopt, with a token in DIR/operators, once for each",
    )  # fmt: skip


def _add_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dir", type=Path, default=Path("secrets"), metavar="DIR", help="where they are kept (secrets)"
    )
    parser.add_argument(
        "--group", type=int, default=os.getgid(), metavar="GID",
        help="group that containers are put in to read theirs (yours)",
    )  # fmt: skip


def _site(text: str) -> str:
    parts = text.split(".")
    if len(parts) != 2 or not all(map(ID.match, parts)):  # scene and site
        raise ArgumentTypeError(f"{text!r} is not SCENE.SITE")
    return text


def _operator(text: str) -> str:
    if not operators.NAME.match(text):
        raise ArgumentTypeError(f"{text!r} is not of letters, digits and . @ _ -, 64 at most")
    return text


def _init(options: argparse.Namespace) -> int:
    ring = _keyring(options)
    sites = _sites_of(options)
    made = ring.init(options.host, options.days, options.renew, _now(), options.operators)
    made += ring.add(sites)
    _tell_compose(options.dir.resolve().parent / ".env", options.group)
    print(f"made in {options.dir}: {', '.join(made) or 'nothing, all is there'}")
    if options.renew:
        print(CLIENTS)
    return WELL


def _add(options: argparse.Namespace) -> int:
    ring = _keyring(options, there=True)
    sites, people = ring.add(_sites_of(options)), []
    if options.operators:
        people = ring.add_operators(options.operators)
    print(f"made in {options.dir}: {', '.join([*sites, *people]) or 'nothing, all are there'}")
    if sites:
        print("the broker takes them when told: docker compose kill --signal HUP broker")
    if people:
        print("the worker takes them when told: docker compose kill --signal HUP worker")
    return WELL


def _show(options: argparse.Namespace) -> int:
    for kept in _keyring(options, there=True).show():
        until = f"until {kept.until:%Y-%m-%d}" if kept.until else ""
        names = ", ".join(kept.names)
        print(f"{kept.name:16}  {kept.files:36}  since {kept.made:%Y-%m-%d}  {until}  {names}".rstrip())
    return WELL


def _keyring(options: argparse.Namespace, *, there: bool = False) -> Keyring:
    from scenewatch.credentials.folder import Folder
    from scenewatch.credentials.keyring import Keyring
    from scenewatch.settings import Settings

    if there and not (options.dir / "ca.pem").is_file():
        raise ConfigurationError(
            [Mistake("--dir", f"{options.dir} holds none; scenewatch secrets init makes them")]
        )
    return Keyring(Folder(options.dir, options.group), Settings().root)


def _sites_of(options: argparse.Namespace) -> list[str]:
    sites = list(options.sites)
    if options.inventory is not None:
        from scenewatch.inventory.files import read_devices
        from scenewatch.scenes import all_scenes

        sites += [device.site_id for device in read_devices(options.inventory, all_scenes()).devices]
    return list(dict.fromkeys(sites))


def _now() -> datetime:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(SystemClock().now_ms() // 1000, UTC)


def _tell_compose(path: Path, gid: int) -> None:
    """What Docker Compose puts into its file; what somebody has set there stays.

    Whoever calls himself at the broker what the worker does takes its session, and Mosquitto throws away what
    waits in it: so the name is one that no gateway can know.
    """
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    there = dict(line.split("=", 1) for line in lines if "=" in line)
    wanted = {GROUP: str(gid), WORKER_ID: f"scenewatch-worker-{secrets.token_hex(8)}"}
    if missing := [f"{name}={value}" for name, value in wanted.items() if name not in there]:
        path.touch(mode=0o600)
        path.write_text("\n".join([*lines, *missing, ""]), "utf-8")
    if there.get(GROUP, str(gid)) != str(gid):
        complain(f"{path} has {GROUP}={there[GROUP]}, but the files are group {gid}'s: make them one")
