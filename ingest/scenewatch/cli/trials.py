"""`rules try` and `rules suggest`: what other numbers would change, before anybody puts them into force."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.cli.backtest import add_data, bar, read_data
from scenewatch.cli.limits import looked_at, read_limits
from scenewatch.cli.words import (
    WELL,
    add,
    add_html,
    add_json,
    alarms_a_month,
    count,
    faults_a_month,
    scene_of,
    some_days,
    writable,
)
from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from scenewatch.cli.words import Subparsers
    from scenewatch.model.scene import Scene
    from scenewatch.pipeline import OperatorLimits
    from scenewatch.rehearsal.compare import Comparison
    from scenewatch.rehearsal.report import Report

ABSENT = "–"
READING = 0.2
"""Of the progress; the rest is judging, twice."""


def add_commands(parts: Subparsers) -> None:
    _add_try(parts)
    _add_suggest(parts)


def _add_try(parts: Subparsers) -> None:
    text = "two sets of limits on the same data: which alarms and finds are new, gone or the same"
    example = "scenewatch rules try kitchen --limits new.toml --sites 5 --days 14 --html change.html"
    p = add(parts, "try", _try, text, example)
    p.add_argument("scene", metavar="SCENE", help="key of the scene; generic with --data: of none")
    what = "TOML file with the limits to try"
    p.add_argument("--limits", type=Path, required=True, metavar="FILE", help=what)
    what = "TOML file with those to compare with (the tables' own)"
    p.add_argument("--against", type=Path, metavar="FILE", help=what)
    add_data(p, required=False)
    what = "without --data: how many simulated sites (5)"
    p.add_argument("--sites", type=count, default=5, metavar="N", help=what)
    p.add_argument("--days", type=some_days, default=14.0, metavar="N", help="without --data: how long (14)")
    what = "without --data: the same one plays the same again (random)"
    p.add_argument("--seed", type=int, default=None, metavar="N", help=what)
    what = "without --data: how many random faults of each kind befall a site in 30 days, more or less (1)"
    p.add_argument("--rate", type=faults_a_month, default=1.0, metavar="N", help=what)
    add_html(p, "comparison")
    add_json(p)


def _add_suggest(parts: Subparsers) -> None:
    text = "limits that recorded data suggest, as TOML for --limits, with how many alarms each would have given"
    example = "scenewatch rules suggest kitchen --data 2025.csv --rate 0.5 --out suggested.toml"
    p = add(parts, "suggest", _suggest, text, example)
    p.add_argument("scene", metavar="SCENE", help="key of the scene; generic: of none, the map says its rules")
    add_data(p)
    what = "how many alarms a rule may give, a device and 30 days (0.2)"
    p.add_argument("--rate", type=alarms_a_month, default=0.2, metavar="N", help=what)
    what = "TOML file with the operators' limits in force (none: the tables' own)"
    p.add_argument("--limits", type=Path, metavar="FILE", help=what)
    p.add_argument("--out", type=writable, metavar="FILE", help="where the TOML goes; standard output without")
    add_json(p)


# --- try ---------------------------------------------------------------------------------------------------


def _try(options: argparse.Namespace) -> int:
    from scenewatch.cli.show import put_json
    from scenewatch.rehearsal.compare import compare
    from scenewatch.rehearsal.page import compared

    before, after = _recorded(options) if options.data else _rehearsed(options)
    if options.html is not None:
        options.html.write_text(compared(before, after), "utf-8")
    change = compare(before, after)
    if options.json is not None:
        put_json({"before": before, "after": after, "change": change}, options.json)
    else:
        _show(before, after, change)
    return WELL


def _recorded(options: argparse.Namespace) -> tuple[Report, Report]:
    from scenewatch.backtesting import backtest

    with bar("reading") as progress:
        past = read_data(options, progress)
    old, new = _both(options, past.scene)
    with bar("judging") as progress:
        before = backtest(past, limits=old, progress=lambda done: progress(done / 2))
        return before, backtest(past, limits=new, progress=lambda done: progress((1 + done) / 2))


def _rehearsed(options: argparse.Namespace) -> tuple[Report, Report]:
    """The same faults befall the same sites: only the rules differ."""
    from dataclasses import replace

    from scenewatch.rehearsing import Rehearsal, rehearse

    scene = scene_of(options.scene)
    old, new = _both(options, scene)
    seed = secrets.randbits(32) if options.seed is None else options.seed
    wish = Rehearsal(
        sites=options.sites, days=options.days, seed=seed, a_month=options.rate, limits=old, plain=False
    )
    with bar("rehearsing") as progress:
        before = rehearse(scene, wish, progress=lambda done: progress(done / 2))
        after = rehearse(scene, replace(wish, limits=new), progress=lambda done: progress((1 + done) / 2))
    return before, after


def _both(options: argparse.Namespace, scene: Scene) -> tuple[OperatorLimits, OperatorLimits]:
    """Those to compare with, and those to try. Raises ConfigurationError with all that is wrong in both files."""
    from scenewatch.alarms.overrides import in_force

    (old, of_old), (new, of_new) = (looked_at(path, [scene]) for path in (options.against, options.limits))
    if found := [*of_old, *of_new]:
        raise ConfigurationError(found)
    if in_force([scene], old) == in_force([scene], new):
        what = f"gives the numbers of {options.against or 'the tables'}: nothing would change"
        raise ConfigurationError([Mistake(f"--limits: {options.limits}", what)])
    return old, new


def _show(before: Report, after: Report, change: Comparison) -> None:
    from scenewatch.cli.show import iso, table

    of = f"{after.sites} sites, " if after.what == "rehearsal" else ""
    seed = "" if after.seed is None else f", seed {after.seed}"
    print(
        f"{after.title.en}: {of}{after.devices} devices, {after.readings:,} readings from "
        f"{iso(after.learning_until_ms)} to {iso(after.to_ms)}{seed}"
    )
    new, gone, same = len(change.new), len(change.gone), len(change.same)
    gained, lost = len(change.gained), len(change.lost)
    print(
        f"alarms: {new} new, {gone} gone, {same} the same; faults: {gained} found only after, {lost} only before\n"
    )
    table(("", "before", "after"), [*_scores(before, after), *_loads(before, after)])
    print()
    rows = [
        (r.rule, r.version_before, r.version_after, *(f"{n}" for n in (r.before, r.after, r.same, r.new, r.gone)))
        for r in change.rules
    ]
    table(("rule", "was", "is", "before", "after", "same", "new", "gone"), rows)


def _scores(before: Report, after: Report) -> Iterator[tuple[str, str, str]]:
    if before.score is None or after.score is None:
        return
    old, new = before.score, after.score
    yield "faults found", _share(old.recall), _share(new.recall)
    yield "alarms that are right", _share(old.precision), _share(new.precision)
    yield "delay, median", _span(old.delay_median_s), _span(new.delay_median_s)
    yield "delay, 95 % within", _span(old.delay_p95_s), _span(new.delay_p95_s)
    what = "for nothing a device and month"
    yield what, _number(old.false_a_device_month), _number(new.false_a_device_month)


def _loads(before: Report, after: Report) -> Iterator[tuple[str, str, str]]:
    old, new = before.load, after.load
    yield "alarms", f"{old.alarms:,}", f"{new.alarms:,}"
    yield "in 10 minutes, on average", _number(old.mean_10_min), _number(new.mean_10_min)
    yield "in the worst 10 minutes", str(old.peak_10_min), str(new.peak_10_min)


def _share(share: float | None) -> str:
    return ABSENT if share is None else f"{100 * share:.1f} %"


def _number(number: float | None) -> str:
    return ABSENT if number is None else f"{number:.3g}"


def _span(span_s: float | None) -> str:
    return ABSENT if span_s is None else f"{span_s / 60:.0f} min"


# --- suggest -----------------------------------------------------------------------------------------------


def _suggest(options: argparse.Namespace) -> int:
    from scenewatch.cli.show import put_json
    from scenewatch.rehearsal.suggestion import limits_text
    from scenewatch.suggesting import suggest

    with bar("suggesting") as progress:
        past = read_data(options, lambda done: progress(READING * done))
        limits = read_limits(options.limits, [past.scene])
        rest = 1 - READING
        told = suggest(
            past, limits=limits, a_month=options.rate, progress=lambda done: progress(READING + rest * done)
        )
    if options.json is not None:
        put_json(told, options.json)
    elif options.out is not None:
        options.out.write_text(limits_text(told), "utf-8")
    else:
        print(limits_text(told), end="")
    return WELL
