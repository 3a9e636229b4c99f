"""`check`: all mistakes in what the worker is told, before it is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.cli.words import MISUSED, WELL, add, add_config, add_json, complain
from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from scenewatch.cli.words import Subparsers
    from scenewatch.model.scene import Scene
    from scenewatch.settings import Settings


def add_commands(commands: Subparsers) -> None:
    text = "find all mistakes in tables, settings, operators and inventory files; tells the version of the rules"
    p = add(commands, "check", _check, text, "scenewatch check --config scenewatch.toml --inventory devices.csv")
    add_config(p)
    what = "a file of devices, CSV or GeoJSON; may be given several times"
    p.add_argument("--inventory", type=Path, action="append", default=[], metavar="FILE", help=what)
    add_json(p)


def _check(options: argparse.Namespace) -> int:
    from scenewatch.cli.rules import said_versions, versions
    from scenewatch.cli.show import put_json
    from scenewatch.parts import scenes_of
    from scenewatch.settings import load

    settings = load(options.config)
    scenes = scenes_of(settings)
    warnings: list[str] = []
    found = [*_mistakes(settings, scenes), *_in_files(options.inventory, scenes, warnings)]
    keys = [scene.key for scene in scenes]
    if options.json is not None:
        told = [{"place": m.place, "what": m.what} for m in found]
        in_force = {} if found else versions(scenes, settings.limits)
        put_json({"mistakes": told, "warnings": warnings, "scenes": keys, **in_force}, options.json)
        return MISUSED if found else WELL
    for warning in warnings:
        complain(warning)
    if found:
        raise ConfigurationError(found)
    print(f"well: {', '.join((*keys, *map(str, options.inventory)))}")
    print(said_versions(scenes, settings.limits))
    return WELL


def _mistakes(settings: Settings, scenes: Sequence[Scene]) -> Iterator[Mistake]:
    from scenewatch.alarms.overrides import mistakes as override_mistakes
    from scenewatch.model import operators
    from scenewatch.parts import mqtt_settings
    from scenewatch.scenes.check import mistakes

    for scene in scenes:
        yield from mistakes(scene)
    yield from override_mistakes(scenes, settings.limits)
    try:
        mqtt_settings(settings).check()
    except ConfigurationError as error:
        yield from error.mistakes
    if (operators_file := settings.http.operators_file) is not None:
        try:
            operators.read(operators_file)
        except ConfigurationError as error:
            yield from error.mistakes
    if (token_file := settings.store.token_file) is not None and not token_file.is_file():
        yield Mistake("store.token_file", f"there is no file {token_file}")


def _in_files(paths: Sequence[Path], scenes: Sequence[Scene], warnings: list[str]) -> Iterator[Mistake]:
    """Each file by itself: what the inventory has already, only `inventory import --dry-run` knows."""
    from scenewatch.inventory.files import read_devices

    for path in paths:
        try:
            warnings += read_devices(path, scenes).warnings
        except ConfigurationError as error:
            yield from error.mistakes
