"""Packages of npm that tests use: installed once, kept in the user's cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from go_programs import CACHE

INSTALL_S = 300
INSTALL = ("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--omit=peer")


@dataclass(frozen=True)
class NodePackages:
    """What a `package.json` names, all with exact versions."""

    manifest: Path

    def folder(self) -> Path | None:
        """Its `node_modules` has them; None where they are not there and cannot be installed."""
        if shutil.which("node") is None or shutil.which("npm") is None:
            return None
        wanted = self.manifest.read_bytes()
        folder = CACHE / f"node-{hashlib.sha256(wanted).hexdigest()[:12]}"
        done = folder / "installed"
        CACHE.mkdir(parents=True, exist_ok=True)
        with (CACHE / f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # one process of the tests installs them, the others wait
            if not done.exists():
                folder.mkdir(exist_ok=True)
                (folder / "package.json").write_bytes(wanted)
                if not _installed(folder):
                    return None
                done.touch()
        return folder


def _installed(folder: Path) -> bool:
    ended = subprocess.run(
        INSTALL, cwd=folder, env=os.environ | {"CI": "1"}, timeout=INSTALL_S, capture_output=True, check=False
    )
    return ended.returncode == 0
