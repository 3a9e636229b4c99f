"""Rules as they once were, by version: an old alarm is explained by the numbers that raised it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import sqlalchemy as sa

from scenewatch.store.relational import PARTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scenewatch.store.relational import Database

RULE_VERSION = sa.Table(
    "rule_version",
    PARTS,
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("first_at_ms", sa.BigInteger, nullable=False, comment="when it was first in force here"),
    sa.Column("entry", sa.Text, nullable=False, comment="the rule's table entry as JSON"),
)


class RuleVersions:
    """Safe to use from any thread. What is kept never changes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.create(RULE_VERSION)

    def keep(self, entries: Mapping[str, Mapping[str, Any]], at_ms: int) -> None:
        """Entries by `<scene>.<rule>`, each with its `version`; those that are known stay as they are."""
        rows = [
            {
                "rule": rule,
                "version": entry["version"],
                "first_at_ms": at_ms,
                "entry": msgspec.json.encode(entry).decode(),
            }
            for rule, entry in entries.items()
        ]
        if not rows:
            return
        with self._database.writing() as con:
            con.execute(self._database.insert(RULE_VERSION).on_conflict_do_nothing(), rows)

    def entry(self, rule: str, version: str) -> dict[str, Any] | None:
        """None where that version was never in force here."""
        this = (RULE_VERSION.c.rule == rule) & (RULE_VERSION.c.version == version)
        with self._database.reading() as con:
            found = con.scalar(sa.select(RULE_VERSION.c.entry).where(this))
        return None if found is None else msgspec.json.decode(found, type=dict[str, Any])
