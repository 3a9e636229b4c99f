"""Grafana's own `@grafana/data` in Node: how it would show what the queries answer."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

Json = dict[str, Any]
PROGRAM = Path(__file__).with_name("display.cjs")
TIMEOUT_S = 60


class Display:
    """`modules`: the folder whose `node_modules` has the packages."""

    def __init__(self, node: str, modules: Path) -> None:
        self._command = [node, str(PROGRAM), str(modules)]

    def answers(self, jobs: list[Json]) -> list[Any]:
        """All in one process: loading Grafana's library takes longer than most answers."""
        ended = subprocess.run(
            self._command, input=json.dumps(jobs), capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)
