"""`backtest`: recorded data through the very rules that judge live readings: what would they have done?"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.cli.limits import read_limits
from scenewatch.cli.words import WELL, add, add_html, add_json, complain, moment, scene_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from scenewatch.backtesting import Past
    from scenewatch.cli.words import Subparsers
    from scenewatch.recorded.windows import Window
    from scenewatch.rehearsal.report import Report

SHOWN_AFTER_S = 2.0
READING = 0.4
"""Of the progress; the rest is judging."""
ABSENT = "–"


def add_commands(commands: Subparsers) -> None:
    text = "recorded data through the rules: what they would have raised, and how well that fits what was labelled"
    example = "scenewatch backtest generic --data flow.csv rain.csv --map sewer.toml --html report.html"
    p = add(commands, "backtest", _backtest, text, example)
    p.add_argument(
        "scene", metavar="SCENE", help="key of the scene; generic: of none, the map says channels and rules"
    )
    add_data(p)
    what = "labelled spans in which something was wrong: JSON {device: [[from, to]]}, or CSV with device, from, to"
    p.add_argument("--windows", type=Path, metavar="FILE", help=what)
    what = "TOML file with operators' limits to try"
    p.add_argument("--limits", type=Path, metavar="FILE", help=what)
    add_html(p, "report")
    add_json(p)


def add_data(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """What any command on recorded data needs."""
    what = "CSV or Parquet, in any order: time, device, channel, value; or as the map says"
    parser.add_argument("--data", type=Path, nargs="+", required=required, metavar="FILE", help=what)
    what = "TOML file that says what the columns are; docs/backtest.md has all of it"
    parser.add_argument("--map", type=Path, metavar="FILE", help=what)
    what = "devices of the scene, CSV or GeoJSON as `inventory export` writes them: which type each is"
    parser.add_argument("--inventory", type=Path, metavar="FILE", help=what)
    what = "of times without an offset: Asia/Shanghai, or +08:00 (the map's; else UTC)"
    parser.add_argument("--zone", default="", metavar="ZONE", help=what)
    when = "a time such as 2025-01-01T00:00Z (UTC unless it says otherwise)"
    parser.add_argument("--from", dest="since", type=moment, metavar="TIME", help=f"{when}; the first without")
    parser.add_argument("--to", dest="until", type=moment, metavar="TIME", help="likewise, and itself left out")


def read_data(options: argparse.Namespace, progress: Callable[[float], None]) -> Past:
    """What `add_data` asked for, read; everything left out or doubtful goes to standard error."""
    from scenewatch.backtesting import Files, read
    from scenewatch.inventory.files import read_devices
    from scenewatch.recorded.generic import KEY
    from scenewatch.recorded.mapping import Mapping, load_map

    scene = None if options.scene == KEY else scene_of(options.scene)
    inventory = (
        [] if options.inventory is None or scene is None else read_devices(options.inventory, [scene]).devices
    )
    files = Files(
        paths=tuple(options.data),
        mapping=Mapping() if options.map is None else load_map(options.map),
        map_name="--map" if options.map is None else str(options.map),
        zone=options.zone,
        inventory=tuple(inventory),
        from_ms=options.since,
        to_ms=options.until,
    )
    past = read(scene, files, progress=progress)
    for note in past.recorded.notes:
        complain(note.en)
    return past


@contextmanager
def bar(what: str) -> Iterator[Callable[[float], None]]:
    """Shown where it takes long."""
    from tqdm import tqdm

    form = "{desc} {percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    with tqdm(desc=what, total=1.0, bar_format=form, delay=SHOWN_AFTER_S, leave=False, disable=None) as shown:
        yield lambda done: shown.update(done - shown.n)


def _backtest(options: argparse.Namespace) -> int:
    from scenewatch.backtesting import backtest
    from scenewatch.cli.show import put_json
    from scenewatch.rehearsal.page import page

    with bar("backtesting") as progress:
        past = read_data(options, lambda done: progress(READING * done))
        windows = _windows(options, past)
        limits = read_limits(options.limits, [past.scene])
        report = backtest(
            past, limits=limits, windows=windows, progress=lambda done: progress(READING + (1 - READING) * done)
        )
    if options.html is not None:
        options.html.write_text(page(report), "utf-8")
    if options.json is not None:
        put_json(report, options.json)
    else:
        _show(report)
    return WELL


def _windows(options: argparse.Namespace, past: Past) -> list[Window]:
    from scenewatch.recorded.windows import load_windows

    if options.windows is None:
        return []
    said = past.mapping.time.zone if past.mapping.time is not None else ""
    return load_windows(options.windows, past.recorded.devices, options.zone or said)


# --- what came of it ---------------------------------------------------------------------------------------


def _show(report: Report) -> None:
    from scenewatch.cli.show import iso, table

    load = report.load
    print(
        f"{report.title.en}: {report.devices} devices, {report.readings:,} readings from {iso(report.from_ms)} to "
        f"{iso(report.to_ms)}, judged in {report.took_s:.1f} s"
    )
    print(
        f"load       {load.alarms:,} alarms, {load.mean_10_min:.3g} in 10 min on average, {load.peak_10_min} in "
        f"the worst, for one operator; {load.standing} stand at the end"
    )
    if report.score is not None:
        _show_windows(report)
    print()
    rows = [(rule.key, rule.priority, f"{rule.raised:,}", rule.version, rule.text.en) for rule in report.rules]
    table(("rule", "priority", "raised", "version", "condition"), rows)


def _show_windows(report: Report) -> None:
    from scenewatch.cli.show import table

    print()
    rows = [
        (
            s.device,
            f"{s.found}/{s.windows}",
            str(s.raised_outside),
            ABSENT if s.raised_outside_a_month is None else f"{s.raised_outside_a_month:.2f}",
            ABSENT if s.outside_in_alarm is None else f"{100 * s.outside_in_alarm:.1f} %",
            f"{s.learning_days:g} d",
        )
        for s in report.series
    ]
    table(("device", "found", "raised outside", "a month", "outside in alarm", "learning"), rows)
