"""The command. Parses, prints, and leaves all work to others; imports of the parts wait until they are needed."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from scenewatch.model.clock import SystemClock
from scenewatch.model.errors import ConfigurationError, Mistake, ScenewatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scenewatch.app import Worker
    from scenewatch.model.broker import Broker
    from scenewatch.model.scene import Scene
    from scenewatch.settings import Settings

    Subparsers = argparse._SubParsersAction["_Parser"]  # noqa: SLF001  # argparse gives it no other name

WELL, FOUND, MISUSED = 0, 1, 2


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
    except OSError as error:
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
    from scenewatch.serving import listen
    from scenewatch.settings import load

    settings = load(options.config)
    with listen(settings.http.host, settings.http.port) as address:
        worker = (
            Worker(settings, SystemClock()) if options.demonstration is None else _demonstrator(options, settings)
        )
        return serve(worker, address)


def _demonstrator(options: argparse.Namespace, settings: Settings) -> Worker:
    """A worker that writes simulated history before it goes live."""
    from scenewatch.app import Worker
    from scenewatch.embedded.history import History
    from scenewatch.embedded.plan import read_demonstration

    piece = read_demonstration(options.demonstration)
    scene = _scene(piece.scene)
    worker = Worker(settings, SystemClock())
    worker.before_live(History(worker, scene, piece, options.plan).write)
    return worker


def _console(options: argparse.Namespace) -> int:
    from scenewatch.console.app import create_app
    from scenewatch.serving import Server, listen

    Server(create_app(options.worker.rstrip("/"))).run(sockets=[listen(options.host, options.port)])
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
        broker=_broker(options),
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
    from scenewatch.app import mqtt_settings, scenes_of
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


# --- what they share ---------------------------------------------------------------------------------------


def _scene(key: str | None) -> Scene:
    from scenewatch.scenes import all_scenes

    scenes = {s.key: s for s in all_scenes()}
    if key is None:
        return next(iter(scenes.values()))
    if key not in scenes:
        raise ConfigurationError([Mistake("--scene", f"no scene {key!r}; there are: {', '.join(scenes)}")])
    return scenes[key]


def _broker(options: argparse.Namespace) -> Broker:
    from scenewatch.model.broker import Broker

    files = ("password_file", "ca_file", "cert_file", "key_file")
    broker = Broker(
        url=options.broker, username=options.username, **{name: getattr(options, name) for name in files}
    )
    broker.check()
    return broker


def _stop_on_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


# --- the words ---------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where to read on."""

    def error(self, message: str) -> NoReturn:
        self.exit(MISUSED, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
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


def _add(
    commands: Subparsers, name: str, run: Callable[[argparse.Namespace], int], text: str, example: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name, help=text, description=text, epilog=f"example: {example}", allow_abbrev=False
    )
    parser.set_defaults(run=run)
    return parser


def _add_up(commands: Subparsers) -> None:
    text = "run everything: broker, simulated devices, worker and console, with a day of history"
    p = _add(commands, "up", _up, text, "scenewatch up --sites 10 --port 8090")
    _add_scene(p)
    p.add_argument("--history", type=_not_negative, default=24.0, metavar="HOURS", help="history before live (24)")
    p.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help="where everything is kept (data)")
    p.add_argument("--port", type=_port, default=8080, help="of the console and the API (8080)")
    p.add_argument("--mqtt-port", type=_port, default=1883, metavar="PORT", help="of the embedded broker (1883)")
    p.add_argument("--broker", metavar="URL", help="use this MQTT broker, mqtt://host:1883, and start none")
    p.add_argument("--no-devices", action="store_true", help="no simulated devices and no history")


def _add_work(commands: Subparsers) -> None:
    text = "the worker alone, on the broker and store of a TOML file"
    p = _add(commands, "work", _work, text, "scenewatch work --config scenewatch.toml")
    _add_config(p)
    p.add_argument("--demonstration", type=Path, help=argparse.SUPPRESS)
    p.add_argument("--plan", type=Path, help=argparse.SUPPRESS)


