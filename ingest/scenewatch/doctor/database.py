"""The relational database: there, of our schema, with devices in it, and whose it is. It is only looked at."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from scenewatch.doctor.findings import failed, ok, warning
from scenewatch.model.errors import ConfigurationError, ScenewatchError
from scenewatch.store.alarms import Alarms
from scenewatch.store.deadletters import DeadLetters
from scenewatch.store.devices import Inventory
from scenewatch.store.lease import Leases
from scenewatch.store.relational import ABOUT, ExistingDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.doctor.findings import Finding, Subject

SQLITE = "sqlite:///"
FIRST_START = "start the worker once, it makes what is missing"
IMPORT = "scenewatch inventory import FILE.csv --config FILE: messages of unknown devices are dead letters"


def relational_database(subject: Subject) -> Iterator[Finding]:
    url = subject.settings.database.url
    if url.startswith(SQLITE) and _is_somebody_elses(file := Path(url.removeprefix(SQLITE))):
        yield failed(f"{file} is an SQLite file of somebody else's", "give database.url a file of its own")
        return
    try:
        database = ExistingDatabase(url)
    except ConfigurationError as error:
        for mistake in error.mistakes:
            what, _, mend = mistake.what.partition(": ")
            yield failed(f"{mistake.place} {what}", mend or FIRST_START)
        return
    except ScenewatchError as error:
        yield failed(str(error), FIRST_START)
        return
    with closing(database):
        try:
            # Each looks whether its table is there and has all columns.
            Alarms(database)
            DeadLetters(database)
            lease = Leases(database).read()
            revision = Inventory(database)
            devices = sum(1 for _ in revision.each())
        except ScenewatchError as error:
            yield failed(str(error), FIRST_START)
            return
    holder = (
        f"worked on by {lease.host}, process {lease.pid}" if lease and lease.holder else "no worker has it open"
    )
    yield ok(f"its schema is ours; {devices:,} devices; {holder}")
    if not devices:
        yield warning("the inventory is empty", IMPORT)


def _is_somebody_elses(file: Path) -> bool:
    """Looked at without what a worker sets on connecting, which would stay in the file."""
    if not file.is_file():
        return False
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as con:
            tables = {name for (name,) in con.execute("select name from sqlite_master where type = 'table'")}
    except sqlite3.Error:
        return False  # told by what opens it next
    return bool(tables) and ABOUT.name not in tables
