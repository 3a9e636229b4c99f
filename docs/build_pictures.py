"""Draws what three dashboards show of simulated kitchens: the dashboards' own queries, asked of a real InfluxDB.

    python docs/build_pictures.py
    python docs/build_pictures.py --console http://127.0.0.1:8080

Places, texts, units and colours are those of the dashboards, by Grafana's own library; the drawing is ours, and
each picture says so. Needs Go or a built InfluxDB, Node with npm, and Chromium. With --console it photographs the
pages of that running console instead, which needs Chromium alone.
"""
# ruff: noqa: INP001 - a script beside what it writes, not a package

from __future__ import annotations

import argparse
import sys
import tempfile
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

DOCS = Path(__file__).parent
TESTS = DOCS.parent / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "dashboards")]

import provisioned  # noqa: E402  # from the tests: the same ways of asking
from built import committed  # noqa: E402
from console_pictures import photograph  # noqa: E402
from dashboard_proof import Server, View, view  # noqa: E402
from drawn_charts import Frame, Line, chart, legend, timeline, unit_of  # noqa: E402
from filled_influx import BUCKET, MINUTE_MS, fill  # noqa: E402
from grafana_display import Display  # noqa: E402
from looks import reader  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402

from influx_server import running  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
PICTURES = {
    "wall": ("sw-wall", {"scene": "$__all", "site": "$__all"}),
    "site": ("sw-site", {"site": "s001"}),
    "device": ("sw-device-kitchen-fridge", {"site": "s001", "device": "s001-fridge-1"}),
}
COLUMN_PX, ROW_PX, GAP_PX = 62, 34, 8
HEAD_PX = 34
NOTE = "由仪表板的查询绘制，并非 Grafana 截图 · Drawn from the dashboard's queries; not a Grafana screenshot"
EMPTY = "无数据 · No data"
COLORS = {
    "light": {"ground": "#f4f5f5", "panel": "#ffffff", "edge": "#dfe2e6", "text": "#24292e", "soft": "#6a737d"},
    "dark": {"ground": "#111217", "panel": "#181b1f", "edge": "#2c3137", "text": "#d2d4dc", "soft": "#8e939e"},
}
STYLE = """
* { box-sizing: border-box; margin: 0 }
body { background: GROUND; color: TEXT; font: 14px Inter, Helvetica, Arial, 'Noto Sans CJK SC', sans-serif }
header { padding: 14px 12px 6px; display: flex; gap: 10px; align-items: baseline }
h1 { font-size: 20px; font-weight: 600 } header p { color: SOFT; flex: 1 }
header b { border: 1px solid EDGE; border-radius: 3px; padding: 3px 9px; background: PANEL; font-weight: 500 }
.note { padding: 0 12px 8px; color: SOFT; font-size: 12.5px }
main { position: relative }
section { position: absolute; background: PANEL; border: 1px solid EDGE; border-radius: 3px; overflow: hidden }
h2 { font-size: 14px; font-weight: 600; padding: 8px 10px 4px; white-space: nowrap; overflow: hidden }
.row { position: absolute; font-weight: 600; padding: 8px 4px }
.tiles { display: flex; flex-wrap: wrap; height: calc(100% - 32px); align-content: stretch }
.tiles div { flex: 1 1 90px; display: flex; flex-direction: column; justify-content: center; align-items: center;
  padding: 2px 6px; text-align: center }
.tiles strong { font-size: 24px; font-weight: 600; line-height: 1.25 } .tiles small { font-size: 12px; color: SOFT }
table { border-collapse: collapse; width: 100%; font-size: 12.5px }
th { text-align: left; color: SOFT; font-weight: 500 }
th, td { padding: 5px 10px; border-bottom: 1px solid EDGE; white-space: nowrap; max-width: 330px; overflow: hidden }
td { text-overflow: ellipsis }
.grid { stroke: EDGE; stroke-width: 1 } .axis { fill: SOFT; font-size: 11px } .in { fill: #fff; font-size: 11px }
.legend { padding: 0 12px; font-size: 12px; color: SOFT; display: flex; gap: 14px; flex-wrap: wrap }
.legend i { display: inline-block; width: 14px; height: 3px; margin: 0 5px 3px 0 }
.empty { color: SOFT; height: calc(100% - 32px); display: grid; place-items: center }
svg { display: block }
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=DOCS / "pictures", metavar="FOLDER", help="where to write them")
    parser.add_argument("--chromium", default="/usr/bin/chromium", metavar="FILE", help="the browser to draw with")
    parser.add_argument("--console", metavar="URL", help="photograph the pages of this running console instead")
    options = parser.parse_args()
    if options.console:
        options.out.mkdir(exist_ok=True)
        with sync_playwright() as playwright:
            photograph(playwright.chromium.launch(executable_path=options.chromium), options.console, options.out)
        return
    display = Display.found()
    if display is None:
        parser.error("needs Node and npm")
    options.out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "influxd") as address:
        fill(address, Path(folder), MINUTE_MS)  # as often as a worker takes its figures of sites
        server = Server(address, provisioned.sources({"SCENEWATCH_BUCKET": BUCKET}))
        pages = dict(_pages(server, display))
        server.close()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium)
        for name, page in pages.items():
            tab = browser.new_page(viewport={"width": 24 * COLUMN_PX + GAP_PX, "height": 600})
            tab.set_content(page)
            tab.screenshot(path=options.out / f"{name}.png", full_page=True)
        browser.close()


def _pages(server: Server, display: Display) -> Iterator[tuple[str, str]]:
    boards = committed()
    for name, (uid, picks) in PICTURES.items():
        seen = view(boards[uid], reader(server, "day", **picks), server)
        for theme in COLORS:
            yield f"{name}-{theme}", _page(seen, picks, display, theme)


def _page(seen: View, picks: dict[str, str], display: Display, theme: str) -> str:
    board = seen.dashboard
    panels = seen.panels()
    asked = {panel["id"]: (panel, frames) for panel, frames in panels.values()}
    common = {"do": "draw", "theme": theme, "now": seen.reader.span.to_ms}
    jobs = [{**common, "panel": panel, "frames": frames} for panel, frames in asked.values()]
    answers = dict(zip(asked, display.answers(jobs), strict=True))
    marks = _marks(seen)
    body, bottom = [], 0
    for panel in board["panels"]:
        place = panel["gridPos"]
        bottom = max(bottom, place["y"] + place["h"])
        body.append(_placed(panel, answers.get(panel["id"]), seen, marks))
    style = STYLE
    for word, color in COLORS[theme].items():
        style = style.replace(word.upper(), color)
    values = [(v.get("label", v["name"]), picks.get(v["name"], "")) for v in board["templating"]["list"]]
    chosen = "".join(
        f"<b>{escape(label)}: {escape('全部 · All' if value == '$__all' else value)}</b>"
        for label, value in values
        if value
    )
    return (
        f"<!doctype html><meta charset=utf-8><style>{style}</style>"
        f"<header><h1>{escape(board['title'])}</h1><p>{escape(board['description'])}</p>{chosen}"
        f"<b>24 h</b></header><div class=note>{escape(NOTE)}</div>"
        f'<main style="height:{bottom * ROW_PX + GAP_PX}px">{"".join(body)}</main>'
    )


def _placed(panel: Json, answer: Json | None, seen: View, marks: list[Json]) -> str:
    place = panel["gridPos"]
    wide, high = place["w"] * COLUMN_PX - GAP_PX, place["h"] * ROW_PX - GAP_PX
    at = f"left:{place['x'] * COLUMN_PX + GAP_PX}px;top:{place['y'] * ROW_PX}px;width:{wide}px;height:{high}px"
    title = escape(panel["title"])
    if panel["type"] == "row":
        return f'<div class=row style="{at}">{"▸" if panel["collapsed"] else "▾"} {title}</div>'
    empty = f'<div class="empty">{EMPTY}</div>'
    inner = empty if answer is None else _inner(panel, answer, seen, marks, (wide, high))
    return f'<section style="{at}"><h2>{title}</h2>{inner}</section>'


def _inner(panel: Json, answer: Json, seen: View, marks: list[Json], size: tuple[int, int]) -> str:
    span = seen.reader.span
    match panel["type"]:
        case "stat":
            return _tiles(answer["values"])
        case "table":
            return _table(answer["frames"], size[1] - HEAD_PX)
        case "state-timeline":
            frame = Frame(size[0], size[1] - HEAD_PX, span.from_ms, span.to_ms)
            return timeline(frame, [(one["name"], *_timed(times, one)) for times, one in _series(answer["frames"])])
        case "timeseries":
            lines = _lines(panel, answer["frames"])
            frame = Frame(size[0], size[1] - HEAD_PX - 20, span.from_ms, span.to_ms)
            defaults = panel["fieldConfig"]["defaults"]
            drawn = defaults["custom"].get("thresholdsStyle", {}).get("mode", "off") != "off"
            steps = defaults["thresholds"]["steps"] if drawn else []
            unit = unit_of(answer["frames"][0]["fields"][1]["example"])
            return chart(frame, lines, steps, unit, marks) + legend(lines)
    raise ValueError(f"nobody has drawn a {panel['type']} yet")


def _tiles(values: list[Json]) -> str:
    tiles = [
        f'<div><strong style="color:{one["color"]}">{escape(one["text"])}</strong>'
        f"<small>{escape(one.get('title') or '')}</small></div>"
        for one in values
    ]
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _table(frames: list[Json], high: int) -> str:
    [frame] = frames[:1]
    columns = frame["fields"]
    head = "".join(f"<th>{escape(one['name'])}</th>" for one in columns)
    count = min(len(columns[0]["values"]), (high - 30) // 27)
    rows = [
        "".join(
            f'<td style="color:{one["shown"][n]["color"]}">{escape(one["shown"][n]["text"])}</td>'
            for one in columns
        )
        for n in range(count)
    ]
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _series(frames: list[Json]) -> Iterator[tuple[list[int], Json]]:
    for frame in frames:
        time, *values = frame["fields"]
        for one in values:
            yield time["values"], one


def _timed(times: list[int], one: Json) -> tuple[list[int], list[Json]]:
    return times, one["shown"]


def _lines(panel: Json, frames: list[Json]) -> list[Line]:
    custom = panel["fieldConfig"]["defaults"]["custom"]
    own = {
        override["matcher"]["options"]: {row["id"]: row["value"] for row in override["properties"]}
        for override in panel["fieldConfig"]["overrides"]
    }
    lines = []
    for frame in frames:
        more = own.get(frame["refId"], {})
        for times, one in _series([frame]):
            lines.append(
                Line(
                    name=one["name"],
                    color=one["color"],
                    t_ms=times,
                    values=one["values"],
                    width=more.get("custom.lineWidth", 1.2),
                    fill_to=more.get("custom.fillBelowTo", ""),
                    bars=custom["drawStyle"] == "bars",
                    in_legend=not more.get("custom.hideFrom", {}).get("legend", False),
                )
            )
    return lines


def _marks(seen: View) -> list[Json]:
    """Annotations: alarms from raised to cleared, or to the end while they stand; events at their time."""
    span = seen.reader.span
    colors = {f"annotation {one['name']}": one["iconColor"] for one in seen.dashboard["annotations"]["list"]}
    marks = []
    for asked, frames in seen.pairs:
        for frame in frames if asked.place in colors else []:
            columns = {column["name"]: column["values"] for column in frame["fields"]}
            for begin, end in zip(columns["Time"], columns.get("cleared_ms", columns["Time"]), strict=True):
                to_ms = min(end or span.to_ms, span.to_ms)
                marks.append({"from_ms": begin, "to_ms": to_ms, "color": colors[asked.place]})
    return marks


if __name__ == "__main__":
    main()
