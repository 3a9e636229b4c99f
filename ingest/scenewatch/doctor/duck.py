"""The embedded store: a DuckDB file of our schema, or one that a running worker has open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from scenewatch.doctor.findings import failed, ok, warning
from scenewatch.store.duckfile import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scenewatch.doctor.findings import Finding, Subject

PREFIX = "duckdb:"


def embedded_store(subject: Subject) -> Iterator[Finding]:
    url = subject.settings.store.url
    if not url.startswith(PREFIX):
        return
    path = Path(url.removeprefix(PREFIX))
    if not path.exists():
        yield warning(f"{path} is not there yet", "start the worker once, it makes the file")
        return
    try:
        with duckdb.connect(path, read_only=True) as con:
            row = con.execute("select version from state").fetchone()
    except duckdb.Error as error:
        yield _unreadable(path, error)
        return
    if row == (VERSION,):
        yield ok(f"{path} is of our schema, {VERSION}, and no worker has it open")
    else:
        what = f"{path} is of schema {row and row[0]}, this program knows {VERSION}"
        yield failed(what, "use the release that wrote it; nothing in the file is changed")


def _unreadable(path: Path, error: duckdb.Error) -> Finding:
    text = str(error)
    if "Could not set lock" in text:
        return ok(f"{path} is open in a running worker")
    if isinstance(error, duckdb.CatalogException):
        return failed(f"{path} is a DuckDB file of somebody else's", "give store.url a file of its own")
    first_line = text.split("\n", 1)[0]
    return failed(f"{path} cannot be read ({first_line})", "restore it from a backup, or give store.url a new file")
