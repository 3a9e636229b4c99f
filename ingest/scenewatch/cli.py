"""The command. Parses, prints, and leaves all work to others; imports of the parts wait until they are needed."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.model.clock import SystemClock
from scenewatch.model.errors import ConfigurationError, Mistake, ScenewatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scenewatch.model.scene import Scene

WELL, FOUND, MISUSED = 0, 1, 2
Command = "Callable[[argparse.Namespace], int]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 well, 1 found something or failed, 2 used wrongly. Errors go to standard error."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        return int(options.run(options))
    except ConfigurationError as error:
        for mistake in error.mistakes:
            _complain(str(mistake))
        return MISUSED
    except ScenewatchError as error:
        _complain(str(error))
        return FOUND
    except KeyboardInterrupt:
        return FOUND


def _complain(line: str) -> None:
    print(f"scenewatch: {line}", file=sys.stderr)


# --- commands ----------------------------------------------------------------------------------------------


def _up(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from scenewatch.embedded.up import Desk, Options, Up

    bar = tqdm(desc="writing history", unit=" readings", unit_scale=True, leave=False, disable=None)

    def progress(done: int, of: int) -> None:
        bar.total = of
        bar.update(done - bar.n)
        if done >= of:
            bar.close()

    def say(line: str) -> None:
        bar.close()
        print(line, flush=True)

    desk = Desk(say=say, warn=_complain, progress=progress, stop=_stop_on_signal())
    told = Options(
        sites=options.sites,
        history_hours=options.history,
        data=options.data,
        port=options.port,
        mqtt_port=options.mqtt_port,
        broker=options.broker,
        devices=not options.no_devices,
    )
    Up(told, _scene(options.scene), SystemClock(), desk).run()
    return WELL


def _work(options: argparse.Namespace) -> int:
    from scenewatch.app import Worker, serve
    from scenewatch.settings import load

    settings = load(options.config)
    worker = Worker(settings, SystemClock())
    if options.demonstration is not None:
        from scenewatch.embedded.history import History
        from scenewatch.embedded.plan import read_demonstration

        piece = read_demonstration(options.demonstration)
        worker.before_live(History(worker, _scene(piece.scene), piece, options.plan).write)
    return serve(worker, settings)


def _console(options: argparse.Namespace) -> int:
    import uvicorn

    from scenewatch.console.app import create_app

    server = uvicorn.Server(
        uvicorn.Config(
            create_app(options.worker.rstrip("/")),
            host=options.host,
            port=options.port,
            log_level="warning",
            timeout_graceful_shutdown=1,
        )
    )
    server.run()
    if not server.started:
        raise ScenewatchError(f"port {options.port} is taken on {options.host}; choose another one with --port")
    return WELL


def _simulate(options: argparse.Namespace) -> int:
    from scenewatch.devices.faults import FaultPlan, PlannedFault
    from scenewatch.devices.simulate import Simulation, simulate
    from scenewatch.embedded.plan import read_faults
    from scenewatch.scenes import demonstration

    scene = _scene(options.scene)
    now_ms = SystemClock().now_ms()
    live_from_ms = options.live_from
    if live_from_ms is None:
        live_from_ms = now_ms - round(options.past * 3_600_000) if options.speed > 1 else now_ms
    faults = read_faults(options.faults) if options.faults is not None else []
    simulation = Simulation(
        scene=scene,
        devices=tuple(demonstration(scene).devices(options.sites)),
        address=_address(options),
        root=options.root,
        seed=options.seed,
        start_ms=options.start if options.start is not None else live_from_ms,
        live_from_ms=live_from_ms,
        clock=SystemClock(),
        speed=options.speed,
        plan=FaultPlan(tuple(PlannedFault(f.fault, f.device, f.from_ms, f.to_ms) for f in faults)),
    )
    simulate(simulation, _stop_on_signal())
    return WELL


def _inventory_demo(options: argparse.Namespace) -> int:
    from scenewatch.inventory.csvfile import write_devices
    from scenewatch.scenes import demonstration

    devices = demonstration(_scene(options.scene)).devices(options.sites)
    write_devices(options.out, devices)
    print(f"{len(devices)} devices of {options.sites} sites written to {options.out}")
    return WELL


def _inventory_import(options: argparse.Namespace) -> int:
    from scenewatch.app import scenes_of
    from scenewatch.inventory.csvfile import read_devices
    from scenewatch.settings import load
    from scenewatch.store.devices import Inventory
    from scenewatch.store.relational import Database

    settings = load(options.config)
    devices = read_devices(options.file, scenes_of(settings))
    database = Database(settings.database.url)
    try:
        Inventory(database).upsert(devices)
    finally:
        database.close()
    print(f"{len(devices)} devices imported; a running worker takes them within two seconds")
    return WELL


def _check(options: argparse.Namespace) -> int:
    from scenewatch.alarms.overrides import mistakes as override_mistakes
    from scenewatch.app import scenes_of
    from scenewatch.scenes.check import mistakes
    from scenewatch.settings import load

    settings = load(options.config)
    scenes = scenes_of(settings)
    found = [m for scene in scenes for m in mistakes(scene)] + override_mistakes(scenes, settings.limits)
    if found:
        raise ConfigurationError(found)
    print(f"well: {', '.join(scene.key for scene in scenes)}")
    return WELL


# --- what they share ---------------------------------------------------------------------------------------


def _scene(key: str | None) -> Scene:
    from scenewatch.scenes import all_scenes

    scenes = {s.key: s for s in all_scenes()}
    if key is None:
        return next(iter(scenes.values()))
    if key not in scenes:
        raise ConfigurationError([Mistake("--scene", f"no scene {key!r}; there are: {', '.join(scenes)}")])
    return scenes[key]


def _stop_on_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


# --- the words ---------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scenewatch",
        description="Trustworthy readings, few alarms and rehearsals for city sensors on MQTT.",
        epilog="example: scenewatch up --sites 10",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_up(commands)
    _add_work(commands)
    _add_console(commands)
    _add_simulate(commands)
    _add_inventory(commands)
    _add_check(commands)
    return parser


Subparsers = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _add(commands, name: str, run, text: str, example: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=text, description=text, epilog=f"example: {example}", allow_abbrev=False
    )
    parser.set_defaults(run=run)
    return parser
