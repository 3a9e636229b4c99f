"""`rehearse`: simulated sites with labelled faults through the very rules, and how well those found them."""

from __future__ import annotations

import argparse
import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.cli.limits import read_limits
from scenewatch.cli.words import WELL, add, add_html, add_json, count, faults_a_month, moment, scene_of, some_days

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scenewatch.cli.words import Subparsers
    from scenewatch.devices.faults import PlannedFault
    from scenewatch.rehearsal.report import Plain, Report, ScoreEntry

SHOWN_AFTER_S = 2.0
RANDOM, NONE = "random", "none"
ABSENT = "–"


def add_commands(commands: Subparsers) -> None:
    text = "simulated sites with labelled faults through the rules: what was found, how soon, how often for nothing"
    example = "scenewatch rehearse kitchen --days 30 --sites 20 --html rehearsal.html"
    p = add(commands, "rehearse", _rehearse, text, example)
    p.add_argument("scene", metavar="SCENE", help="key of the scene")
    p.add_argument("--days", type=some_days, default=30.0, metavar="N", help="how long it is judged (30)")
    p.add_argument("--sites", type=count, default=20, metavar="N", help="how many sites (20)")
    p.add_argument("--seed", type=int, default=None, metavar="N", help="the same one plays the same again (random)")
    what = f"{RANDOM}, {NONE}, or a JSON file: list of {{fault, device, from_ms, to_ms, size}} ({RANDOM})"
    p.add_argument("--faults", default=RANDOM, metavar="WHICH", help=what)
    what = "how many random faults of each kind befall a site in 30 days, more or less (1)"
    p.add_argument("--rate", type=faults_a_month, default=1.0, metavar="N", help=what)
    what = "TOML file with operators' limits to try"
    p.add_argument("--limits", type=Path, metavar="FILE", help=what)
    what = "apply the same limits plainly too, side by side (yes)"
    p.add_argument("--plain", action=argparse.BooleanOptionalAction, default=True, help=what)
    what = "when the days begin, such as 2026-05-18T00:00+08:00 (by chance when every device is used)"
    p.add_argument("--start", type=moment, default=None, metavar="TIME", help=what)
    add_html(p, "report")
    add_json(p)


def _rehearse(options: argparse.Namespace) -> int:
    from scenewatch.cli.show import put_json
    from scenewatch.rehearsal.page import page
    from scenewatch.rehearsing import Rehearsal, rehearse

    scene = scene_of(options.scene)
    wish = Rehearsal(
        sites=options.sites,
        days=options.days,
        seed=secrets.randbits(32) if options.seed is None else options.seed,
        start_ms=options.start,
        a_month=0.0 if options.faults == NONE else options.rate,
        faults=None if options.faults in (RANDOM, NONE) else _plan(Path(options.faults)),
        limits=read_limits(options.limits, [scene]),
        plain=options.plain,
    )
    with _bar() as progress:
        report = rehearse(scene, wish, progress=progress)
    if options.html is not None:
        options.html.write_text(page(report), "utf-8")
    if options.json is not None:
        put_json(report, options.json)
    else:
        _show(report)
    return WELL


def _plan(path: Path) -> tuple[PlannedFault, ...]:
    from scenewatch.devices.faults import PlannedFault
    from scenewatch.embedded.plan import read_faults

    return tuple(PlannedFault(f.fault, f.device, f.from_ms, f.to_ms, f.size) for f in read_faults(path))


@contextmanager
def _bar() -> Iterator[Callable[[float], None]]:
    from tqdm import tqdm

    form = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    with tqdm(desc="rehearsing", total=1.0, bar_format=form, delay=SHOWN_AFTER_S, leave=False, disable=None) as bar:
        yield lambda done: bar.update(done - bar.n)


# --- what came of it ---------------------------------------------------------------------------------------


def _show(report: Report) -> None:
    from scenewatch.cli.show import iso

    judged_days = (report.to_ms - report.learning_until_ms) / 86_400_000
    print(
        f"{report.title.en}: {report.sites} sites, {report.devices} devices, {judged_days:g} days from "
        f"{iso(report.learning_until_ms)}, seed {report.seed}; {report.readings:,} readings in "
        f"{report.took_s:.1f} s"
    )
    if report.score is not None:
        _show_score(report.score)
    if report.chance is not None:
        found, right = _share(report.chance.recall), _share(report.chance.precision)
        print(f"chance     the same alarms at other times would find {found}, and {right} of them would be right")
    if report.plain is not None:
        _show_plain(report.plain)
    load = report.load
    print(
        f"load       {load.alarms:,} alarms, {load.mean_10_min:.2f} in 10 min on average, "
        f"{load.peak_10_min} in the worst, for one operator; {load.grouped} shown beneath their cause"
    )
    for flag in report.quality:
        print(f"flags      {flag.test}: recall {_share(flag.recall)}, precision {_share(flag.precision)}")
    if report.score is not None and report.score.recall_by_kind:
        _show_kinds(report.score)


def _show_score(score: ScoreEntry) -> None:
    print(
        f"found      {score.detected} of {score.faults} faults, {_share(score.recall)}; delay median "
        f"{_span(score.delay_median_s)}, 95 % within {_span(score.delay_p95_s)}, worst {_span(score.delay_worst_s)}"
    )
    print(
        f"alarms     {score.owned} right, {score.false} for nothing (of them {score.nuisance} once too often), "
        f"{score.neutral} of faults too small to matter; precision {_share(score.precision)}, "
        f"{_number(score.false_a_device_month)} for nothing a device and month"
    )


def _show_plain(plain: Plain) -> None:
    times = "" if plain.times_our_false is None else f", {plain.times_our_false:.0f} times as many"
    print(
        f"plain      the limits alone, after {plain.delay_min:g} min: {_share(plain.recall)} of "
        f"{plain.thermal_faults} faults of temperature (the rules {_share(plain.our_recall)}), "
        f"{plain.false:,} for nothing (the rules {plain.our_false:,}{times}); without delay "
        f"{_number(plain.raised_a_cooling_device_day)} a cooling device and day with nothing wrong"
    )


def _show_kinds(score: ScoreEntry) -> None:
    from scenewatch.cli.show import table

    print()
    rows = [
        (
            k.kind,
            f"{k.detected}/{k.faults}",
            _share(k.recall),
            _span(k.delay_median_s),
            _span(k.delay_p95_s),
            _span(k.delay_worst_s),
            k.title.en,
        )
        for k in score.recall_by_kind
    ]
    table(("fault", "found", "recall", "median", "95 %", "worst", ""), rows)


def _share(share: float | None) -> str:
    return ABSENT if share is None else f"{100 * share:.1f} %"


def _number(number: float | None) -> str:
    return ABSENT if number is None else f"{number:.3g}"


def _span(seconds: float | None) -> str:
    if seconds is None:
        return ABSENT
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
