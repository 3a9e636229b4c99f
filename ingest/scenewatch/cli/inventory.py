"""`inventory`: which devices exist where, as files that people keep and as the database that the worker reads."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.cli.adopt import add_parts
from scenewatch.cli.words import WELL, add, add_config, add_json, add_scene, complain, group, scene_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from scenewatch.cli.words import Subparsers
    from scenewatch.model.place import Device
    from scenewatch.settings import Settings

SHOWN_AFTER_S = 2.0
NOT_YET = "no worker has yet"
SITE_HELP = "those of one site: scene.site, or the site alone"


def add_commands(commands: Subparsers) -> None:
    text = "which devices exist where"
    parts = group(commands, "inventory", text, "scenewatch inventory import devices.csv")
    example = "scenewatch inventory demo --scene kitchen --sites 10 --out devices.csv"
    p = add(parts, "demo", _demo, "write the devices that `simulate` plays as CSV", example)
    add_scene(p)
    p.add_argument("--out", type=Path, required=True, metavar="FILE", help="the CSV file to write")
    _add_import(parts)
    text = "the devices that the inventory has"
    p = add(parts, "list", _list, text, "scenewatch inventory list --site s001 --config scenewatch.toml")
    p.add_argument("--site", default=None, help=SITE_HELP)
    add_config(p)
    add_json(p)
    text = "write the inventory as CSV, or as GeoJSON if the file is called so; importing it changes nothing"
    example = "scenewatch inventory export --out devices.geojson --config scenewatch.toml"
    p = add(parts, "export", _export, text, example)
    p.add_argument("--out", type=Path, required=True, metavar="FILE", help="FILE.csv or FILE.geojson")
    p.add_argument("--site", default=None, help=SITE_HELP)
    add_config(p)
    add_parts(parts)


def _add_import(parts: Subparsers) -> None:
    text = "add or change the devices of a CSV or GeoJSON file: all of them, or with any mistake none"
    example = "scenewatch inventory import devices.csv --config scenewatch.toml"
    p = add(parts, "import", _import, text, example)
    what = "CSV with scene,site,device,type,parent,name_en,name_zh,lat,lon and properties; or FILE.geojson"
    p.add_argument("file", type=Path, help=what)
    p.add_argument("--dry-run", action="store_true", help="only say what it would change, and every mistake")
    text = "let devices become another type: their readings begin anew"
    p.add_argument("--change-types", action="store_true", help=text)
    add_config(p)
    add_json(p)


def _demo(options: argparse.Namespace) -> int:
    from scenewatch.inventory.files import write_devices
    from scenewatch.scenes import demonstration

    devices = demonstration(scene_of(options.scene)).devices(options.sites)
    write_devices(options.out, devices)
    print(f"{len(devices)} devices of {options.sites} sites written to {options.out}")
    return WELL


# --- import ------------------------------------------------------------------------------------------------


def _import(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from scenewatch.cli.show import put_json
    from scenewatch.inventory.files import read_devices
    from scenewatch.parts import scenes_of
    from scenewatch.settings import load

    settings = load(options.config)
    known, scenes = _known(settings), scenes_of(settings)
    with tqdm(desc="reading", unit=" devices", delay=SHOWN_AFTER_S, leave=False, disable=None) as bar:
        found = read_devices(options.file, scenes, known, retype=options.change_types, on_entry=bar.update)
    for warning in found.warnings:
        complain(warning)
    changes = _changes(found.devices, known)
    taken = False if options.dry_run else _put(settings, found.devices)
    if options.json is not None:
        done = {"dry_run": options.dry_run, "taken": taken, "encoding": found.encoding, "warnings": found.warnings}
        put_json({**changes, **done}, options.json)
        return WELL
    counts = ", ".join(f"{n} {what}" for what, n in changes.items())
    if options.dry_run:
        print(f"read as {found.encoding}: {counts}; nothing was imported")
    else:
        took = "the worker has" if taken else NOT_YET
        print(f"{len(found.devices)} devices imported (read as {found.encoding}: {counts}); {took} taken them")
    return WELL


def _known(settings: Settings) -> list[Device]:
    """What the inventory has; nothing where no worker and no import has made a database."""
    from scenewatch.model.errors import RefusedError
    from scenewatch.store.devices import Inventory
    from scenewatch.store.relational import ExistingDatabase

    try:
        with closing(ExistingDatabase(settings.database.url)) as database:
            return Inventory(database).devices()
    except RefusedError:
        return []


def _changes(devices: Sequence[Device], known: Sequence[Device]) -> dict[str, int]:
    before = {d.id: d for d in known}
    kinds = Counter(
        "new" if d.id not in before else "unchanged" if before[d.id] == d else "changed" for d in devices
    )
    return {kind: kinds[kind] for kind in ("new", "changed", "unchanged")}


def _put(settings: Settings, devices: Sequence[Device]) -> bool:
    """Whether a worker that runs has taken them."""
    from scenewatch.store.devices import Inventory
    from scenewatch.store.lease import Leases
    from scenewatch.store.relational import Database
    from scenewatch.worker.taking import taken

    with closing(Database(settings.database.url)) as database:
        inventory = Inventory(database)
        return bool(taken(inventory, Leases(database), inventory.upsert(devices)))


# --- list and export ---------------------------------------------------------------------------------------


def _list(options: argparse.Namespace) -> int:
    from scenewatch.cli.show import printable, put_json, table

    devices = _chosen(options)
    if options.json is not None:
        put_json({"devices": devices}, options.json)
    else:
        rows = [(d.id, d.type, d.parent, printable(d.name.en), printable(d.name.zh)) for d in devices]
        table(("device", "type", "parent", "name", "名称"), rows)
    return WELL


def _export(options: argparse.Namespace) -> int:
    from scenewatch.inventory.files import write_devices

    devices = _chosen(options)
    write_devices(options.out, devices)
    print(f"{len(devices)} devices written to {options.out}")
    return WELL


def _chosen(options: argparse.Namespace) -> list[Device]:
    from scenewatch.settings import load
    from scenewatch.store.devices import Inventory
    from scenewatch.store.relational import ExistingDatabase

    with closing(ExistingDatabase(load(options.config).database.url)) as database:
        return [d for d in Inventory(database).each() if options.site in (None, d.site, d.site_id)]
