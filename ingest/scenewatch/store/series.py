"""Which number a series has in this store's file, and the newest time each one has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb
    from numpy.typing import NDArray

BEFORE_ALL = np.iinfo(np.int64).min
LEARNT_AT_ONCE = 20_000
"""While they are learnt, series take some 300 bytes each."""


class SeriesIds:
    """Registry numbers to the store's own ids, by name: a file outlives the registry that filled it.

    `marks[id]` is at or above the newest time stored. It may be above: what a failed transaction raised
    only makes later readings be looked up that need not be.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._id_of = np.empty(0, np.int32)
        self._next = 0
        self.marks = np.empty(0, np.int64)
        self.forget(con)
        newest = con.execute("select series, max(t) as t from reading group by series").fetchnumpy()
        self.marks[newest["series"]] = newest["t"]

    def forget(self, con: duckdb.DuckDBPyConnection) -> None:
        """After a failure: ids handed out in vain are free again; all are looked up anew."""
        self._id_of = np.empty(0, np.int32)
        row = con.execute("select count(*) from series").fetchone()
        self._next = row[0] if row else 0
        self._grow_marks()

    def ids(
        self, con: duckdb.DuckDBPyConnection, numbers: NDArray[np.int32], names: Callable[[int], str]
    ) -> NDArray[np.int32]:
        """Ids of registry numbers; names that are new become rows of the open transaction."""
        missing = int(numbers.max(initial=-1)) + 1 - len(self._id_of)
        if missing > 0:
            self._id_of = np.concatenate((self._id_of, np.full(missing, -1, np.int32)))
        ids = self._id_of[numbers]
        unknown = ids < 0
        if unknown.any():
            wanted = np.unique(numbers[unknown])
            for first in range(0, len(wanted), LEARNT_AT_ONCE):
                self._learn(con, wanted[first : first + LEARNT_AT_ONCE], names)
            ids = self._id_of[numbers]
        return ids

    def _learn(
        self, con: duckdb.DuckDBPyConnection, numbers: NDArray[np.int32], names: Callable[[int], str]
    ) -> None:
        wanted = [names(int(n)) for n in numbers]
        asked = {"name": np.array(wanted, object)}  # noqa: F841  # DuckDB reads it by its name here
        id_of: dict[str, int] = dict(
            con.execute("select name, id from series semi join asked using (name)").fetchall()
        )
        new = [name for name in dict.fromkeys(wanted) if name not in id_of]
        if new:
            ids = np.arange(self._next, self._next + len(new), dtype=np.int32)
            rows = {"id": ids, "name": np.array(new, object)}  # noqa: F841  # DuckDB reads it by its name here
            con.execute("insert into series select id, name from rows")
            id_of.update(zip(new, ids.tolist(), strict=True))
            self._next += len(new)
            self._grow_marks()
        self._id_of[numbers] = [id_of[name] for name in wanted]

    def _grow_marks(self) -> None:
        missing = self._next - len(self.marks)
        if missing > 0:
            self.marks = np.concatenate((self.marks, np.full(missing, BEFORE_ALL)))
