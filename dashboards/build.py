"""Writes Grafana's dashboards and data sources from the scene tables.

    python dashboards/build.py
    python dashboards/build.py --check

A test fails while what is on disk differs from what this gives.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from boards import all_boards
from boards.provisioning import datasources
from scenewatch.alarms.overrides import in_force, mistakes
from scenewatch.model.errors import ConfigurationError
from scenewatch.scenes import all_scenes
from scenewatch.settings import load_limits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scenewatch.model.scene import Scene

HERE = Path(__file__).parent
GRAFANA = HERE / "grafana"
DATASOURCES = HERE / "provisioning" / "datasources" / "scenewatch.yaml"
CONSOLE_URL = "http://127.0.0.1:8080"


def files(scenes: Sequence[Scene], console_url: str = CONSOLE_URL) -> dict[Path, str]:
    """What every file must hold."""
    found = {GRAFANA / f"{board['uid']}.json": _text(board) for board in all_boards(scenes, console_url)}
    return {**found, DATASOURCES: datasources(scenes)}


def differences(wanted: Mapping[Path, str]) -> list[str]:
    """One line a file that is not as it must be."""
    found = []
    for path in sorted({*wanted, *GRAFANA.glob("*.json")}):
        name = path.relative_to(HERE)
        if path not in wanted:
            found.append(f"{name} is of nothing in the tables and goes")
        elif not path.exists():
            found.append(f"{name} is missing")
        elif path.read_text("utf-8") != wanted[path]:
            found.append(f"{name} differs from the tables")
    return found


def write(wanted: Mapping[Path, str]) -> None:
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    for path in GRAFANA.glob("*.json"):
        if path not in wanted:
            path.unlink()


def with_limits(scenes: Sequence[Scene], path: Path | None) -> list[Scene]:
    """The scenes with the numbers of the settings at `path`. Raises ConfigurationError."""
    limits = load_limits(path) if path is not None else {}
    if found := mistakes(scenes, limits):
        raise ConfigurationError(found)
    rules = in_force(scenes, limits)
    return [replace(s, rules=tuple(rules[f"{s.key}.{r.key}"] for r in s.rules)) for s in scenes]


def _text(board: object) -> str:
    return json.dumps(board, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="write Grafana's dashboards and data sources from the scene tables",
        epilog="example: python dashboards/build.py --console-url https://console.example",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; say what differs, with exit status 1")
    parser.add_argument(
        "--console-url",
        default=CONSOLE_URL,
        metavar="URL",
        help=f"where links into the console lead ({CONSOLE_URL})",
    )
    parser.add_argument(
        "--limits", type=Path, metavar="FILE", help="the worker's settings, so that operators' own limits are drawn"
    )
    options = parser.parse_args(arguments)
    try:
        scenes = with_limits(all_scenes(), options.limits)
    except ConfigurationError as error:
        parser.exit(2, "".join(f"{mistake}\n" for mistake in error.mistakes))
    wanted = files(scenes, options.console_url.rstrip("/"))
    found = differences(wanted)
    for line in found:
        print(line)  # noqa: T201 - it is a command
    if options.check:
        return 1 if found else 0
    write(wanted)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
