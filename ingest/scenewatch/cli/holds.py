"""`alarms shelve` and its like, and `maintenance`: what operators keep from being shown, or let go of."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

from scenewatch.cli.asking import add_token, add_worker, asked, told, worker_url
from scenewatch.cli.words import FOUND, WELL, add, add_json, group, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scenewatch.api.operate_shapes import Hold, Holds
    from scenewatch.cli.words import Subparsers

UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}
ONE = "--rule kitchen.fridge_warm --device kitchen.s001.s001-fridge-1 --token-file data/operators"


def add_deeds(parts: Subparsers) -> None:
    """To the commands about alarms."""
    text = "let go of a latching alarm whose condition is over"
    _about_rule(add(parts, "reset", _reset, text, f"scenewatch alarms reset {ONE}"))
    text = "judge a rule of a device as ever and do not show its alarms, until a time at most 7 days off"
    p = _about_rule(add(parts, "shelve", _shelve, text, f"scenewatch alarms shelve {ONE} --for 4h --reason repair"))
    _add_end(p)
    _add_reason(p)
    text = "show a shelved rule's alarms again"
    _about_rule(add(parts, "unshelve", _unshelve, text, f"scenewatch alarms unshelve {ONE}"))
    text = "the same as shelving until it is put back: for a device that is broken or not there"
    p = _about_rule(add(parts, "take-out", _take_out, text, f"scenewatch alarms take-out {ONE} --reason repair"))
    _add_reason(p)
    text = "put a rule of a device back into service"
    _about_rule(add(parts, "put-back", _put_back, text, f"scenewatch alarms put-back {ONE}"))


def add_commands(commands: Subparsers) -> None:
    example = "scenewatch maintenance list"
    parts = group(commands, "maintenance", "no alarms of a device or site are shown while it is worked on", example)
    text = "all that is not shown: in maintenance, shelved and out of service"
    p = add(parts, "list", _list, text, example)
    add_worker(p)
    add_json(p)
    example = "scenewatch maintenance begin kitchen.s001 --for 2h --reason cleaning --token-file data/operators"
    p = add(parts, "begin", _begin, "begin or plan it", example)
    p.add_argument("target", metavar="TARGET", help="scene.site, or scene.site.device")
    p.add_argument("--from", dest="since", type=moment, default=None, metavar="TIME", help="when (now)")
    _add_end(p)
    _add_reason(p)
    _add_asking(p)
    p = add(
        parts,
        "end",
        _end,
        "it is done, or will not be",
        "scenewatch maintenance end kitchen.s001 --token-file data/operators",
    )
    p.add_argument("target", metavar="TARGET", help="scene.site, or scene.site.device")
    _add_asking(p)


def _about_rule(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--rule", required=True, metavar="KEY", help="scene.rule")
    parser.add_argument("--device", required=True, metavar="ID", help="scene.site.device")
    _add_asking(parser)
    return parser


def _add_asking(parser: argparse.ArgumentParser) -> None:
    add_token(parser)
    add_worker(parser)
    add_json(parser)


def _add_end(parser: argparse.ArgumentParser) -> None:
    end = parser.add_mutually_exclusive_group(required=True)
    end.add_argument("--for", dest="lasts", type=span_ms, metavar="SPAN", help="how long, such as 30m, 4h or 2d")
    end.add_argument("--until", type=moment, metavar="TIME", help="such as 2026-11-23T08:00Z")


def _add_reason(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", required=True, metavar="TEXT", help="why, for all who see that it is not shown")


def span_ms(text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,5})([mhd])", text, re.ASCII)
    if found is None or int(found[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a span such as 30m, 4h or 2d")
    return int(found[1]) * UNITS_MS[found[2]]


def _now_ms() -> int:
    from scenewatch.model.clock import SystemClock

    return SystemClock().now_ms()


def _until(options: argparse.Namespace, from_ms: int) -> int:
    return int(options.until if options.until is not None else from_ms + options.lasts)


def _shelve(options: argparse.Namespace) -> int:
    return _do_alarm(options, "shelve", until=_until(options, _now_ms()), reason=options.reason)


def _unshelve(options: argparse.Namespace) -> int:
    return _do_alarm(options, "unshelve")


def _take_out(options: argparse.Namespace) -> int:
    return _do_alarm(options, "take-out", reason=options.reason)


def _put_back(options: argparse.Namespace) -> int:
    return _do_alarm(options, "put-back")


def _do_alarm(options: argparse.Namespace, deed: str, **more: Any) -> int:
    return _do(options, f"alarms/{deed}", {"rule": options.rule, "device": options.device} | more)


def _begin(options: argparse.Namespace) -> int:
    from_ms = _now_ms() if options.since is None else options.since
    span = {"from": from_ms, "until": _until(options, from_ms)}
    return _do(options, "maintenance", {"target": options.target, "reason": options.reason} | span)


def _end(options: argparse.Namespace) -> int:
    return _do(options, "maintenance", {"target": options.target}, method="DELETE")


def _do(options: argparse.Namespace, path: str, body: dict[str, Any], method: str = "POST") -> int:
    from scenewatch.api.operate_shapes import Holds

    url = f"{worker_url(options)}/api/v1/{path}"
    return _tell(options, told(url, body, options.token_file, Holds, method=method))


def _list(options: argparse.Namespace) -> int:
    from scenewatch.api.operate_shapes import Holds

    return _tell(options, asked(f"{worker_url(options)}/api/v1/holds", Holds))


def _tell(options: argparse.Namespace, found: Holds) -> int:
    from scenewatch.cli.show import put_json

    if options.json is not None:
        put_json(found.model_dump(by_alias=True), options.json)
    else:
        _show(found.holds)
    return WELL


def _show(holds: Sequence[Hold]) -> None:
    from scenewatch.cli.show import iso, printable, table

    if not holds:
        print("nothing is kept from being shown")
        return
    rows = [
        (
            hold.kind,
            printable(hold.target),
            printable(hold.rule or "all"),
            iso(hold.from_),
            "put back" if hold.until is None else iso(hold.until),
            hold.by,
            printable(hold.reason),
        )
        for hold in holds
    ]
    table(("what", "where", "rule", "from", "until", "by", "reason"), rows)


def _reset(options: argparse.Namespace) -> int:
    """Of all alarms of the rule and device one at most stands."""
    from scenewatch.api.shapes import Alarm, Alarms
    from scenewatch.cli.show import put_json

    url = f"{worker_url(options)}/api/v1/alarms"
    standing = asked(url, Alarms, device=options.device, rule=options.rule, state="all", limit=1000).alarms
    latched = [alarm for alarm in standing if alarm.latched]
    done = [
        told(
            f"{url}/reset",
            {"rule": alarm.rule, "device": alarm.device, "raised_at": alarm.raised_at},
            options.token_file,
            Alarm,
        )
        for alarm in latched
    ]
    if options.json is not None:
        put_json({"alarms": [alarm.model_dump() for alarm in done]}, options.json)
    else:
        print(f"{len(done)} reset" if done else "no alarm waits for a reset")
    return WELL if done else FOUND
