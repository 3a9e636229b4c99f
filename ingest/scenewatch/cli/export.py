"""`export`: what was recorded, as CSV or Parquet; from a worker that runs, or from the stores themselves."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.cli.words import WELL, add, add_config, add_json, moment, web_address
from scenewatch.model.errors import ConfigurationError, Mistake

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from scenewatch.cli.sources import Source
    from scenewatch.cli.words import Subparsers
    from scenewatch.export.tables import Row, Series

BEGINNING_MS, END_MS = -(2**53), 2**53
SHOWN_AFTER_S = 2.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of the record."""

    site: str | None
    devices: frozenset[str]
    channels: frozenset[str]
    from_ms: int
    to_ms: int

    @classmethod
    def of(cls, options: argparse.Namespace) -> Wanted:
        from_ms = BEGINNING_MS if options.since is None else options.since
        to_ms = END_MS if options.until is None else options.until
        if from_ms >= to_ms:
            raise ConfigurationError([Mistake("--to", "is not behind --from")])
        return cls(options.site, frozenset(options.device), frozenset(options.channel), from_ms, to_ms)

    def has(self, device: str) -> bool:
        site, _, own = device.rpartition(".")
        if self.site is not None and self.site not in (site, site.rpartition(".")[2]):
            return False
        return not self.devices or device in self.devices or own in self.devices

    def has_channel(self, series: Series) -> bool:
        return self.has(series.device) and (not self.channels or series.channel in self.channels)


def add_commands(commands: Subparsers) -> None:
    text = "write readings, alarms or events to a CSV or Parquet file; times are UTC"
    example = "scenewatch export --what readings --from 2026-11-01 --out november.parquet --config scenewatch.toml"
    p = add(commands, "export", _export, text, example)
    p.add_argument("--what", choices=("readings", "alarms", "events"), required=True, help="what to write")
    p.add_argument("--out", type=Path, required=True, metavar="FILE", help="FILE.csv or FILE.parquet")
    p.add_argument("--site", default=None, help="those of one site: scene.site, or the site alone")
    text = "those of this device, by its whole id or its own; may be given several times"
    p.add_argument("--device", action="append", default=[], help=text)
    text = "readings of this channel alone; may be given several times"
    p.add_argument("--channel", action="append", default=[], help=text)
    when = "a time such as 2026-11-22T08:00Z (UTC unless it says otherwise)"
    p.add_argument("--from", dest="since", type=moment, metavar="TIME", help=f"{when}; the oldest without")
    p.add_argument("--to", dest="until", type=moment, metavar="TIME", help="likewise, and itself left out")
    p.add_argument("--worker", type=web_address, default=None, metavar="URL", help="ask the API of this worker")
    add_config(p)
    add_json(p)


def _export(options: argparse.Namespace) -> int:
    from scenewatch.cli.show import put_json
    from scenewatch.export import files, tables

    files.check(options.out)
    wanted = Wanted.of(options)
    with ExitStack() as opened:
        source = _source(options, opened)
        columns = {"readings": tables.READINGS, "alarms": tables.ALARMS, "events": tables.EVENTS}[options.what]
        rows = files.write(options.out, columns, _rows(options.what, source, wanted, opened))
    if options.json is not None:
        put_json({"what": options.what, "file": str(options.out), "rows": rows}, options.json)
    else:
        print(f"{rows:,} {options.what} written to {options.out}")
    return WELL


def _source(options: argparse.Namespace, opened: ExitStack) -> Source:
    from scenewatch.cli.asking import configured
    from scenewatch.cli.sources import FromStores, FromWorker
    from scenewatch.settings import load

    if options.worker is not None:
        return FromWorker(options.worker)
    settings = load(options.config)
    return FromStores(settings, configured(options.config) if settings.http.port else None, opened)


def _rows(what: str, source: Source, wanted: Wanted, opened: ExitStack) -> Iterator[Row]:
    if what == "readings":
        return _readings(source, wanted, opened)
    span = (wanted.from_ms, wanted.to_ms)
    found = source.alarms(span) if what == "alarms" else source.events(span)
    return _shown(found, wanted, what, opened)


def _readings(source: Source, wanted: Wanted, opened: ExitStack) -> Iterator[Row]:
    """Series by series, each by time."""
    from tqdm import tqdm

    from scenewatch.export.pages import forwards
    from scenewatch.export.tables import reading_rows

    chosen = [series for series in source.series() if wanted.has_channel(series)]
    bar = opened.enter_context(
        tqdm(chosen, desc="exporting", unit=" series", delay=SHOWN_AFTER_S, leave=False, disable=None)
    )
    for series in bar:
        for page in forwards(partial(source.readings, series.name), wanted.from_ms, wanted.to_ms):
            yield from reading_rows(series, page)


def _shown(found: Iterable[Row], wanted: Wanted, what: str, opened: ExitStack) -> Iterator[Row]:
    from tqdm import tqdm

    bar = opened.enter_context(
        tqdm(found, desc="exporting", unit=f" {what}", delay=SHOWN_AFTER_S, leave=False, disable=None)
    )
    return (row for row in bar if wanted.has(str(row[1])))
