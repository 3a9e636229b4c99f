"""`alarms load`: how much a running worker's alarms asked of those who read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scenewatch.cli.asking import add_worker, get, worker_url
from scenewatch.cli.words import FOUND, WELL, add, add_json, moment, within

if TYPE_CHECKING:
    import argparse

    from scenewatch.cli.words import Subparsers
    from scenewatch.model.load import Load

ANSWER_S: Final = 60.0
"""A year of alarms takes a while."""
TITLES: Final = {
    "mean_10_min": "alarms an operator and 10 minutes",
    "peak_10_min": "in the worst 10 minutes",
    "over_10_share": "10 minutes with more than 10",
    "flood_share": "time in a flood",
    "chattering": "alarms that chatter",
    "fleeting": "over within a minute",
    "stale": "standing for more than a day",
    "most_frequent_share": "the ten most frequent, of all",
    "priority_high": "of high priority",
    "priority_medium": "of medium priority",
}


def add_command(parts: Subparsers) -> None:
    text = "alarm load by EEMUA 191 and ISA-18.2; status 1 if any figure is beyond what is acceptable"
    p = add(parts, "load", _load, text, "scenewatch alarms load --from 2026-11-01 --to 2026-12-01")
    time = "a time such as 2026-11-22T08:00Z"
    p.add_argument(
        "--from", dest="since", type=moment, metavar="TIME", help=f"{time}; a day before the end without"
    )
    p.add_argument(
        "--to", dest="until", type=moment, metavar="TIME", help="likewise, and itself left out; now without"
    )
    p.add_argument("--site", default=None, metavar="ID", help="of one site alone")
    p.add_argument("--operators", type=_operators, default=1, metavar="N", help="who share the alarms (1)")
    add_worker(p)
    add_json(p)


def _operators(text: str) -> int:
    return within(text, 1, 1000)


def _load(options: argparse.Namespace) -> int:
    import msgspec

    from scenewatch.cli.show import put_json
    from scenewatch.model.errors import TemporaryError
    from scenewatch.model.load import Load, judged

    url = f"{worker_url(options)}/api/v1/alarm-load"
    asked = {"from": options.since, "to": options.until, "site": options.site, "operators": options.operators}
    answer = get(url, ANSWER_S, **asked)
    try:
        load = msgspec.json.decode(answer, type=Load)
    except msgspec.MsgspecError as error:
        raise TemporaryError(f"what answers at {url} is no worker of this release") from error
    if options.json is not None:
        put_json(load, options.json)
    else:
        _show(load)
    return FOUND if any(one.met is False for one in judged(load)) else WELL


def _show(load: Load) -> None:
    from scenewatch.cli.show import iso, printable, table
    from scenewatch.model.load import judged

    print(
        f"{iso(load.from_ms)} to {iso(load.to_ms)}: {load.alarms:,} alarms, {load.standing:,} standing at the end"
    )
    verdicts = {True: "met", False: "exceeded", None: "too few to judge"}
    rows = [
        (TITLES[one.key], _figure(one.key, one.value), _figure(one.key, one.at_most), verdicts[one.met])
        for one in judged(load)
    ]
    table(("figure", "here", "at most", ""), rows)
    if load.most_frequent:
        print()
        frequent = (
            (f"{f.count:,}", f"{f.share:.1%}", printable(f.rule), printable(f.device)) for f in load.most_frequent
        )
        table(("count", "share", "rule", "device"), frequent)


def _figure(key: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1%}" if "share" in key or key.startswith("priority") else f"{value:.3g}"
