"""One database for several concerns: opened, shared, locked, full, damaged."""

import resource
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from scenewatch.model.errors import ConfigurationError, CorruptError, RefusedError, ScenewatchError, TemporaryError
from scenewatch.model.ledger import NOWHERE, DeadLetter
from scenewatch.store import relational
from scenewatch.store.alarms import ALARM, Alarms
from scenewatch.store.deadletters import DEAD_LETTER, DeadLetters
from scenewatch.store.devices import DEVICE, Inventory
from scenewatch.store.letterfilter import Which
from scenewatch.store.relational import Database, ExistingDatabase


def letter(position, payload=b"{"):
    return DeadLetter(position, 1_000 + position, b"sw/kitchen/a/b/telemetry", payload, "not JSON")


def found(letters, limit, **which):
    return [kept.letter for kept in letters.dead_letters(limit, Which(**which))]


def test_all_concerns_share_one_file_and_open_it_again(url):
    for _ in range(2):
        with closing(Database(url)) as database:
            Inventory(database), Alarms(database)
            DeadLetters(database).add([letter(1)])
            assert DeadLetters(database).count() == 1


@pytest.mark.parametrize("table", [DEVICE, ALARM, DEAD_LETTER])
def test_the_tables_can_be_said_in_postgresql(table):
    """`BIGSERIAL` would hand out numbers that are ours to give."""
    said = str(sa.schema.CreateTable(table).compile(dialect=postgresql.dialect()))
    assert "PRIMARY KEY" in said
    assert "SERIAL" not in said


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "is not a database URL"),
        ("oracular://host/x", "names oracular, which is not supported"),
        ("mysql+mysqldb://host/x", "names mysql, which is not supported"),
        ("postgresql+none://host/x", "names an unknown driver"),
        ("postgresql+pg8000://host/x", "needs the Python package pg8000"),
    ],
)
def test_a_url_that_cannot_be_used_is_a_mistake(url, told):
    with pytest.raises(ConfigurationError, match=told):
        Database(url)


def test_a_password_is_never_told(tmp_path):
    for url in ("postgresql+none://me:s3cret@host/x", f"sqlite://me:s3cret@/{tmp_path}/no/such.sqlite"):
        with pytest.raises(ScenewatchError) as told:
            Database(url)
        assert "s3cret" not in str(told.value)


class Counted:
    """A remembered look at the inventory's revision that counts how often it is read."""

    def __init__(self, database):
        self.reads = 0
        self.look = database.remembered(self.read)

    def read(self, con):
        self.reads += 1
        return con.scalar(sa.select(relational.ABOUT.c.inventory_revision))


def raise_revision(database):
    with database.writing() as con:
        con.execute(
            sa.update(relational.ABOUT).values(inventory_revision=relational.ABOUT.c.inventory_revision + 1)
        )


def test_what_is_remembered_is_read_again_only_after_a_change(file_database):
    counted = Counted(file_database)
    assert [counted.look() for _ in range(3)] == [0, 0, 0]
    assert counted.reads == 1
    raise_revision(file_database)
    assert [counted.look() for _ in range(3)] == [1, 1, 1]
    assert counted.reads == 2


def test_a_change_by_another_process_is_seen(url, database):
    counted = Counted(database)
    assert counted.look() == 0
    code = (
        "import sys; from scenewatch.store.relational import Database;"
        "from scenewatch.store.devices import Inventory; from scenewatch.model.place import Device;"
        "Inventory(Database(sys.argv[1])).replace([Device(scene='a', site='b', device='c', type='d')])"
    )
    subprocess.run([sys.executable, "-c", code, url], check=True)
    assert counted.look() == 1


def test_what_is_rolled_back_changes_nothing_that_is_remembered(database):
    counted = Counted(database)
    counted.look()
    with pytest.raises(RefusedError), database.writing() as con:
        con.execute(sa.text("UPDATE about SET inventory_revision = 7, one = 2"))
    assert counted.look() == 0


def test_what_cannot_be_read_now_is_not_remembered(file_database):
    answers = iter([TemporaryError("away"), 5])

    def ask(_):
        if isinstance(answer := next(answers), Exception):
            raise answer
        return answer

    look = file_database.remembered(ask)
    with pytest.raises(TemporaryError):
        look()
    assert look() == look() == 5


def test_what_is_remembered_is_never_older_than_the_last_change(database):
    counted = Counted(database)
    assert counted.look() == 0
    raise_revision(database)
    assert [counted.look(), counted.look()] == [1, 1]


def test_a_look_that_changes_meanwhile_is_seen_by_the_next(database):
    seen = []

    def ask(con):
        seen.append(con.scalar(sa.select(relational.ABOUT.c.inventory_revision)))
        if len(seen) == 1:
            raise_revision(database)
        return seen[-1]

    look = database.remembered(ask)
    assert [look(), look(), look()] == [0, 1, 1]


def test_a_newer_schema_is_refused(url, database):
    with database.writing() as con:
        con.execute(sa.update(relational.ABOUT).values(version=99))
    with pytest.raises(ConfigurationError, match="schema 99"):
        Database(url)


def test_a_file_that_is_no_database_is_corrupt(tmp_path):
    (tmp_path / "bad.sqlite").write_bytes(b"no database " * 1000)
    with pytest.raises(CorruptError, match=r"bad\.sqlite"):
        Database(f"sqlite:///{tmp_path / 'bad.sqlite'}")


