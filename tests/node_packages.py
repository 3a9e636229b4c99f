"""Node packages that tests ask: installed once with npm, kept in the user's cache."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

INSTALL_S = 300
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "scenewatch-tests"
NPM = ("install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--legacy-peer-deps")
"""No script of a package runs, and no lock file is made, which would record where packages came from."""
DONE = "installed"
NO_NODE = "needs packages of Node: install Node and npm, and they are fetched at the next run"


@dataclass(frozen=True, kw_only=True)
class NodePackages:
    """What a `package.json` names; one that changed takes a new folder."""

    name: str
    manifest: Path

    def folder(self) -> Path | None:
        """Where its `node_modules` is; None where it is not there and cannot be installed."""
        folder = CACHE / f"{self.name}-{digest(self.manifest)}"
        CACHE.mkdir(parents=True, exist_ok=True)
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # one process of the tests installs it, the others wait for that
            return folder if (folder / DONE).exists() or self._install(folder) else None

    def _install(self, folder: Path) -> bool:
        npm = shutil.which("npm")
        if npm is None or node() is None:
            return False
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        shutil.copy(self.manifest, folder / "package.json")
        ended = subprocess.run([npm, *NPM], cwd=folder, timeout=INSTALL_S, capture_output=True, check=False)
        if ended.returncode == 0:
            (folder / DONE).touch()
        return ended.returncode == 0


def node() -> str | None:
    return shutil.which("node")


def digest(*files: Path) -> str:
    """Changes when any of them does."""
    found = blake2b(digest_size=6)
    for path in files:
        found.update(path.read_bytes())
    return found.hexdigest()
