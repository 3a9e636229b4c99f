"""One worker an identity: who gets the lease, who must go, and what a database that is away changes."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest

from ends import wait_for
from scenewatch.model.clock import SystemClock
from scenewatch.model.errors import CorruptError, InUseError
from scenewatch.store import relational
from scenewatch.store.lease import LEASE, Lease, Leases
from scenewatch.store.relational import Database
from scenewatch.worker.tenure import Patience, Tenure

QUICK = Patience(renew_s=0.02, expired_s=0.3, look_s=0.01)
DEAD = Lease("somebody", "their folder", "far", 77, beat=5)


@pytest.fixture
def impatient(monkeypatch):
    """A database that another holds is away at once."""
    monkeypatch.setattr(relational, "BUSY_MS", 10)


@pytest.fixture
def database(tmp_path):
    with closing(Database(f"sqlite:///{tmp_path / 'd.sqlite'}")) as database:
        yield database


@pytest.fixture
def table(database):
    return Leases(database)


def tenure(table, folder="ours", patience=QUICK):
    return Tenure(table, folder, SystemClock(), patience)


def test_a_lease_is_taken_renewed_and_given_back(table):
    with tenure(table) as held:
        first = table.read()
        wait_for(lambda: table.read().beat > first.beat + 2)
        assert table.read().holder == first.holder
        assert (held.failure, held.last_folder) == (None, "")
    assert table.read().holder == ""
    with tenure(table, "another folder", Patience(expired_s=3600.0)) as held:
        assert held.last_folder == "ours"


def test_a_second_worker_is_refused_as_soon_as_the_first_shows_life(table):
    patience = Patience(renew_s=0.02, expired_s=60.0, look_s=0.01)
    with tenure(table), pytest.raises(InUseError, match=r"in use by the worker on .*, process \d+: stop that one"):
        tenure(table, "another folder", patience).__enter__()


def test_a_lease_that_nobody_renews_is_taken_over_when_it_has_run_out(table, caplog):
    caplog.set_level("INFO")
    table.take(DEAD, 0, instead_of=None)
    with tenure(table):
        assert table.read().holder != DEAD.holder
    assert [r.getMessage().split(":")[0] for r in caplog.records] == [
        "the database was last used by the worker on far, process 77",
    ]


def test_a_killed_worker_of_the_same_journal_folder_is_not_waited_for(table):
    patience = Patience(renew_s=0.02, expired_s=3600.0, look_s=1.0)
    table.take(Lease("before", "ours", "here", 1), 0, instead_of=None)
    with tenure(table, patience=patience):
        assert table.read().holder != "before"


def test_one_that_is_given_back_while_another_waits_is_free_at_once(table):
    patience = Patience(renew_s=0.02, expired_s=3600.0, look_s=0.01)
    table.take(DEAD, 0, instead_of=None)
    threading.Timer(0.1, table.give_back, [DEAD.holder]).start()
    with tenure(table, patience=patience):
        assert table.read().folder == "ours"


def test_of_many_that_come_at_once_one_gets_it(table):
    table.take(DEAD, 0, instead_of=None)
    patience = Patience(renew_s=0.02, expired_s=0.2, look_s=0.01)
    inside, refused = [], []
    everybody = threading.Barrier(5)

    def come(n):
        one = tenure(table, f"folder {n}", patience)
        everybody.wait()
        try:
            one.__enter__()
        except InUseError as error:
            refused.append(error)
        else:
            inside.append(one)

    threads = [threading.Thread(target=come, args=(n,)) for n in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    inside[0].__exit__()
    assert (len(inside), len(refused)) == (1, 4)


def test_a_worker_whose_lease_was_taken_must_end_and_leaves_it_alone(table, caplog):
    with tenure(table) as late:
        mine = table.read()
        while not table.take(DEAD, 0, instead_of=mine):  # it may be renewed in between
            mine = table.read()
        wait_for(lambda: late.failure)
        assert isinstance(late.failure, InUseError)
        assert "in use by the worker on far, process 77" in str(late.failure)
    assert table.read() == DEAD
    assert not caplog.records, "the worker tells it"


@pytest.mark.usefixtures("impatient")
def test_while_the_database_is_away_the_worker_goes_on_and_looks_when_it_is_back(table, tmp_path, caplog):
    caplog.set_level("INFO")
    with tenure(table) as held, closing(sqlite3.connect(tmp_path / "d.sqlite", isolation_level=None)) as other:
        wait_for(lambda: table.read().beat)
        other.execute("BEGIN IMMEDIATE")
        wait_for(lambda: caplog.records)
        beat = table.read().beat
        threading.Event().wait(2 * QUICK.expired_s)
        assert held.failure is None
        other.execute("ROLLBACK")
        wait_for(lambda: table.read().beat > beat + 1)
    first, second = [r.getMessage() for r in caplog.records]
    assert first.startswith("the lease cannot be renewed, the worker goes on: ")
    assert second == "the lease is renewed again"


@pytest.mark.usefixtures("impatient")
def test_a_lease_lost_while_the_database_was_away_ends_the_worker_when_it_is_back(table, tmp_path, caplog):
    with tenure(table) as held, closing(sqlite3.connect(tmp_path / "d.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        wait_for(lambda: caplog.records)
        other.execute("UPDATE lease SET holder = 'thief', host = 'far', pid = 8")
        assert held.failure is None
        other.execute("COMMIT")
        wait_for(lambda: held.failure)
        assert "the worker on far, process 8" in str(held.failure)


def test_a_database_put_back_from_a_copy_without_a_lease_is_still_ours(database, table):
    with tenure(table) as held:
        with database.writing() as con:
            con.execute(LEASE.delete())
        wait_for(lambda: table.read() is not None)
        assert table.read().folder == "ours"
        assert held.failure is None


def test_a_database_that_is_damaged_ends_the_worker(table, caplog):
    class Damaged(Leases):
        def renew(self, *_):
            raise CorruptError("not an SQLite file, or damaged")

    table.__class__ = Damaged
    with tenure(table) as held:
        wait_for(lambda: held.failure)
        assert isinstance(held.failure, CorruptError)
    assert caplog.records[0].getMessage() == "the lease cannot be kept"
