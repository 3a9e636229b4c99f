"""Files of secrets: there, one line of text, and nobody else's to read. What is in them is never told."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from scenewatch.doctor.findings import failed, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scenewatch.doctor.findings import Finding, Subject
    from scenewatch.settings import Settings

SETTINGS = (
    ("broker", "password_file"),
    ("broker", "key_file"),
    ("store", "token_file"),
    ("http", "operators_file"),
)
OF_SEVERAL_LINES = frozenset({"broker.key_file", "http.operators_file"})
MOUNTED = "/run/secrets/"
"""Where a container finds its own secrets: whoever is in it may read them, and nobody else is."""


def secrets(subject: Subject) -> Iterator[Finding]:
    files = dict(secret_files(subject.settings))
    if subject.grafana_login_file is not None:
        files["--grafana-login-file"] = subject.grafana_login_file
    for name, path in files.items():
        found = [*_readers(name, path), *_content(name, path, lines=name not in OF_SEVERAL_LINES)]
        yield from found or [ok(f"{name} {path}: readable by its owner alone")]
    if not files:
        yield ok("the settings name no file of secrets")


def secret_files(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Those the settings name, by the setting."""
    for section, key in SETTINGS:
        if (path := getattr(getattr(settings, section), key)) is not None:
            yield f"{section}.{key}", path


def _readers(name: str, path: Path) -> Iterator[Finding]:
    if _open_to_all(path) and not str(path.absolute()).startswith(MOUNTED):
        yield warning(f"{name} {path} can be read by everybody on this machine", f"chmod 600 {path}")


def _open_to_all(path: Path) -> bool:
    """Only where every folder on the way lets others through."""
    try:
        return bool(path.stat().st_mode & stat.S_IROTH) and all(map(_passable, path.resolve().parents))
    except OSError:
        return False  # told as what cannot be read


def _passable(folder: Path) -> bool:
    return bool(folder.stat().st_mode & stat.S_IXOTH)


def _content(name: str, path: Path, *, lines: bool) -> Iterator[Finding]:
    try:
        text = path.read_text("utf-8").strip()
    except OSError as error:
        what = f"{name} {path} cannot be read: {error.strerror}"
        yield failed(what, f"put the secret there, readable by the worker's user, or mend {name}")
        return
    except UnicodeDecodeError:
        yield failed(f"{name} {path} is not text", "write the secret into it as one line of UTF-8")
        return
    if not text:
        yield failed(f"{name} {path} is empty", "write the secret into it as one line")
    elif lines and len(text.splitlines()) > 1:
        yield failed(f"{name} {path} has several lines", "leave the one line that is the secret")
