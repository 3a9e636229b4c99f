"""`doctor`: examines an installation beside the running parts, and says of everything it finds what to do."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.cli.words import FOUND, WELL, add, add_config, add_json
from scenewatch.model.clock import SystemClock

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from scenewatch.cli.words import Subparsers
    from scenewatch.doctor.examination import Told

SHOWN_AFTER_S = 2.0


def add_commands(commands: Subparsers) -> None:
    text = (
        "examine settings, secrets, certificates, broker, store, disk and dashboards; status 1 if it finds anything"
    )
    example = "scenewatch doctor --config scenewatch.toml --dashboards dashboards"
    p = add(commands, "doctor", _doctor, text, example)
    add_config(p)
    p.add_argument("--worker", metavar="URL", help="where the worker's API is, if not where the settings say")
    p.add_argument("--dashboards", type=Path, metavar="DIR", help="the folder of dashboards that Grafana mounts")
    p.add_argument("--grafana", metavar="URL", help="where Grafana is, such as http://127.0.0.1:3000")
    text = "file with USER:PASSWORD or a token for Grafana, to look at its data sources"
    p.add_argument("--grafana-login-file", type=Path, metavar="FILE", help=text)
    add_json(p)


def _doctor(options: argparse.Namespace) -> int:
    from scenewatch.cli.show import put_json
    from scenewatch.doctor.examination import examine, worst
    from scenewatch.doctor.findings import Subject, Verdict
    from scenewatch.parts import scenes_of
    from scenewatch.settings import load

    settings = load(options.config)
    subject = Subject(
        settings=settings,
        scenes=scenes_of(settings),
        clock=SystemClock(),
        worker=options.worker,
        dashboards=options.dashboards,
        grafana=options.grafana,
        grafana_login_file=options.grafana_login_file,
    )
    found = examine(subject, _progress())
    if options.json is not None:
        put_json({"worst": worst(found), "findings": [_row(one) for one in found]}, options.json)
    else:
        _show(found)
    return WELL if worst(found) is Verdict.OK else FOUND


def _progress() -> Callable[[int, int], None]:
    from tqdm import tqdm

    bar = tqdm(desc="examining", unit=" checks", delay=SHOWN_AFTER_S, leave=False, disable=None)
    shown_from_s = time.monotonic() + SHOWN_AFTER_S

    def show(done: int, of: int) -> None:
        bar.total, bar.n = of, done
        if done == of:
            bar.close()
        elif time.monotonic() > shown_from_s:
            bar.refresh()  # also while one check is waited for

    return show


def _row(told: Told) -> dict[str, str]:
    finding = told.finding
    return {"part": told.part, "verdict": finding.verdict, "what": finding.what, "mend": finding.mend}


def _show(found: list[Told]) -> None:
    from collections import Counter

    from scenewatch.cli.show import printable

    for told in found:
        finding = told.finding
        print(f"{finding.verdict:<8} {told.part:<13} {printable(finding.what)}")
        if finding.mend:
            print(f"{'':<22} -> {printable(finding.mend)}")
    count = Counter(told.finding.verdict for told in found)
    print(", ".join(f"{n} {verdict}" for verdict, n in sorted(count.items())))
