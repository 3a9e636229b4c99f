"""`journal replay`: what is kept, run once more: into another store, or only to see what limits would have done."""

from __future__ import annotations

import math
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.cli.limits import read_limits
from scenewatch.cli.words import FOUND, WELL, add, add_bounds, add_config, add_json, complain

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from typing import Any

    from scenewatch.cli.words import Subparsers
    from scenewatch.journal.look import Look
    from scenewatch.model.alarm import Transition
    from scenewatch.pipeline import Pipeline
    from scenewatch.settings import Settings
    from scenewatch.worker.replay import Into, Replayed

NOWHERE = "none"
SHOWN_AFTER_S = 2.0
BEGAN = {
    "origin": "all is known from the journal's beginning",
    "saved": "all is known from the state saved at {}",
    "fresh": "the state is fresh: what came before position {} is not kept, nor which alarms stood there",
}


def add_replay(parts: Subparsers) -> None:
    text = "run what is kept once more, into another store or none; status 1 if damage is among it"
    example = "scenewatch journal replay --from 2026-11-22T08:00Z --limits tried.toml --config scenewatch.toml"
    p = add(parts, "replay", _replay, text, example)
    add_bounds(p)
    add_config(p)
    text = "TOML file whose limits are in force in the place of those of the time"
    p.add_argument("--limits", type=Path, metavar="FILE", help=text)
    text = "store for the readings, as in the settings, never the worker's own; none: only tell the alarms (none)"
    p.add_argument("--into", default=NOWHERE, metavar="URL", help=text)
    text = "file with the token of that store; the settings' own without"
    p.add_argument("--token-file", type=Path, metavar="FILE", help=text)
    add_json(p)


def _replay(options: argparse.Namespace) -> int:
    from scenewatch.journal.look import Look
    from scenewatch.parts import scenes_of, state_folder
    from scenewatch.pipeline import Pipeline
    from scenewatch.settings import load
    from scenewatch.worker.replay import Replay

    settings = load(options.config)
    scenes = scenes_of(settings)
    look = Look(settings.journal.path)
    replay = Replay(
        look,
        fresh=lambda: Pipeline(scenes, settings.root),
        states=state_folder(settings.journal.path),
        limits=None if options.limits is None else read_limits(options.limits, scenes),
    )
    bounds = _position(look, options.since, look.oldest), _position(look, options.until, look.end)
    pipeline, replayed = replay.prepare(*bounds)
    with ExitStack() as opened:
        into = _into(options, settings, pipeline, opened)
        if into is not None:
            into.check(replayed.first)
        replay.run(pipeline, replayed, into, _progress(replayed, opened))
    for damage in replayed.damaged:
        complain(str(damage))
    _show(options, pipeline, replayed)
    return FOUND if replayed.damaged else WELL


def _position(look: Look, bound: int | datetime | None, free: int) -> int:
    if isinstance(bound, datetime):
        return look.position_at(round(bound.timestamp() * 1000))
    return free if bound is None else bound


def _into(options: argparse.Namespace, settings: Settings, pipeline: Pipeline, opened: ExitStack) -> Into | None:
    """Nothing of the worker's own is written, but an InfluxDB's position, under that server's own name."""
    from scenewatch.parts import open_store
    from scenewatch.settings import other_store
    from scenewatch.store.relational import Database
    from scenewatch.worker.replay import Into

    if options.into == NOWHERE:
        return None
    there = settings.model_copy(update={"store": other_store(settings, options.into, options.token_file)})
    database = opened.enter_context(closing(Database(settings.database.url)))
    registry = pipeline.registry
    store = open_store(there, database, lambda series: registry.type_of(registry.series_device[series]).key)
    return Into(opened.enter_context(closing(store)), registry.series_name)


def _progress(replayed: Replayed, opened: ExitStack) -> Callable[[int], None]:
    from tqdm import tqdm

    bar = opened.enter_context(
        tqdm(
            desc="replaying",
            total=replayed.end - replayed.began,
            unit=" positions",
            unit_scale=True,
            delay=SHOWN_AFTER_S,
            leave=False,
            disable=None,
        )
    )
    return lambda position: bar.update(position - replayed.began - bar.n)


# --- what came of it ---------------------------------------------------------------------------------------


def _show(options: argparse.Namespace, pipeline: Pipeline, replayed: Replayed) -> None:
    from scenewatch.cli.show import iso, put_json, table

    told = [_told(pipeline, transition) for transition in replayed.transitions]
    standing = [_told(pipeline, transition) for transition in pipeline.alarms.standing()]
    if options.json is not None:
        put_json(_account(replayed) | {"transitions": told, "standing": standing}, options.json)
        return
    if told and options.into == NOWHERE:
        rows = [(iso(t["at"]), t["step"], t["rule"], t["device"], _value(t["value"])) for t in told]
        table(("at", "step", "rule", "device", "value"), rows)
    account = _account(replayed)
    for name in ("received", "stored", "duplicate", "dead"):
        print(f"{name:<10}{account[name]:>16,}")
    steps = [t["step"] for t in told]
    print(
        f"alarms    {steps.count('raised'):,} raised, {steps.count('cleared'):,} cleared, "
        f"{len(standing):,} stand at the end"
    )
    if options.into != NOWHERE:
        print(f"readings  {replayed.readings:,}, of which {replayed.added:,} were new to the store")
        if replayed.refused:
            print(f"refused   {replayed.refused:,} readings that the store would not take")
    lost = f", {replayed.lost:,} of them lost to damage" if replayed.lost else ""
    print(f"positions {replayed.first} to {replayed.end - 1}{lost}; {BEGAN[replayed.start].format(replayed.began)}")


def _account(replayed: Replayed) -> dict[str, Any]:
    counts = replayed.counts
    return {
        "first": replayed.first,
        "end": replayed.end,
        "state": str(replayed.start),
        "began": replayed.began,
        "received": counts.stored + counts.duplicate + counts.dead,
        "stored": counts.stored,
        "duplicate": counts.duplicate,
        "dead": counts.dead,
        "control": counts.control - replayed.lost,
        "lost": replayed.lost,
        "readings": replayed.readings,
        "added": replayed.added,
        "refused": replayed.refused,
    }


def _told(pipeline: Pipeline, transition: Transition) -> dict[str, Any]:
    return {
        "at": transition.at_ms,
        "step": str(transition.step),
        "rule": transition.rule,
        "device": pipeline.registry.devices[transition.device].id,
        "raised_at": transition.raised_at_ms,
        "value": None if math.isnan(transition.value) else transition.value,
    }


def _value(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
