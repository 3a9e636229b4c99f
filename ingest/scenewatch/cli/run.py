"""`up`, `work`, `console`, `simulate`: what runs until it is stopped."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.cli.words import (
    WELL,
    add,
    add_config,
    add_scene,
    complain,
    count,
    interval_hours,
    not_negative,
    port,
    scene_of,
    speed,
    web_address,
)
from scenewatch.model.clock import SystemClock
from scenewatch.model.errors import ConfigurationError
from scenewatch.model.words import days, hours

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scenewatch.app import Worker
    from scenewatch.cli.words import Subparsers
    from scenewatch.model.broker import Broker
    from scenewatch.settings import Settings

YEAR = days(365)


def add_commands(commands: Subparsers) -> None:
    _add_up(commands)
    _add_work(commands)
    _add_console(commands)
    _add_simulate(commands)


def _add_up(commands: Subparsers) -> None:
    text = "run everything: broker, simulated devices, worker and console, with a day of history"
    p = add(commands, "up", _up, text, "scenewatch up --sites 10 --port 8090")
    add_scene(p)
    p.add_argument("--history", type=not_negative, default=24.0, metavar="HOURS", help="history before live (24)")
    p.add_argument("--data", type=Path, default=Path("data"), metavar="DIR", help="where everything is kept (data)")
    p.add_argument("--port", type=port, default=8080, help="of the console and the API (8080)")
    p.add_argument("--mqtt-port", type=port, default=1883, metavar="PORT", help="of the embedded broker (1883)")
    p.add_argument("--broker", metavar="URL", help="use this MQTT broker, mqtt://host:1883, and start none")
    p.add_argument("--no-devices", action="store_true", help="no simulated devices and no history")


def _add_work(commands: Subparsers) -> None:
    text = "the worker alone, on the broker and store of a TOML file"
    p = add(commands, "work", _work, text, "scenewatch work --config scenewatch.toml")
    add_config(p)
    p.add_argument("--demonstration", type=Path, help=argparse.SUPPRESS)
    p.add_argument("--plan", type=Path, help=argparse.SUPPRESS)


def _add_console(commands: Subparsers) -> None:
    text = "the console alone: pages over a worker's API"
    p = add(commands, "console", _console, text, "scenewatch console --worker http://127.0.0.1:8080 --port 8081")
    p.add_argument("--worker", required=True, metavar="URL", help="where the worker's API is")
    p.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    p.add_argument("--port", type=port, default=8081, help="port to listen on (8081)")
    text = "host names that requests may call it by, parted by commas (on loopback the machine's own, else any)"
    p.add_argument("--names", type=_names, default=(), metavar="NAMES", help=text)
    p.add_argument("--grafana", type=web_address, metavar="URL", help="link each device to its page there")


def _add_simulate(commands: Subparsers) -> None:
    text = "simulated devices alone, onto any broker"
    example = "scenewatch simulate --scene kitchen --sites 10 --broker mqtt://127.0.0.1:1883"
    p = add(commands, "simulate", _simulate, text, example)
    add_scene(p)
    p.add_argument("--broker", required=True, metavar="URL", help="mqtt://host:1883 or mqtts://host:8883")
    p.add_argument("--username", default=None, help="login at the broker")
    p.add_argument("--password-file", type=Path, default=None, metavar="FILE", help="file with the password")
    p.add_argument("--ca-file", type=Path, default=None, metavar="FILE", help="whom to trust with mqtts")
    p.add_argument("--cert-file", type=Path, default=None, metavar="FILE", help="the client's certificate")
    p.add_argument("--key-file", type=Path, default=None, metavar="FILE", help="the certificate's key")
    p.add_argument(
        "--logins", type=Path, metavar="DIR",
        help="each site's gateways log in as SCENE.SITE with DIR/SCENE.SITE.password",
    )  # fmt: skip
    p.add_argument(
        "--processes", type=count, metavar="N",
        help="among which the sites are shared (as many as they need, at most one a core)",
    )  # fmt: skip
    p.add_argument("--root", default="sw", help="first level of the topics (sw)")
    p.add_argument("--seed", type=int, default=1, help="of all that is drawn by chance (1)")
    p.add_argument(
        "--speed", type=speed, default=1.0, metavar="N",
        help="times faster than real time: begins in the past, goes on at 1 when it meets the present",
    )  # fmt: skip
    p.add_argument("--past", type=not_negative, default=24.0, metavar="HOURS", help="where --speed begins (24)")
    p.add_argument(
        "--piece", type=Path, metavar="FILE",
        help="remembers where the physics began: started again it goes on from now, and plays no past twice",
    )  # fmt: skip
    p.add_argument("--start", type=int, default=None, metavar="MS", help="where the physics begins, epoch ms (now)")
    p.add_argument(
        "--live-from", type=int, default=None, metavar="MS", help="publish what is later, epoch ms (now)"
    )
    p.add_argument(
        "--mishaps", type=interval_hours, metavar="HOURS",
        help="every so many hours a mishap that raises an alarm befalls one device after the other, for a year",
    )  # fmt: skip
    p.add_argument("--faults", type=Path, metavar="FILE", help="JSON list of {fault, device, from_ms, to_ms, size}")


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

    desk = Desk(say=say, warn=complain, progress=progress, stop=_stop_on_signal())
    told = Options(
        sites=options.sites,
        history_hours=options.history,
        data=options.data,
        port=options.port,
        mqtt_port=options.mqtt_port,
        broker=options.broker,
        devices=not options.no_devices,
    )
    Up(told, scene_of(options.scene), SystemClock(), desk).run()
    return WELL


def _work(options: argparse.Namespace) -> int:
    from scenewatch.app import Worker
    from scenewatch.serving import listen
    from scenewatch.settings import load
    from scenewatch.worker.service import Signals, serve

    settings = load(options.config)
    with listen(settings.http.host, settings.http.port) as address, Signals() as told:
        worker = (
            Worker(settings, SystemClock()) if options.demonstration is None else _demonstrator(options, settings)
        )
        return serve(worker, address, told, lambda: load(options.config))


def _demonstrator(options: argparse.Namespace, settings: Settings) -> Worker:
    """A worker that writes simulated history before it goes live."""
    from scenewatch.app import Worker
    from scenewatch.embedded.history import History
    from scenewatch.embedded.plan import read_demonstration

    piece = read_demonstration(options.demonstration)
    scene = scene_of(piece.scene)
    worker = Worker(settings, SystemClock())
    worker.before_live(History(worker, scene, piece, options.plan).write)
    return worker


def _console(options: argparse.Namespace) -> int:
    from scenewatch.console.app import create_app
    from scenewatch.serving import Server, listen

    app = create_app(options.worker.rstrip("/"), grafana_url=options.grafana or "")
    with listen(options.host, options.port) as address:
        Server(app, address, names=options.names).serve_until_told()
    return WELL


def _simulate(options: argparse.Namespace) -> int:
    from scenewatch.devices.faults import FaultPlan, PlannedFault, mishaps
    from scenewatch.devices.simulate import Simulation, simulate
    from scenewatch.embedded.plan import read_faults
    from scenewatch.scenes import demonstration

    scene = scene_of(options.scene)
    devices = tuple(demonstration(scene).devices(options.sites))
    broker = _broker(options)
    _check_logins(broker, {d.site_id for d in devices}, options.logins)
    start_ms, live_from_ms, speed = _beginning(options, SystemClock().now_ms())
    faults = read_faults(options.faults) if options.faults is not None else []
    plan = FaultPlan(tuple(PlannedFault(f.fault, f.device, f.from_ms, f.to_ms, f.size) for f in faults))
    if options.mishaps is not None:
        every_ms = hours(options.mishaps)
        plan = FaultPlan((*plan.faults, *mishaps(scene, devices, start_ms, start_ms + YEAR, every_ms).faults))
    simulation = Simulation(
        scene=scene,
        devices=devices,
        broker=broker,
        logins=options.logins,
        root=options.root,
        seed=options.seed,
        start_ms=start_ms,
        live_from_ms=live_from_ms,
        clock=SystemClock(),
        speed=speed,
        plan=plan,
    )
    simulate(simulation, _stop_on_signal(), processes=options.processes)
    return WELL


def _broker(options: argparse.Namespace) -> Broker:
    from scenewatch.model.broker import Broker

    files = ("password_file", "ca_file", "cert_file", "key_file")
    return Broker(url=options.broker, username=options.username, **{name: getattr(options, name) for name in files})


def _beginning(options: argparse.Namespace, now_ms: int) -> tuple[int, int, float]:
    """Where the physics begins, where publishing does, and how fast time runs until it meets the present."""
    from scenewatch.embedded.plan import Begun, read_begun

    if options.piece is not None and options.piece.exists():
        return read_begun(options.piece).start_ms, now_ms, 1.0
    live_from_ms = options.live_from
    if live_from_ms is None:
        live_from_ms = now_ms - round(options.past * 3_600_000) if options.speed > 1 else now_ms
    start_ms = options.start if options.start is not None else live_from_ms
    if options.piece is not None:
        Begun(start_ms=start_ms).write(options.piece)
    return start_ms, live_from_ms, options.speed


def _check_logins(broker: Broker, sites: Iterable[str], logins: Path | None) -> None:
    from scenewatch.devices.publisher import login

    found = {mistake: None for site in sorted(sites) for mistake in login(broker, site, logins).mistakes()}
    if found:
        raise ConfigurationError(list(found))


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))


def _stop_on_signal() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop
