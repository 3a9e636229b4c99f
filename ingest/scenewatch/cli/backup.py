"""`backup` and `restore`: what a worker keeps, copied to a folder and put back from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.cli.words import WELL, add, add_config
from scenewatch.model.clock import SystemClock

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from scenewatch.backup.manifest import Manifest
    from scenewatch.cli.words import Subparsers

SHOWN_AFTER_S = 2.0


def add_commands(commands: Subparsers) -> None:
    text = "copy journal, states, database and DuckDB; a worker with DuckDB must rest, one with InfluxDB may run"
    p = add(commands, "backup", _backup, text, "scenewatch backup --out /backups/monday --config scenewatch.toml")
    p.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to make")
    add_config(p)
    text = "put a backup back where the settings say; overwrites nothing"
    p = add(commands, "restore", _restore, text, "scenewatch restore /backups/monday --config scenewatch.toml")
    p.add_argument("folder", type=Path, metavar="DIR", help="what `backup` made")
    add_config(p)


def _backup(options: argparse.Namespace) -> int:
    from scenewatch.backup.making import back_up
    from scenewatch.settings import load

    made = back_up(load(options.config), options.out, SystemClock(), _progress())
    print(f"{options.out}: {_size(made)}")
    for what in made.left_out:
        print(f"not in it: {what}")
    return WELL


def _restore(options: argparse.Namespace) -> int:
    from scenewatch.backup.restoring import restore
    from scenewatch.cli.show import iso
    from scenewatch.settings import load

    found = restore(load(options.config), options.folder)
    print(f"restored as it was at {iso(found.made_ms)}: {_size(found)}")
    for what in found.left_out:
        print(f"not in it, restore it before the worker starts: {what.partition(':')[0]}")
    return WELL


def _size(manifest: Manifest) -> str:
    return f"{len(manifest.files)} files, {sum(file.bytes for file in manifest.files):,} bytes"


def _progress() -> Callable[[str], None]:
    from tqdm import tqdm

    bar = tqdm(bar_format="copying {desc} ({elapsed})", delay=SHOWN_AFTER_S, leave=False, disable=None)

    def show(what: str) -> None:
        bar.set_description_str(what)

    return show
