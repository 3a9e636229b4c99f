"""`inventory` and `check`: what the worker is told, before it is told."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.cli.words import WELL, add, add_config, add_scene, group, scene_of
from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from scenewatch.cli.words import Subparsers

TAKEN_WITHIN_S = 5.0
LOOK_S = 0.1
NOT_YET = "no worker has yet"


def add_commands(commands: Subparsers) -> None:
    _add_inventory(commands)
    _add_check(commands)


def _add_inventory(commands: Subparsers) -> None:
    text = "which devices exist where"
    example = "scenewatch inventory import devices.csv"
    parts = group(commands, "inventory", text, example)
    example = "scenewatch inventory demo --scene kitchen --sites 10 --out devices.csv"
    p = add(parts, "demo", _inventory_demo, "write the devices that `simulate` plays as CSV", example)
    add_scene(p)
    p.add_argument("--out", type=Path, required=True, metavar="FILE", help="the CSV file to write")
    example = "scenewatch inventory import devices.csv --config scenewatch.toml"
    p = add(parts, "import", _inventory_import, "add or change the devices of a CSV file", example)
    p.add_argument("file", type=Path, help="scene,site,device,type,parent,name_en,name_zh,lat,lon and properties")
    add_config(p)


def _add_check(commands: Subparsers) -> None:
    text = "find all mistakes in tables and settings; touches no network"
    p = add(commands, "check", _check, text, "scenewatch check --config scenewatch.toml")
    add_config(p)


def _inventory_demo(options: argparse.Namespace) -> int:
    from scenewatch.inventory.csvfile import write_devices
    from scenewatch.scenes import demonstration

    devices = demonstration(scene_of(options.scene)).devices(options.sites)
    write_devices(options.out, devices)
    print(f"{len(devices)} devices of {options.sites} sites written to {options.out}")
    return WELL


def _inventory_import(options: argparse.Namespace) -> int:
    from scenewatch.inventory.csvfile import read_devices
    from scenewatch.parts import scenes_of
    from scenewatch.settings import load
    from scenewatch.store.devices import Inventory
    from scenewatch.store.lease import Leases
    from scenewatch.store.relational import Database

    settings = load(options.config)
    devices = read_devices(options.file, scenes_of(settings))
    database = Database(settings.database.url)
    try:
        inventory, lease = Inventory(database), Leases(database).read()
        revision = inventory.upsert(devices)
        runs = lease is not None and lease.holder
        taken = runs and _until(lambda: inventory.taken() >= revision)
    finally:
        database.close()
    print(f"{len(devices)} devices imported; {'the worker has' if taken else NOT_YET} taken them")
    return WELL


def _until(done: Callable[[], bool]) -> bool:
    """Whether it is so within a time in which a worker that lives has looked."""
    deadline_s = time.monotonic() + TAKEN_WITHIN_S
    while not (so := done()) and time.monotonic() < deadline_s:
        time.sleep(LOOK_S)
    return so


def _check(options: argparse.Namespace) -> int:
    from scenewatch.alarms.overrides import mistakes as override_mistakes
    from scenewatch.parts import mqtt_settings, scenes_of
    from scenewatch.scenes.check import mistakes
    from scenewatch.settings import load

    settings = load(options.config)
    scenes = scenes_of(settings)
    found = [m for scene in scenes for m in mistakes(scene)] + override_mistakes(scenes, settings.limits)
    try:
        mqtt_settings(settings).check()
    except ConfigurationError as error:
        found += error.mistakes
    if (token_file := settings.store.token_file) is not None and not token_file.is_file():
        found.append(Mistake("store.token_file", f"there is no file {token_file}"))
    if found:
        raise ConfigurationError(found)
    print(f"well: {', '.join(scene.key for scene in scenes)}")
    return WELL