def _add_console(commands: Subparsers) -> None:
    text = "the console alone: pages over a worker's API"
    p = _add(commands, "console", _console, text, "scenewatch console --worker http://127.0.0.1:8080 --port 8081")
    p.add_argument("--worker", required=True, metavar="URL", help="where the worker's API is")
    p.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    p.add_argument("--port", type=_port, default=8081, help="port to listen on (8081)")


def _add_simulate(commands: Subparsers) -> None:
    text = "simulated devices alone, onto any broker"
    example = "scenewatch simulate --scene kitchen --sites 10 --broker mqtt://127.0.0.1:1883"
    p = _add(commands, "simulate", _simulate, text, example)
    _add_scene(p)
    p.add_argument("--broker", required=True, metavar="URL", help="mqtt://host:1883 or mqtts://host:8883")
    p.add_argument("--username", default=None, help="login at the broker")
    p.add_argument("--password-file", type=Path, default=None, metavar="FILE", help="file with the password")
    p.add_argument("--ca-file", type=Path, default=None, metavar="FILE", help="whom to trust with mqtts")
    p.add_argument("--cert-file", type=Path, default=None, metavar="FILE", help="the client's certificate")
    p.add_argument("--key-file", type=Path, default=None, metavar="FILE", help="the certificate's key")
    p.add_argument("--root", default="sw", help="first level of the topics (sw)")
    p.add_argument("--seed", type=int, default=1, help="of all that is drawn by chance (1)")
    p.add_argument(
        "--speed", type=_speed, default=1.0, metavar="N",
        help="times faster than real time: begins in the past, goes on at 1 when it meets the present",
    )  # fmt: skip
    p.add_argument("--past", type=_not_negative, default=24.0, metavar="HOURS", help="where --speed begins (24)")
    p.add_argument("--start", type=int, default=None, metavar="MS", help="where the physics begins, epoch ms (now)")
    p.add_argument(
        "--live-from", type=int, default=None, metavar="MS", help="publish what is later, epoch ms (now)"
    )
    p.add_argument("--faults", type=Path, metavar="FILE", help="JSON list of {fault, device, from_ms, to_ms}")


def _add_inventory(commands: Subparsers) -> None:
    text = "which devices exist where"
    example = "scenewatch inventory import devices.csv"
    parser = commands.add_parser(
        "inventory", help=text, description=text, epilog=f"example: {example}", allow_abbrev=False
    )
    parts = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    example = "scenewatch inventory demo --scene kitchen --sites 10 --out devices.csv"
    p = _add(parts, "demo", _inventory_demo, "write the devices that `simulate` plays as CSV", example)
    _add_scene(p)
    p.add_argument("--out", type=Path, required=True, metavar="FILE", help="the CSV file to write")
    example = "scenewatch inventory import devices.csv --config scenewatch.toml"
    p = _add(parts, "import", _inventory_import, "add or change the devices of a CSV file", example)
    p.add_argument("file", type=Path, help="scene,site,device,type,parent,name_en,name_zh,lat,lon and properties")
    _add_config(p)


def _add_check(commands: Subparsers) -> None:
    text = "find all mistakes in tables and settings; touches no network"
    p = _add(commands, "check", _check, text, "scenewatch check --config scenewatch.toml")
    _add_config(p)


def _add_scene(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scene", default=None, help="key of the scene (the first there is)")
    parser.add_argument("--sites", type=_count, default=10, metavar="N", help="how many sites (10)")


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, default=None, metavar="FILE", help="TOML file with the settings")


def _port(text: str) -> int:
    return _within(text, 1, 65_535)


def _count(text: str) -> int:
    return _within(text, 1, 100_000)


def _within(text: str, low: int, high: int) -> int:
    if not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
    return int(text)


def _not_negative(text: str) -> float:
    return _number(text, 0.0, 24.0 * 366)


def _speed(text: str) -> float:
    return _number(text, 1.0, 1_000_000.0)


def _number(text: str, low: float, high: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low:g} to {high:g}")
    return number
