"""What operators may do with a worker, put together: who they are, what they do, and the record of it."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING

from scenewatch.api.guard import Guard
from scenewatch.model import operators
from scenewatch.model.disk import sync
from scenewatch.notify.commands import CommandSender
from scenewatch.parts import mqtt_settings, state_folder
from scenewatch.store.audit import Audit
from scenewatch.store.commands import CommandTable
from scenewatch.store.holds import HoldTable
from scenewatch.worker.acting import Acting, Papers
from scenewatch.worker.commands import Commands
from scenewatch.worker.view import WorkerView

if TYPE_CHECKING:
    from pathlib import Path

    from scenewatch.app import Worker
    from scenewatch.settings import Settings
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
        self.deeds = Acting(
            worker.pipeline,
            worker.loop,
            journal=worker.journal,
            papers=Papers(worker.book, self.audit, HoldTable(database)),
            clock=worker.clock,
            connected=lambda: worker.source_state == "connected",
        )
        self._sender = CommandSender(mqtt_settings(settings))
        self.commands = Commands(
            CommandTable(database),
            self._sender,
            worker.pipeline.registry,
            root=settings.root,
            clock=worker.clock,
            online=WorkerView(worker).online,
        )

    def start(self) -> None:
        """Once the devices are known as they are now."""
        self._sender.start()

    def close(self) -> None:
        self._sender.close()


def check_operators(settings: Settings) -> None:
    """Raises ConfigurationError with all mistakes of their file: before anything is opened."""
    if (file := settings.http.operators_file) is not None:
        operators.read(file)


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