def test_what_another_process_locks_is_temporary(file_database, tmp_path, monkeypatch):
    letters = DeadLetters(file_database)
    file_database._engine.dispose()
    monkeypatch.setattr(relational, "BUSY_MS", 10)
    with closing(sqlite3.connect(tmp_path / "rows.sqlite", isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(TemporaryError, match="locked"):
            letters.add([letter(1)])
        assert letters.count() == 0
        other.execute("rollback")
    letters.add([letter(1)])
    assert letters.count() == 1


def test_a_full_disk_is_temporary_and_leaves_nothing_half(file_database):
    letters = DeadLetters(file_database)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.raises(TemporaryError):
            letters.add([letter(k, b"x" * 10_000) for k in range(100)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert letters.count() == 0
    letters.add([letter(1)])
    assert letters.count() == 1


def test_a_row_against_the_schema_is_refused_for_good(database):
    letters = DeadLetters(database)
    with pytest.raises(RefusedError, match=r"(?i)not.null"):
        letters.add([letter(1), letter(2, None)])
    assert letters.count() == 0


def test_many_threads_write_and_read_at_once(database):
    letters = DeadLetters(database)

    def write(first):
        for k in range(20):
            letters.add([letter(first + k)])
            assert found(letters, 1)

    threads = [threading.Thread(target=write, args=(n * 100,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert letters.count() == 80


def test_a_reader_sees_one_state_throughout(database):
    letters = DeadLetters(database)
    letters.add([letter(1)])
    query = sa.select(sa.func.count()).select_from(DEAD_LETTER)
    with database.reading() as con:
        assert con.scalar(query) == 1
        letters.add([letter(2)])
        assert con.scalar(query) == 1
    assert letters.count() == 2


def test_dead_letters_come_back_whole_newest_first(database):
    letters = DeadLetters(database)
    kept = [letter(k, bytes(range(256))) for k in (3, 1, 2**62)]
    letters.add(kept)
    assert found(letters, 2) == [kept[2], kept[0]]
    assert found(letters, 10, before=2**62) == [kept[0], kept[1]]
    assert found(letters, 10, before=1) == []


def test_a_dead_letter_put_aside_again_stays_as_it_was(database):
    letters = DeadLetters(database)
    letters.add([])
    letters.add([letter(1, b"first")])
    letters.add([letter(1, b"second"), letter(2)])
    assert letters.count() == 2
    assert found(letters, 1, before=2)[0].payload == b"first"


def test_thousands_of_dead_letters_are_one_transaction(database):
    letters = DeadLetters(database)
    letters.add([letter(k) for k in range(5_000)])
    assert letters.count() == 5_000


def test_an_existing_database_is_read_while_another_writes(url):
    with closing(Database(url)) as worker, closing(ExistingDatabase(url)) as beside:
        DeadLetters(worker).add([letter(1), letter(2)])
        letters = DeadLetters(beside)
        with worker.writing() as con:
            con.execute(sa.delete(DEAD_LETTER))
            assert letters.at(2).letter == letter(2)
        assert letters.at(2) is None


def test_an_existing_database_is_not_changed(url):
    with closing(Database(url)) as worker, closing(ExistingDatabase(url)) as beside:
        letters = DeadLetters(worker)
        with pytest.raises(RefusedError, match="is only looked at"):
            DeadLetters(beside).add([letter(1)])
        with pytest.raises(TemporaryError, match=r"read-?only"), beside.reading() as con:
            con.execute(sa.delete(DEAD_LETTER))
        letters.add([letter(1)])


def test_a_database_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(RefusedError, match="there is no database; has a worker run"):
        ExistingDatabase(f"sqlite:///{tmp_path}/none/at-all.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_is_not_there_is_not_made(url):
    with closing(Database(url)), closing(ExistingDatabase(url)) as beside:
        with pytest.raises(RefusedError, match="has no table dead_letter"):
            DeadLetters(beside)
        with beside.reading() as con:
            assert not sa.inspect(con).has_table("dead_letter")


def test_an_existing_database_of_another_release_is_refused(url):
    with closing(Database(url)) as database:
        with database.writing() as con:
            con.execute(sa.update(relational.ABOUT).values(version=99))
        with pytest.raises(ConfigurationError, match="is of schema 99"):
            ExistingDatabase(url)


def test_a_table_of_an_older_release_gets_the_new_columns_and_keeps_its_rows(tmp_path):
    file = tmp_path / "old.sqlite"
    url = f"sqlite:///{file}"
    Database(url).close()
    with closing(sqlite3.connect(file)) as con:
        con.execute(
            "CREATE TABLE dead_letter (position BIGINT NOT NULL PRIMARY KEY, received_ms BIGINT NOT NULL, "
            "topic BLOB NOT NULL, payload BLOB NOT NULL, reason TEXT NOT NULL)"
        )
        con.execute("INSERT INTO dead_letter VALUES (1, 1001, x'7377', x'7b', 'not JSON')")
        con.commit()
    with closing(ExistingDatabase(url)) as database, pytest.raises(RefusedError, match="start its worker once"):
        DeadLetters(database)
    for _ in range(2):
        with closing(Database(url)) as database:
            (kept,) = DeadLetters(database).dead_letters(10, Which())
            assert (kept.letter.position, kept.letter.owner, kept.tries) == (1, NOWHERE, 0)
            assert (kept.asked_ms, kept.taken_ms) == (None, None)
    with closing(sqlite3.connect(file)) as con:  # what the older release does still works
        con.execute(
            "INSERT INTO dead_letter (position, received_ms, topic, payload, reason) VALUES (2, 2, x'', x'', '')"
        )
        con.commit()
    with closing(Database(url)) as database:
        assert DeadLetters(database).count() == 2
