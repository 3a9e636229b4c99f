"""What operators may do with a worker, put together: who they are, and what they did."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from scenewatch.api.guard import Guard
from scenewatch.model.disk import sync
from scenewatch.parts import state_folder
from scenewatch.store.audit import Audit

if TYPE_CHECKING:
    from pathlib import Path

    from scenewatch.app import Worker
    from scenewatch.store.relational import Database

KEY_FILE = "sessions.key"
KEY_BYTES = 32


class Controls:
    """Implements `api.controls.Controls`. Any thread."""

    def __init__(self, worker: Worker, database: Database) -> None:
        settings = worker.settings
        key = session_key(state_folder(settings.journal.path))
        self.guard = Guard(settings.http.operators_file, key, worker.clock)
        self.audit = Audit(database, worker.clock)


def session_key(folder: Path) -> bytes:
    """What the worker signs cookies with: made once, so that a restart signs nobody out."""
    path = folder / KEY_FILE
    if path.exists() and len(key := path.read_bytes()) == KEY_BYTES:
        return key
    key = secrets.token_bytes(KEY_BYTES)
    partial = folder / f"{KEY_FILE}.new"
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key)
    sync(partial)
    partial.replace(path)
    sync(folder)
    return key
