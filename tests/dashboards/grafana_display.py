"""Grafana's own `@grafana/data` in Node: how it would show what the queries answer."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Self

from node_packages import NodePackages, node

Json = dict[str, Any]
HERE = Path(__file__).parent / "display"
PROGRAM = HERE / "display.cjs"
PACKAGES = NodePackages(name="grafana-display", manifest=HERE / "package.json")
TIMEOUT_S = 60


class Display:
    """`node` is the program, `packages` the folder that has its `node_modules`."""

    def __init__(self, program: str, packages: Path) -> None:
        self._command = [program, str(PROGRAM), str(packages)]

    @classmethod
    def found(cls) -> Self | None:
        """None without Node, npm or a registry to install from."""
        program, packages = node(), PACKAGES.folder()
        return cls(program, packages) if program and packages else None

    def answers(self, jobs: list[Json]) -> list[Any]:
        """All in one process: loading Grafana's library takes longer than most answers."""
        ended = subprocess.run(
            self._command, input=json.dumps(jobs), capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)
