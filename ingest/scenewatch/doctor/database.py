"""The relational database: there, of our schema, with devices in it, and whose it is. It is only looked at."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from scenewatch.doctor.findings import failed, ok, warning
from scenewatch.model.errors import ConfigurationError, ScenewatchError
from scenewatch.store.alarms import Alarms
from scenewatch.store.deadletters import DeadLetters
from scenewatch.store.devices import Inventory
from scenewatch.store.lease import Leases
from scenewatch.store.relational import ExistingDatabase

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.doctor.findings import Finding, Subject

FIRST_START = "start the worker once, it makes what is missing"
IMPORT = "scenewatch inventory import FILE.csv --config FILE: messages of unknown devices are dead letters"


def relational_database(subject: Subject) -> Iterator[Finding]:
    try:
        database = ExistingDatabase(subject.settings.database.url)
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
